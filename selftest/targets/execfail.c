// A failed exec gives its errno, and the old program goes on: handlers, mask, threads, descriptors, memory as before.
#include "check.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

static volatile int hits;
static void count(int sig) { (void)sig; hits++; }

static void write_file(const char *name, const char *text, size_t size, int mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && write(fd, text, size) == (ssize_t)size && fchmod(fd, mode) == 0 && close(fd) == 0);
}

static void prepare(void)
{
	write_file("text", "just text\n", 10, 0755);
	write_file("empty", "", 0, 0755);
	write_file("private", "#!/bin/sh\n", 10, 0644);
	write_file("orphan", "#!/no/such/interpreter\n", 23, 0755);
	write_file("truncated", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\076\0", 20, 0755);
	write_file("garbage", "\177ELFgarbage garbage garbage garbage garbage garbage garbage garbage", 64, 0755);
	CHECK(symlink("loop", "loop") == 0);
	CHECK(symlink("missing", "dangling") == 0);
	CHECK(mkdir("dir", 0755) == 0);
	CHECK(mkdir("script-dir", 0755) == 0);
	write_file("at-dir", "#!script-dir\n", 13, 0755);
	char name[20], text[40];
	for (int i = 0; i < 8; i++) { // each script names the one before: more than the kernel follows
		snprintf(name, sizeof name, "nest%d", i);
		int n = snprintf(text, sizeof text, i ? "#!nest%d\n" : "#!/bin/true\n", i - 1);
		write_file(name, text, n, 0755);
	}
}

// argument lists longer than the kernel takes: one string over 128 KiB, and a total over the limit.
static void too_big(void)
{
	static char text[140000];
	memset(text, 'a', sizeof text - 1);
	char *argv[] = {"true", text, NULL}, *env[] = {NULL};
	FAILS(execve("/bin/true", argv, env), E2BIG);
	FAILS(execve("/bin/true", env, argv), E2BIG);
	static char *many[200];
	text[120000] = 0;
	for (int i = 0; i < 199; i++)
		many[i] = text;
	FAILS(execve("/bin/true", many, env), E2BIG);
}

static void failures(void)
{
	char *argv[] = {"x", NULL}, *env[] = {NULL};
	FAILS(execve("/nonexistent", argv, env), ENOENT);
	FAILS(execve("", argv, env), ENOENT);
	FAILS(execve("missing/x", argv, env), ENOENT);
	FAILS(execve("dangling", argv, env), ENOENT);
	FAILS(execve("orphan", argv, env), ENOENT);
	FAILS(execve("private", argv, env), EACCES);
	FAILS(execve("dir", argv, env), EACCES);
	FAILS(execve("at-dir", argv, env), EACCES);
	FAILS(execve("/dev/null", argv, env), EACCES);
	FAILS(execve("text", argv, env), ENOEXEC);
	FAILS(execve("empty", argv, env), ENOEXEC);
	FAILS(execve("truncated", argv, env), ENOEXEC);
	FAILS(execve("garbage", argv, env), ENOEXEC);
	FAILS(execve("text/x", argv, env), ENOTDIR);
	FAILS(execve("loop", argv, env), ELOOP);
	FAILS(execve("nest7", argv, env), ELOOP);
	FAILS(syscall(SYS_execve, 0, argv, env), EFAULT);
	FAILS(syscall(SYS_execve, 8, argv, env), EFAULT);
	FAILS(syscall(SYS_execve, "/bin/true", 8, env), EFAULT);
	FAILS(syscall(SYS_execve, "/bin/true", argv, 8), EFAULT);
	FAILS(syscall(SYS_execve, "/bin/true", (char *[]){(char *)8, NULL}, env), EFAULT);
	FAILS(syscall(SYS_execveat, 99, "true", argv, env, 0), EBADF);
	FAILS(syscall(SYS_execveat, -1, "", argv, env, AT_EMPTY_PATH), EBADF);
	FAILS(syscall(SYS_execveat, AT_FDCWD, "loop", argv, env, AT_SYMLINK_NOFOLLOW), ELOOP);
	FAILS(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, env, 12345), EINVAL);
	FAILS(syscall(SYS_execveat, AT_FDCWD, "", argv, env, 0), ENOENT);
	char name[5000];
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = 0;
	FAILS(execve(name, argv, env), ENAMETOOLONG);
	name[300] = 0;
	FAILS(execve(name, argv, env), ENAMETOOLONG);
	int fd = open("text", O_RDWR);
	CHECK(fd >= 0);
	FAILS(execve("text", argv, env), ETXTBSY);
	close(fd);
}

static volatile int stop, turns;

static void *spin(void *arg)
{
	while (!stop) {
		syscall(SYS_getppid);
		turns++;
	}
	return arg;
}

int main(void)
{
	prepare();
	handle(SIGUSR1, count, 0);
	sigset_t mask = only(SIGUSR2, SIGSYS), now;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	stack_t alt = {.ss_sp = malloc(65536), .ss_size = 65536}, alt_now;
	sigaltstack(&alt, NULL);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pthread_t thread;
	pthread_create(&thread, NULL, spin, NULL);
	for (int i = 0; i < 10; i++) {
		failures();
		too_big();
		raise(SIGUSR1);
		EQUAL(hits, i + 1);
		int before = turns;
		while (turns == before) // the other thread is alive
			sched_yield();
	}
	sigprocmask(SIG_SETMASK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR2) && sigismember(&now, SIGSYS) && !sigismember(&now, SIGUSR1));
	CHECK(sigaltstack(NULL, &alt_now) == 0);
	CHECK(alt_now.ss_sp == alt.ss_sp && alt_now.ss_size == alt.ss_size && alt_now.ss_flags == 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	EQUAL(open("/dev/null", O_RDONLY), fd + 1);
	stop = 1;
	pthread_join(thread, NULL);
	FAILS(wait(NULL), ECHILD);
	puts("execfail ok");
}
