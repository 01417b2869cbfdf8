// Filters of the program's own hold for its calls whoever answers them: signal handlers and masks, alternate stacks, processes,
// exec, descriptors, mappings, the end. Error, trap and death; and nothing else is touched by a filter that forbids nearly all.
#include "filter.h"
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

// Calls with arguments that are harmless where they succeed.
static const struct { int nr; long a, b, c, d; } calls[] = {
	{SYS_rt_sigaction, SIGUSR1, 0, 0, 8}, {SYS_rt_sigprocmask, SIG_BLOCK, 0, 0, 8}, {SYS_sigaltstack, 0, 0, 0, 0},
	{SYS_rt_sigpending, 0, 8, 0, 0}, {SYS_rt_sigtimedwait, 0, 0, 0, 8}, {SYS_rt_sigsuspend, 0, 8, 0, 0},
	{SYS_ppoll, 0, 0, 0, 0}, {SYS_pselect6, 0, 0, 0, 0}, {SYS_epoll_pwait, -1, 0, 0, 0},
	{SYS_fork, 0, 0, 0, 0}, {SYS_vfork, 0, 0, 0, 0}, {SYS_clone, SIGCHLD, 0, 0, 0}, {SYS_clone3, 0, 0, 0, 0},
	{SYS_execve, (long)"/nonexistent", 0, 0, 0}, {SYS_execve, (long)"/bin/true", 0, 0, 0}, {SYS_execveat, -100, (long)"/", 0, 0},
	{SYS_exit, 3, 0, 0, 0}, {SYS_close, 999, 0, 0, 0}, {SYS_close, 1023, 0, 0, 0}, {SYS_close_range, 900, 1100, 0, 0},
	{SYS_dup, 0, 0, 0, 0}, {SYS_dup2, 0, 1023, 0, 0}, {SYS_fcntl, 1023, F_GETFD, 0, 0}, {SYS_fstat, 1023, 0, 0, 0},
	{SYS_getdents64, 0, 0, 0, 0}, {SYS_mmap, 0, 0, 0, 0}, {SYS_munmap, 0, 0, 0, 0}, {SYS_mprotect, 0, 0, 0, 0},
	{SYS_mremap, 0, 0, 0, 0}, {SYS_madvise, 0, 0, 0, 0}, {SYS_prctl, PR_GET_SECCOMP, 0, 0, 0}, {SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0},
	{SYS_arch_prctl, 0x1004 /* ARCH_GET_GS */, 0, 0, 0}, {SYS_ptrace, -1, 0, 0, 0}, {SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, 0, 0},
	{SYS_getppid, 0, 0, 0, 0}, {SYS_read, -1, 0, 0, 0}, {SYS_uname, 0, 0, 0, 0}, {SYS_getcpu, 0, 0, 0, 0},
};
enum { NUM = sizeof calls / sizeof *calls };

static long make(int i) { return raw(calls[i].nr, calls[i].a, calls[i].b, calls[i].c, calls[i].d, 0, 0); }

// quit ends without the calls that libc would make.
static void quit(int status) { raw(SYS_exit_group, status, 0, 0, 0, 0, 0); }

static void errors(int i)
{
	EQUAL(answer(calls[i].nr, SECCOMP_RET_ERRNO | EDOM, 0), 0);
	for (int k = 0; k < 3; k++)
		if (make(i) != -EDOM)
			quit(10);
	quit(0);
}

// An error that the runtime of an interceptor may use itself.
static void absent(int i)
{
	EQUAL(answer(calls[i].nr, SECCOMP_RET_ERRNO | ENOSYS, 0), 0);
	quit(make(i) == -ENOSYS ? 0 : 10);
}

static volatile int traps, want_nr;

static void emulate(int sig, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	if (sig != SIGSYS || info->si_code != 1 || info->si_errno != 42 || info->si_arch != AUDIT_ARCH_X86_64)
		quit(20);
	if (info->si_syscall != want_nr || r[REG_RAX] != want_nr)
		quit(21);
	if ((greg_t)(uintptr_t)info->si_call_addr != r[REG_RIP] || r[REG_RCX] != r[REG_RIP])
		quit(22);
	if (*(unsigned short *)(r[REG_RIP] - 2) != 0x050f)
		quit(23);
	traps++;
	r[REG_RAX] = -ENODATA;
}

static void trapped(int i)
{
	handle_info(SIGSYS, emulate, 0);
	want_nr = calls[i].nr;
	EQUAL(answer(calls[i].nr, SECCOMP_RET_TRAP | 42, 0), 0);
	for (int k = 1; k <= 3; k++) {
		if (make(i) != -ENODATA)
			quit(24);
		if (traps != k)
			quit(25);
	}
	quit(0);
}

static void kills(int i)
{
	EQUAL(answer(calls[i].nr, SECCOMP_RET_KILL_PROCESS, 0), 0);
	make(i);
	quit(10);
}

// A trap with nobody to take it: no handler, ignored, or blocked.
static void untaken(int i)
{
	handle_info(SIGSYS, emulate, 0);
	if (i % 3 == 0)
		signal(SIGSYS, SIG_DFL);
	if (i % 3 == 1)
		signal(SIGSYS, SIG_IGN);
	sigset_t set = only(SIGSYS, 0);
	if (i % 3 == 2)
		sigprocmask(SIG_BLOCK, &set, NULL);
	EQUAL(answer(calls[i].nr, SECCOMP_RET_TRAP, 0), 0);
	make(i);
	quit(10);
}

