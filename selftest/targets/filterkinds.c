// Further verdicts and flags: LOG lets the call through, TRACE without a tracer is ENOSYS, the lowest of several verdicts counts, computed
// ones too. TSYNC reaches a thread's calls that the kernel is not asked for, and is refused where filters differ.
#include "filter.h"
#include <pthread.h>

static pthread_barrier_t barrier;

static void *synchronized(void *arg)
{
	FAILS(syscall(SYS_sigaltstack, 0, 1), EFAULT);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	EQUAL(raw(SYS_sigaltstack, 0, 0, 0, 0, 0, 0), -EDOM);
	EQUAL(raw(SYS_rt_sigaction, SIGUSR1, 0, 0, 8, 0, 0), 0);
	EQUAL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 2);
	return arg;
}

static void *differs(void *arg)
{
	EQUAL(answer(SYS_getsid, SECCOMP_RET_ERRNO | EXDEV, 0), 0);
	*(long *)arg = syscall(SYS_gettid);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	CHECK(raw(SYS_getpgid, 0, 0, 0, 0, 0, 0) > 0);
	return NULL;
}

static void verdicts(void)
{
	static const unsigned known[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
		SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW};
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
		EQUAL(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &known[i]), 0);
	EQUAL(answer(SYS_getppid, SECCOMP_RET_LOG, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW), 0);
	EQUAL(raw(SYS_getppid, 0, 0, 0, 0, 0, 0), getppid());
	EQUAL(answer(SYS_getppid, SECCOMP_RET_TRACE | 5, 0), 0);
	EQUAL(raw(SYS_getppid, 0, 0, 0, 0, 0, 0), -ENOSYS);
	EQUAL(answer(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, 0), 0);
	EQUAL(answer(SYS_getppid, SECCOMP_RET_USER_NOTIF, 0), 0);
	EQUAL(raw(SYS_getppid, 0, 0, 0, 0, 0, 0), -EXDEV);
	EQUAL(answer(SYS_rt_sigprocmask, SECCOMP_RET_TRACE, 0), 0);
	EQUAL(raw(SYS_rt_sigpending, 0, 8, 0, 0, 0, 0), -EFAULT);
	// The errno is computed from an argument; a division, and the registers start as 0.
	struct sock_filter code[] = {
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 1, 0), RETURN(SECCOMP_RET_ALLOW),
		LOAD(args[0]), BPF_STMT(BPF_ST, 15), BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 10), BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	EQUAL(add_filter(code, sizeof code / sizeof *code, 0), 0);
	EQUAL(raw(SYS_getpriority, 330, 0, 0, 0, 0, 0), -33);
	EQUAL(raw(SYS_getpriority, 0, 0, 0, 0, 0, 0), 0);
	EQUAL(raw(SYS_rt_sigaction, SIGUSR1, 0, 0, 8, 0, 0), 0);
}

// The longest program, and as many of them as the kernel takes, which all have their verdict.
static void longest(void)
{
	static struct sock_filter code[4096];
	for (int i = 0; i < 4096; i++)
		code[i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	EQUAL(add_filter(code, 4096, 0), 0);
	code[0] = (struct sock_filter)LOAD(nr);
	for (int i = 1; i < 4000; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 0);
	code[4000] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sigaltstack, 0, 1);
	code[4001] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EDOM);
	EQUAL(add_filter(code, 4003, 0), 0);
	EQUAL(raw(SYS_sigaltstack, 0, 0, 0, 0, 0, 0), -EDOM);
	while (add_filter(code, 4003, 0) == 0)
		;
	EQUAL(errno, ENOMEM);
	EQUAL(raw(SYS_rt_sigaction, SIGUSR1, 0, 0, 8, 0, 0), 0);
}

// Programs that the kernel refuses, also where more instructions behind them would make them legal.
static void illegal(void)
{
	struct sock_filter beyond[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 39, 1, 0), RETURN(SECCOMP_RET_ALLOW)};
	FAILS(add_filter(beyond, 3, 0), EINVAL);
	struct sock_filter far[] = {BPF_STMT(BPF_JMP | BPF_JA, 1), RETURN(SECCOMP_RET_ALLOW)};
	FAILS(add_filter(far, 2, 0), EINVAL);
	struct sock_filter open[] = {RETURN(SECCOMP_RET_ALLOW), LOAD(nr)};
	FAILS(add_filter(open, 2, 0), EINVAL);
	struct sock_filter odd[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RETURN(SECCOMP_RET_ERRNO)};
	FAILS(add_filter(odd, 2, 0), EINVAL);
	FAILS(add_filter(odd, 0, 0), EINVAL);
	FAILS(add_filter(NULL, 1, 0), EINVAL);
	FAILS(add_filter((void *)8, 1, 0), EFAULT);
	FAILS(add_filter(odd, 4097, 0), EINVAL);
	FAILS(prctl(PR_SET_SECCOMP, 3, odd, 0, 0), EINVAL);
	EQUAL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
}

int main(void)
{
	illegal();
	pid_t pid = fork();
	if (pid == 0) {
		verdicts();
		_exit(4);
	}
	EQUAL(ended(pid), 4);
	pid = fork();
	if (pid == 0) {
		longest();
		_exit(4);
	}
	EQUAL(ended(pid), 4);

	pthread_t t;
	CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
	CHECK(pthread_create(&t, NULL, synchronized, NULL) == 0);
	pthread_barrier_wait(&barrier);
	EQUAL(answer(SYS_sigaltstack, SECCOMP_RET_ERRNO | EDOM, SECCOMP_FILTER_FLAG_TSYNC), 0);
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);

	long tid = 0;
	CHECK(pthread_create(&t, NULL, differs, &tid) == 0);
	pthread_barrier_wait(&barrier);
	EQUAL(answer(SYS_getpgid, SECCOMP_RET_ERRNO | EDOM, SECCOMP_FILTER_FLAG_TSYNC), tid);
	FAILS(answer(SYS_getpgid, SECCOMP_RET_ERRNO | EDOM, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH), ESRCH);
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);
	CHECK(raw(SYS_getpgid, 0, 0, 0, 0, 0, 0) > 0);
	puts("filterkinds ok");
}
