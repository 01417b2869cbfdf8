// What a handler sees of the code that its signal interrupted: the instruction is one of the program's or its libraries', at
// the start of it; at a system call the call is either not made, with its number in rax, or made, with its result; the other
// registers are those of the code. A signal every 250 microseconds, over loops of calls that do not block and one that does.
#include "text.h"
#include <ucontext.h>

// B notes the address of an instruction.
#define B "888:\n.pushsection boundaries, \"aw\"\n.quad 888b\n.popsection\n"
#define HOP B ROOM

// LOOP defines long name(number, a, b, c, times, want): calls as long as the result is the one that is wanted.
#define LOOP(name, before, behind) \
	__asm__(".text\n.p2align 6, 0x40\n.globl " #name "\n" #name ":\n" \
		"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n" \
		"mov %rdi, %r12\nmov %rsi, %rdi\nmov %rdx, %rsi\nmov %rcx, %rdx\nmov %r8, %r13\nmov %r9, %r14\n" \
		"mov $0x22222222, %ebx\nmov $0x33333333, %ebp\nmov $0x44444444, %r15d\nmov $0x55555555, %r8d\nmov $0x66666666, %r9d\nmov $0x77777777, %r10d\n" \
		#name "_from:\n1:" B "mov %r12, %rax\n" before B #name "_site: syscall\n" behind \
		B "cmp %r14, %rax\n" B "jne 2f\n" B "dec %r13\n" B "jnz 1b\n2:" B \
		#name "_to:\n" \
		"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n.skip 200, 0x40\n"); \
	extern char name##_from[], name##_site[], name##_to[]; \
	extern long name(long nr, long a, long b, long c, long times, long want);

LOOP(no_room, "", "")
LOOP(room_behind, "", HOP)
LOOP(room_before, HOP, "")
LOOP(no_detour, "", B "nop\n" B "nop\n")

#define CASE(name) {#name, name##_from, name##_site, name##_to, name}
static const struct loop {
	const char *name, *from, *site, *to;
	long (*function)(long, long, long, long, long, long);
} loops[] = {CASE(no_room), CASE(room_behind), CASE(room_before), CASE(no_detour)};
enum { LOOPS = sizeof loops / sizeof *loops };

extern const long __start_boundaries[], __stop_boundaries[];

// The text of program and libraries. Text without a file is none of theirs.
static struct {
	long start, end;
} texts[64];
static int ntexts;

// Whoever looks on has his own text here.
enum { OTHERS_START = 0x70000000, OTHERS_END = 0x7a000000 };

static void find_texts(void)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	CHECK(maps);
	while (fgets(line, sizeof line, maps)) {
		long start, end;
		char execute, name[300] = "";
		CHECK(sscanf(line, "%lx-%lx %*c%*c%c%*c %*s %*s %*s %299s", &start, &end, &execute, name) >= 3);
		int ours = (name[0] == '/' && strncmp(name, "/memfd:", 7)) || !strcmp(name, "[vdso]") || !strcmp(name, "[vsyscall]");
		if (execute == 'x' && ours && !(start >= OTHERS_START && end <= OTHERS_END)) {
			CHECK(ntexts < 64);
			texts[ntexts].start = start;
			texts[ntexts++].end = end;
		}
	}
	fclose(maps);
}

static volatile int alarms, in_loop, at_site, behind_site;
static long pid;
static int restarts, blocking;
static int pipes[2];

static void check_loop(const struct loop *loop, const greg_t *regs)
{
	long ip = regs[REG_RIP], offset = ip - (long)loop->from;
	const long *b = __start_boundaries;
	while (b < __stop_boundaries && *b != ip)
		b++;
	if (b == __stop_boundaries)
		FAIL("%s: interrupted at +%ld, where no instruction begins", loop->name, offset);
	in_loop++;
#define HAS(reg, want) \
	if (regs[reg] != (want)) \
		FAIL("%s: interrupted at +%ld: " #reg " is %#llx, want %#lx", loop->name, offset, regs[reg], (long)(want))
	HAS(REG_RBX, 0x22222222);
	HAS(REG_RBP, 0x33333333);
	HAS(REG_R15, 0x44444444);
	HAS(REG_R8, 0x55555555);
	HAS(REG_R9, 0x66666666);
	HAS(REG_R10, 0x77777777);
	HAS(REG_R12, blocking ? SYS_read : SYS_getpid);
	HAS(REG_R14, blocking ? 1 : pid);
	HAS(REG_RDI, blocking ? pipes[0] : 0);
	HAS(REG_RDX, blocking);
	if (ip == (long)loop->site) {
		at_site++;
		HAS(REG_RAX, regs[REG_R12]);
	}
	if (ip == (long)loop->site + 2) {
		behind_site++;
		HAS(REG_RCX, ip);
		HAS(REG_R11, regs[REG_EFL] & ~0x10000); // but for the resume flag
		if (blocking && !restarts && regs[REG_RAX] == -EINTR)
			return;
		HAS(REG_RAX, regs[REG_R14]);
	}
}

static void on_alarm(int sig, siginfo_t *info, void *uc)
{
	const greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	long ip = regs[REG_RIP];
	int saved = errno, i = 0;
	(void)sig;
	(void)info;
	while (i < ntexts && (ip < texts[i].start || ip >= texts[i].end))
		i++;
	if (i == ntexts)
		FAIL("interrupted at %#lx, which is not the program's text", ip);
	for (i = 0; i < LOOPS; i++)
		if (ip >= (long)loops[i].from && ip <= (long)loops[i].to)
			check_loop(&loops[i], regs);
	alarms++;
	if (blocking && alarms % 3 == 0)
		EQUAL(write(pipes[1], "x", 1), 1);
	errno = saved;
}

int main(void)
{
	pid = getpid();
	find_texts();
	CHECK(pipe(pipes) == 0);
	for (int i = 0; i < LOOPS; i++)
		for (restarts = 0; restarts < 2; restarts++) {
			handle_info(SIGALRM, on_alarm, restarts ? SA_RESTART : 0);
			alarms = in_loop = 0;
			tick(250);
			while (alarms < 100 || in_loop == 0)
				EQUAL(loops[i].function(SYS_getpid, 0, 0, 0, 300, pid), pid);
			tick(0);
		}
	// Calls of libc, which need not be known here, and of the vdso.
	alarms = 0;
	tick(250);
	while (alarms < 100) {
		struct timeval tv;
		char text[64];
		CHECK(gettimeofday(&tv, NULL) == 0 && getppid() > 0 && snprintf(text, sizeof text, "%ld %ld", (long)tv.tv_sec, pid) > 0);
	}
	tick(0);
	// A call that blocks: with SA_RESTART it is still to be made, otherwise it is over.
	for (int i = 0; i < LOOPS; i++)
		for (restarts = 0; restarts < 2; restarts++) {
			char c;
			handle_info(SIGALRM, on_alarm, restarts ? SA_RESTART : 0);
			alarms = at_site = behind_site = 0;
			blocking = 1;
			tick(1000);
			while (alarms < 24) {
				long got = loops[i].function(SYS_read, pipes[0], (long)&c, 1, 1, 1);
				if (got != 1 && (restarts || got != -EINTR))
					FAIL("%s: read is %ld", loops[i].name, got);
			}
			tick(0);
			CHECK((restarts ? at_site : behind_site) > 0);
			blocking = 0;
			CHECK(fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0);
			while (read(pipes[0], &c, 1) == 1)
				;
			CHECK(fcntl(pipes[0], F_SETFL, 0) == 0);
		}
	puts("interruptedtext ok");
}
