// What interrupts.c does, with calls that block more rarely: queues, terminals, locks, splices, masks and timeouts.
#include "interrupted.h"
#include <linux/aio_abi.h>
#include <linux/time_types.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static int empty[2], full[2], sockets[2], listener, locked, epoll, watch, signals, semaphores, messages, terminal, master, timed[2];
static struct sockaddr_un address = {AF_UNIX, "rare"};
static mqd_t queue, full_queue;
static aio_context_t aio;
static pid_t child;
static int to_child[2];
static struct shared { volatile uint32_t word, lock; } *shared;
static sem_t semaphore;

static char block[65536];
static const struct timespec long_time = {100, 0};

static struct timespec in_long(clockid_t clock)
{
	struct timespec at;
	clock_gettime(clock, &at);
	at.tv_sec += 100;
	return at;
}

// The calls, and what ends each.
static long do_mq_receive(void) { char text[8]; return mq_receive(queue, text, sizeof text, NULL); }
static long do_mq_timedreceive(void) { char text[8]; struct timespec at = in_long(CLOCK_REALTIME); return mq_timedreceive(queue, text, sizeof text, NULL, &at); }
static void end_mq_receive(void) { mq_send(queue, "x", 1, 0); }
static long do_mq_send(void) { return mq_send(full_queue, "x", 1, 0); }
static long do_mq_timedsend(void) { struct timespec at = in_long(CLOCK_REALTIME); return mq_timedsend(full_queue, "x", 1, 0, &at); }
static void end_mq_send(void) { char text[8]; mq_receive(full_queue, text, sizeof text, NULL); }
static long do_inotify(void) { return read(watch, block, sizeof block) > 0 ? 1 : -1; }
static void end_inotify(void) { close(open("watched", O_RDWR | O_CREAT, 0600)); unlink("watched"); }
static long do_connect(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), r = connect(fd, (struct sockaddr *)&address, sizeof address), saved = errno;
	close(fd);
	errno = saved;
	return r;
}
static void end_connect(void) { close(accept(listener, NULL, NULL)); }
static long do_send(void) { return send(sockets[1], "x", 1, 0); }
static long do_sendmsg(void) { struct iovec v = {block, 1}; struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1}; return sendmsg(sockets[1], &m, 0); }
static void end_send(void) { (void)!read(sockets[0], block, sizeof block); }
static long do_recvmsg(void) { struct iovec v = {block, 1}; struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1}; return recvmsg(sockets[1], &m, 0); }
static long do_recvmmsg(void) { struct iovec v = {block, 1}; struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}}; return recvmmsg(sockets[1], &m, 1, 0, NULL); }
static void end_recv(void) { (void)!write(sockets[0], "x", 1); }
static long do_tty_read(void) { char c; return read(terminal, &c, 1); }
static void end_tty_read(void) { (void)!write(master, "x", 1); }
static long do_tty_write(void) { return write(terminal, "x", 1); }
static void end_tty_write(void) { tcflow(terminal, TCOON); }
static long do_setlkw(void) { struct flock l = {.l_type = F_WRLCK}; return fcntl(locked, F_SETLKW, &l); }
static void end_child(void) { kill(child, SIGKILL); }
static long do_splice(void) { return splice(empty[0], NULL, full[1], NULL, 1, 0); }
static long do_tee(void) { return tee(empty[0], full[1], 1, 0); }
static void end_splice(void) { (void)!read(full[0], block, sizeof block); (void)!write(empty[1], "x", 1); }
static long do_signalfd(void) { return read(signals, block, sizeof block) > 0 ? 1 : -1; }
static void end_signalfd(void) { raise(SIGUSR2); }
static long do_wait_pidfd(void)
{
	siginfo_t info;
	int fd = syscall(SYS_pidfd_open, child, 0), r = waitid(3, fd, &info, WEXITED), saved = errno; // P_PIDFD
	close(fd);
	errno = saved;
	return r;
}
static long do_sem_wait(void) { return sem_wait(&semaphore); }
static void end_sem_wait(void) { sem_post(&semaphore); }
static long do_waitv(void)
{
	struct { uint64_t value, address; uint32_t flags, reserved; } waiter = {0, (uintptr_t)&shared->word, 2, 0}; // FUTEX2_SIZE_U32
	long r = syscall(SYS_futex_waitv, &waiter, 1, 0, NULL, 0);
	return r < 0 && errno == EAGAIN && shared->word == 1 ? 0 : r; // the restarted call finds another value
}
static void end_waitv(void) { shared->word = 1; }
static long do_lock_pi(void) { return syscall(SYS_futex, &shared->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0); }
static void end_lock_pi(void) { (void)!write(to_child[1], "u", 1); }

