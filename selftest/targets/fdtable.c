// Descriptor tables that are shared or split: threads that open and close at the same time, unshare, CLONE_FILES,
// pidfd_getfd, and programs executed meanwhile.
#include "check.h"
#include <pthread.h>
#include <sched.h>

static volatile int stop;

static void *opens(void *arg)
{
	while (!stop) {
		int fd[2];
		CHECK(pipe2(fd, O_CLOEXEC) == 0);
		EQUAL(write(fd[1], "x", 1), 1);
		char c;
		EQUAL(read(fd[0], &c, 1), 1);
		CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
	}
	return arg;
}

static void *unshares(void *arg)
{
	int fd = open("/dev/null", O_RDONLY);
	CHECK(unshare(CLONE_FILES) == 0);
	CHECK(close(fd) == 0);
	CHECK(syscall(SYS_close_range, 3, ~0u, 0) == 0); // its own table only
	EQUAL(open("/dev/null", O_RDONLY), 3);
	EQUAL(system("exit 3") >> 8, 3);
	*(int *)arg = fd;
	return NULL;
}

int main(void)
{
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, opens, NULL);
	for (int i = 0; i < 50; i++)
		EQUAL(system("exit 2") >> 8, 2);
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 10; i++) {
		int fd = -1;
		pthread_create(&t[0], NULL, unshares, &fd);
		pthread_join(t[0], NULL);
		CHECK(fcntl(fd, F_GETFD) == 0); // still open here
		CHECK(close(fd) == 0);
	}
	EQUAL(open("/dev/null", O_RDONLY), 3);
	// From another process, by number.
	pid_t pid = fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	int pidfd = syscall(434 /* pidfd_open */, pid, 0);
	EQUAL(pidfd, 4);
	EQUAL(syscall(438 /* pidfd_getfd */, pidfd, 3, 0), 5);
	FAILS(syscall(438, pidfd, 5, 0), EBADF);
	kill(pid, SIGKILL);
	EQUAL(ended(pid), 1000 + SIGKILL);
	puts("fdtable ok");
}
