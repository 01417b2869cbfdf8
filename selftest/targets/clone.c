// The shapes of clone: what is shared is shared, what is not is not, and the right process can wait for the child.
#include "check.h"
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>

enum { STACK = 65536 };
static char stacks[4][STACK] __attribute__((aligned(16)));
static volatile int shared;
static volatile int hits[2];

static int quick(void *amount)
{
	shared += (int)(long)amount;
	syscall(SYS_getppid);
	return 7;
}

static int execute(void *arg)
{
	(void)arg;
	char *argv[] = {"sh", "-c", "exit 8", NULL}, *env[] = {NULL};
	execve("/bin/sh", argv, env);
	return 1;
}

static void shapes(void)
{
	char *top = stacks[0] + STACK;
	for (int i = 0; i < 20; i++) {
		shared = 0;
		EQUAL(ended(clone(quick, top, SIGCHLD, (void *)1L)), 7);
		EQUAL(shared, 0);
		EQUAL(ended(clone(quick, top, CLONE_VM | SIGCHLD, (void *)1L)), 7);
		EQUAL(shared, 1);
		EQUAL(ended(clone(quick, top, CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND, (void *)1L)), 7);
		EQUAL(shared, 2);
		EQUAL(ended(clone(quick, top, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)1L)), 7);
		EQUAL(shared, 3);
		EQUAL(ended(clone(execute, top, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL)), 8);
		EQUAL(ended(clone(execute, top, CLONE_VM | SIGCHLD, NULL)), 8);
		EQUAL(ended(clone(execute, top, CLONE_VFORK | SIGCHLD, NULL)), 8);
		EQUAL(ended(clone(execute, top, SIGCHLD, NULL)), 8);
	}
}

static void parents_handler(int sig) { (void)sig; hits[0]++; }
static void childs_handler(int sig) { (void)sig; hits[1]++; }

static volatile int stage;

static void await(int want)
{
	while (stage != want)
		sched_yield();
}

// Memory is shared, dispositions, masks and alternate stacks are not: both sides set their own, at the same time.
static int own_dispositions(void *arg)
{
	(void)arg;
	struct sigaction act;
	CHECK(sigaction(SIGUSR1, NULL, &act) == 0);
	CHECK(act.sa_handler == parents_handler); // copied at clone
	handle(SIGUSR1, childs_handler, 0);
	signal(SIGUSR2, SIG_IGN);
	sigset_t set = only(SIGTERM, SIGSYS);
	sigprocmask(SIG_SETMASK, &set, NULL);
	stage = 1;
	await(2);
	CHECK(sigaction(SIGUSR1, NULL, &act) == 0);
	CHECK(act.sa_handler == childs_handler);
	for (int i = 0; i < 100; i++)
		raise(SIGUSR1);
	raise(SIGUSR2);
	stage = 3;
	await(4);
	return 0;
}

static void dispositions(void)
{
	struct sigaction act;
	sigset_t set;
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	handle(SIGUSR1, parents_handler, 0);
	signal(SIGUSR2, SIG_DFL);
	stage = hits[0] = hits[1] = 0;
	pid_t pid = clone(own_dispositions, stacks[0] + STACK, CLONE_VM | SIGCHLD, NULL);
	CHECK(pid > 0);
	await(1);
	CHECK(sigaction(SIGUSR1, NULL, &act) == 0);
	CHECK(act.sa_handler == parents_handler);
	CHECK(sigaction(SIGUSR2, NULL, &act) == 0);
	CHECK(act.sa_handler == SIG_DFL);
	sigprocmask(SIG_SETMASK, NULL, &set);
	CHECK(!sigismember(&set, SIGTERM) && !sigismember(&set, SIGSYS));
	stage = 2;
	for (int i = 0; i < 100; i++)
		raise(SIGUSR1);
	await(3);
	CHECK(kill(pid, SIGUSR1) == 0);
	while (hits[1] < 101)
		sched_yield();
	EQUAL(hits[0], 100);
	signal(SIGUSR1, SIG_DFL);
	CHECK(kill(pid, SIGUSR1) == 0);
	while (hits[1] < 102)
		sched_yield();
	stage = 4;
	EQUAL(ended(pid), 0);
}

// With CLONE_SIGHAND they are shared, across processes.
static int sets_handler(void *arg)
{
	(void)arg;
	handle(SIGUSR1, childs_handler, SA_NODEFER);
	return 0;
}

static void shared_dispositions(void)
{
	struct sigaction act;
	signal(SIGUSR1, SIG_DFL);
	EQUAL(ended(clone(sets_handler, stacks[0] + STACK, CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL)), 0);
	CHECK(sigaction(SIGUSR1, NULL, &act) == 0);
	CHECK(act.sa_handler == childs_handler);
	CHECK(act.sa_flags & SA_NODEFER);
	hits[1] = 0;
	raise(SIGUSR1);
	EQUAL(hits[1], 1);
}

static int closes(void *fd) { return close((int)(long)fd); }
static int changes_dir(void *arg) { (void)arg; return chdir("/proc/self"); }

