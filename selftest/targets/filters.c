// Seccomp filters of the program's own: errors, logging, killing, over fork, exec and in threads; and what prctl says of the
// process. Filters stack; the program's decide as natively.
#include "filter.h"
#include <pthread.h>

static void *calls_getsid(void *arg)
{
	for (int i = 0; i < 100; i++)
		FAILS(syscall(SYS_getsid, 0), EDOM);
	return arg;
}

// Errors: for this thread, for later ones, for children and for programs they execute.
static void errors(void)
{
	pthread_t t;
	CHECK(syscall(SYS_getsid, 0) >= 0); // 0: the session of another PID namespace
	EQUAL(answer(SYS_getsid, SECCOMP_RET_ERRNO | EDOM, 0), 0);
	calls_getsid(NULL);
	pthread_create(&t, NULL, calls_getsid, NULL);
	pthread_join(t, NULL);
	pid_t pid = fork();
	if (pid == 0) {
		calls_getsid(NULL);
		execl("/proc/self/exe", "filters", "getsid", NULL);
		_exit(1);
	}
	EQUAL(ended(pid), 5);
	EQUAL(answer(SYS_getsid, SECCOMP_RET_ERRNO | EXDEV, 0), 0); // the last one with the highest precedence wins
	FAILS(syscall(SYS_getsid, 0), EXDEV);
	EQUAL(answer(SYS_getpgid, SECCOMP_RET_ERRNO | 0, 0), 0); // no error: no call, result 0
	EQUAL(syscall(SYS_getpgid, 0), 0);
}

static volatile int ready, stop;

static void *waits_for_filter(void *arg)
{
	ready = 1;
	while (!stop)
		syscall(SYS_getppid);
	FAILS(syscall(SYS_getpriority, 0, 0), EDOM);
	return arg;
}

// Every thread at once.
static void synchronized(void)
{
	pthread_t t;
	pthread_create(&t, NULL, waits_for_filter, NULL);
	while (!ready)
		;
	EQUAL(answer(SYS_getpriority, SECCOMP_RET_ERRNO | EDOM, SECCOMP_FILTER_FLAG_TSYNC), 0);
	stop = 1;
	pthread_join(t, NULL);
}

static void *calls_sync(void *arg) { syscall(SYS_sync); return arg; }

static void kills(void)
{
	unsigned actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD};
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			EQUAL(answer(SYS_sync, actions[i], 0), 0);
			syscall(SYS_getppid);
			syscall(SYS_sync);
			_exit(0);
		}
		EQUAL(ended(pid), 1000 + SIGSYS);
	}
	pid_t pid = fork(); // a thread only: the process goes on
	if (pid == 0) {
		pthread_t t;
		EQUAL(answer(SYS_sync, SECCOMP_RET_KILL_THREAD, 0), 0);
		pthread_create(&t, NULL, calls_sync, NULL);
		rest(50);
		_exit(6);
	}
	EQUAL(ended(pid), 6);
}

static void refused(void)
{
	struct sock_filter code = {0xffff, 0, 0, 0};
	struct sock_fprog p = {1, &code};
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p), EINVAL);
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1u << 30, &p), EINVAL);
	FAILS(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
	unsigned action = SECCOMP_RET_TRAP;
	EQUAL(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action), 0);
	action = 0x12340000;
	FAILS(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action), EOPNOTSUPP);
}

// The longest filter that the kernel takes.
static void longest(void)
{
	static struct sock_filter code[BPF_MAXINSNS];
	struct sock_fprog p = {BPF_MAXINSNS, code};
	for (int i = 0; i < BPF_MAXINSNS; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	pid_t pid = fork();
	if (pid == 0) {
		CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		EQUAL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p), 0);
		_exit(6);
	}
	EQUAL(ended(pid), 6);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		FAILS(syscall(SYS_getsid, 0), EDOM);
		return 5;
	}
	EQUAL(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
	kills();
	refused();
	longest();
	errors();
	synchronized();
	puts("filters ok");
}
