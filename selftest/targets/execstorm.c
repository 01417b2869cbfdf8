// exec in the middle of everything: signals that are sent meanwhile arrive exactly once, in the old program or the new one;
// a process that is killed in the middle of it is gone with all it had; stops and continues hold it up only; timers go on.
#include "check.h"
#include <pthread.h>

enum { SIGNALS = 2000, STAGES = 60, KILLS = 60 };

static void next(char *self, char *word, long a, long b)
{
	char x[20], y[20];
	snprintf(x, sizeof x, "%ld", a);
	snprintf(y, sizeof y, "%ld", b);
	char *argv[] = {self, word, x, y, NULL};
	execv(self, argv);
	FAIL("exec: errno %d", errno);
}

// counts takes queued signals between executions of itself, until all have come.
static int counts(char *self, long seen, long stage)
{
	sigset_t set = only(SIGRTMIN, 0);
	siginfo_t info;
	struct timespec zero = {0}, second = {10, 0};
	while (RETRY(sigtimedwait(&set, &info, stage < STAGES ? &zero : &second)) == SIGRTMIN) {
		EQUAL(info.si_value.sival_int, seen + 1);
		seen++;
		if (seen == SIGNALS)
			return 9;
		if (stage < STAGES && seen % 16 == 0)
			break;
	}
	if (stage >= STAGES)
		FAIL("no more signals after %ld", seen);
	next(self, "count", seen, stage + 1);
	return 1;
}

static void exact(char *self)
{
	pid_t pid = fork();
	if (pid == 0) {
		sigset_t set = only(SIGRTMIN, 0);
		sigprocmask(SIG_BLOCK, &set, NULL);
		CHECK(kill(getppid(), SIGUSR1) == 0);
		next(self, "count", 0, 0);
	}
	sigset_t set = only(SIGUSR1, 0);
	RETRY(sigwaitinfo(&set, NULL));
	for (int i = 1; i <= SIGNALS; i++) {
		CHECK(sigqueue(pid, SIGRTMIN, (union sigval){.sival_int = i}) == 0);
		if (i % 32 == 0)
			rest(1);
	}
	EQUAL(ended(pid), 9);
}

static void *executes(void *self)
{
	next(self, "forever", 0, 0);
	return NULL;
}

static void *spins(void *arg)
{
	for (;;)
		syscall(SYS_getppid);
	return arg;
}

// forever executes itself again and again, every second time from another thread.
static void forever(char *self, long round)
{
	pthread_t t;
	if (round % 2) {
		pthread_create(&t, NULL, spins, NULL);
		pthread_create(&t, NULL, executes, self);
		pthread_join(t, NULL);
	}
	next(self, "forever", round + 1, 0);
}

static void killed(char *self)
{
	for (int i = 0; i < KILLS; i++) {
		pid_t pid = fork();
		if (pid == 0)
			forever(self, 0);
		struct timespec ts = {0, (i * 37 % 60) * 100000L};
		nanosleep(&ts, NULL);
		int sig = i % 3 == 0 ? SIGTERM : SIGKILL;
		CHECK(kill(pid, sig) == 0);
		EQUAL(ended(pid), 1000 + sig);
		FAILS(waitpid(-1, NULL, __WALL | WNOHANG), ECHILD);
	}
}

static void stopped(char *self)
{
	pid_t pid = fork();
	if (pid == 0)
		next(self, "chain", 40, 0);
	for (int i = 0; i < 20; i++) {
		kill(pid, SIGSTOP);
		rest(1);
		kill(pid, SIGCONT);
		rest(1);
	}
	EQUAL(ended(pid), 8);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		long a = atol(argv[2]), b = atol(argv[3]);
		if (!strcmp(argv[1], "count"))
			return counts(argv[0], a, b);
		if (!strcmp(argv[1], "forever"))
			forever(argv[0], a);
		if (a == 0)
			return 8;
		next(argv[0], argv[1], a - 1, 0);
	}
	sigset_t set = only(SIGUSR1, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	exact(argv[0]);
	killed(argv[0]);
	stopped(argv[0]);
	pid_t pid = fork(); // ignored timer signals all along
	if (pid == 0) {
		signal(SIGALRM, SIG_IGN);
		tick(500);
		next(argv[0], "chain", 60, 0);
	}
	EQUAL(ended(pid), 8);
	puts("execstorm ok");
}