static sigset_t none(void) { sigset_t set; sigemptyset(&set); return set; }
static long do_futex_until(void) { struct timespec at = in_long(CLOCK_MONOTONIC); return syscall(SYS_futex, &shared->word, FUTEX_WAIT_BITSET, 0, &at, NULL, -1); }
static long do_futex_for(void) { return syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, &long_time, NULL, 0); }
static long do_io_getevents(void) { struct io_event e; return syscall(SYS_io_getevents, aio, 1, 1, &e, NULL); }
static long do_io_pgetevents(void)
{
	struct io_event e;
	sigset_t set = none();
	struct { const sigset_t *set; size_t size; } mask = {&set, 8};
	return syscall(SYS_io_pgetevents, aio, 1, 1, &e, &long_time, &mask);
}
static long do_epoll_pwait2(void) { struct epoll_event e; sigset_t set = none(); return syscall(SYS_epoll_pwait2, epoll, &e, 1, &long_time, &set, 8); }
static long do_ppoll(void) { struct pollfd p = {empty[0], POLLIN, 0}; sigset_t set = none(); return ppoll(&p, 1, &long_time, &set); }
static long do_pselect(void) { fd_set fds; FD_ZERO(&fds); FD_SET(empty[0], &fds); sigset_t set = none(); return pselect(empty[0] + 1, &fds, NULL, NULL, &long_time, &set); }
static long do_semtimedop(void) { struct sembuf op = {0, -1, 0}; return semtimedop(semaphores, &op, 1, &long_time); }
static long do_msgsnd(void) { struct { long type; char text[8]; } m = {1, ""}; return msgsnd(messages, &m, 8, 0); }
static long do_msgrcv(void) { struct { long type; char text[8]; } m; return msgrcv(messages, &m, 8, 99, 0); }
static long do_send_timeout(void) { return send(timed[0], block, 1000, 0); }
static long do_recv_timeout(void) { return recv(timed[0], block, 1, 0); }
static long do_sigtimedwait(void) { sigset_t set = only(SIGUSR2, SIGSYS); return syscall(SYS_rt_sigtimedwait, &set, NULL, &long_time, 8); }

enum { ALWAYS = 1, MASKED }; // restarted without SA_RESTART too; SIGALRM comes in the call alone

static const struct {
	const char *name;
	long (*call)(void);
	void (*finish)(void); // NULL: never restarted
	long want;
	int how;
} calls[] = {
	{"mq_receive", do_mq_receive, end_mq_receive, 1, 0},
	{"mq_timedreceive", do_mq_timedreceive, end_mq_receive, 1, 0},
	{"mq_send", do_mq_send, end_mq_send, 0, 0},
	{"mq_timedsend", do_mq_timedsend, end_mq_send, 0, 0},
	{"read of inotify", do_inotify, end_inotify, 1, 0},
	{"connect", do_connect, end_connect, 0, 0},
	{"send", do_send, end_send, 1, 0},
	{"sendmsg", do_sendmsg, end_send, 1, 0},
	{"recvmsg", do_recvmsg, end_recv, 1, 0},
	{"recvmmsg", do_recvmmsg, end_recv, 1, 0},
	{"read of a terminal", do_tty_read, end_tty_read, 1, 0},
	{"write to a terminal", do_tty_write, end_tty_write, 1, 0},
	{"fcntl F_SETLKW", do_setlkw, end_child, 0, 0},
	{"splice", do_splice, end_splice, 1, 0},
	{"tee", do_tee, end_splice, 1, 0},
	{"read of signalfd", do_signalfd, end_signalfd, 1, 0},
	{"waitid of a pidfd", do_wait_pidfd, end_child, 0, 0},
	{"sem_wait", do_sem_wait, end_sem_wait, 0, 0},
	{"futex_waitv", do_waitv, end_waitv, 0, 0},
	{"FUTEX_LOCK_PI", do_lock_pi, end_lock_pi, 0, ALWAYS},
	{"FUTEX_WAIT_BITSET", do_futex_until, NULL, 0, 0},
	{"FUTEX_WAIT with a timeout", do_futex_for, NULL, 0, 0},
	{"io_getevents", do_io_getevents, NULL, 0, 0},
	{"io_pgetevents", do_io_pgetevents, NULL, 0, MASKED},
	{"epoll_pwait2", do_epoll_pwait2, NULL, 0, MASKED},
	{"ppoll", do_ppoll, NULL, 0, MASKED},
	{"pselect", do_pselect, NULL, 0, MASKED},
	{"semtimedop", do_semtimedop, NULL, 0, 0},
	{"msgsnd", do_msgsnd, NULL, 0, 0},
	{"msgrcv", do_msgrcv, NULL, 0, 0},
	{"send with SO_SNDTIMEO", do_send_timeout, NULL, 0, 0},
	{"recv with SO_RCVTIMEO", do_recv_timeout, NULL, 0, 0},
	{"sigtimedwait", do_sigtimedwait, NULL, 0, 0},
};

