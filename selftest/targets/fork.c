// fork: memory is copied, ids are new, statuses come back; children of children; forks while other threads exist.
#include "check.h"
#include <pthread.h>

static int global = 1;
static int handlers[3];

static void before(void) { handlers[0]++; }
static void in_parent(void) { handlers[1]++; }
static void in_child(void) { handlers[2]++; }

static void isolation(void)
{
	int local = 1;
	pid_t parent = getpid(), pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(getpid() != parent);
		CHECK(getppid() == parent);
		EQUAL(syscall(SYS_gettid), getpid());
		global = local = 2;
		_exit(local + global);
	}
	EQUAL(ended(pid), 4);
	EQUAL(global + local, 2);
	EQUAL(getpid(), parent);
}

static void statuses(void)
{
	for (int i = 0; i < 256; i += 15) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(i);
		EQUAL(ended(pid), i);
	}
	int signals[] = {SIGKILL, SIGTERM, SIGUSR1, SIGSEGV, SIGSYS, SIGRTMIN};
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			raise(signals[i]);
			_exit(0);
		}
		EQUAL(ended(pid), 1000 + signals[i]);
	}
}

// deep forks children in children.
static int deep(int depth)
{
	if (depth == 0)
		return 0;
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(deep(depth - 1) + 1);
	return ended(pid);
}

// many children at a time, reaped in whatever order.
static void many(void)
{
	enum { N = 100 };
	int left = N;
	for (int i = 0; i < N; i++) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			for (int k = 0; k < 50; k++)
				syscall(SYS_getppid);
			_exit(9);
		}
	}
	int status;
	while (wait(&status) > 0) {
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
		left--;
	}
	EQUAL(errno, ECHILD);
	EQUAL(left, 0);
}

static void *spin(void *stop)
{
	while (!*(volatile int *)stop)
		syscall(SYS_getppid);
	return NULL;
}

// The child of a process with threads has one thread, and it works.
static void threaded(void)
{
	int stop = 0;
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, spin, &stop) == 0);
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			int own = 1;
			pthread_t one;
			CHECK(pthread_create(&one, NULL, spin, &own) == 0);
			CHECK(pthread_join(one, NULL) == 0);
			_exit(5);
		}
		EQUAL(ended(pid), 5);
	}
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	isolation();
	statuses();
	EQUAL(deep(20), 20);
	many();
	threaded();
	pthread_atfork(before, in_parent, in_child);
	pid_t pid = fork();
	if (pid == 0)
		_exit(handlers[0] * 100 + handlers[1] * 10 + handlers[2]);
	EQUAL(ended(pid), 101);
	EQUAL(handlers[0] * 100 + handlers[1] * 10 + handlers[2], 110);
	puts("fork ok");
}
