// A handler runs while a call is blocked: each call returns EINTR, or goes on when the handler has SA_RESTART and the
// call is one that the kernel restarts. signal(7) has the list.
#include "interrupted.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static int pipe_fd[2], full[2], sockets[2], listener, event, locks[2], epoll, timer, semaphores, messages, timeout_socket;
static struct sockaddr_un address = {AF_UNIX, "socket"};
static pid_t child;
static volatile int word;

static char block[65536];

// The calls, and what ends each.
static long do_read(void) { char c; return read(pipe_fd[0], &c, 1); }
static void end_read(void) { (void)!write(pipe_fd[1], "x", 1); }
static long do_readv(void) { char c; struct { void *p; size_t n; } v = {&c, 1}; return syscall(SYS_readv, pipe_fd[0], &v, 1); }
static long do_write(void) { return write(full[1], "x", 1); }
static void end_write(void) { (void)!read(full[0], block, sizeof block); }
static long do_recv(void) { char c; return recv(sockets[0], &c, 1, 0); }
static void end_recv(void) { (void)!write(sockets[1], "x", 1); }
static long do_accept(void)
{
	int fd = accept(listener, NULL, NULL), saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return fd >= 0 ? 1 : -1;
}
static void end_accept(void)
{
	static int fd = -1;
	if (fd >= 0)
		close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)!connect(fd, (struct sockaddr *)&address, sizeof address);
}
static long do_eventfd(void) { uint64_t v; return read(event, &v, 8); }
static void end_eventfd(void) { uint64_t v = 1; (void)!write(event, &v, 8); }
static long do_timerfd(void) { uint64_t v; return read(timer, &v, 8); }
static void end_timerfd(void) { struct itimerspec it = {.it_value = {0, 1}}; timerfd_settime(timer, 0, &it, NULL); }
static long do_flock(void) { return flock(locks[0], LOCK_EX); }
static void end_flock(void) { flock(locks[1], LOCK_UN); }
static long do_setlkw(void) { struct flock l = {.l_type = F_WRLCK}; return fcntl(locks[0], F_OFD_SETLKW, &l); }
static void end_setlkw(void) { struct flock l = {.l_type = F_UNLCK}; fcntl(locks[1], F_OFD_SETLK, &l); }
static long do_fifo(void)
{
	int fd = open("fifo", O_RDONLY), saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return fd >= 0 ? 1 : -1;
}
static int writer = -1;
static void end_fifo(void) { writer = open("fifo", O_RDWR); } // of use to the restarted open: the interrupted one has left
static long do_futex(void)
{
	long r = syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
	return r < 0 && errno == EAGAIN && word == 1 ? 0 : r; // the restarted call finds another value
}
static void end_futex(void) { word = 1; }
static long do_wait4(void) { return waitpid(child, NULL, 0) == child ? 1 : -1; }
static long do_waitid(void) { siginfo_t info; return waitid(P_PID, child, &info, WEXITED); }
static void end_wait(void) { kill(child, SIGKILL); }

static const struct timespec long_time = {100, 0};
static long do_poll(void) { return poll(NULL, 0, -1); }
static long do_poll_time(void) { return poll(NULL, 0, 100000); }
static long do_ppoll(void) { return ppoll(NULL, 0, &long_time, NULL); }
static long do_select(void) { struct timeval t = {100, 0}; return select(0, NULL, NULL, NULL, &t); }
static long do_pselect(void) { return pselect(0, NULL, NULL, NULL, &long_time, NULL); }
static long do_epoll(void) { struct epoll_event e; return epoll_wait(epoll, &e, 1, -1); }
static long do_epoll_pwait(void) { struct epoll_event e; sigset_t none; sigemptyset(&none); return epoll_pwait(epoll, &e, 1, 100000, &none); }
static long do_pause(void) { return pause(); }
static long do_sigsuspend(void) { sigset_t none; sigemptyset(&none); return sigsuspend(&none); }
static long do_sigwaitinfo(void) { sigset_t set = only(SIGUSR1, 0); return syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8); } // musl's loops
static long do_sigtimedwait(void) { sigset_t set = only(SIGUSR1, 0); return syscall(SYS_rt_sigtimedwait, &set, NULL, &long_time, 8); }
static long do_nanosleep(void)
{
	struct timespec left = {0};
	long r = nanosleep(&long_time, &left);
	if (left.tv_sec < 90 || left.tv_sec > 99)
		FAIL("nanosleep says %ld seconds are left", (long)left.tv_sec);
	return r;
}
static long do_clock_nanosleep(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += 100;
	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	return errno ? -1 : 0;
}
static long do_futex_time(void) { return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &long_time, NULL, 0); }
static long do_semop(void) { struct sembuf op = {0, -1, 0}; return semop(semaphores, &op, 1); }
static long do_msgrcv(void) { struct { long type; char text[8]; } m; return msgrcv(messages, &m, 8, 0, 0); }
static long do_recv_timeout(void) { char c; return recv(timeout_socket, &c, 1, 0); }

