// Programs that start with #!: what the interpreter gets as arguments, interpreters that are scripts, by descriptor, and
// the name the process has then.
#include "check.h"
#include <sys/stat.h>

static char *self;

static void script(const char *name, const char *fmt, const char *arg)
{
	char text[5000];
	int n = snprintf(text, sizeof text, fmt, arg), fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	CHECK(fd >= 0 && write(fd, text, n) == n && close(fd) == 0);
}

// output runs a program with two arguments and returns what it prints.
static char *output(const char *path, int by_descriptor)
{
	static char text[10000];
	int fd[2], n = 0, got;
	CHECK(pipe(fd) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], 1);
		close(fd[0]);
		close(fd[1]);
		char *argv[] = {"zero", "one", "two words", NULL}, *env[] = {NULL};
		if (by_descriptor)
			syscall(SYS_execveat, open(path, O_RDONLY), "", argv, env, AT_EMPTY_PATH);
		else
			execve(path, argv, env);
		FAIL("exec %s: errno %d", path, errno);
	}
	close(fd[1]);
	while ((got = read(fd[0], text + n, sizeof text - 1 - n)) > 0)
		n += got;
	text[n] = 0;
	close(fd[0]);
	EQUAL(ended(pid), 0);
	return text;
}

int main(int argc, char **argv)
{
	if (argc > 1) { // as an interpreter: show the arguments after the own path, and the name
		for (int i = 1; i < argc; i++)
			printf("[%s]", argv[i]);
		char comm[20] = "";
		int fd = open("/proc/self/comm", O_RDONLY);
		CHECK(read(fd, comm, 16) > 0);
		printf(" %s", comm);
		return 0;
	}
	self = realpath("/proc/self/exe", NULL);
	script("plain", "#!%s\n", self);
	script("option", "#!%s  -x y  z\t\n", self);
	script("spaces", "#! \t %s\n", self);
	script("nested", "#!./option inner\n", "");
	script("nested2", "#!./nested\n", "");
	script("nested3", "#!./nested2 more\n", "");
	script("shell", "#!/bin/sh -e\necho \"$0 $# $1 $2\"\n", "");
	script("long-name-of-a-script", "#!%s\n", self);
	SAME(output("plain", 0), "[plain][one][two words] plain\n");
	SAME(output("./plain", 0), "[./plain][one][two words] plain\n");
	SAME(output("option", 0), "[-x y  z][option][one][two words] option\n");
	SAME(output("spaces", 0), "[spaces][one][two words] spaces\n");
	SAME(output("nested", 0), "[-x y  z][./option][inner][nested][one][two words] nested\n");
	SAME(output("nested2", 0), "[-x y  z][./option][inner][./nested][nested2][one][two words] nested2\n");
	SAME(output("nested3", 0), "[-x y  z][./option][inner][./nested][./nested2][more][nested3][one][two words] nested3\n");
	SAME(output("shell", 0), "shell 2 one two words\n");
	SAME(output("long-name-of-a-script", 0), "[long-name-of-a-script][one][two words] long-name-of-a-\n");
	SAME(output("shell", 1), "/dev/fd/3 2 one two words\n");
	puts("scripts ok");
}
