// A program that executes itself under its own ptrace, in every way to go on, and records what it is shown of the child: the
// calls with their numbers, arguments and results, signals, events and steps are those that the child makes, and no others.
#include "check.h"
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

enum { SYSGOOD = PTRACE_O_TRACESYSGOOD, STOP_CALL = SIGTRAP | 0x80 };

static char *self;
static char buffer[64];
static struct { unsigned long handler, flags, restorer, mask; } action;
static stack_t stack;
extern char step_site[], step_next[];
static volatile int handled;

static void handler(int sig) { handled += sig; }

// calls are what the child makes between two marks. Every argument is the same in parent and child: no PIE.
static void calls(void)
{
	raw(SYS_getuid, 1, 2, 3, 4, 5, 6);
	raw(SYS_close, 77, 2, 3, 4, 5, 6);
	raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)buffer, 8, 5, 6);
	raw(SYS_rt_sigaction, SIGUSR2, 0, (long)&action, 8, 5, 6);
	raw(SYS_sigaltstack, 0, (long)&stack, 3, 4, 5, 6);
	raw(SYS_mmap, 0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	raw(SYS_munmap, 0x10000000, 4096, 3, 4, 5, 6);
	raw(SYS_wait4, -1, 0, WNOHANG, 0, 5, 6);
	raw(SYS_execve, (long)"/nonexistent", 0, 0, 4, 5, 6);
	raw(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0, 0);
	raw(SYS_ptrace, PTRACE_CONT, -1, 0, 0, 5, 6);
}

struct call { long nr, arg[6], result; };

static const struct call expected[] = {
	{SYS_getuid, {1, 2, 3, 4, 5, 6}, 0},
	{SYS_close, {77, 2, 3, 4, 5, 6}, -EBADF},
	{SYS_rt_sigprocmask, {SIG_BLOCK, 0, (long)buffer, 8, 5, 6}, 0},
	{SYS_rt_sigaction, {SIGUSR2, 0, (long)&action, 8, 5, 6}, 0},
	{SYS_sigaltstack, {0, (long)&stack, 3, 4, 5, 6}, 0},
	{SYS_mmap, {0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0}, 0x10000000},
	{SYS_munmap, {0x10000000, 4096, 3, 4, 5, 6}, 0},
	{SYS_wait4, {-1, 0, WNOHANG, 0, 5, 6}, -ECHILD},
	{SYS_execve, {-1, 0, 0, 4, 5, 6}, -ENOENT}, // the path is not compared
	{SYS_prctl, {PR_GET_DUMPABLE, 0, 0, 0, 0, 0}, 1},
	{SYS_ptrace, {PTRACE_CONT, -1, 0, 0, 5, 6}, -ESRCH},
};
enum { EXPECTED = sizeof expected / sizeof *expected };

static void *thread(void *arg)
{
	rest(1);
	return arg;
}

static void mark(void) { raw(SYS_getppid, 0x6d61726b, 0, 0, 0, 0, 0); }

__attribute__((noinline, noclone))
static long add(long a, long b) { return raw(SYS_getpriority, 0, 0, 0, a, b, 0) + a + b; }

__attribute__((noinline, noclone))
static long stepped(void)
{
	long r = SYS_close;
	__asm__ volatile(".globl step_site, step_next\nstep_site: syscall\nstep_next: nop"
			 : "+a"(r) : "D"(77L) : "rcx", "r11", "memory");
	return r;
}

