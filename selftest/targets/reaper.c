// A server's work: children come and go while SIGCHLD's handler reaps them, timers tick and threads run; every child is
// reaped exactly once, with its own status.
#include "check.h"
#include <pthread.h>

enum { CHILDREN = 300 };

static volatile int statuses[256], reaped;

static void reap(int sig)
{
	int saved = errno, status;
	(void)sig;
	while (waitpid(-1, &status, WNOHANG) > 0) {
		CHECK(WIFEXITED(status));
		statuses[WEXITSTATUS(status)]++;
		reaped++;
	}
	errno = saved;
}

static volatile int ticks;
static void on_alarm(int sig) { (void)sig; ticks++; }

static volatile int stop;
static void *works(void *arg)
{
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	while (!stop) {
		int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
	}
	return arg;
}

int main(void)
{
	pthread_t t[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, works, NULL);
	handle(SIGCHLD, reap, SA_RESTART | SA_NOCLDSTOP);
	handle(SIGALRM, on_alarm, SA_RESTART);
	tick(1000);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid;
		while ((pid = i % 3 ? fork() : vfork()) < 0)
			EQUAL(errno, EAGAIN);
		if (pid == 0) {
			if (i % 3 == 1)
				execl("/bin/sh", "sh", "-c", "exit 1", NULL);
			_exit(i % 3);
		}
		if (i % 50 == 49)
			while (reaped < i + 1)
				rest(1);
	}
	tick(0);
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 3; i++)
		EQUAL(statuses[i], CHILDREN / 3);
	FAILS(wait(NULL), ECHILD);
	puts("reaper ok");
}
