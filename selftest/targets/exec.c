// exec: arguments and environment arrive as given, by path, descriptor, relative path and symlink; from main, from a
// child, from a vfork child. The program executes itself through a list of stages.
#include "check.h"

extern char **environ;

static char *self;

static void through_path(char *stage)
{
	char *argv[] = {"odd name", stage, "two words", "", "tab\there", NULL}, *env[] = {"A=1", "EMPTY=", "B=x y", NULL};
	execve(self, argv, env);
	FAIL("execve: errno %d", errno);
}

static void through_fd(char *stage, int flags)
{
	int fd = open(self, flags);
	CHECK(fd >= 0);
	char *argv[] = {"odd name", stage, "two words", "", "tab\there", NULL}, *env[] = {"A=1", "EMPTY=", "B=x y", NULL};
	if (stage[0] == 'f')
		fexecve(fd, argv, env);
	else
		syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH);
	FAIL("exec by descriptor: errno %d", errno);
}

static void relative(char *stage)
{
	char dir[4096];
	snprintf(dir, sizeof dir, "%s", self);
	char *base = strrchr(dir, '/');
	*base++ = 0;
	char *argv[] = {"odd name", stage, "two words", "", "tab\there", NULL}, *env[] = {"A=1", "EMPTY=", "B=x y", NULL};
	int fd = open(dir, O_PATH | O_DIRECTORY);
	CHECK(fd >= 0);
	if (stage[0] == 'r') {
		CHECK(fchdir(fd) == 0);
		close(fd);
		execve(base, argv, env);
	} else
		syscall(SYS_execveat, fd, base, argv, env, 0);
	FAIL("exec of a relative path: errno %d", errno);
}

static void arrived(int argc, char **argv)
{
	EQUAL(argc, 5);
	SAME(argv[0], "odd name");
	SAME(argv[2], "two words");
	SAME(argv[3], "");
	SAME(argv[4], "tab\there");
	CHECK(argv[5] == NULL);
	SAME(environ[0], "A=1");
	SAME(environ[1], "EMPTY=");
	SAME(environ[2], "B=x y");
	CHECK(environ[3] == NULL);
}

// large arguments and many of them come through.
static void large(void)
{
	static char text[100000], *argv[3002];
	memset(text, 'a', sizeof text - 1);
	argv[0] = self;
	argv[1] = "large";
	argv[2] = text;
	for (int i = 3; i < 3000; i++)
		argv[i] = "short";
	execv(self, argv);
	FAIL("execv: errno %d", errno);
}

static void variants(void)
{
	char *kind[] = {"exit 1", "exit 2", "exit 3"};
	for (int i = 0; i < 30; i++) {
		char *argv[] = {"sh", "-c", kind[i % 3], NULL};
		pid_t pid = i & 1 ? fork() : vfork();
		if (pid == 0) {
			execv("/bin/sh", argv);
			_exit(99);
		}
		EQUAL(ended(pid), i % 3 + 1);
	}
}

int main(int argc, char **argv)
{
	self = realpath("/proc/self/exe", NULL);
	CHECK(self != NULL);
	if (argc < 2) {
		variants();
		through_path("a path");
	}
	if (strcmp(argv[1], "large"))
		arrived(argc, argv);
	if (!strcmp(argv[1], "a path"))
		through_fd("at a descriptor", O_RDONLY | O_CLOEXEC);
	if (!strcmp(argv[1], "at a descriptor"))
		through_fd("at a path descriptor", O_PATH | O_CLOEXEC);
	if (!strcmp(argv[1], "at a path descriptor"))
		through_fd("fexecve", O_RDONLY);
	if (!strcmp(argv[1], "fexecve"))
		relative("relative");
	if (!strcmp(argv[1], "relative"))
		relative("directory descriptor");
	if (!strcmp(argv[1], "directory descriptor"))
		large();
	EQUAL(argc, 3000);
	EQUAL(strlen(argv[2]), 99999);
	SAME(argv[2999], "short");
	puts("exec ok");
}
