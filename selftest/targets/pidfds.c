// Signals through pidfds, to processes and to threads, with and without a siginfo; children that start in another cgroup, and
// time namespaces. What the kernel or the rights do not allow is printed.
#include "check.h"
#include <limits.h>
#include <mntent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
enum { TO_THREAD = 1, TO_GROUP = 2 }; // PIDFD_SIGNAL_THREAD, PIDFD_SIGNAL_THREAD_GROUP

static volatile int hits, code, value;
static volatile pid_t sender, taker;

static void note(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	code = info->si_code;
	sender = info->si_pid;
	value = info->si_value.sival_int;
	taker = syscall(SYS_gettid);
	hits++;
}

static int pidfd_open(pid_t pid, unsigned flags) { return syscall(SYS_pidfd_open, pid, flags); }
static int send_signal(int fd, int sig, siginfo_t *info, unsigned flags) { return syscall(SYS_pidfd_send_signal, fd, sig, info, flags); }

static void wait_hit(void)
{
	while (!hits)
		rest(1);
	EQUAL(hits, 1);
	hits = 0;
}

static const int sigs[] = {SIGUSR1, SIGSEGV, SIGBUS, SIGSYS, SIGTRAP, 40};
enum { SIGS = sizeof sigs / sizeof *sigs };

// To the process itself: to its handler, or pending for it.
static void to_itself(void)
{
	int fd = pidfd_open(getpid(), 0);
	for (int i = 0; i < SIGS; i++) {
		sigset_t set = only(sigs[i], 0);
		siginfo_t info = {.si_signo = sigs[i], .si_code = SI_QUEUE};
		info.si_pid = 99;
		info.si_value.sival_int = 4711;
		handle_info(sigs[i], note, SA_RESTART);
		CHECK(send_signal(fd, sigs[i], NULL, 0) == 0);
		wait_hit();
		EQUAL(code, SI_USER);
		EQUAL(sender, getpid());
		CHECK(send_signal(fd, sigs[i], &info, 0) == 0);
		wait_hit();
		EQUAL(code, SI_QUEUE);
		EQUAL(sender, 99);
		EQUAL(value, 4711);
		sigprocmask(SIG_BLOCK, &set, NULL);
		CHECK(send_signal(fd, sigs[i], &info, 0) == 0);
		EQUAL(hits, 0);
		EQUAL(sigwaitinfo(&set, &info), sigs[i]);
		EQUAL(info.si_value.sival_int, 4711);
		CHECK(send_signal(fd, sigs[i], NULL, 0) == 0);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		wait_hit();
		info.si_signo = sigs[i] + 1;
		FAILS(send_signal(fd, sigs[i], &info, 0), EINVAL);
		signal(sigs[i], SIG_DFL);
	}
	FAILS(send_signal(fd, 65, NULL, 0), EINVAL);
	FAILS(send_signal(fd, SIGUSR1, NULL, 1u << 30), EINVAL);
	CHECK(send_signal(fd, 0, NULL, 0) == 0);
	close(fd);
}

// To a child that is in a call all the time, until it dies of one.
static void to_child(void)
{
	int told[2];
	char c;
	CHECK(pipe(told) == 0);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		for (int i = 0; i < SIGS; i++)
			handle_info(sigs[i], note, 0);
		for (;;) {
			CHECK(write(told[1], "x", 1) == 1);
			while (!hits)
				rest(1);
			EQUAL(sender, parent);
			hits = 0;
		}
	}
	int fd = pidfd_open(pid, 0);
	for (int i = 0; i < 3 * SIGS; i++) {
		EQUAL(read(told[0], &c, 1), 1);
		CHECK(send_signal(fd, sigs[i % SIGS], NULL, 0) == 0);
	}
	EQUAL(read(told[0], &c, 1), 1);
	CHECK(send_signal(fd, SIGTERM, NULL, 0) == 0);
	struct pollfd p = {fd, POLLIN, 0};
	int r;
	while ((r = poll(&p, 1, 20000)) < 0)
		EQUAL(errno, EINTR);
	EQUAL(r, 1);
	EQUAL(ended(pid), 1000 + SIGTERM);
	FAILS(send_signal(fd, SIGTERM, NULL, 0), ESRCH);
	close(fd);
}

static volatile pid_t other;
static volatile int stop;

static void *thread(void *arg)
{
	other = syscall(SYS_gettid);
	while (!stop)
		rest(2);
	return arg;
}

static void to_threads(void)
{
	pthread_t t;
	int me = pidfd_open(getpid(), 0);
	if (send_signal(me, 0, NULL, TO_GROUP) < 0) { // Linux 6.9
		printf("no signals to threads: %s\n", strerror(errno));
		return;
	}
	CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
	while (!other)
		rest(1);
	int fd = pidfd_open(other, O_EXCL); // PIDFD_THREAD
	CHECK(fd >= 0);
	for (int i = 0; i < SIGS; i++) {
		handle_info(sigs[i], note, SA_RESTART);
		for (int k = 0; k < 3; k++) {
			CHECK(send_signal(k == 1 ? me : fd, sigs[i], NULL, k == 2 ? 0 : TO_THREAD) == 0);
			wait_hit();
			EQUAL(taker, k == 1 ? getpid() : other);
			EQUAL(code, SI_TKILL);
		}
		sigset_t set = only(sigs[i], 0);
		sigprocmask(SIG_BLOCK, &set, NULL); // of this thread alone
		CHECK(send_signal(fd, sigs[i], NULL, TO_GROUP) == 0);
		wait_hit();
		EQUAL(taker, other);
		EQUAL(code, SI_USER);
		CHECK(send_signal(me, sigs[i], NULL, TO_THREAD) == 0);
		rest(2);
		EQUAL(hits, 0);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		wait_hit();
		EQUAL(taker, getpid());
	}
	stop = 1;
	CHECK(pthread_join(t, NULL) == 0);
	FAILS(send_signal(fd, SIGUSR1, NULL, 0), ESRCH);
	close(fd);
	close(me);
}

