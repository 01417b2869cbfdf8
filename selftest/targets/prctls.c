// What prctl sets and gets is the program's own state; exec with each of them set, dumpable or not, with fewer rights.
#include "check.h"
#include <asm/prctl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sys/personality.h>
#include <sys/prctl.h>

static char *self;

// execute runs this program again with a word, and returns its status.
static int execute(char *word)
{
	char *argv[] = {self, word, NULL}, *env[] = {NULL};
	execve(self, argv, env);
	FAIL("exec for %s: errno %d", word, errno);
}

static int in_child(void (*prepare)(void), char *word)
{
	pid_t pid = fork();
	if (pid == 0) {
		prepare();
		execute(word);
	}
	return ended(pid);
}

static void nothing(void) {}
static void not_dumpable(void) { CHECK(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0); }
static void death_signal(void) { CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR2) == 0); }
static void timer_slack(void) { CHECK(prctl(PR_SET_TIMERSLACK, 77777) == 0); }
static void no_new_privileges(void) { CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0); }
static void no_aslr(void) { CHECK(personality(ADDR_NO_RANDOMIZE) >= 0); }
static void reaper(void) { CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); }

// Somebody without rights: by leaving root's, which makes the process not dumpable.
static void nobody(void)
{
	if (geteuid() == 0) {
		CHECK(setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
		EQUAL(prctl(PR_GET_DUMPABLE), 0);
	}
}

static void effective_only(void)
{
	if (geteuid() == 0)
		CHECK(setresgid(-1, 65534, -1) == 0 && setresuid(-1, 65534, -1) == 0);
}

// Without this bit root would get them back with the next program.
static void no_capabilities(void)
{
	CHECK(geteuid() || prctl(PR_SET_SECUREBITS, 1 /* SECBIT_NOROOT */) == 0);
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
	CHECK(syscall(SYS_capset, &h, none) == 0);
}

// What was read may be put back.
static void gs_base(void)
{
	unsigned long base = 1;
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) == 0);
	EQUAL(base, 0);
	CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, base) == 0);
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) == 0);
	EQUAL(base, 0);
}

static void *execs_in_thread(void *word) { execute(word); return NULL; }

static void nobodys_thread(void)
{
	pthread_t t;
	nobody();
	pthread_create(&t, NULL, execs_in_thread, "nobody");
	pthread_join(t, NULL);
}

static int stage(const char *word)
{
	int value = 0;
	if (strcmp(word, "effective") && strcmp(word, "capabilities")) // two users, or rights gained: the kernel is careful
		EQUAL(prctl(PR_GET_DUMPABLE), 1); // each exec begins anew
	if (!strcmp(word, "slack"))
		EQUAL(prctl(PR_GET_TIMERSLACK), 77777);
	if (!strcmp(word, "death signal"))
		CHECK(prctl(PR_GET_PDEATHSIG, &value) == 0 && value == SIGUSR2);
	if (!strcmp(word, "privileges"))
		EQUAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	if (!strcmp(word, "aslr"))
		EQUAL(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	if (!strcmp(word, "reaper"))
		CHECK(prctl(PR_GET_CHILD_SUBREAPER, &value) == 0 && value == 1); // the kernel keeps it over exec
	if (!strcmp(word, "nobody"))
		CHECK(getuid() != 0 && geteuid() != 0);
	EQUAL(system("exit 3") >> 8, 3);
	FAILS(waitpid(-1, NULL, __WALL), ECHILD);
	return 8;
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1)
		return stage(argv[1]);
	self = realpath("/proc/self/exe", NULL);
	gs_base();
	EQUAL(in_child(nothing, "nothing"), 8);
	EQUAL(in_child(not_dumpable, "dumpable"), 8);
	EQUAL(in_child(death_signal, "death signal"), 8);
	EQUAL(in_child(timer_slack, "slack"), 8);
	EQUAL(in_child(no_new_privileges, "privileges"), 8);
	EQUAL(in_child(no_aslr, "aslr"), 8);
	EQUAL(in_child(reaper, "reaper"), 8);
	EQUAL(in_child(nobody, "nobody"), 8);
	EQUAL(in_child(nobodys_thread, "nobody"), 8);
	EQUAL(in_child(effective_only, "effective"), 8);
	EQUAL(in_child(no_capabilities, "capabilities"), 8);
	// After a failed exec a process that is not dumpable still is not.
	pid_t pid = fork();
	if (pid == 0) {
		char *args[] = {"x", NULL};
		prctl(PR_SET_DUMPABLE, 0);
		FAILS(execve("/nonexistent", args, args + 1), ENOENT);
		FAILS(execve("/", args, args + 1), EACCES);
		EQUAL(prctl(PR_GET_DUMPABLE), 0);
		int signal = 99;
		prctl(PR_GET_PDEATHSIG, &signal);
		EQUAL(signal, 0);
		_exit(4);
	}
	EQUAL(ended(pid), 4);
	char name[32];
	CHECK(prctl(PR_SET_NAME, "a name") == 0 && prctl(PR_GET_NAME, name) == 0);
	SAME(name, "a name");
	FAILS(prctl(PR_SET_DUMPABLE, 7), EINVAL);
	FAILS(prctl(12345), EINVAL);
	FAILS(prctl(PR_SET_PDEATHSIG, 99), EINVAL);
	unsigned long fs = 0, gs = 1;
	EQUAL(syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &fs), 0);
	EQUAL(*(unsigned long *)fs, fs);
	EQUAL(syscall(SYS_arch_prctl, 0x1004 /* ARCH_GET_GS */, &gs), 0);
	EQUAL(gs, 0);
	EQUAL(syscall(SYS_arch_prctl, 0x1002 /* ARCH_SET_FS */, fs), 0);
	puts("prctls ok");
}
