// Says what its calls give, so that what is injected into them can be seen. The arguments say which ones to make.
#include "check.h"

#include <poll.h>
#include <pthread.h>

static const char *result(long r)
{
	static _Thread_local char text[64];
	if (r == -1)
		snprintf(text, sizeof text, "-1 %s", strerrorname_np(errno));
	else
		snprintf(text, sizeof text, "%ld", r);
	return text;
}

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	char text[64];
	int n = snprintf(text, sizeof text, "signal %d, code %d\n", sig, info->si_code);
	EQUAL(write(1, text, n), n);
}

static void handleAll(int flags)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
	EQUAL(sigaction(SIGUSR1, &a, NULL), 0);
	EQUAL(sigaction(SIGSEGV, &a, NULL), 0);
	EQUAL(sigaction(SIGTRAP, &a, NULL), 0);
	EQUAL(sigaction(SIGALRM, &a, NULL), 0);
	EQUAL(sigaction(SIGRTMIN, &a, NULL), 0);
}

static void calls(const char *who)
{
	for (int i = 1; i <= 6; i++)
		dprintf(1, "%s chdir %d: %s\n", who, i, result(chdir("/")));
}

static void *thread(void *who)
{
	calls(who);
	return NULL;
}

// several has a thread and a child do the same, one behind the other.
static void several(void)
{
	pthread_t t;
	calls("main");
	EQUAL(pthread_create(&t, NULL, thread, "thread"), 0);
	EQUAL(pthread_join(t, NULL), 0);
	pid_t pid = fork();
	if (pid == 0) {
		calls("child");
		_exit(0);
	}
	EQUAL(waitpid(pid, NULL, 0), pid);
	calls("main");
}

static long long now(void)
{
	struct timespec t;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleeps(void)
{
	struct timespec t = { 0, 30000000 };
	dprintf(1, "nanosleep: %s\n", result(syscall(SYS_nanosleep, &t, &t)));
	int p[2];
	char c;
	EQUAL(pipe(p), 0);
	dprintf(1, "poll: %s\n", result(syscall(SYS_poll, &(struct pollfd){ p[0], POLLIN, 0 }, 1, 30)));
	pid_t pid = fork();
	if (pid == 0) {
		usleep(50000);
		_exit(write(p[1], "x", 1) != 1);
	}
	dprintf(1, "read: %s\n", result(read(p[0], &c, 1)));
	dprintf(1, "wait: %s\n", result(wait4(pid, NULL, 0, NULL) == pid ? 0 : -1));
	EQUAL(write(p[1], "y", 1), 1);
	dprintf(1, "read: %s\n", result(read(p[0], &c, 1)));
}

// delayed makes a call that is to be delayed.
static void delayed(void)
{
	long long before = now();
	dprintf(1, "chdir: %s\n", result(chdir("/")));
	dprintf(1, "%s\n", now() - before >= 150000000 ? "slow" : "not slow");
}

// memory has its buffer before and behind a write, and what a read brings.
static void memory(void)
{
	static char buffer[8] = "abcdefg", constant[8] = "target";
	int p[2];
	EQUAL(pipe(p), 0);
	dprintf(1, "write: %s\n", result(write(p[1], buffer, 7)));
	dprintf(1, "%s\n", buffer);
	memset(buffer, 0, sizeof buffer);
	dprintf(1, "read: %s\n", result(read(p[0], buffer, 7)));
	dprintf(1, "%s\n", buffer);
	dprintf(1, "chdir: %s\n", result(chdir("/no/such")));
	dprintf(1, "%s, close: %s\n", constant, result(close(77)));
}

static void processes(char *self)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl(self, self, "calls", NULL);
		dprintf(1, "execve: %s\n", result(-1));
		_exit(3);
	}
	if (pid == -1) {
		dprintf(1, "fork: %s\n", result(-1));
		return;
	}
	int status;
	pid_t r = waitpid(pid, &status, 0);
	dprintf(1, "fork: %s, wait: %s, status %x\n", pid > 1000000 ? result(pid) : "a child", r == pid ? "the child" : result(r),
		r == pid ? status : 0);
}

int main(int argc, char **argv)
{
	handleAll(0);
	for (int i = 1; i < argc; i++) {
		char *what = argv[i];
		if (!strcmp(what, "calls"))
			calls("main");
		else if (!strcmp(what, "several"))
			several();
		else if (!strcmp(what, "restart"))
			handleAll(SA_RESTART);
		else if (!strcmp(what, "sleeps"))
			sleeps();
		else if (!strcmp(what, "alarm"))
			EQUAL(ualarm(30000, 0), 0);
		else if (!strcmp(what, "chdir"))
			dprintf(1, "chdir: %s\n", result(chdir("/")));
		else if (!strcmp(what, "delayed"))
			delayed();
		else if (!strcmp(what, "memory"))
			memory();
		else if (!strcmp(what, "processes"))
			processes(argv[0]);
		else if (!strcmp(what, "exec"))
			execv(argv[0], (char *[]){ argv[0], "calls", NULL });
		else
			FAIL("no such argument: %s", what);
	}
	return 0;
}
