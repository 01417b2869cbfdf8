// A program sees its own children, and no others: in wait, in SIGCHLD, in times and getrusage, also while its children
// and itself execute programs, and when it is the reaper of orphans.
#include "check.h"
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/times.h>

static char *self;

static void nobody(void)
{
	int status;
	FAILS(waitpid(-1, &status, WNOHANG | __WALL), ECHILD);
	FAILS(waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WSTOPPED | WCONTINUED | WNOHANG | __WALL), ECHILD);
}

// no_usage: a program without children has used no time and no memory through them.
static void no_usage(void)
{
	struct rusage usage;
	struct tms tms;
	CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
	EQUAL(usage.ru_utime.tv_sec + usage.ru_utime.tv_usec, 0);
	EQUAL(usage.ru_stime.tv_sec + usage.ru_stime.tv_usec, 0);
	EQUAL(usage.ru_maxrss, 0);
	EQUAL(usage.ru_minflt, 0);
	times(&tms);
	EQUAL(tms.tms_cutime + tms.tms_cstime, 0);
}

// Each child gives one SIGCHLD with its id and status; a child that executes gives no other.
static void signals(void)
{
	sigset_t set = only(SIGCHLD, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 30; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			if (i % 3)
				execl("/bin/sh", "sh", "-c", "exit 0", NULL);
			_exit(0);
		}
		siginfo_t info;
		CHECK(RETRY(sigwaitinfo(&set, &info)) == SIGCHLD);
		EQUAL(info.si_pid, pid);
		EQUAL(info.si_code, CLD_EXITED);
		EQUAL(info.si_status, 0);
		struct rusage usage;
		int status;
		CHECK(wait4(-1, &status, __WALL, &usage) == pid);
		CHECK(usage.ru_maxrss > 0);
		nobody();
		struct timespec none = {0};
		FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void usage(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct rusage usage;
		do
			getrusage(RUSAGE_SELF, &usage);
		while (usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec < 50000);
		_exit(0);
	}
	EQUAL(ended(pid), 0);
	struct rusage usage;
	CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
	long us = usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec;
	CHECK(us >= 50000);
}

// SA_NOCLDWAIT and an ignored SIGCHLD: children vanish.
static void no_zombies(void)
{
	for (int i = 0; i < 10; i++) {
		struct sigaction act = {.sa_handler = i & 1 ? SIG_IGN : SIG_DFL, .sa_flags = i & 1 ? 0 : SA_NOCLDWAIT};
		sigaction(SIGCHLD, &act, NULL);
		pid_t pid = fork();
		if (pid == 0) {
			if (i & 2)
				execl("/bin/true", "true", NULL);
			_exit(0);
		}
		FAILS(waitpid(pid, NULL, 0), ECHILD);
		nobody();
	}
	signal(SIGCHLD, SIG_DFL);
}

// Stops and continues are reported, once.
static void stops(void)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	for (int i = 0; i < 5; i++) {
		kill(pid, SIGSTOP);
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
		EQUAL(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
		kill(pid, SIGCONT);
		CHECK(waitpid(pid, &status, WCONTINUED) == pid);
		CHECK(WIFCONTINUED(status));
	}
	kill(pid, SIGKILL);
	EQUAL(ended(pid), 1000 + SIGKILL);
}

// The reaper of orphans gets the program's orphans, and nobody else's: not what interception needs for an exec.
static void subreaper(void)
{
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
	sigset_t set = only(SIGCHLD, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			execl("/bin/sh", "sh", "-c", "(sleep 0.05; exit 4) & exit 3", NULL);
			_exit(1);
		}
		EQUAL(ended(pid), 3);
		int status;
		pid_t orphan = waitpid(-1, &status, __WALL);
		CHECK(orphan > 0 && orphan != pid);
		EQUAL(WEXITSTATUS(status), 4);
		nobody();
	}
	struct timespec none = {0};
	while (sigtimedwait(&set, NULL, &none) == SIGCHLD)
		;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int main(int argc, char **argv)
{
	(void)argc;
	self = argv[0];
	nobody();
	if (!argv[1])
		no_usage();
	if (!argv[1]) { // once more, as a program that was executed by itself, with no child in between
		char *args[] = {self, "again", NULL};
		execv(self, args);
		FAIL("exec: errno %d", errno);
	}
	nobody(); // its usage of an exec helper is the documented exception
	usage();
	signals();
	no_zombies();
	stops();
	subreaper();
	puts("waits ok");
}
