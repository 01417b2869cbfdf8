// exec where no helper process can start or trace: behind unshare(CLONE_NEWPID), at the limit of processes, under a tracer that
// was there before, with filters that forbid what a helper needs, with no descriptor left, without room for files. The new
// program is as it is natively.
#include "check.h"
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char exe[5000]; // variable of the environment: the program's own file
static volatile int hits;
static void count(int sig) { (void)sig; hits++; }

// named: the program's name and its own file.
static void named(void)
{
	char comm[32];
	prctl(PR_GET_NAME, comm);
	SAME(comm, "execalone-name");
	char link[5000] = "";
	CHECK(readlink("/proc/self/exe", link, sizeof link - 1) > 0);
	SAME(link, getenv("EXE")); // who has lost his rights may not be able to look at the working directory's path
	struct stat a, b;
	CHECK(stat("/proc/self/exe", &a) == 0 && stat(link, &b) == 0 && a.st_ino == b.st_ino);
}

// arrived: what every new program looks at.
static int arrived(char **argv)
{
	EQUAL(getauxval(AT_SECURE), 0);
	CHECK(getauxval(AT_PHDR) && getauxval(AT_RANDOM) && getauxval(AT_SYSINFO_EHDR));
	char *end = sbrk(0);
	CHECK(end != (void *)-1 && sbrk(4096) == end && (*end = 1));
	handle(SIGUSR1, count, 0);
	raise(SIGUSR1);
	EQUAL(hits, 1);
	for (int fd = 3; fd < 20; fd++)
		FAILS(fcntl(fd, F_GETFD), EBADF);
	sigset_t mask;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	CHECK(sigismember(&mask, SIGUSR2) && !sigismember(&mask, SIGUSR1));
	SAME(argv[2], "two words");
	SAME(argv[3], "");
	EQUAL(getenv("A") != NULL, 1);
	return 7;
}

static void executes(const char *path)
{
	char *argv[] = {"any name", "arrived", "two words", "", NULL}, *env[] = {"A=1", exe, NULL};
	sigset_t mask = only(SIGUSR2, 0);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	FAILS(execve("nothing", argv, env), ENOENT);
	FAILS(execve(".", argv, env), EACCES);
	FAILS(syscall(SYS_execve, path, 8, env), EFAULT);
	execve(path, argv, env);
	FAIL("exec: errno %d", errno);
}

static void new_pids(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWPID) < 0) {
			EQUAL(errno, EPERM);
			_exit(7);
		}
		executes("execalone-name");
	}
	EQUAL(ended(pid), 7);
}

// unprivileged gives up all rights, so that limits count.
static void unprivileged(void)
{
	if (geteuid() == 0)
		CHECK(setgid(65534) == 0 && setuid(65534) == 0);
}

static void limited(int resource, rlim_t value)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit l = {value, value};
		unprivileged();
		CHECK(setrlimit(resource, &l) == 0);
		if (resource == RLIMIT_NPROC)
			FAILS(fork(), EAGAIN);
		executes("execalone-name");
	}
	EQUAL(ended(pid), 7);
}

static void no_descriptors(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit l;
		if (unshare(CLONE_NEWPID) < 0)
			EQUAL(errno, EPERM);
		CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0);
		l.rlim_cur = 30;
		CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
		while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
			;
		EQUAL(errno, EMFILE);
		executes("execalone-name");
	}
	EQUAL(ended(pid), 7);
}

// forbidden: a filter of its own lets the program do anything but this.
static void forbidden(int nr, int verdict)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, verdict),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog prog = {sizeof code / sizeof *code, code};
		CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
		executes("execalone-name");
	}
	EQUAL(ended(pid), 7);
}

// traced: the tracer sees both execs, and the signals.
static void traced(void)
{
	int pipes[2], status, execs = 0, signals = 0;
	char byte = 0;
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		EQUAL(read(pipes[0], &byte, 1), 1);
		executes("execalone-name");
	}
	CHECK(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXEC) == 0);
	EQUAL(write(pipes[1], &byte, 1), 1);
	for (;;) {
		CHECK(waitpid(pid, &status, 0) == pid);
		if (!WIFSTOPPED(status))
			break;
		execs += status >> 16 == PTRACE_EVENT_EXEC;
		signals += status >> 8 == SIGUSR1;
		ptrace(PTRACE_CONT, pid, 0, status >> 16 ? 0 : WSTOPSIG(status));
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	EQUAL(execs, 2);
	EQUAL(signals, 1);
	close(pipes[0]);
	close(pipes[1]);
}

static void *thread(void *arg)
{
	if (unshare(CLONE_NEWPID) < 0)
		EQUAL(errno, EPERM);
	executes(arg);
	return NULL;
}

static void *forks(void *arg)
{
	for (;;) {
		pid_t pid = fork();
		if (pid == 0) {
			for (int fd = 3; fd < 20; fd++)
				if (fcntl(fd, F_GETFD) >= 0)
					kill(getppid(), SIGKILL);
			_exit(0);
		}
		ended(pid);
	}
	return arg;
}

// from_thread: a thread that is not the first one executes, while another one forks.
static void from_thread(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t t;
		CHECK(pthread_create(&t, NULL, forks, NULL) == 0);
		CHECK(pthread_create(&t, NULL, thread, "execalone-name") == 0);
		pause();
	}
	EQUAL(ended(pid), 7);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "arrived")) { // once more, by the link
		named();
		argv[1] = "again";
		execv("/proc/self/exe", argv);
		FAIL("exec: errno %d", errno);
	}
	if (argc > 1)
		return arrived(argv);
	snprintf(exe, sizeof exe, "EXE=%s", realpath("/proc/self/exe", NULL));
	CHECK(symlink(exe + strlen("EXE="), "execalone-name") == 0);
	new_pids();
	limited(RLIMIT_NPROC, 1);
	limited(RLIMIT_NPROC, 0);
	no_descriptors();
	forbidden(SYS_clone3, SECCOMP_RET_ERRNO | EPERM);
	forbidden(SYS_ptrace, SECCOMP_RET_ERRNO | EPERM);
	forbidden(SYS_ptrace, SECCOMP_RET_KILL_PROCESS);
	for (int i = 0; i < 5; i++) {
		traced();
		from_thread();
	}
	FAILS(wait(NULL), ECHILD);
	puts("execalone ok");
}
