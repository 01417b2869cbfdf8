// New namespaces, for the next child or at once, with programs executed in them; a change of the root directory. Without
// the rights for it every one of them is refused, as it should be.
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

static char stack[65536] __attribute__((aligned(16)));

static int executes(void *arg)
{
	int first = (int)(long)arg;
	if (first)
		EQUAL(getpid(), 1);
	char *argv[] = {"sh", "-c", "/bin/true; x=$(/bin/echo 7); [ $$ = 1 ] && exit 1$x; exit $x", NULL}, *env[] = {NULL};
	execve("/bin/sh", argv, env);
	FAIL("exec: errno %d", errno);
}

static int unshared(int flags)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(flags) < 0)
			_exit(errno);
		if (flags & CLONE_NEWPID) {
			pid = fork();
			if (pid == 0)
				executes((void *)1L);
			EQUAL(ended(pid), 17);
			FAILS(fork(), ENOMEM); // the namespace has no init any more
			_exit(7);
		}
		executes(NULL);
	}
	return ended(pid);
}

int main(void)
{
	int root = geteuid() == 0, want = root ? 7 : EPERM;
	int flags[] = {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWCGROUP};
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		EQUAL(unshared(flags[i]), want);
	EQUAL(unshared(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM), 7);
	if (root) {
		for (int i = 0; i < 5; i++) {
			EQUAL(ended(clone(executes, stack + sizeof stack, CLONE_NEWPID | SIGCHLD, (void *)1L)), 17);
			EQUAL(ended(clone(executes, stack + sizeof stack, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | SIGCHLD, (void *)1L)), 17);
			EQUAL(ended(clone(executes, stack + sizeof stack, CLONE_NEWPID | CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)1L)), 17);
			EQUAL(ended(clone(executes, stack + sizeof stack, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, (void *)1L)), 17);
		}
		// Without /proc, in the same root.
		pid_t pid = fork();
		if (pid == 0) {
			CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
			CHECK(mount("none", "/proc", "tmpfs", 0, NULL) == 0);
			executes(NULL);
		}
		EQUAL(ended(pid), 7);
	} else {
		FAILS(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0), EPERM);
		FAILS(chroot("/"), EPERM);
	}
	FAILS(waitpid(-1, NULL, __WALL), ECHILD);
	puts("namespaces ok");
}
