// Signals that descriptors send: O_ASYNC with F_SETSIG to a process, a thread and a process group, to a handler and to
// sigtimedwait; changes of a directory, broken leases, messages in a queue.
#include "check.h"
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

static volatile int hits, code, from_fd, value;
static volatile long band;
static volatile pid_t taker;

static void on_io(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	code = info->si_code;
	from_fd = info->si_fd;
	band = info->si_band;
	value = info->si_value.sival_int;
	taker = syscall(SYS_gettid);
	hits++;
}

static void wait_hits(int n)
{
	while (hits < n)
		rest(1);
	EQUAL(hits, n);
}

static void async(int fd, int sig)
{
	CHECK(fcntl(fd, F_SETSIG, sig) == 0);
	EQUAL(fcntl(fd, F_GETSIG), sig);
	CHECK(fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
}

// One signal for each write; the codes of signals that have codes of their own are other ones.
static void handlers(void)
{
	const struct { int sig, send, code; } rows[] = {
		{SIGUSR1, SIGUSR1, POLL_IN}, {SIGRTMIN + 3, SIGRTMIN + 3, POLL_IN}, {SIGIO, SIGIO, POLL_IN}, {SIGIO, 0, SI_KERNEL},
		{SIGSEGV, SIGSEGV, SI_SIGIO}, {SIGBUS, SIGBUS, SI_SIGIO}, {SIGSYS, SIGSYS, SI_SIGIO}, {SIGTRAP, SIGTRAP, SI_SIGIO},
		{SIGFPE, SIGFPE, SI_SIGIO}, {SIGILL, SIGILL, SI_SIGIO}, {SIGCHLD, SIGCHLD, SI_SIGIO},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int fd[2];
		char c = 'x';
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
		handle_info(rows[i].sig, on_io, SA_RESTART);
		async(fd[0], rows[i].send);
		CHECK(fcntl(fd[0], F_SETOWN, getpid()) == 0);
		EQUAL(fcntl(fd[0], F_GETOWN), getpid());
		for (int k = 0; k < 3; k++) {
			hits = 0;
			EQUAL(write(fd[1], &c, 1), 1);
			wait_hits(1);
			EQUAL(code, rows[i].code);
			if (rows[i].send) {
				EQUAL(from_fd, fd[0]);
				EQUAL(band, POLLIN | POLLRDNORM);
			}
			EQUAL(read(fd[0], &c, 1), 1);
		}
		close(fd[1]); // a hang-up is one more
		wait_hits(2);
		close(fd[0]);
		signal(rows[i].sig, SIG_DFL);
	}
}

// A signal that is blocked waits with all that it carries, each write's in its own.
static void waits(void)
{
	int sigs[] = {SIGRTMIN + 3, SIGSEGV, SIGSYS}, fd[2];
	char c = 'x';
	for (int i = 0; i < 3; i++) {
		sigset_t set = only(sigs[i], 0);
		siginfo_t info;
		sigprocmask(SIG_BLOCK, &set, NULL);
		CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
		async(fd[0], sigs[i]);
		CHECK(fcntl(fd[0], F_SETOWN, getpid()) == 0);
		for (int k = 0; k < 3; k++)
			EQUAL(write(fd[1], &c, 1), 1);
		for (int k = 0; k < (i == 0 ? 3 : 1); k++) {
			int got;
			while ((got = sigwaitinfo(&set, &info)) < 0)
				EQUAL(errno, EINTR);
			EQUAL(got, sigs[i]);
			EQUAL(info.si_fd, fd[0]);
			EQUAL(info.si_code, i == 0 ? POLL_IN : SI_SIGIO);
		}
		struct timespec zero = {0, 0};
		FAILS(sigtimedwait(&set, &info, &zero), EAGAIN);
		close(fd[0]);
		close(fd[1]);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
}

static volatile pid_t other;
static volatile int stop;

static void *thread(void *arg)
{
	other = syscall(SYS_gettid);
	while (!stop)
		rest(5);
	return arg;
}

// F_SETOWN_EX: to this thread, to the other one, to the group.
static void owners(void)
{
	pthread_t t;
	int fd[2], sigs[] = {SIGUSR1, SIGIO, SIGSEGV};
	char c = 'x';
	CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
	while (!other)
		rest(1);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	for (int i = 0; i < 3; i++) {
		handle_info(sigs[i], on_io, SA_RESTART);
		async(fd[0], sigs[i]);
		for (int k = 0; k < 4; k++) {
			struct f_owner_ex owner = {F_OWNER_TID, k & 1 ? other : getpid()}, now;
			CHECK(fcntl(fd[0], F_SETOWN_EX, &owner) == 0 && fcntl(fd[0], F_GETOWN_EX, &now) == 0);
			CHECK(now.type == owner.type && now.pid == owner.pid);
			hits = 0;
			EQUAL(write(fd[1], &c, 1), 1);
			wait_hits(1);
			EQUAL(taker, owner.pid);
			EQUAL(from_fd, fd[0]);
		}
		signal(sigs[i], SIG_DFL);
	}
	stop = 1;
	CHECK(pthread_join(t, NULL) == 0);
	handle_info(SIGUSR1, on_io, SA_RESTART);
	async(fd[0], SIGUSR1);
	pid_t pid = fork();
	if (pid == 0) {
		struct f_owner_ex owner = {F_OWNER_PGRP, getpid()};
		CHECK(setpgid(0, 0) == 0 && fcntl(fd[0], F_SETOWN_EX, &owner) == 0);
		EQUAL(fcntl(fd[0], F_GETOWN), -getpid());
		hits = 0;
		EQUAL(write(fd[1], &c, 1), 1);
		wait_hits(1);
		_exit(6);
	}
	EQUAL(ended(pid), 6);
	close(fd[0]);
	close(fd[1]);
}

// F_NOTIFY: once, or with DN_MULTISHOT each time.
static void directories(void)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY);
	handle_info(SIGRTMIN + 4, on_io, SA_RESTART);
	CHECK(fcntl(dir, F_SETSIG, SIGRTMIN + 4) == 0);
	CHECK(fcntl(dir, F_NOTIFY, DN_CREATE) == 0);
	hits = 0;
	for (int i = 0; i < 2; i++) {
		close(open("new", O_RDWR | O_CREAT, 0600));
		unlink("new");
	}
	EQUAL(hits, 1);
	EQUAL(from_fd, dir);
	EQUAL(code, POLL_MSG);
	CHECK(fcntl(dir, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT) == 0);
	hits = 0;
	for (int i = 0; i < 3; i++) {
		close(open("new", O_RDWR | O_CREAT, 0600));
		unlink("new");
	}
	EQUAL(hits, 6);
	close(dir);
	close(open("new", O_RDWR | O_CREAT, 0600));
	unlink("new");
	EQUAL(hits, 6);
}

