// Ways a program with threads ends. Argument: what happens; the exit status tells which thread's word counted.
#include "check.h"
#include <poll.h>
#include <pthread.h>

static void *blocks(void *arg)
{
	char c;
	static int fd[2];
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	switch ((long)arg % 4) {
	case 0:
		(void)!pipe(fd);
		(void)!read(fd[0], &c, 1);
		break;
	case 1: poll(NULL, 0, -1); break;
	case 2: for (;;) pthread_mutex_lock(&m);
	case 3: for (;;) syscall(SYS_getppid);
	}
	return NULL;
}

static void many(void)
{
	pthread_t t;
	for (long i = 0; i < 20; i++)
		CHECK(pthread_create(&t, NULL, blocks, (void *)i) == 0);
}

static void *exits(void *status) { rest(5); exit((int)(long)status); }
static void *exits_group(void *status) { rest(5); syscall(SYS_exit_group, status); return NULL; }
static void *exits_thread(void *arg) { rest(5); puts("last thread"); return arg; }
static void *exits_raw(void *status) { rest(5); syscall(SYS_exit, status); return NULL; }

int main(int argc, char **argv)
{
	pthread_t t;
	char *what = argc > 1 ? argv[1] : "";
	if (!strcmp(what, "exit")) { // of a thread, main is blocked
		many();
		pthread_create(&t, NULL, exits, (void *)41L);
		pthread_join(t, NULL);
	}
	if (!strcmp(what, "group")) {
		many();
		pthread_create(&t, NULL, exits_group, (void *)42L);
		for (;;)
			pause();
	}
	if (!strcmp(what, "main")) { // main leaves, the others go on; the last one ends the program
		pthread_create(&t, NULL, exits_thread, NULL);
		pthread_exit(NULL);
	}
	if (!strcmp(what, "main-then-exit")) {
		many();
		pthread_create(&t, NULL, exits, (void *)43L);
		pthread_exit(NULL);
	}
	if (!strcmp(what, "raw")) { // which of two codes is the program's depends on the kernel: Linux 5.17 changed it
		pthread_create(&t, NULL, exits_raw, (void *)44L);
		syscall(SYS_exit, 44);
	}
	if (!strcmp(what, "return")) {
		many();
		return 45;
	}
	if (!strcmp(what, "kill")) {
		many();
		pthread_create(&t, NULL, blocks, (void *)3L);
		rest(5);
		pthread_kill(t, SIGTERM);
		for (;;)
			pause();
	}
	if (!strcmp(what, "storm")) { // everybody at once, many times
		for (int i = 0; i < 100; i++) {
			pid_t pid = fork();
			if (pid == 0) {
				for (long k = 0; k < 8; k++)
					pthread_create(&t, NULL, k & 1 ? exits_group : blocks, (void *)(long)(k & 1 ? 5 : 3));
				syscall(SYS_exit_group, 5);
			}
			EQUAL(ended(pid), 5);
		}
		puts("storm of exits ok");
		return 0;
	}
	FAIL("no way to end: %s", what);
}