// child is what runs under the tracer.
static int child(const char *what)
{
	if (!strcmp(what, "calls")) {
		for (int i = 0; i < 3; i++) {
			mark();
			calls();
			mark();
		}
		return 7;
	}
	if (!strcmp(what, "signals")) {
		handle(SIGUSR1, handler, 0);
		raise(SIGUSR1);
		raise(SIGUSR2); // the tracer does not pass it on
		return handled == SIGUSR1 ? 7 : 1;
	}
	if (!strcmp(what, "step")) {
		long sum = 0;
		for (int i = 0; i < 3; i++)
			sum += stepped();
		return sum == -3 * EBADF ? 7 : 1;
	}
	if (!strcmp(what, "change")) {
		errno = 0;
		EQUAL(raw(SYS_sigaltstack, 0x11, 0x22, 0, 0, 0, 0), 42);
		EQUAL(raw(SYS_close, 1000, 0, 0, 0, 0, 0), -EBADF); // became a close of 1001
		return 7;
	}
	if (!strcmp(what, "fork")) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(5);
		EQUAL(ended(pid), 5);
		pid = vfork();
		if (pid == 0)
			_exit(6);
		EQUAL(ended(pid), 6);
		return 7;
	}
	if (!strcmp(what, "thread")) {
		pthread_t t;
		CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
		CHECK(pthread_join(t, NULL) == 0);
		return 7;
	}
	if (!strcmp(what, "wait")) {
		char c;
		EQUAL(read(0, &c, 1), 1);
		return c;
	}
	if (!strcmp(what, "again")) {
		CHECK(execl("/nonexistent", "x", NULL) == -1);
		execl(self, self, "exit", NULL);
	}
	if (!strcmp(what, "loop")) {
		volatile char *go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0, 0);
		CHECK(go != MAP_FAILED);
		long sum = 0;
		for (long i = 0; !go[1]; i++) {
			sum = add(i, 1) - i;
			go[0] = 1;
		}
		return sum == 21 ? 7 : 1;
	}
	return strcmp(what, "exit") ? 1 : 7;
}

// start executes this program under ptrace and returns when the child stands behind its exec, with that SIGTRAP taken.
static pid_t start(char *what, long options, int input)
{
	int status;
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (input >= 0)
			dup2(input, 0);
		CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
		if (options)
			raise(SIGSTOP);
		execl(self, self, what, NULL);
		_exit(99);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	if (options) {
		EQUAL(WSTOPSIG(status), SIGSTOP);
		CHECK(ptrace(PTRACE_SETOPTIONS, pid, 0, options) == 0);
		CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	}
	EQUAL(status >> 8, options & PTRACE_O_TRACEEXEC ? SIGTRAP | PTRACE_EVENT_EXEC << 8 : SIGTRAP);
	return pid;
}

// go lets the child go on and returns what the wait says next.
static int go(enum __ptrace_request request, pid_t pid, long sig)
{
	int status;
	CHECK(ptrace(request, pid, 0, sig) == 0);
	CHECK(waitpid(pid, &status, __WALL) == pid);
	return status;
}

static struct user_regs_struct registers(pid_t pid)
{
	struct user_regs_struct r, same;
	struct iovec v = {&same, sizeof same};
	CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
	CHECK(ptrace(PTRACE_GETREGSET, pid, 1, &v) == 0);
	EQUAL(v.iov_len, sizeof r);
	EQUAL(memcmp(&r, &same, sizeof r), 0);
	EQUAL(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, rip), 0), r.rip);
	EQUAL(r.gs_base, 0);
	return r;
}

// entered and left compare a stop with a call.
static void entered(pid_t pid, const struct call *c, int info)
{
	struct user_regs_struct r = registers(pid);
	long got[6] = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
	EQUAL(r.orig_rax, c->nr);
	EQUAL(r.rax, -ENOSYS);
	EQUAL(r.rcx, r.rip);
	for (int i = c->nr == SYS_execve; i < 6; i++)
		EQUAL(got[i], c->arg[i]);
	if (!info)
		return;
	struct __ptrace_syscall_info s;
	CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof s, &s) > 0);
	EQUAL(s.op, PTRACE_SYSCALL_INFO_ENTRY);
	EQUAL(s.entry.nr, c->nr);
	EQUAL(s.instruction_pointer, r.rip);
	EQUAL(s.stack_pointer, r.rsp);
	for (int i = 0; i < 6; i++)
		EQUAL(s.entry.args[i], got[i]);
}

static void left(pid_t pid, const struct call *c, int info)
{
	struct user_regs_struct r = registers(pid);
	EQUAL(r.orig_rax, c->nr);
	EQUAL(r.rax, c->result);
	EQUAL(r.rcx, r.rip);
	if (!info)
		return;
	struct __ptrace_syscall_info s;
	CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof s, &s) > 0);
	EQUAL(s.op, PTRACE_SYSCALL_INFO_EXIT);
	EQUAL(s.exit.rval, c->result);
	EQUAL(s.exit.is_error, c->result < 0);
	EQUAL(s.instruction_pointer, r.rip);
}