// Descriptors and the working directory without memory, and the other way round.
static void files(void)
{
	char *top = stacks[0] + STACK, cwd[4096];
	int fd = dup(0);
	CHECK(fd >= 0);
	EQUAL(ended(clone(closes, top, CLONE_VM | SIGCHLD, (void *)(long)fd)), 0);
	CHECK(fcntl(fd, F_GETFD) == 0);
	EQUAL(ended(clone(closes, top, CLONE_FILES | SIGCHLD, (void *)(long)fd)), 0);
	FAILS(fcntl(fd, F_GETFD), EBADF);
	CHECK(chdir("/") == 0);
	EQUAL(ended(clone(changes_dir, top, CLONE_VM | SIGCHLD, NULL)), 0);
	SAME(getcwd(cwd, sizeof cwd), "/");
	EQUAL(ended(clone(changes_dir, top, CLONE_FS | SIGCHLD, NULL)), 0);
	CHECK(strcmp(cwd, "/") == 0);
	CHECK(chdir("/") == 0);
}

// CLONE_PARENT: the child is a sibling. Its creator cannot wait for it, the creator's parent can.
static int sibling(void *arg) { (void)arg; return 11; }

static void clone_parent(void)
{
	int fd[2];
	CHECK(pipe(fd) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		pid_t other = clone(sibling, stacks[0] + STACK, CLONE_PARENT | SIGCHLD, NULL);
		FAILS(waitpid(other, NULL, __WALL), ECHILD);
		CHECK(write(fd[1], &other, sizeof other) == sizeof other);
		other = clone(sibling, stacks[0] + STACK, CLONE_PARENT | CLONE_VM | SIGCHLD, NULL);
		FAILS(waitpid(other, NULL, __WALL), ECHILD);
		CHECK(write(fd[1], &other, sizeof other) == sizeof other);
		_exit(12);
	}
	EQUAL(ended(pid), 12);
	for (int i = 0; i < 2; i++) {
		pid_t other;
		CHECK(read(fd[0], &other, sizeof other) == sizeof other);
		EQUAL(ended(other), 11);
	}
	close(fd[0]);
	close(fd[1]);
}

// The exit signal is what clone says, and decides which wait sees the child.
static volatile int usr2_pid;
static void on_usr2(int sig, siginfo_t *info, void *uc) { (void)sig; (void)uc; usr2_pid = info->si_pid; }

static void exit_signals(void)
{
	char *top = stacks[0] + STACK;
	int status;
	handle_info(SIGUSR2, on_usr2, 0);
	pid_t pid = clone(sibling, top, SIGUSR2, NULL);
	while (usr2_pid != pid)
		sched_yield();
	FAILS(waitpid(-1, &status, WNOHANG), ECHILD); // a clone child is not for a plain wait
	CHECK(waitpid(-1, &status, __WCLONE) == pid);
	pid = clone(sibling, top, 0, NULL); // no signal at all
	CHECK(waitpid(pid, &status, __WCLONE) == pid);
	EQUAL(WEXITSTATUS(status), 11);
	signal(SIGUSR2, SIG_DFL);
}

// The kernel's writes to memory: parent's tid, child's tid, pidfd, the clearing futex.
static int own_tid_set(void *tid) { return *(volatile pid_t *)tid == syscall(SYS_gettid) ? 0 : 1; }

static void tids(void)
{
	char *top = stacks[0] + STACK;
	pid_t ptid = 0, ctid = 0;
	pid_t pid = clone(own_tid_set, top, CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, &ctid, &ptid, NULL, &ctid);
	EQUAL(ended(pid), 0);
	EQUAL(ptid, pid);
	EQUAL(ctid, pid);
	ctid = 1;
	pid = clone(sibling, top, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, &ctid);
	EQUAL(ended(pid), 11);
	EQUAL(ctid, 0);
	int pidfd = -1;
	pid = clone(sibling, top, CLONE_PIDFD | SIGCHLD, NULL, &pidfd);
	struct pollfd p = {pidfd, POLLIN, 0};
	CHECK(RETRY(poll(&p, 1, -1)) == 1);
	siginfo_t info;
	CHECK(waitid(P_PIDFD, pidfd, &info, WEXITED) == 0);
	EQUAL(info.si_pid, pid);
	EQUAL(info.si_status, 11);
	close(pidfd);
}

static void errors(void)
{
	FAILS(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
	FAILS(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0), EINVAL);
	FAILS(syscall(SYS_clone, CLONE_THREAD | CLONE_VM, 0, 0, 0, 0), EINVAL);
	FAILS(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0), EINVAL);
	FAILS(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, 0, 0, 0), EINVAL);
}

// Several processes in one memory at a time, each with calls of its own.
static int busy(void *out)
{
	pid_t me = getpid();
	for (int i = 0; i < 20000; i++)
		if (syscall(SYS_getpid) != me)
			return 1;
	*(volatile int *)out = 1;
	return 0;
}

static void together(void)
{
	static volatile int done[4];
	pid_t pids[4];
	for (int i = 0; i < 4; i++)
		pids[i] = clone(busy, stacks[i] + STACK, CLONE_VM | SIGCHLD, (void *)&done[i]);
	for (int i = 0; i < 4; i++) {
		EQUAL(ended(pids[i]), 0);
		EQUAL(done[i], 1);
	}
}

int main(void)
{
	shapes();
	for (int i = 0; i < 10; i++)
		dispositions();
	shared_dispositions();
	files();
	clone_parent();
	exit_signals();
	tids();
	errors();
	together();
	FAILS(waitpid(-1, NULL, __WALL), ECHILD);
	puts("clone ok");
}
