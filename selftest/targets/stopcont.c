// SIGSTOP and SIGCONT while a call is blocked: no handler, so the call goes on where it was (restart_syscall for those
// with a timeout), and takes the time it was given. epoll_wait, sigtimedwait and semop come back with EINTR, as signal(7) says.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>

enum { LONG = 300 };

static const struct timespec span = {0, LONG * 1000000L};
static int word, pipe_fd[2];

static long do_nanosleep(void) { return nanosleep(&span, NULL); }
static long do_clock_nanosleep(void) { return clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL); }
static long do_poll(void) { return poll(NULL, 0, LONG); }
static long do_ppoll(void) { return ppoll(NULL, 0, &span, NULL); }
static long do_select(void) { struct timeval t = {0, LONG * 1000}; return select(0, NULL, NULL, NULL, &t); }
static long do_futex(void) { return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &span, NULL, 0) == -1 && errno == ETIMEDOUT ? 0 : -1; }
static long do_sigtimedwait(void) { sigset_t set = only(SIGUSR1, 0); struct timespec t = {100, 0}; return sigtimedwait(&set, NULL, &t) == -1 && errno == EINTR ? 0 : -1; }
static long do_read(void) { char c; return read(pipe_fd[0], &c, 1) == 1 ? 0 : -1; }
static long do_epoll(void) { struct epoll_event e; return epoll_wait(epoll_create1(0), &e, 1, -1) == -1 && errno == EINTR ? 0 : -1; }
static long do_semop(void)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf op = {0, -1, 0};
	long r = semop(id, &op, 1), saved = errno;
	semctl(id, 0, IPC_RMID);
	return r == -1 && saved == EINTR ? 0 : -1;
}

static const struct {
	const char *name;
	long (*call)(void);
	int timed;
} calls[] = {
	{"nanosleep", do_nanosleep, 1},
	{"clock_nanosleep", do_clock_nanosleep, 1},
	{"poll", do_poll, 1},
	{"ppoll", do_ppoll, 1},
	{"select", do_select, 1},
	{"futex", do_futex, 1},
	{"sigtimedwait", do_sigtimedwait, 0},
	{"read", do_read, 0},
	{"epoll_wait", do_epoll, 0},
	{"semop", do_semop, 0},
};

int main(void)
{
	enum { N = sizeof calls / sizeof *calls };
	pid_t pids[N];
	CHECK(pipe(pipe_fd) == 0);
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			long start = milliseconds();
			if (calls[i].call() != 0)
				FAIL("%s: errno %d", calls[i].name, errno);
			if (calls[i].timed && milliseconds() - start < LONG)
				FAIL("%s: came back too early", calls[i].name);
			_exit(0);
		}
	}
	for (int round = 0; round < 8; round++) {
		rest(20);
		for (int i = 0; i < N; i++)
			kill(pids[i], SIGSTOP);
		rest(10);
		for (int i = 0; i < N; i++)
			kill(pids[i], SIGCONT);
	}
	CHECK(write(pipe_fd[1], "x", 1) == 1);
	for (int i = 0; i < N; i++) {
		int status;
		while (waitpid(pids[i], &status, WNOHANG) == 0) { // who blocked late gets another round
			kill(pids[i], SIGSTOP);
			kill(pids[i], SIGCONT);
			rest(5);
		}
		EQUAL(status, 0);
	}
	puts("stopcont ok");
}