// toMark lets the child run to the exit of the next mark.
static void to_mark(pid_t pid, int stop)
{
	for (;;) {
		EQUAL(go(PTRACE_SYSCALL, pid, 0), stop << 8 | 0x7f);
		struct user_regs_struct r = registers(pid);
		int marked = r.orig_rax == SYS_getppid && r.rdi == 0x6d61726b;
		EQUAL(go(PTRACE_SYSCALL, pid, 0), stop << 8 | 0x7f);
		if (marked)
			return;
	}
}

// recorded checks the calls of the child, one by one.
static void recorded(long options)
{
	int stop = options & SYSGOOD ? STOP_CALL : SIGTRAP;
	pid_t pid = start("calls", options, -1);
	if (options & PTRACE_O_TRACEEXEC) // the exec has an exit
		EQUAL(go(PTRACE_SYSCALL, pid, 0), stop << 8 | 0x7f);
	for (int round = 0; round < 3; round++) {
		to_mark(pid, stop);
		for (int i = 0; i < EXPECTED; i++) {
			EQUAL(go(PTRACE_SYSCALL, pid, 0), stop << 8 | 0x7f);
			entered(pid, &expected[i], options & SYSGOOD);
			EQUAL(go(PTRACE_SYSCALL, pid, 0), stop << 8 | 0x7f);
			left(pid, &expected[i], options & SYSGOOD);
		}
		to_mark(pid, stop);
	}
	CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	EQUAL(ended(pid), 7);
}

// signals checks that the signals are those that the child sends itself.
static void signals(void)
{
	pid_t pid = start("signals", 0, -1);
	EQUAL(go(PTRACE_CONT, pid, 0), SIGUSR1 << 8 | 0x7f);
	siginfo_t info;
	CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0);
	EQUAL(info.si_pid, pid);
	EQUAL(info.si_code, SI_TKILL);
	EQUAL(go(PTRACE_CONT, pid, SIGUSR1), SIGUSR2 << 8 | 0x7f);
	EQUAL(go(PTRACE_CONT, pid, 0), 7 << 8);
}

// steps steps over a system call, which takes one step like any other instruction.
static void steps(void)
{
	pid_t pid = start("step", 0, -1);
	for (int i = 0; i < 3; i++) {
		long word = ptrace(PTRACE_PEEKTEXT, pid, step_site, 0);
		EQUAL(word, *(long *)step_site);
		CHECK(ptrace(PTRACE_POKETEXT, pid, step_site, (word & ~0xffL) | 0xcc) == 0);
		EQUAL(go(PTRACE_CONT, pid, 0), SIGTRAP << 8 | 0x7f);
		struct user_regs_struct r = registers(pid);
		EQUAL(r.rip, (long)step_site + 1);
		CHECK(ptrace(PTRACE_POKETEXT, pid, step_site, word) == 0);
		r.rip--;
		CHECK(ptrace(PTRACE_SETREGS, pid, 0, &r) == 0);
		EQUAL(go(PTRACE_SINGLESTEP, pid, 0), SIGTRAP << 8 | 0x7f);
		struct user_regs_struct s = registers(pid);
		EQUAL(s.rip, (long)step_next);
		EQUAL(s.rax, -EBADF);
		EQUAL(s.rcx, (long)step_next);
		EQUAL(s.rsp, r.rsp);
		EQUAL(s.rdi, 77);
		EQUAL(s.eflags & 0x100, 0);
		siginfo_t info;
		CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0);
		EQUAL(info.si_code, TRAP_BRKPT);
		EQUAL(go(PTRACE_SINGLESTEP, pid, 0), SIGTRAP << 8 | 0x7f);
		EQUAL(registers(pid).rip, (long)step_next + 1);
	}
	EQUAL(go(PTRACE_CONT, pid, 0), 7 << 8);
}

