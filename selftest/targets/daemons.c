// Sessions, groups, orphans and their reaper: a process forks twice and leaves its session; the signal that a death is to
// bring comes from the right one, over fork, exec and changes of the user.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static char *self;
static volatile pid_t *shared;

static void await(volatile pid_t *word, pid_t not)
{
	while (*word == not)
		sched_yield();
}

// A daemon is the reaper's child, leads nothing, and works as anybody else: it forks, executes, waits.
static void daemons(void)
{
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	pid_t reaper = getpid();
	for (int i = 0; i < 10; i++) {
		shared[0] = 0;
		pid_t first = fork();
		if (first == 0) {
			EQUAL(setsid(), getpid());
			FAILS(setsid(), EPERM);
			FAILS(setpgid(0, 0), EPERM);
			pid_t session = getpid(), second = fork();
			if (second > 0)
				_exit(3);
			await(shared, 0);
			EQUAL(getppid(), reaper);
			EQUAL(getsid(0), session);
			EQUAL(getpgrp(), session);
			EQUAL(system("exit 4") >> 8, 4);
			CHECK(chdir("/") == 0);
			char number[12];
			snprintf(number, sizeof number, "%d", reaper);
			if (i & 1)
				execl("/bin/sh", "sh", "-c", "[ $PPID = $1 ] && /bin/true && (exit 5)", "sh", number, NULL);
			_exit(5);
		}
		EQUAL(ended(first), 3);
		shared[0] = 1;
		int status;
		pid_t orphan = waitpid(-1, &status, 0);
		CHECK(orphan > 0 && orphan != first && WIFEXITED(status));
		EQUAL(WEXITSTATUS(status), 5);
	}
}

static void groups(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		EQUAL(setpgid(0, 0), 0);
		EQUAL(getpgrp(), getpid());
		char *argv[] = {"sh", "-c", "kill -TERM 0; sleep 5", NULL}, *env[] = {NULL};
		execve("/bin/sh", argv, env);
	}
	setpgid(pid, pid);
	EQUAL(ended(pid), 1000 + SIGTERM);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	EQUAL(setpgid(pid, pid), 0);
	EQUAL(getpgid(pid), pid);
	CHECK(kill(-pid, SIGKILL) == 0);
	EQUAL(ended(pid), 1000 + SIGKILL);
	// The stopped members of a group that becomes an orphan are continued, with SIGHUP before.
	int fd[2];
	CHECK(pipe(fd) == 0);
	shared[1] = 0;
	pid = fork();
	if (pid == 0) {
		setsid();
		pid_t member = fork();
		if (member == 0) {
			setpgid(0, 0);
			shared[1] = getpid();
			raise(SIGSTOP);
			_exit(0);
		}
		int status;
		CHECK(waitpid(member, &status, WUNTRACED) == member && WIFSTOPPED(status));
		_exit(6);
	}
	EQUAL(ended(pid), 6);
	EQUAL(ended(shared[1]), 1000 + SIGHUP);
}

static volatile int death;
static void on_death(int sig, siginfo_t *info, void *uc) { (void)sig; (void)uc; death = info->si_pid; }

// stage is what the child of a parent that dies becomes by exec.
static int stage(char **argv)
{
	int set = 0;
	volatile pid_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[2]), 0);
	CHECK(prctl(PR_GET_PDEATHSIG, &set) == 0);
	EQUAL(set, SIGUSR2);
	handle_info(SIGUSR2, on_death, 0);
	word[2] = getpid();
	while (!death)
		usleep(100);
	EQUAL(system("exit 4") >> 8, 4);
	word[3] = death;
	return 7;
}

static void deaths(int file)
{
	char number[12];
	snprintf(number, sizeof number, "%d", file);
	for (int i = 0; i < 6; i++) {
		shared[2] = shared[3] = death = 0;
		pid_t parent = fork();
		if (parent == 0) {
			pid_t pid = fork();
			if (pid == 0) {
				char *argv[] = {self, "stage", number, NULL}, *env[] = {NULL};
				handle_info(SIGUSR2, on_death, 0);
				CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR2) == 0);
				pid_t below = fork(); // a child does not have it
				if (below == 0) {
					int set = 99;
					CHECK(prctl(PR_GET_PDEATHSIG, &set) == 0);
					_exit(set);
				}
				EQUAL(ended(below), 0);
				if (i & 1)
					execve("/nonexistent", argv, env);
				execve(self, argv, env);
			}
			while (!shared[2])
				rest(1);
			if (i % 3 == 0)
				raise(SIGKILL);
			if (i % 3 == 1)
				execl("/bin/true", "true", NULL);
			_exit(0);
		}
		ended(parent);
		await(shared + 2, 0);
		EQUAL(ended(shared[2]), 7);
		EQUAL(shared[3], parent);
	}
}

// The thread that forked counts, not its process.
static void *forks(void *arg)
{
	pid_t pid = fork();
	if (pid == 0) {
		handle_info(SIGUSR2, on_death, 0);
		CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR2) == 0);
		shared[2] = getpid();
		while (!death)
			usleep(100);
		_exit(8);
	}
	while (!shared[2])
		sched_yield();
	*(pid_t *)arg = pid;
	return NULL;
}

static void thread_deaths(void)
{
	for (int i = 0; i < 5; i++) {
		pthread_t t;
		pid_t pid;
		shared[2] = 0;
		CHECK(pthread_create(&t, NULL, forks, &pid) == 0);
		pthread_join(t, NULL);
		EQUAL(ended(pid), 8);
	}
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 2)
		return stage(argv);
	int file = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(file >= 0 && ftruncate(file, 4096) == 0);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(shared != MAP_FAILED);
	daemons();
	groups();
	deaths(file);
	thread_deaths();
	FAILS(waitpid(-1, NULL, __WALL), ECHILD);
	puts("daemons ok");
}