struct clone3_args { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; };

// cgroups starts children in a cgroup of their own, by a descriptor of its folder.
static void cgroups(void)
{
	char dir[PATH_MAX] = "", want[PATH_MAX], *made = NULL;
	FILE *mounts = setmntent("/proc/mounts", "r");
	struct mntent *m;
	while (mounts && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			snprintf(dir, sizeof dir - 64, "%s", m->mnt_dir);
	if (mounts)
		endmntent(mounts);
	if (dir[0]) {
		sprintf(dir + strlen(dir), "/trapline-selftest-%d", getpid());
		if (mkdir(dir, 0700) == 0)
			made = dir;
	}
	if (!made) {
		puts("no cgroup");
		return;
	}
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	snprintf(want, sizeof want, "/trapline-selftest-%d", getpid());
	for (int i = 0; i < 3; i++) {
		int pidfd = -1;
		struct clone3_args args = {.flags = 1ull << 33 | CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD, .cgroup = fd}; // CLONE_INTO_CGROUP
		pid_t pid = syscall(SYS_clone3, &args, sizeof args);
		if (pid == 0) {
			char text[4096] = "", *line;
			int own = open("/proc/self/cgroup", O_RDONLY);
			CHECK(own >= 0 && read(own, text, sizeof text - 1) > 0 && (line = strstr(text, "0::")) != NULL);
			line[strcspn(line, "\n")] = 0;
			CHECK(strlen(line) >= strlen(want) && !strcmp(line + strlen(line) - strlen(want), want));
			execl("/bin/sh", "sh", "-c", "grep -q trapline-selftest /proc/self/cgroup && exit 5; exit 6", NULL);
			_exit(1);
		}
		if (pid < 0) {
			printf("no clone3 into a cgroup: %s\n", strerror(errno));
			break;
		}
		siginfo_t info = {0};
		while (waitid(3, pidfd, &info, WEXITED) < 0) // P_PIDFD
			EQUAL(errno, EINTR);
		EQUAL(info.si_pid, pid);
		EQUAL(info.si_status, 5);
		close(pidfd);
	}
	close(fd);
	while (rmdir(dir) < 0) // the last one may not have left yet
		EQUAL(errno, EBUSY);
}

static long now(clockid_t clock)
{
	struct timespec vdso, call;
	CHECK(clock_gettime(clock, &vdso) == 0 && syscall(SYS_clock_gettime, clock, &call) == 0);
	CHECK(call.tv_sec - vdso.tv_sec <= 60);
	return call.tv_sec;
}

// A time namespace of the children's, with clocks that are ahead.
static void clocks(int argc)
{
	enum { AHEAD = 1000000 };
	if (argc > 1) { // executed there
		printf("executed: %s\n", now(CLOCK_MONOTONIC) > AHEAD && now(CLOCK_BOOTTIME) > 2 * AHEAD ? "ahead" : "as outside");
		exit(0);
	}
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWTIME) < 0) {
			printf("no time namespace: %s\n", strerror(errno));
			exit(0);
		}
		int fd = open("/proc/self/timens_offsets", O_WRONLY);
		const char *text = "monotonic 1000000 0\nboottime 2000000 0\n";
		EQUAL(write(fd, text, strlen(text)), (long)strlen(text));
		close(fd);
		printf("unshared: %s\n", now(CLOCK_MONOTONIC) > AHEAD ? "ahead" : "as outside");
		fflush(NULL);
		pid = fork();
		if (pid == 0) {
			CHECK(now(CLOCK_MONOTONIC) > AHEAD && now(CLOCK_BOOTTIME) > 2 * AHEAD);
			struct timespec until, after;
			clock_gettime(CLOCK_MONOTONIC, &until);
			until.tv_nsec += 1000000;
			until.tv_sec += until.tv_nsec / 1000000000;
			until.tv_nsec %= 1000000000;
			while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
				;
			clock_gettime(CLOCK_MONOTONIC, &after);
			CHECK(after.tv_sec - until.tv_sec < 60);
			execl("/proc/self/exe", "pidfds", "clocks", NULL);
			_exit(1);
		}
		EQUAL(ended(pid), 0);
		execl("/proc/self/exe", "pidfds", "clocks", NULL);
		_exit(1);
	}
	EQUAL(ended(pid), 0);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc == 1) {
		to_itself();
		to_child();
		to_threads();
		cgroups();
	}
	clocks(argc);
	puts("pidfds ok");
}