// to_call lets the child run to the entry of a call.
static struct user_regs_struct to_call(pid_t pid, long nr, long first)
{
	for (;;) {
		EQUAL(go(PTRACE_SYSCALL, pid, 0), STOP_CALL << 8 | 0x7f);
		struct user_regs_struct r = registers(pid);
		if ((long)r.orig_rax == nr && (long)r.rdi == first && (long)r.rax == -ENOSYS)
			return r;
	}
}

// changes checks that calls can be left out and given other arguments and results.
static void changes(void)
{
	pid_t pid = start("change", SYSGOOD, -1);
	struct user_regs_struct r = to_call(pid, SYS_sigaltstack, 0x11);
	r.orig_rax = -1;
	CHECK(ptrace(PTRACE_SETREGS, pid, 0, &r) == 0);
	EQUAL(go(PTRACE_SYSCALL, pid, 0), STOP_CALL << 8 | 0x7f);
	r = registers(pid);
	EQUAL(r.orig_rax, -1);
	EQUAL(r.rax, -ENOSYS);
	r.rax = 42;
	CHECK(ptrace(PTRACE_SETREGS, pid, 0, &r) == 0);
	to_call(pid, SYS_close, 1000);
	CHECK(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rdi), 1001L) == 0);
	EQUAL(go(PTRACE_SYSCALL, pid, 0), STOP_CALL << 8 | 0x7f);
	r = registers(pid);
	EQUAL(r.rdi, 1001);
	EQUAL(r.rax, -EBADF);
	CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	EQUAL(ended(pid), 7);
}

// events follows children and threads; it returns how often each event was seen, as decimal digits.
static int events(char *what, long options)
{
	int count = 0, running = 1, status;
	pid_t pid = start(what, options | PTRACE_O_TRACEEXEC, -1);
	CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	while (running > 0) {
		pid_t got = waitpid(-1, &status, __WALL);
		CHECK(got > 0);
		if (!WIFSTOPPED(status)) {
			running--;
			EQUAL(status, got == pid ? 7 << 8 : WEXITSTATUS(status) << 8);
			continue;
		}
		int event = status >> 16, sig = 0;
		if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
			struct user_regs_struct r = registers(got);
			EQUAL(r.rax, -ENOSYS);
			unsigned long born;
			CHECK(ptrace(PTRACE_GETEVENTMSG, got, 0, &born) == 0 && born > 1);
			running++;
			count += event == PTRACE_EVENT_FORK ? 1 : event == PTRACE_EVENT_VFORK ? 10 : 100;
		} else if (WSTOPSIG(status) == SIGSTOP && got != pid) {
			EQUAL(registers(got).rax, 0);
		} else {
			sig = WSTOPSIG(status);
			EQUAL(sig, SIGCHLD);
		}
		CHECK(ptrace(PTRACE_CONT, got, 0, sig) == 0);
	}
	return count;
}