static void each(void (*f)(int), int want)
{
	for (int i = 0; i < NUM; i++) {
		pid_t pid = fork();
		if (pid == 0)
			f(i);
		int got = ended(pid);
		if (got != want)
			FAIL("call %d (entry %d): %d, want %d", calls[i].nr, i, got, want);
	}
}

static volatile int usr1;
static void on_usr1(int sig) { (void)sig; usr1++; }

// exit_group, and rt_sigreturn: a handler's return is refused, and its caller goes on behind the call.
static void ends(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		answer(SYS_exit_group, SECCOMP_RET_ERRNO | EDOM, 0);
		raw(SYS_exit, raw(SYS_exit_group, 1, 0, 0, 0, 0, 0) == -EDOM ? 7 : 1, 0, 0, 0, 0, 0);
	}
	EQUAL(ended(pid), 7);
	pid = fork();
	if (pid == 0) {
		answer(SYS_exit_group, SECCOMP_RET_KILL_PROCESS, 0);
		quit(1);
	}
	EQUAL(ended(pid), 1000 + SIGSYS);
	pid = fork();
	if (pid == 0) {
		handle(SIGUSR1, on_usr1, 0);
		answer(SYS_rt_sigreturn, SECCOMP_RET_KILL_PROCESS, 0);
		raise(SIGUSR1);
		quit(1);
	}
	EQUAL(ended(pid), 1000 + SIGSYS);
}

// A mask by how it is changed.
static void arguments(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct sock_filter code[] = {
			LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 0, 3),
			LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIG_SETMASK, 0, 1),
			RETURN(SECCOMP_RET_ERRNO | EDOM), RETURN(SECCOMP_RET_ALLOW),
		};
		EQUAL(add_filter(code, 6, 0), 0);
		uint64_t set = 1 << (SIGUSR1 - 1), old = 0;
		EQUAL(raw(SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, 0, 8, 0, 0), 0);
		EQUAL(raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&old, 8, 0, 0), 0);
		EQUAL(old, set);
		EQUAL(raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&set, 0, 8, 0, 0), -EDOM);
		quit(0);
	}
	EQUAL(ended(pid), 0);
}

// Nothing but writing and ending is allowed, and a thread, a fork or a signal before that has left its state behind.
static void lonely(unsigned verdict)
{
	pid_t pid = fork();
	if (pid == 0) {
		handle(SIGUSR1, on_usr1, 0);
		struct sock_filter code[] = {
			LOAD(nr),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 4, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 2, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 1, 0),
			RETURN(verdict), RETURN(SECCOMP_RET_ALLOW),
		};
		pid_t self = getpid();
		EQUAL(add_filter(code, 7, 0), 0);
		for (int i = 0; i < 20; i++)
			if (kill(self, SIGUSR1) != 0 || write(1, "", 0) != 0)
				quit(1);
		quit(usr1 == 20 ? 0 : 2);
	}
	EQUAL(ended(pid), 0);
}

static void *works(void *arg) { return (char *)arg + 1; }

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) { // executed under a filter
		EQUAL(raw(SYS_getppid, 0, 0, 0, 0, 0, 0), -EDOM);
		EQUAL(raw(SYS_ptrace, -1, 0, 0, 0, 0, 0), -EDOM);
		EQUAL(raw(SYS_sigaltstack, 0, 0, 0, 0, 0, 0), -EDOM);
		pthread_t t;
		void *r = NULL;
		EQUAL(pthread_create(&t, NULL, works, NULL), 0);
		pthread_join(t, &r);
		CHECK(r == (void *)1);
		pid_t pid = fork();
		if (pid == 0)
			_exit(raw(SYS_sigaltstack, 0, 0, 0, 0, 0, 0) == -EDOM ? 6 : 1);
		EQUAL(ended(pid), 6);
		return 5;
	}
	each(errors, 0);
	each(absent, 0);
	each(trapped, 0);
	each(kills, 1000 + SIGSYS);
	each(untaken, 1000 + SIGSYS);
	ends();
	arguments();
	lonely(SECCOMP_RET_ERRNO | EPERM);
	lonely(SECCOMP_RET_TRAP);
	lonely(SECCOMP_RET_KILL_PROCESS);
	pid_t pid = fork();
	if (pid == 0) {
		static const int foreign[] = {SYS_getppid, SYS_ptrace, SYS_sigaltstack, SYS_sched_setaffinity, SYS_faccessat2, SYS_membarrier,
			SYS_rt_tgsigqueueinfo, SYS_fstatfs, SYS_pwrite64, SYS_open, SYS_setresuid, SYS_getcpu, SYS_gettid, SYS_kill};
		struct sock_filter code[64] = {LOAD(nr)};
		int n = sizeof foreign / sizeof *foreign;
		for (int i = 0; i < n; i++)
			code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, foreign[i], n - i, 0);
		code[n + 1] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
		code[n + 2] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EDOM);
		EQUAL(add_filter(code, n + 3, 0), 0);
		execl("/proc/self/exe", "ruledcalls", "executed", NULL);
		_exit(1);
	}
	EQUAL(ended(pid), 5);
	puts("ruledcalls ok");
}
