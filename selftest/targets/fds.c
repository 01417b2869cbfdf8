// Descriptor numbers are the program's: the lowest free one is given out, close_range and closefrom leave nothing, dup2
// reaches every number, limits are exact, and nothing of an interceptor's shows or gets lost.
#include "check.h"
#include <dirent.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

// listing is what a /proc directory of descriptors has, but for the one that reads it.
static char *listing(const char *dir)
{
	static char text[65536];
	int numbers[5000], n = 0;
	DIR *d = opendir(dir);
	CHECK(d != NULL);
	struct dirent *e;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
			numbers[n++] = atoi(e->d_name);
	closedir(d);
	*text = 0;
	char *at = text;
	for (int i = 0; i < n; i++)
		at += sprintf(at, "%d ", numbers[i]);
	return text;
}

static void everywhere(const char *want)
{
	char path[3][64];
	snprintf(path[0], 64, "/proc/%d/fd", getpid());
	snprintf(path[1], 64, "/proc/self/task/%d/fd", getpid());
	snprintf(path[2], 64, "/proc/%d/fdinfo", getpid());
	SAME(listing("/proc/self/fd"), want);
	SAME(listing("/dev/fd"), want);
	SAME(listing("/proc/thread-self/fd"), want);
	SAME(listing("/proc/self/fdinfo"), want);
	for (int i = 0; i < 3; i++)
		SAME(listing(path[i]), want);
}

static void lowest(void)
{
	int fd[2];
	EQUAL(open("/dev/null", O_RDWR), 3);
	EQUAL(dup(0), 4);
	CHECK(pipe(fd) == 0);
	EQUAL(fd[0] * 100 + fd[1], 506);
	EQUAL(socket(AF_UNIX, SOCK_STREAM, 0), 7);
	EQUAL(epoll_create1(0), 8);
	EQUAL(eventfd(0, 0), 9);
	everywhere("0 1 2 3 4 5 6 7 8 9 ");
	CHECK(close(4) == 0 && close(8) == 0);
	EQUAL(open("/dev/null", O_RDWR), 4);
	EQUAL(open("/dev/null", O_RDWR), 8);
	EQUAL(open("/dev/null", O_RDWR), 10);
	EQUAL(fcntl(0, F_DUPFD, 5), 11);
	EQUAL(fcntl(0, F_DUPFD, 100), 100);
	EQUAL(fcntl(0, F_DUPFD_CLOEXEC, 100), 101);
	EQUAL(fcntl(101, F_GETFD), FD_CLOEXEC);
	EQUAL(dup2(0, 50), 50);
	EQUAL(dup3(0, 51, O_CLOEXEC), 51);
	EQUAL(dup2(50, 50), 50);
	FAILS(dup3(50, 50, 0), EINVAL);
	FAILS(dup2(49, 60), EBADF);
	FAILS(dup2(49, 49), EBADF);
	FAILS(close(49), EBADF);
	everywhere("0 1 2 3 4 5 6 7 8 9 10 11 50 51 100 101 ");
}

static void ranges(void)
{
	CHECK(syscall(SYS_close_range, 5, 9, 0) == 0);
	SAME(listing("/proc/self/fd"), "0 1 2 3 4 10 11 50 51 100 101 ");
	CHECK(syscall(SYS_close_range, 50, ~0u, CLOSE_RANGE_CLOEXEC) == 0);
	EQUAL(fcntl(50, F_GETFD), FD_CLOEXEC);
	EQUAL(fcntl(10, F_GETFD), 0);
	CHECK(syscall(SYS_close_range, 3, ~0u, 0) == 0);
	SAME(listing("/proc/self/fd"), "0 1 2 ");
	EQUAL(open("/dev/null", O_RDWR), 3);
	EQUAL(fcntl(3, F_DUPFD, 300), 300);
	closefrom(3);
	SAME(listing("/proc/self/fd"), "0 1 2 ");
	CHECK(syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_UNSHARE) == 0);
	FAILS(syscall(SYS_close_range, 4, 3, 0), EINVAL);
	FAILS(syscall(SYS_close_range, 3, ~0u, 1), EINVAL);
	CHECK(syscall(SYS_close_range, ~0u, ~0u, 0) == 0);
	for (int fd = 3; fd < 70000; fd++) // as old programs do
		close(fd);
	for (long fd = 1 << 20; fd > 0 && fd < INT_MAX; fd += 7654321)
		FAILS(close(fd), EBADF);
	FAILS(close(INT_MAX), EBADF);
	EQUAL(system("exit 4") >> 8, 4); // whatever interception keeps open is still there
	EQUAL(open("/dev/null", O_RDWR), 3);
}