static const struct {
	const char *name;
	long (*call)(void);
	void (*finish)(void); // NULL: never restarted
	long want;
} calls[] = {
	{"read", do_read, end_read, 1},
	{"readv", do_readv, end_read, 1},
	{"write", do_write, end_write, 1},
	{"recv", do_recv, end_recv, 1},
	{"accept", do_accept, end_accept, 1},
	{"read of an eventfd", do_eventfd, end_eventfd, 8},
	{"read of a timerfd", do_timerfd, end_timerfd, 8},
	{"flock", do_flock, end_flock, 0},
	{"fcntl F_OFD_SETLKW", do_setlkw, end_setlkw, 0},
	{"open of a fifo", do_fifo, end_fifo, 1},
	{"futex", do_futex, end_futex, 0},
	{"wait4", do_wait4, end_wait, 1},
	{"waitid", do_waitid, end_wait, 0},
	{"poll", do_poll, NULL, 0},
	{"poll with a timeout", do_poll_time, NULL, 0},
	{"ppoll", do_ppoll, NULL, 0},
	{"select", do_select, NULL, 0},
	{"pselect", do_pselect, NULL, 0},
	{"epoll_wait", do_epoll, NULL, 0},
	{"epoll_pwait", do_epoll_pwait, NULL, 0},
	{"pause", do_pause, NULL, 0},
	{"sigsuspend", do_sigsuspend, NULL, 0},
	{"sigwaitinfo", do_sigwaitinfo, NULL, 0},
	{"sigtimedwait", do_sigtimedwait, NULL, 0},
	{"nanosleep", do_nanosleep, NULL, 0},
	{"clock_nanosleep", do_clock_nanosleep, NULL, 0},
	{"futex with a timeout", do_futex_time, NULL, 0},
	{"semop", do_semop, NULL, 0},
	{"msgrcv", do_msgrcv, NULL, 0},
	{"recv with SO_RCVTIMEO", do_recv_timeout, NULL, 0},
};

static void prepare(void)
{
	CHECK(pipe(pipe_fd) == 0 && pipe(full) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 5) == 0);
	event = eventfd(0, 0);
	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	epoll = epoll_create1(0);
	CHECK(mkfifo("fifo", 0600) == 0);
	locks[0] = open("lock", O_RDWR | O_CREAT, 0600);
	locks[1] = open("lock", O_RDWR);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	messages = msgget(IPC_PRIVATE, 0600);
	timeout_socket = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct timeval t = {100, 0};
	setsockopt(timeout_socket, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	CHECK(event >= 0 && timer >= 0 && epoll >= 0 && locks[1] >= 0 && semaphores >= 0 && messages >= 0);
}

// ready brings everything to where each call blocks.
static void ready(void)
{
	struct flock l = {.l_type = F_WRLCK};
	if (writer >= 0)
		close(writer);
	writer = -1;
	word = 0;
	flock(locks[0], LOCK_UN);
	flock(locks[1], LOCK_EX);
	l.l_type = F_UNLCK;
	fcntl(locks[0], F_OFD_SETLK, &l);
	l.l_type = F_WRLCK;
	CHECK(fcntl(locks[1], F_OFD_SETLK, &l) == 0);
	fcntl(full[1], F_SETFL, O_NONBLOCK);
	while (write(full[1], block, sizeof block) > 0)
		;
	while (write(full[1], block, 1) > 0)
		;
	fcntl(full[1], F_SETFL, 0);
	child = fork();
	if (child == 0)
		for (;;)
			pause();
}

int main(void)
{
	prepare();
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
			for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
				ready();
				handle(SIGALRM, on_alarm, flags);
				hits = 0;
				finish = flags ? calls[i].finish : NULL;
				tick(2000);
				errno = 0;
				long got = calls[i].call();
				int error = errno;
				tick(0);
				long want = finish ? calls[i].want : -1;
				if (got != want || (want < 0 && error != EINTR) || hits < (finish ? 3 : 1))
					FAIL("%s, %s: %ld, errno %d, after %s signals", calls[i].name, flags ? "SA_RESTART" : "plain", got, error,
					     hits == 0 ? "no" : hits < 3 ? "some" : "enough");
				kill(child, SIGKILL);
				waitpid(child, NULL, 0);
			}
	semctl(semaphores, 0, IPC_RMID);
	msgctl(messages, IPC_RMID, NULL);
	puts("interrupts ok");
}
