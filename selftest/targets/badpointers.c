// Bad pointers give EFAULT, never a crash: null, low, kernel, non-canonical, unmapped, without permission, and objects
// that begin in mapped memory and end outside.
#include "check.h"
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <linux/sched.h>

static char *edge; // the byte behind a mapped page: nothing is there

static void everywhere(void *bad)
{
	int fd[2];
	CHECK(pipe(fd) == 0);
	FAILS(write(fd[1], bad, 4), EFAULT);
	CHECK(write(fd[1], "abcd", 4) == 4);
	FAILS(read(fd[0], bad, 4), EFAULT);
	struct iovec iov = {bad, 4};
	FAILS(writev(fd[1], &iov, 1), EFAULT);
	FAILS(syscall(SYS_writev, fd[1], bad, 1), EFAULT);
	FAILS(syscall(SYS_open, bad, O_RDONLY), EFAULT);
	FAILS(syscall(SYS_openat, AT_FDCWD, bad, O_RDONLY), EFAULT);
	FAILS(syscall(SYS_stat, bad, bad), EFAULT);
	FAILS(syscall(SYS_access, bad, 0), EFAULT);
	FAILS(syscall(SYS_chdir, bad), EFAULT);
	FAILS(syscall(SYS_readlink, "/proc/self/exe", bad, 100), EFAULT);
	FAILS(syscall(SYS_execve, bad, NULL, NULL), EFAULT);
	FAILS(syscall(SYS_pipe2, bad, 0), EFAULT);
	FAILS(syscall(SYS_getcwd, bad, 4096), EFAULT);
	FAILS(syscall(SYS_uname, bad), EFAULT);
	FAILS(syscall(SYS_nanosleep, bad, NULL), EFAULT);
	FAILS(syscall(SYS_poll, bad, 1, 0), EFAULT);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR1, NULL, bad, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad, NULL, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, bad, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigpending, bad, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigsuspend, bad, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigtimedwait, bad, NULL, NULL, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, bad), EFAULT);
	FAILS(syscall(SYS_sigaltstack, bad, NULL), EFAULT);
	FAILS(syscall(SYS_sigaltstack, NULL, bad), EFAULT);
	FAILS(syscall(SYS_ppoll, NULL, 0, bad, NULL, 8), EFAULT);
	FAILS(syscall(SYS_ppoll, NULL, 0, NULL, bad, 8), EFAULT);
	FAILS(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, bad), EFAULT);
	FAILS(syscall(SYS_setitimer, ITIMER_REAL, bad, NULL), EFAULT);
	FAILS(syscall(SYS_clone3, bad, sizeof(struct clone_args)), EFAULT);
	FAILS(syscall(SYS_prctl, PR_SET_NAME, bad, 0, 0, 0), EFAULT);
	FAILS(syscall(SYS_futex, bad, 0, 1, NULL, NULL, 0), EFAULT);
	FAILS(syscall(SYS_sendmsg, fd[0], bad, 0), ENOTSOCK);
	close(fd[0]);
	close(fd[1]);
}

// A child that cannot be waited for with a bad status pointer is reaped all the same.
static void waits(void *bad)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(3);
	FAILS(syscall(SYS_wait4, pid, bad, 0, NULL), EFAULT);
	FAILS(wait(NULL), ECHILD);
}

// Objects over the edge: what the kernel got at before the fault counts for write, and for nothing else.
static void over_the_edge(void)
{
	int fd[2];
	CHECK(pipe(fd) == 0);
	memset(edge - 100, 'x', 100);
	FAILS(syscall(SYS_open, edge - 10, O_RDONLY), EFAULT);
	memcpy(edge - 10, "/dev/null", 10); // its NUL is the last byte
	int null = syscall(SYS_open, edge - 10, O_RDONLY);
	CHECK(null >= 0);
	close(null);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR1, edge - 16, NULL, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, edge - 4, NULL, 8), EFAULT);
	FAILS(syscall(SYS_sigaltstack, edge - 8, NULL), EFAULT);
	FAILS(syscall(SYS_clone3, edge - 8, sizeof(struct clone_args)), EFAULT);
	FAILS(syscall(SYS_uname, edge - 8), EFAULT);
	char *argv[] = {"true", edge - 3, NULL};
	memcpy(edge - 3, "abc", 3);
	FAILS(execve("/bin/true", argv, NULL), EFAULT);
	char **open_ended = (char **)edge - 2;
	open_ended[0] = open_ended[1] = "x";
	FAILS(execve("/bin/true", open_ended, NULL), EFAULT);
	FAILS(execve("/bin/true", NULL, open_ended), EFAULT);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(map != MAP_FAILED);
	CHECK(munmap(map + page, page) == 0);
	edge = map + page;
	CHECK(mprotect(map + 2 * page, page, PROT_NONE) == 0);
	void *bad[] = {(void *)8, (void *)0x1000, edge, map + 2 * page, (void *)0x800000000000, (void *)0xffff800000000000, (void *)-4096, (void *)-8, (void *)0xdead000000000000};
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
			everywhere(bad[i]);
			waits(bad[i]);
		}
	FAILS(syscall(SYS_open, NULL, O_RDONLY), EFAULT);
	FAILS(write(1, (void *)8, 4), EFAULT);
	over_the_edge();
	// Read-only memory cannot take results.
	CHECK(mprotect(map, page, PROT_READ) == 0);
	FAILS(syscall(SYS_uname, map), EFAULT);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR1, NULL, map, 8), EFAULT);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, map, 8), EFAULT);
	FAILS(syscall(SYS_sigaltstack, NULL, map), EFAULT);
	puts("badpointers ok");
}
