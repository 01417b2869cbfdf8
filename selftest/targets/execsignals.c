// What exec keeps of signals, and what it does not: mask, pending signals, ignored signals and the real timer stay;
// handlers and the alternate stack go. SIGSYS is a signal like the others.
#include "check.h"

static void nothing(int sig) { (void)sig; }

static void before(char **argv)
{
	sigset_t mask = only(SIGUSR1, SIGSYS);
	sigaddset(&mask, SIGRTMIN);
	sigaddset(&mask, SIGALRM);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	handle(SIGTERM, nothing, SA_RESTART | SA_ONSTACK);
	handle(SIGSEGV, nothing, 0);
	handle(SIGSYS, nothing, 0);
	stack_t alt = {.ss_sp = malloc(65536), .ss_size = 65536};
	sigaltstack(&alt, NULL);
	raise(SIGUSR1);
	raise(SIGSYS);
	for (int i = 1; i <= 3; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
	struct itimerval it = {{0, 0}, {0, 200000}};
	setitimer(ITIMER_REAL, &it, NULL);
	char *next[] = {argv[0], "after", NULL};
	execv(argv[0], next);
	FAIL("exec: errno %d", errno);
}

static void disposition(int sig, void *want)
{
	struct sigaction act;
	CHECK(sigaction(sig, NULL, &act) == 0);
	if ((void *)act.sa_handler != want)
		FAIL("disposition of signal %d is %s", sig, act.sa_handler == SIG_IGN ? "ignore" : act.sa_handler == SIG_DFL ? "default" : "a handler");
	if (want == (void *)SIG_DFL)
		EQUAL(act.sa_flags & ~0x04000000, 0);
}

static void after(void)
{
	sigset_t mask, pending;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int sig = 1; sig <= 64; sig++)
		if (sigismember(&mask, sig) > 0 && sig != SIGUSR1 && sig != SIGSYS && sig != SIGRTMIN && sig != SIGALRM && sig != SIGCHLD)
			FAIL("signal %d is blocked", sig);
	CHECK(sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGSYS) && sigismember(&mask, SIGRTMIN));
	disposition(SIGUSR2, SIG_IGN);
	disposition(SIGPIPE, SIG_IGN);
	disposition(SIGTERM, SIG_DFL);
	disposition(SIGSEGV, SIG_DFL);
	disposition(SIGSYS, SIG_DFL);
	disposition(SIGUSR1, SIG_DFL);
	stack_t alt;
	CHECK(sigaltstack(NULL, &alt) == 0);
	EQUAL(alt.ss_flags, SS_DISABLE);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGSYS) && sigismember(&pending, SIGRTMIN));
	CHECK(!sigismember(&pending, SIGUSR2) && !sigismember(&pending, SIGTERM) && !sigismember(&pending, SIGCHLD));
	sigset_t one = only(SIGUSR1, 0), sys = only(SIGSYS, 0), rt = only(SIGRTMIN, 0), alarm_set = only(SIGALRM, 0);
	siginfo_t info;
	EQUAL(RETRY(sigwaitinfo(&one, &info)), SIGUSR1);
	EQUAL(RETRY(sigwaitinfo(&sys, &info)), SIGSYS);
	EQUAL(info.si_pid, getpid());
	for (int i = 1; i <= 3; i++) {
		EQUAL(RETRY(sigwaitinfo(&rt, &info)), SIGRTMIN);
		EQUAL(info.si_value.sival_int, i);
	}
	EQUAL(RETRY(sigwaitinfo(&alarm_set, &info)), SIGALRM); // of the timer that was started before exec
	sigemptyset(&pending);
	sigpending(&pending);
	CHECK(sigisemptyset(&pending));
}

// A blocked, pending signal that is unblocked after exec acts by default.
static void dies(char **argv, int sig)
{
	sigset_t mask = only(sig, 0);
	pid_t pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_BLOCK, &mask, NULL);
		handle(sig, nothing, 0);
		raise(sig);
		char number[20];
		snprintf(number, sizeof number, "%d", sig);
		char *next[] = {argv[0], number, NULL};
		execv(argv[0], next);
		_exit(1);
	}
	EQUAL(ended(pid), 1000 + sig);
}

// Ignored SIGSYS is ignored still.
static void ignores_sigsys(char **argv)
{
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSYS, SIG_IGN);
		char *next[] = {argv[0], "ignoring", NULL};
		execv(argv[0], next);
		_exit(1);
	}
	EQUAL(ended(pid), 0);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		before(argv);
	if (!strcmp(argv[1], "ignoring")) {
		disposition(SIGSYS, SIG_IGN);
		raise(SIGSYS);
		for (int i = 0; i < 100; i++)
			syscall(SYS_getppid);
		return 0;
	}
	if (strcmp(argv[1], "after")) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		return 2;
	}
	after();
	dies(argv, SIGUSR1);
	dies(argv, SIGSYS);
	dies(argv, SIGSEGV);
	ignores_sigsys(argv);
	puts("execsignals ok");
}
