// posix_spawn with file actions and attributes: what the child has open, its dispositions, mask, group.
#include "check.h"
#include <spawn.h>

extern char **environ;

static char *self;

// child is what is spawned: it reports as an exit status.
static int child(char **argv)
{
	sigset_t mask;
	struct sigaction act;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (!strcmp(argv[0], "mask"))
		return sigismember(&mask, SIGUSR1) + 2 * sigismember(&mask, SIGSYS) + 4 * sigismember(&mask, SIGTERM);
	if (!strcmp(argv[0], "default")) {
		sigaction(SIGUSR1, NULL, &act);
		int usr1 = act.sa_handler == SIG_IGN;
		sigaction(SIGUSR2, NULL, &act);
		return usr1 + 2 * (act.sa_handler == SIG_IGN);
	}
	if (!strcmp(argv[0], "group"))
		return getpgrp() == getpid();
	if (!strcmp(argv[0], "files")) {
		char text[16] = "";
		return read(0, text, 5) == 5 && !strcmp(text, "hello") && fcntl(7, F_GETFD) == 0 && fcntl(8, F_GETFD) < 0 && write(1, "out", 3) == 3 ? 9 : 1;
	}
	return 100;
}

static int spawn(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr, char *what)
{
	char *argv[] = {"spawn", "child", what, NULL};
	pid_t pid;
	int error = posix_spawn(&pid, self, actions, attr, argv, environ);
	if (error)
		FAIL("posix_spawn(%s): %s", what, strerror(error));
	return ended(pid);
}

static void files(void)
{
	int in[2], out[2];
	char text[16] = "";
	CHECK(pipe(in) == 0 && pipe(out) == 0);
	CHECK(write(in[1], "hello", 5) == 5);
	posix_spawn_file_actions_t fa;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in[0], 0);
	posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	posix_spawn_file_actions_addopen(&fa, 7, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&fa, 8);
	EQUAL(spawn(&fa, NULL, "files"), 9);
	CHECK(read(out[0], text, 3) == 3);
	SAME(text, "out");
	posix_spawn_file_actions_destroy(&fa);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 7, "/nonexistent", O_RDONLY, 0);
	char *argv[] = {"spawn", NULL};
	pid_t pid;
	EQUAL(posix_spawn(&pid, self, &fa, NULL, argv, environ), ENOENT);
	posix_spawn_file_actions_destroy(&fa);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

static void attributes(void)
{
	posix_spawnattr_t attr;
	sigset_t set = only(SIGUSR1, SIGSYS), empty;
	sigemptyset(&empty);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	EQUAL(spawn(NULL, &attr, "mask"), 3);
	sigset_t term = only(SIGTERM, 0);
	sigprocmask(SIG_SETMASK, &term, NULL);
	EQUAL(spawn(NULL, NULL, "mask"), 4); // inherited
	sigprocmask(SIG_SETMASK, &empty, NULL);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	set = only(SIGUSR1, 0);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	EQUAL(spawn(NULL, &attr, "default"), 2);
	EQUAL(spawn(NULL, NULL, "default"), 3);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	EQUAL(spawn(NULL, &attr, "group"), 1);
	EQUAL(spawn(NULL, NULL, "group"), 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	EQUAL(spawn(NULL, &attr, "group"), 1);
	posix_spawnattr_destroy(&attr);
}

static void errors(void)
{
	char *argv[] = {"x", NULL};
	pid_t pid;
	for (int i = 0; i < 20; i++) {
		EQUAL(posix_spawn(&pid, "/nonexistent", NULL, NULL, argv, environ), ENOENT);
		EQUAL(posix_spawn(&pid, "/etc/passwd", NULL, NULL, argv, environ), EACCES);
		EQUAL(posix_spawn(&pid, "/", NULL, NULL, argv, environ), EACCES);
		EQUAL(posix_spawnp(&pid, "no-such-program-anywhere", NULL, NULL, argv, environ), ENOENT);
	}
	CHECK(posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0);
	EQUAL(ended(pid), 0);
}

int main(int argc, char **argv)
{
	if (argc > 2)
		return child(argv + 2);
	self = argv[0];
	for (int i = 0; i < 5; i++) {
		files();
		attributes();
	}
	errors();
	FAILS(wait(NULL), ECHILD);
	puts("spawn ok");
}