static void every_number(void)
{
	struct rlimit limit, old;
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	if (limit.rlim_cur < 2048)
		limit.rlim_cur = 2048;
	CHECK(limit.rlim_max >= 2048 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int fd = 3; fd < 2048; fd++) {
		EQUAL(dup2(0, fd), fd);
		EQUAL(fcntl(fd, F_GETFD), 0);
	}
	char want[16384] = "", *at = want;
	for (int fd = 0; fd < 2048; fd++)
		at += sprintf(at, "%d ", fd);
	SAME(listing("/proc/self/fd"), want);
	EQUAL(system("exit 5") >> 8, 5);
	for (int fd = 3; fd < 2048; fd++)
		CHECK(close(fd) == 0);
	SAME(listing("/proc/self/fd"), "0 1 2 ");
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

static void limits(void)
{
	struct rlimit old, limit;
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	limit.rlim_cur = 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int fd = 3; fd < 64; fd++)
		EQUAL(open("/dev/null", O_RDONLY), fd);
	FAILS(open("/dev/null", O_RDONLY), EMFILE);
	FAILS(dup(0), EMFILE);
	FAILS(fcntl(0, F_DUPFD, 64), EINVAL);
	FAILS(fcntl(0, F_DUPFD, 63), EMFILE);
	FAILS(dup2(0, 64), EBADF);
	FAILS(pipe((int[2]){0}), EMFILE);
	for (int fd = 20; fd < 64; fd++)
		close(fd);
	pid_t pid = fork(); // and the limit holds for programs executed under it
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "[ $(ulimit -n) = 64 ] && exit 6", NULL);
		_exit(1);
	}
	EQUAL(ended(pid), 6);
	limit.rlim_cur = 3;
	for (int fd = 3; fd < 20; fd++)
		close(fd);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	FAILS(open("/dev/null", O_RDONLY), EMFILE);
	limit.rlim_cur = 4;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", NULL); // a dynamic program needs one for its libraries
		_exit(1);
	}
	EQUAL(ended(pid), 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

// Passed over a socket, in flight while nobody has it open.
static void passed(void)
{
	int pair[2], fd = open("/dev/null", O_RDONLY), got;
	char control[CMSG_SPACE(sizeof fd)] = "", byte = 'x';
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	EQUAL(sendmsg(pair[0], &msg, 0), 1);
	close(fd);
	EQUAL(recvmsg(pair[1], &msg, 0), 1);
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof got);
	EQUAL(got, fd);
	close(got);
	close(pair[0]);
	close(pair[1]);
}

// Without standard descriptors the first open gives 0, in this program and in the next.
static void closed_standard(void)
{
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			close(0);
			close(1);
			close(2);
			if (i)
				execl("/proc/self/exe", "fds", "closed", NULL);
			_exit(open("/dev/null", O_RDONLY) == 0 && open("/dev/null", O_RDONLY) == 1 ? 7 : 1);
		}
		EQUAL(ended(pid), 7);
	}
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		int a = open("/dev/null", O_RDWR), b = open("/dev/null", O_RDWR), c = open("/dev/null", O_RDWR), d = open("/dev/null", O_RDWR);
		return a == 0 && b == 1 && c == 2 && d == 3 ? 7 : 1;
	}
	everywhere("0 1 2 ");
	lowest();
	ranges();
	close(3);
	passed();
	every_number();
	limits();
	closed_standard();
	everywhere("0 1 2 ");
	puts("fds ok");
}