// A lease that another process's open breaks.
static void leases(void)
{
	int fd = open("leased", O_RDWR | O_CREAT, 0600);
	handle_info(SIGUSR2, on_io, SA_RESTART);
	CHECK(fcntl(fd, F_SETSIG, SIGUSR2) == 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	hits = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(open("leased", O_RDONLY) >= 0 ? 7 : 8);
	wait_hits(1);
	EQUAL(from_fd, fd);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
	EQUAL(ended(pid), 7);
	close(fd);
}

static void messages(void)
{
	char name[64];
	struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8};
	snprintf(name, sizeof name, "/asyncio-%d", getpid());
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	CHECK(queue >= 0 && mq_unlink(name) == 0);
	int sigs[] = {SIGUSR1, SIGSYS, SIGSEGV};
	for (int i = 0; i < 3; i++) {
		struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = sigs[i], .sigev_value.sival_int = 4711 + i};
		handle_info(sigs[i], on_io, SA_RESTART);
		char text[8];
		CHECK(mq_notify(queue, &event) == 0);
		hits = 0;
		CHECK(mq_send(queue, "x", 1, 0) == 0);
		EQUAL(hits, 1);
		EQUAL(code, SI_MESGQ);
		EQUAL(value, 4711 + i);
		EQUAL(mq_receive(queue, text, sizeof text, NULL), 1);
	}
	mq_close(queue);
}

int main(void)
{
	handlers();
	waits();
	owners();
	directories();
	leases();
	messages();
	puts("asyncio ok");
}