// interrupts seizes a program that waits, interrupts it, stops it and has it go on.
static void interrupts(void)
{
	int in[2], status;
	CHECK(pipe(in) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		char c;
		CHECK(read(0, &c, 1) == 1);
		execl(self, self, "wait", NULL);
		_exit(99);
	}
	CHECK(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXEC) == 0);
	EQUAL(write(in[1], "x", 1), 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	EQUAL(status >> 8, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	for (int i = 0; i < 5; i++) {
		CHECK(ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
		CHECK(waitpid(pid, &status, 0) == pid);
		EQUAL(status >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
		CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
		rest(i);
	}
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	EQUAL(status, SIGSTOP << 8 | 0x7f);
	EQUAL(go(PTRACE_CONT, pid, SIGSTOP) >> 8, SIGSTOP | PTRACE_EVENT_STOP << 8);
	CHECK(ptrace(PTRACE_LISTEN, pid, 0, 0) == 0);
	rest(2);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	EQUAL(status >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
	EQUAL(go(PTRACE_CONT, pid, 0), SIGCONT << 8 | 0x7f);
	CHECK(ptrace(PTRACE_CONT, pid, 0, SIGCONT) == 0);
	EQUAL(write(in[1], "\7", 1), 1);
	EQUAL(ended(pid), 7);
	close(in[0]);
	close(in[1]);
}

// leaves checks that a child can be let go at its exec, and that it goes on when its tracer ends there.
static void leaves(void)
{
	int in[2], out[2];
	pid_t pid = start("exit", PTRACE_O_TRACEEXEC, -1);
	CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
	EQUAL(ended(pid), 7);
	pid = start("exit", 0, -1);
	CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
	EQUAL(ended(pid), 7);

	CHECK(pipe(in) == 0 && pipe(out) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
	pid = fork();
	if (pid == 0) {
		pid_t tracee = start("wait", PTRACE_O_TRACEEXEC, in[0]);
		EQUAL(write(out[1], &tracee, sizeof tracee), sizeof tracee);
		_exit(0);
	}
	pid_t tracee;
	EQUAL(ended(pid), 0);
	EQUAL(read(out[0], &tracee, sizeof tracee), sizeof tracee);
	EQUAL(write(in[1], "\7", 1), 1);
	EQUAL(ended(tracee), 7);
}

// execs checks a child that executes another program, and one that does not find it.
static void execs(void)
{
	pid_t pid = start("again", PTRACE_O_TRACEEXEC, -1);
	EQUAL(go(PTRACE_CONT, pid, 0) >> 8, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	EQUAL(go(PTRACE_CONT, pid, 0), 7 << 8);
	pid = start("again", 0, -1);
	EQUAL(go(PTRACE_CONT, pid, 0) >> 8, SIGTRAP);
	EQUAL(go(PTRACE_CONT, pid, 0), 7 << 8);
	// As debuggers start a program: the parent of a vfork waits for the exec, not for a stop.
	int status;
	pid = vfork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execl(self, self, "exit", NULL);
		_exit(99);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	EQUAL(status, SIGTRAP << 8 | 0x7f);
	siginfo_t info;
	CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0);
	EQUAL(info.si_code, SI_USER);
	EQUAL(info.si_pid, pid);
	struct user_regs_struct r = registers(pid);
	EQUAL(r.rax | r.rbx | r.rdi | r.rsi | r.rbp, 0);
	EQUAL(go(PTRACE_SINGLESTEP, pid, 0), SIGTRAP << 8 | 0x7f);
	CHECK(registers(pid).rip - r.rip - 1 < 15);
	EQUAL(go(PTRACE_CONT, pid, 0), 7 << 8);
}

// pokes puts breakpoints at a function of a program that runs, whose calls have long been made.
static void pokes(void)
{
	int fd = memfd_create("go", 0), status;
	CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
	volatile char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd, 0);
		execl(self, self, "loop", NULL);
		_exit(99);
	}
	while (!shared[0])
		rest(1);
	rest(5);
	CHECK(ptrace(PTRACE_SEIZE, pid, 0, 0) == 0);
	CHECK(ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	long at = (long)add, word = ptrace(PTRACE_PEEKTEXT, pid, at, 0);
	for (int i = 0; i < 20; i++) {
		CHECK(ptrace(PTRACE_POKETEXT, pid, at, (word & ~0xffL) | 0xcc) == 0);
		EQUAL(go(PTRACE_CONT, pid, 0), SIGTRAP << 8 | 0x7f);
		struct user_regs_struct r = registers(pid);
		EQUAL(r.rip, at + 1);
		CHECK(ptrace(PTRACE_POKETEXT, pid, at, word) == 0);
		r.rip = at;
		CHECK(ptrace(PTRACE_SETREGS, pid, 0, &r) == 0);
		if (i == 19)
			shared[1] = 1;
		EQUAL(go(PTRACE_SINGLESTEP, pid, 0), SIGTRAP << 8 | 0x7f);
	}
	CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
	EQUAL(ended(pid), 7);
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1)
		return child(argv[1]);
	recorded(0);
	recorded(SYSGOOD);
	recorded(SYSGOOD | PTRACE_O_TRACEEXEC);
	signals();
	steps();
	changes();
	EQUAL(events("fork", PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK), 11);
	EQUAL(events("thread", PTRACE_O_TRACECLONE), 100);
	interrupts();
	execs();
	pokes();
	leaves();
	puts("tracing ok");
}
