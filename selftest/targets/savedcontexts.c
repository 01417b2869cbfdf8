// A handler interrupts code directly behind a system call and makes the same call, from the same place, when that may be
// changed more freely than before: other threads have ended. Then it returns to where no instruction has begun, if somebody
// moved instructions meanwhile. And processes that are alone as threads go, but share their memory.
#include "text.h"
#include <pthread.h>
#include <sched.h>
#include <ucontext.h>

// No room. Five bytes take in the two instructions behind the system call.
PIECE(followed, NUMBER "syscall\nmov %eax, %edx\nmov %edx, %eax\nmov %eax, %edx\nmov %edx, %eax\nret\n")
enum { AT_CALL = 12, BEHIND = AT_CALL + 2, SITES = 16, SPACING = 64 };

static int fd, release[2];
static char *text;
static pthread_t thread;
static volatile int stop_at, stops;

static void *waits(void *arg)
{
	char c;
	EQUAL(read(release[0], &c, 1), 1);
	return arg;
}

static void on_trap(int sig, siginfo_t *info, void *uc)
{
	const greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	(void)sig;
	(void)info;
	if (regs[REG_RIP] != (long)text + stop_at)
		return;
	stops++;
	EQUAL(write(release[1], "x", 1), 1);
	CHECK(pthread_join(thread, NULL) == 0);
	for (int i = 0; i < 3; i++)
		several(text, SYS_getppid, getppid());
}

// stepped calls the code with the trap flag set.
__attribute__((noinline)) static long stepped(void)
{
	long result;
	__asm__ volatile("sub $256, %%rsp\npushf\norl $0x100, (%%rsp)\npopf\n"
			 "call *%[text]\n"
			 "pushf\nandl $~0x100, (%%rsp)\npopf\nadd $256, %%rsp\n"
			 : "=a"(result)
			 : [text] "r"(text), "D"(SYS_getpid), "S"(0), "d"(0), "c"(0)
			 : "r11", "memory", "cc");
	return result;
}

static void interrupted(void)
{
	handle_info(SIGTRAP, on_trap, 0);
	CHECK(pipe(release) == 0);
	for (int offset = 2; offset <= 6; offset += 2) // a step may go from the call over the next instruction: not 0
		for (int used = 0; used < 2; used++) {
			text = map_text(fd, 1, NULL);
			stop_at = BEHIND + offset;
			stops = 0;
			CHECK(pthread_create(&thread, NULL, waits, NULL) == 0);
			if (used)
				several(text, SYS_getpid, getpid());
			EQUAL(stepped(), getpid());
			EQUAL(stops, 1);
			several(text, SYS_getpid, getpid());
			CHECK(munmap(text, PAGE) == 0);
		}
}

static volatile int started;

static int process(void *arg)
{
	started = 1;
	for (int round = 0; round < 20; round++)
		for (int i = 0; i < SITES; i++)
			EQUAL(call(text + i * SPACING, SYS_getpid, 0, 0, 0), (long)syscall(SYS_getpid));
	_exit((long)arg);
}

// Two processes with one memory: each comes to fresh text while the other is in it.
static void processes(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	for (long k = 0; k < 20; k++) {
		text = map_text(fd, 1, NULL);
		started = 0;
		pid_t pid = clone(process, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)k);
		CHECK(pid > 0);
		while (!started && k % 2)
			sched_yield();
		for (int round = 0; round < 20; round++)
			for (int i = SITES - 1; i >= 0; i--)
				EQUAL(call(text + i * SPACING, SYS_getpid, 0, 0, 0), getpid());
		EQUAL(ended(pid), k);
		CHECK(munmap(text, PAGE) == 0);
	}
}

int main(void)
{
	fd = text_file(1);
	for (int i = 0; i < SITES; i++)
		PUT(fd, i * SPACING, followed);
	interrupted();
	processes();
	puts("savedcontexts ok");
}
