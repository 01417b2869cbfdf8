// Strict seccomp mode: read, write, exit and a handler's return work; any other call kills the thread with SIGKILL, also those that
// an interceptor may answer itself. Before and after it, what prctl says of the mode.
#include "filter.h"
#include <pthread.h>

static volatile int handled;
static void on_usr1(int sig) { (void)sig; handled++; }

static long enter_by_prctl(void) { return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0); }
static long enter_by_seccomp(void) { return syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL); }

// in_strict returns how a process ends that makes a call in strict mode and then exits with 7.
static int in_strict(long (*enter)(void), long nr, long a, long b)
{
	pid_t pid = fork();
	if (pid == 0) {
		EQUAL(enter(), 0);
		raw(nr, a, b, 0, 0, 0, 0);
		raw(SYS_exit, 7, 0, 0, 0, 0, 0);
	}
	return ended(pid);
}

static void *enters(void *arg)
{
	EQUAL(enter_by_prctl(), 0);
	raw(SYS_getppid, 0, 0, 0, 0, 0, 0);
	return arg;
}

int main(void)
{
	static const int fatal[] = {SYS_getppid, SYS_exit_group, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_sigaltstack, SYS_fork,
		SYS_execve, SYS_close, SYS_mmap, SYS_prctl, SYS_seccomp, SYS_getcpu, SYS_openat, SYS_rt_sigpending};
	int p[2];
	EQUAL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, p), EINVAL);
	for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) {
		EQUAL(in_strict(enter_by_prctl, fatal[i], 0, 0), 1000 + SIGKILL);
		EQUAL(in_strict(enter_by_seccomp, fatal[i], 0, 0), 1000 + SIGKILL);
	}
	EQUAL(in_strict(enter_by_prctl, SYS_read, -1, 0), 7);
	EQUAL(in_strict(enter_by_prctl, SYS_write, -1, 0), 7);

	// A signal from outside in strict mode.
	CHECK(pipe(p) == 0);
	handle(SIGUSR1, on_usr1, SA_RESTART);
	pid_t pid = fork();
	if (pid == 0) {
		char c;
		int went = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
		while (read(p[0], &c, 1) == 1 && !handled)
			;
		raw(SYS_exit, went == 0 && handled == 1 ? 8 : 1, 0, 0, 0, 0, 0);
	}
	rest(100);
	kill(pid, SIGUSR1);
	CHECK(write(p[1], "x", 1) == 1);
	EQUAL(ended(pid), 8);

	// A thread alone.
	pid = fork();
	if (pid == 0) {
		pthread_t t;
		pthread_create(&t, NULL, enters, NULL);
		rest(100);
		EQUAL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
		_exit(9);
	}
	EQUAL(ended(pid), 9);

	// A filter rules strict mode out.
	pid = fork();
	if (pid == 0) {
		EQUAL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
		EQUAL(answer(SYS_getppid, SECCOMP_RET_ERRNO | EDOM, 0), 0);
		EQUAL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 2);
		FAILS(enter_by_prctl(), EINVAL);
		FAILS(enter_by_seccomp(), EINVAL);
		pid = fork();
		if (pid == 0)
			_exit(prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
		EQUAL(ended(pid), 2);
		_exit(10);
	}
	EQUAL(ended(pid), 10);
	EQUAL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
	puts("strictmode ok");
}
