// What a program sees of itself: /proc/self/exe, comm, cmdline, environ, auxiliary vector, as executed by whatever path.
#include "check.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static char *self;

static char *contents(const char *path)
{
	static char text[5000];
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	ssize_t n = read(fd, text, sizeof text - 1);
	CHECK(n >= 0);
	for (int i = 0; i < n; i++)
		if (!text[i])
			text[i] = '|';
	text[n] = 0;
	close(fd);
	return text;
}

static char *link_of(const char *path)
{
	static char text[5000];
	ssize_t n = readlink(path, text, sizeof text - 1);
	if (n < 0)
		FAIL("readlink %s: errno %d", path, errno);
	text[n] = 0;
	return text;
}

static void names(const char *arg0, const char *base, const char *execfn)
{
	char pid_exe[64], want[200], comm[32];
	SAME(link_of("/proc/self/exe"), self);
	snprintf(pid_exe, sizeof pid_exe, "/proc/%d/exe", getpid());
	SAME(link_of(pid_exe), self);
	SAME(link_of("/proc/thread-self/exe"), self);
	struct stat a, b;
	CHECK(stat("/proc/self/exe", &a) == 0 && stat(self, &b) == 0 && a.st_ino == b.st_ino);
	snprintf(want, sizeof want, "%.15s\n", base);
	SAME(contents("/proc/self/comm"), want);
	snprintf(want, sizeof want, "%s|stage|two words||", arg0);
	SAME(contents("/proc/self/cmdline"), want);
	SAME(contents("/proc/self/environ"), "A=1|B=2 3|");
	prctl(PR_GET_NAME, comm);
	snprintf(want, sizeof want, "%.15s", base);
	SAME(comm, want);
	if (execfn)
		SAME((char *)getauxval(AT_EXECFN), execfn);
}

extern char _start[];

static void vector(void)
{
	ElfW(Phdr) *phdr = (void *)getauxval(AT_PHDR);
	CHECK(phdr != NULL);
	CHECK(getauxval(AT_ENTRY) == (unsigned long)_start);
	EQUAL(getauxval(AT_PAGESZ), 4096);
	EQUAL(getauxval(AT_UID), getuid());
	EQUAL(getauxval(AT_SECURE), 0);
	EQUAL(getauxval(AT_PHENT), sizeof *phdr);
	CHECK(getauxval(AT_PHNUM) > 0 && getauxval(AT_PHNUM) < 30);
	CHECK(getauxval(AT_SYSINFO_EHDR) != 0);
	SAME((char *)getauxval(AT_PLATFORM), "x86_64");
	CHECK(getauxval(AT_RANDOM) != 0);
	CHECK(memcmp((void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, 4) == 0);
	char *stack = (char *)getauxval(AT_EXECFN);
	CHECK(stack > (char *)environ); // strings lie above the vectors
}

static void run(char *path, char *arg0)
{
	char *argv[] = {arg0, "stage", "two words", "", NULL}, *env[] = {"A=1", "B=2 3", NULL};
	pid_t pid = fork();
	if (pid == 0) {
		execve(path, argv, env);
		FAIL("exec %s: errno %d", path, errno);
	}
	EQUAL(ended(pid), 0);
}

static void change_name(void)
{
	CHECK(prctl(PR_SET_NAME, "another-name-that-is-long") == 0);
	SAME(contents("/proc/self/comm"), "another-name-th\n");
	int fd = open("/proc/self/comm", O_WRONLY);
	CHECK(fd >= 0 && write(fd, "third", 5) == 5 && close(fd) == 0);
	char comm[32];
	prctl(PR_GET_NAME, comm);
	SAME(comm, "third");
}

int main(int argc, char **argv)
{
	self = realpath("/proc/self/exe", NULL);
	if (argc > 1) {
		char *want = NULL;
		const char *base = strrchr(self, '/') + 1;
		if (!strcmp(argv[0], "through a link"))
			base = want = "link";
		names(argv[0], base, want);
		vector();
		change_name();
		return 0;
	}
	vector();
	SAME((char *)getauxval(AT_EXECFN), argv[0]);
	CHECK(symlink(self, "link") == 0);
	run(self, "any name");
	run("link", "through a link");
	run(self, "");
	// The file may be gone, or another one.
	char command[5000];
	snprintf(command, sizeof command, "cp %s copy", self);
	EQUAL(system(command), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char *args[] = {"copy", NULL};
		if (unlink("copy") == 0)
			_exit(access("/proc/self/exe", R_OK) == 0 ? 3 : 4);
		execv("copy", args);
	}
	EQUAL(ended(pid), 3);
	puts("self ok");
}