static void open_terminal(void)
{
	int n = 0, zero = 0;
	char name[64];
	struct termios raw_mode;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0 && ioctl(master, TIOCSPTLCK, &zero) == 0 && ioctl(master, TIOCGPTN, &n) == 0);
	snprintf(name, sizeof name, "/dev/pts/%d", n);
	terminal = open(name, O_RDWR | O_NOCTTY);
	CHECK(terminal >= 0 && tcgetattr(terminal, &raw_mode) == 0);
	cfmakeraw(&raw_mode);
	CHECK(tcsetattr(terminal, TCSANOW, &raw_mode) == 0);
}

static void prepare(void)
{
	struct mq_attr one = {.mq_maxmsg = 1, .mq_msgsize = 8};
	struct timeval t = {100, 0};
	char name[64];
	CHECK(pipe(empty) == 0 && pipe(full) == 0 && pipe(to_child) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, timed) == 0);
	setsockopt(timed[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
	setsockopt(timed[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 0) == 0);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof name, "/rarewaits-%d-%d", getpid(), i);
		mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &one);
		CHECK(q >= 0 && mq_unlink(name) == 0);
		*(i ? &full_queue : &queue) = q;
	}
	CHECK(mq_send(full_queue, "x", 1, 0) == 0);
	locked = open("locked", O_RDWR | O_CREAT, 0600);
	watch = inotify_init();
	CHECK(inotify_add_watch(watch, ".", IN_CREATE) >= 0);
	sigset_t usr2 = only(SIGUSR2, SIGSYS);
	sigprocmask(SIG_BLOCK, &usr2, NULL);
	signals = signalfd(-1, &usr2, 0);
	epoll = epoll_create1(0);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	messages = msgget(IPC_PRIVATE, 0600);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(locked >= 0 && signals >= 0 && epoll >= 0 && semaphores >= 0 && messages >= 0 && shared != MAP_FAILED);
	CHECK(sem_init(&semaphore, 1, 0) == 0 && syscall(SYS_io_setup, 4, &aio) == 0);
	open_terminal();
	struct { long type; char text[64]; } m = {1, ""};
	while (msgsnd(messages, &m, sizeof m.text, IPC_NOWAIT) == 0)
		;
	while (send(timed[0], block, 1000, MSG_DONTWAIT) >= 0)
		;
}

static void fill(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (write(fd, block, sizeof block) > 0)
		;
	while (write(fd, block, 1) > 0)
		;
	fcntl(fd, F_SETFL, 0);
}

static void drain(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (read(fd, block, sizeof block) > 0)
		;
	fcntl(fd, F_SETFL, 0);
}

// holds is a child that has both locks until it is told or killed.
static void holds(int ready)
{
	struct flock l = {.l_type = F_WRLCK};
	char c = 0;
	CHECK(fcntl(locked, F_SETLKW, &l) == 0);
	CHECK(syscall(SYS_futex, &shared->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
	CHECK(write(ready, &c, 1) == 1);
	EQUAL(read(to_child[0], &c, 1), 1);
	syscall(SYS_futex, &shared->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	for (;;)
		pause();
}

// ready brings everything to where each call blocks.
static void ready(void)
{
	struct flock l = {.l_type = F_UNLCK};
	struct pollfd p = {listener, POLLIN, 0};
	int told[2], fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char c;
	fcntl(locked, F_SETLK, &l);
	shared->word = shared->lock = 0;
	while (poll(&p, 1, 0) == 1)
		end_connect();
	CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0); // as many as wait at a time
	close(fd);
	drain(empty[0]);
	drain(terminal);
	drain(watch);
	drain(sockets[1]);
	fill(full[1]);
	fill(sockets[1]);
	tcflow(terminal, TCOOFF);
	CHECK(pipe(told) == 0);
	child = fork();
	if (child == 0)
		holds(told[1]);
	EQUAL(read(told[0], &c, 1), 1);
	close(told[0]);
	close(told[1]);
}

int main(void)
{
	sigset_t alarm_signal = only(SIGALRM, 0);
	prepare();
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
			ready();
			handle(SIGALRM, on_alarm, flags);
			hits = 0;
			finish = flags || calls[i].how == ALWAYS ? calls[i].finish : NULL;
			if (calls[i].how == MASKED)
				sigprocmask(SIG_BLOCK, &alarm_signal, NULL);
			tick(2000);
			errno = 0;
			long got = calls[i].call();
			int error = errno;
			tick(0);
			long want = finish ? calls[i].want : -1;
			if (got != want || (want < 0 && error != EINTR) || hits < (finish ? 3 : 1) || (calls[i].how == MASKED && hits != 1))
				FAIL("%s, %s: %ld, errno %d, after %s signals", calls[i].name, flags ? "SA_RESTART" : "plain", got, error,
				     hits == 0 ? "no" : hits < 3 ? "some" : "enough");
			sigprocmask(SIG_UNBLOCK, &alarm_signal, NULL);
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
		}
	semctl(semaphores, 0, IPC_RMID);
	msgctl(messages, IPC_RMID, NULL);
	puts("rarewaits ok");
}
