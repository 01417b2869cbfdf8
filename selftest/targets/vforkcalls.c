// What a vfork child does before it executes or exits: everything, although the memory is its parent's. What is the child's own,
// descriptors, handlers, folder, limits, ids, groups, does not come back to the parent; what lies in memory does.
#include "check.h"
#include <dirent.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static volatile int hits, error;
static void count(int sig) { (void)sig; hits++; }

// Numbers that an interceptor may want for itself, among them.
enum { NUMBERS = 1100 };

static void descriptors(void)
{
	struct rlimit limit, old;
	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	limit = old;
	if (limit.rlim_cur < NUMBERS)
		limit.rlim_cur = NUMBERS;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	pid_t pid = vfork();
	if (pid == 0) {
		for (int fd = 3; fd < NUMBERS; fd++)
			if (dup2(0, fd) != fd)
				_exit(1);
		for (int fd = 3; fd < NUMBERS; fd++)
			if (fcntl(fd, F_SETFD, FD_CLOEXEC))
				_exit(2);
		execl("/bin/sh", "sh", "-c", "/bin/true && exit 3", NULL);
		_exit(4);
	}
	EQUAL(ended(pid), 3);
	for (int fd = 3; fd < NUMBERS; fd++)
		FAILS(fcntl(fd, F_GETFD), EBADF);
	EQUAL(system("/bin/true && exit 5") >> 8, 5); // the parent's own are where they were
	pid = vfork();
	if (pid == 0) {
		for (int fd = 3; fd < NUMBERS; fd++)
			dup2(0, fd);
		_exit(syscall(SYS_close_range, 3, ~0u, 0) == 0 ? 6 : 1);
	}
	EQUAL(ended(pid), 6);
	EQUAL(system("/bin/true && exit 7") >> 8, 7);
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

static void signals(void)
{
	struct sigaction act;
	sigset_t set;
	handle(SIGUSR1, count, 0);
	pid_t pid = vfork();
	if (pid == 0) {
		signal(SIGUSR1, SIG_IGN);
		signal(SIGUSR2, SIG_IGN);
		signal(SIGSYS, SIG_IGN);
		sigset_t all;
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		syscall(SYS_kill, getpid(), SIGUSR1);
		stack_t none = {.ss_flags = SS_DISABLE};
		sigaltstack(&none, NULL);
		execl("/bin/sh", "sh", "-c", "kill -USR1 $$; kill -USR2 $$; kill -SYS $$; exit 3", NULL);
		_exit(1);
	}
	EQUAL(ended(pid), 3);
	sigprocmask(SIG_SETMASK, NULL, &set);
	CHECK(!sigismember(&set, SIGUSR1) && !sigismember(&set, SIGTERM));
	CHECK(sigaction(SIGUSR1, NULL, &act) == 0 && act.sa_handler == count);
	CHECK(sigaction(SIGUSR2, NULL, &act) == 0 && act.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGSYS, NULL, &act) == 0 && act.sa_handler == SIG_DFL);
	hits = 0;
	pid = vfork(); // a handler runs in the child, on the borrowed stack
	if (pid == 0) {
		syscall(SYS_kill, getpid(), SIGUSR1);
		_exit(hits == 1 ? 4 : 1);
	}
	EQUAL(ended(pid), 4);
	EQUAL(hits, 1);
}

static void surroundings(void)
{
	char here[4096], there[4096];
	struct rlimit before, after;
	CHECK(getcwd(here, sizeof here) != NULL);
	CHECK(getrlimit(RLIMIT_CORE, &before) == 0);
	mode_t mask = umask(022);
	umask(mask);
	pid_t group = getpgrp(), session = getsid(0);
	pid_t pid = vfork();
	if (pid == 0) {
		struct rlimit none = {0, 0};
		umask(0777);
		if (chdir("/") || setrlimit(RLIMIT_CORE, &none) || setpgid(0, 0) || getpgrp() != getpid() || nice(1) < 0)
			_exit(1);
		if (prctl(PR_SET_NAME, "another") || prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 1))
			_exit(2);
		if (unshare(CLONE_FS | CLONE_FILES))
			_exit(3);
		execl("/bin/sh", "sh", "-c", "[ $(pwd) = / ] && [ $(umask) = 0777 ] && [ $(ulimit -c) = 0 ] && exit 4", NULL);
		_exit(5);
	}
	EQUAL(ended(pid), 4);
	pid = vfork();
	if (pid == 0)
		_exit(setsid() == getpid() && getsid(0) == getpid() ? 6 : 1);
	EQUAL(ended(pid), 6);
	CHECK(getcwd(there, sizeof there) != NULL);
	SAME(there, here);
	CHECK(getrlimit(RLIMIT_CORE, &after) == 0 && after.rlim_cur == before.rlim_cur);
	EQUAL(umask(mask), mask);
	EQUAL(getpgrp(), group);
	EQUAL(getsid(0), session);
}

// Memory that the child maps and unmaps is the parent's.
static void memory(void)
{
	static char *volatile page;
	char *gone = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid = vfork();
	if (pid == 0) {
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		page[0] = 'x';
		munmap(gone, 4096);
		_exit(3);
	}
	EQUAL(ended(pid), 3);
	EQUAL(page[0], 'x');
	FAILS(madvise(gone, 4096, MADV_NORMAL), ENOMEM);
	munmap(page, 4096);
}

static char stack[65536] __attribute__((aligned(16)));
static int returns(void *arg) { return (int)(long)arg; }

// A child that has children: by fork, by vfork, by clone, that wait for each other, fail to execute, and die.
static void children(void)
{
	for (int i = 0; i < 30; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			pid_t inner = fork();
			if (inner == 0) {
				execl("/nonexistent", "x", NULL);
				execl("/bin/sh", "sh", "-c", "exit 3", NULL);
				_exit(1);
			}
			error = ended(inner);
			inner = vfork();
			if (inner == 0) {
				execl("/nonexistent", "x", NULL);
				execl("/etc/passwd", "x", NULL);
				execl("/bin/sh", "sh", "-c", "exit 4", NULL);
				_exit(1);
			}
			error = error * 10 + ended(inner);
			error = error * 10 + ended(clone(returns, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)5L)) % 10;
			if (i % 3 == 0)
				syscall(SYS_kill, getpid(), SIGKILL);
			execl("/nonexistent", "x", NULL);
			_exit(errno == ENOENT ? 6 : 1);
		}
		EQUAL(ended(pid), i % 3 == 0 ? 1000 + SIGKILL : 6);
		EQUAL(error, 345);
	}
	FAILS(waitpid(-1, NULL, __WALL), ECHILD);
}

// A child of a vfork child that outlives it.
static void outlives(void)
{
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	for (int i = 0; i < 10; i++) {
		static volatile pid_t deeper;
		pid_t pid = vfork();
		if (pid == 0) {
			deeper = fork();
			if (deeper == 0) {
				rest(5);
				execl("/bin/sh", "sh", "-c", "exit 8", NULL);
				_exit(1);
			}
			_exit(7);
		}
		EQUAL(ended(pid), 7);
		EQUAL(ended(deeper), 8);
	}
}

int main(void)
{
	descriptors();
	signals();
	surroundings();
	memory();
	children();
	outlives();
	puts("vforkcalls ok");
}
