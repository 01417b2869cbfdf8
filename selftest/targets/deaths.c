// Processes that die of signals, and threads' parts in it: the status a parent sees, for every signal that kills.
#include "check.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/prctl.h>

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *kills(void *sig)
{
	rest(1);
	kill(getpid(), (int)(long)sig);
	return waits(NULL);
}

static int harmless(int sig)
{
	return sig == SIGCHLD || sig == SIGCONT || sig == SIGURG || sig == SIGWINCH || sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

static void one(int sig, int kind)
{
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t t;
		signal(sig, SIG_DFL); // that of the storm has a handler
		switch (kind) {
		case 0: // by itself
			raise(sig);
			break;
		case 1: // many threads blocked
			for (int i = 0; i < 5; i++)
				pthread_create(&t, NULL, waits, NULL);
			kill(getpid(), sig);
			waits(NULL);
			break;
		case 2: // by another thread
			pthread_create(&t, NULL, kills, (void *)(long)sig);
			waits(NULL);
			break;
		case 3: { // unblocked while pending
			sigset_t set = only(sig, 0);
			sigprocmask(SIG_BLOCK, &set, NULL);
			raise(sig);
			sigprocmask(SIG_UNBLOCK, &set, NULL);
		}
		}
		_exit(77);
	}
	int got = ended(pid);
	if (got != (harmless(sig) && kind != 1 && kind != 2 ? 77 : 1000 + sig))
		FAIL("signal %d, kind %d: ended with %d", sig, kind, got);
}

// A parent that dies takes nobody along, but a child may ask for a signal.
static void parent_death(void)
{
	int fd[2];
	CHECK(pipe(fd) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		pid_t me = getpid();
		sigset_t set = only(SIGUSR1, 0);
		sigprocmask(SIG_BLOCK, &set, NULL);
		if (fork() == 0) {
			siginfo_t info;
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			CHECK(write(fd[1], "r", 1) == 1);
			EQUAL(RETRY(sigwaitinfo(&set, &info)), SIGUSR1);
			EQUAL(info.si_pid, me);
			CHECK(write(fd[1], "d", 1) == 1);
			_exit(0);
		}
		for (;;)
			pause();
	}
	char c;
	EQUAL(read(fd[0], &c, 1), 1);
	kill(pid, SIGKILL);
	EQUAL(ended(pid), 1000 + SIGKILL);
	EQUAL(read(fd[0], &c, 1), 1);
	EQUAL(c, 'd');
}

int main(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	for (int sig = 1; sig <= 64; sig++) {
		if (sig == 32 || sig == 33 || sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)
			continue; // libc's own; stops
		for (int kind = 0; kind < 4; kind++)
			if (!harmless(sig) || kind == 0 || kind == 3)
				if (sig != SIGKILL || kind != 3)
					one(sig, kind);
	}
	parent_death();
	puts("deaths ok");
}
