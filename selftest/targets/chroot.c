// A static program where there is nothing else: it executes itself, by vfork, by fork, by descriptor, without /proc.
#include "check.h"
#include <pthread.h>

static char *self;

static void *executes(void *arg)
{
	char *argv[] = {self, "child", NULL}, *env[] = {NULL};
	execve(self, argv, env);
	FAIL("exec: errno %d", errno);
	return arg;
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1)
		return 7;
	CHECK(access("/proc", F_OK) < 0);
	for (int i = 0; i < 30; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			execl(self, self, "child", NULL);
			_exit(1);
		}
		EQUAL(ended(pid), 7);
		pid = fork();
		if (pid == 0) {
			pthread_t t;
			if (i & 1)
				executes(NULL);
			pthread_create(&t, NULL, executes, NULL);
			pthread_join(t, NULL);
		}
		EQUAL(ended(pid), 7);
		pid = fork();
		if (pid == 0) {
			char *args[] = {self, "child", NULL}, *env[] = {NULL};
			syscall(SYS_execveat, open(self, O_RDONLY), "", args, env, AT_EMPTY_PATH);
			_exit(1);
		}
		EQUAL(ended(pid), 7);
	}
	char *none[] = {"x", NULL};
	FAILS(execve("/bin/true", none, none + 1), ENOENT);
	puts("chroot ok");
}
