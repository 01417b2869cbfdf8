// Ids are a matter of each thread to the kernel and of the process to POSIX: glibc interrupts every thread with a signal of
// its own, in calls, in handlers, while they start and end.
#include "check.h"
#include <grp.h>
#include <pthread.h>

static volatile int stop;

static void *works(void *arg)
{
	char c;
	int fd[2];
	CHECK(pipe(fd) == 0);
	while (!stop)
		switch ((long)arg % 4) {
		case 0: syscall(SYS_getppid); break;
		case 1: rest(1); break;
		case 2: CHECK(write(fd[1], "x", 1) == 1 && read(fd[0], &c, 1) == 1); break;
		case 3: break;
		}
	EQUAL(syscall(SYS_getuid), getuid());
	close(fd[0]);
	close(fd[1]);
	return NULL;
}

static void *short_lived(void *arg) { return arg; }

static void *creates(void *arg)
{
	while (!stop) {
		pthread_t t;
		CHECK(pthread_create(&t, NULL, short_lived, NULL) == 0);
		pthread_join(t, NULL);
	}
	return arg;
}

int main(void)
{
	uid_t r, e, s;
	gid_t groups[64];
	pthread_t t[9];
	for (long i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, works, (void *)i);
	pthread_create(&t[8], NULL, creates, NULL);
	CHECK(getresuid(&r, &e, &s) == 0);
	int n = getgroups(64, groups);
	for (int i = 0; i < 20; i++) {
		CHECK(setresuid(r, e, s) == 0);
		CHECK(setgid(getgid()) == 0);
		CHECK(seteuid(e) == 0);
		if (e == 0)
			CHECK(setgroups(n, groups) == 0);
		else
			FAILS(setgroups(n, groups), EPERM);
	}
	stop = 1;
	for (int i = 0; i < 9; i++)
		pthread_join(t[i], NULL);
	puts("setxid ok");
}
