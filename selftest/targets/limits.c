// Resource limits: the signals and errors they lead to, and programs executed under them.
#include "check.h"
#include <sys/resource.h>

static volatile int hits;
static void count(int sig) { (void)sig; hits++; }

static void limit(int resource, rlim_t value)
{
	struct rlimit l;
	getrlimit(resource, &l);
	l.rlim_cur = value;
	CHECK(setrlimit(resource, &l) == 0);
}

static void file_size(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	handle(SIGXFSZ, count, 0);
	limit(RLIMIT_FSIZE, 100);
	char text[150] = "";
	EQUAL(write(fd, text, 150), 100);
	FAILS(write(fd, text, 1), EFBIG);
	EQUAL(hits, 1);
	FAILS(ftruncate(fd, 101), EFBIG);
	EQUAL(hits, 2);
	EQUAL(system("exit 3") >> 8, 3);
	limit(RLIMIT_FSIZE, 0);
	EQUAL(system("exit 4") >> 8, 4);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGXFSZ, SIG_DFL);
		(void)!write(fd, text, 1);
		_exit(0);
	}
	EQUAL(ended(pid), 1000 + SIGXFSZ);
	sigset_t set = only(SIGXFSZ, 0), none;
	sigemptyset(&none);
	hits = 0;
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3; i++)
		FAILS(write(fd, text, 1), EFBIG);
	EQUAL(hits, 0);
	sigprocmask(SIG_SETMASK, &none, NULL);
	EQUAL(hits, 1);
	signal(SIGXFSZ, SIG_IGN);
	FAILS(write(fd, text, 1), EFBIG);
	FAILS(fallocate(fd, 0, 0, 4096), EFBIG);
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	close(fd);
}

static void lower_cpu_time(int sig)
{
	struct rlimit l = {1, 1};
	CHECK(setrlimit(RLIMIT_CPU, &l) == 0);
	count(sig);
}

// The soft limit sends SIGXCPU, the hard one SIGKILL.
static void cpu_time(void)
{
	struct rlimit l = {1, 3};
	pid_t pid[2];
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			handle(SIGXCPU, i ? lower_cpu_time : SIG_DFL, SA_RESTART);
			CHECK(setrlimit(RLIMIT_CPU, &l) == 0);
			for (;;)
				syscall(SYS_getppid);
		}
	}
	EQUAL(ended(pid[0]), 1000 + SIGXCPU);
	EQUAL(ended(pid[1]), 1000 + SIGKILL);
}

static void stack(void)
{
	rlim_t sizes[] = {64 << 10, 256 << 10, 1 << 20, RLIM_INFINITY};
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			limit(RLIMIT_STACK, sizes[i]);
			execl("/bin/sh", "sh", "-c", "exit 5", NULL);
			_exit(1);
		}
		EQUAL(ended(pid), 5);
	}
}

static void children(void)
{
	struct { int resource; rlim_t value; } each[] = {
		{RLIMIT_CORE, 0}, {RLIMIT_SIGPENDING, 0}, {RLIMIT_MEMLOCK, 0}, {RLIMIT_NOFILE, 10}, {RLIMIT_MSGQUEUE, 0}, {RLIMIT_LOCKS, 0}, {RLIMIT_RTPRIO, 0}, {RLIMIT_NICE, 0},
	};
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			limit(each[i].resource, each[i].value);
			execl("/bin/sh", "sh", "-c", "/bin/true && (exit 5); exit $?", NULL);
			_exit(1);
		}
		EQUAL(ended(pid), 5);
	}
}

// A user who may not have more processes may still execute programs.
static void processes(void)
{
	if (geteuid())
		return;
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct rlimit l = {1, 10}, after;
			CHECK(setrlimit(RLIMIT_NPROC, &l) == 0 && setresuid(61234, 61234, 61234) == 0);
			FAILS(fork(), EAGAIN);
			char *argv[] = {"sh", "-c", "exit 6", NULL}, *env[] = {NULL};
			FAILS(execve("/etc/passwd", argv, env), EACCES);
			FAILS(execve("/", argv, env), EACCES);
			CHECK(getrlimit(RLIMIT_NPROC, &after) == 0 && after.rlim_cur == 1 && after.rlim_max == 10);
			execve("/bin/sh", argv, env);
			_exit(1);
		}
		EQUAL(ended(pid), 6);
	}
}

int main(void)
{
	processes();
	file_size();
	cpu_time();
	stack();
	children();
	struct rlimit l, old;
	EQUAL(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &old), 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur == old.rlim_cur && l.rlim_max == old.rlim_max);
	FAILS(getrlimit(99, &l), EINVAL);
	puts("limits ok");
}
