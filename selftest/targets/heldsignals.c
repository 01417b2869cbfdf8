// SIGSYS, SIGSEGV and SIGBUS sent by somebody: blocked or ignored ones interrupt nothing; SA_RESTART counts; one that the
// process holds goes to whoever unblocks it first, by sigprocmask, by the return of a handler, for the time of a call, or by
// waiting; those of a thread and those of the process are two.
#include "check.h"
#include <poll.h>
#include <pthread.h>

static const int sigs[] = {SIGSYS, SIGSEGV, SIGBUS};
enum { SIGS = sizeof sigs / sizeof *sigs, OTHER = SIGUSR1 };

static volatile int hits, value;
static volatile pthread_t where;

static void on_signal(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	value = info->si_value.sival_int;
	where = pthread_self();
	hits++;
}

static void block(int sig) { sigset_t set = only(sig, 0); CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0); }
static void unblock(int sig) { sigset_t set = only(sig, 0); CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0); }

static int pending(int sig)
{
	sigset_t set;
	CHECK(sigpending(&set) == 0);
	return sigismember(&set, sig);
}

static int pipe_fd[2];

// later sends the signal while this process reads, and then a byte.
static pid_t later(int sig)
{
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		rest(20);
		CHECK(kill(parent, sig) == 0);
		rest(20);
		CHECK(write(pipe_fd[1], "x", 1) == 1);
		_exit(0);
	}
	return pid;
}

static void reads(int sig, long want, int want_hits)
{
	char c;
	hits = 0;
	pid_t pid = later(sig);
	EQUAL(raw(SYS_read, pipe_fd[0], (long)&c, 1, 0, 0, 0), want);
	EQUAL(hits, want_hits);
	if (want < 0)
		EQUAL(read(pipe_fd[0], &c, 1), 1);
	EQUAL(ended(pid), 0);
}

static void interrupts(int sig)
{
	handle_info(sig, on_signal, 0);
	reads(sig, -EINTR, 1);
	handle_info(sig, on_signal, SA_RESTART);
	reads(sig, 1, 1);
	handle_info(sig, on_signal, 0);
	block(sig);
	reads(sig, 1, 0);
	EQUAL(pending(sig), 1);
	unblock(sig);
	EQUAL(hits, 1);
	signal(sig, SIG_IGN);
	reads(sig, 1, 0);
}

// Sent to this thread and to the process: both come.
static void two(int sig)
{
	struct timespec zero = {0};
	sigset_t set = only(sig, 0);
	siginfo_t info;
	handle_info(sig, on_signal, 0);
	block(sig);
	for (int i = 0; i < 2; i++)
		CHECK(raise(sig) == 0 && sigqueue(getpid(), sig, (union sigval){.sival_int = 7 + i}) == 0);
	hits = 0;
	unblock(sig);
	EQUAL(hits, 2);
	block(sig);
	CHECK(sigqueue(getpid(), sig, (union sigval){.sival_int = 9}) == 0 && raise(sig) == 0);
	EQUAL(sigtimedwait(&set, &info, &zero), sig);
	EQUAL(info.si_code, SI_USER); // the thread's first; glibc's word for SI_TKILL here
	EQUAL(sigtimedwait(&set, &info, &zero), sig);
	EQUAL(info.si_value.sival_int, 9);
	FAILS(sigtimedwait(&set, &info, &zero), EAGAIN);
	unblock(sig);
}

// A call with a mask of its own: what is ready beats the signal, which stays pending.
static void temporary(int sig)
{
	struct pollfd p = {pipe_fd[1], POLLOUT, 0};
	sigset_t none;
	sigemptyset(&none);
	handle_info(sig, on_signal, SA_RESTART);
	block(sig);
	hits = 0;
	CHECK(kill(getpid(), sig) == 0);
	EQUAL(ppoll(&p, 1, NULL, &none), 1);
	EQUAL(hits, 0);
	EQUAL(pending(sig), 1);
	FAILS(ppoll(NULL, 0, NULL, &none), EINTR);
	EQUAL(hits, 1);
	CHECK(kill(getpid(), sig) == 0);
	FAILS(sigsuspend(&none), EINTR);
	EQUAL(hits, 2);
	EQUAL(pending(sig), 0);
	unblock(sig);
}

// A thread that comes to take the signal, in one of these ways.
enum way { MASK, RETURN, SUSPEND, WAIT, WAYS };
static int current;
static volatile enum way way;
static pthread_barrier_t barrier;

static void returns(int sig) { (void)sig; pthread_barrier_wait(&barrier); pthread_barrier_wait(&barrier); }

static void *taker(void *arg)
{
	sigset_t none, set = only(current, 0);
	int got;
	sigemptyset(&none);
	if (way == RETURN) {
		struct sigaction act = {.sa_handler = returns, .sa_mask = set};
		CHECK(sigaction(OTHER, &act, NULL) == 0);
		unblock(current);
		raise(OTHER);
	} else {
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier); // the process has it now
	}
	switch (way) {
	case MASK: unblock(current); break;
	case SUSPEND: FAILS(sigsuspend(&none), EINTR); break;
	case WAIT:
		EQUAL(sigwait(&set, &got), 0);
		EQUAL(got, current);
		return arg;
	default: break;
	}
	EQUAL(hits, 1);
	CHECK(where == pthread_self());
	return arg;
}

static void *holder(void *arg)
{
	for (int i = 0; i < 50; i++)
		syscall(SYS_getppid);
	return arg;
}

static void others(int sig)
{
	pthread_t t, h;
	handle_info(sig, on_signal, 0);
	block(sig);
	for (way = 0; way < WAYS; way++)
		for (int before = 0; before < 2; before++) {
			// Who meets the signal first may be gone when it is taken.
			current = sig;
			hits = 0;
			CHECK(pthread_create(&t, NULL, taker, NULL) == 0);
			pthread_barrier_wait(&barrier);
			CHECK(pthread_create(&h, NULL, holder, NULL) == 0);
			if (before)
				CHECK(pthread_join(h, NULL) == 0);
			CHECK(kill(getpid(), sig) == 0);
			EQUAL(pending(sig), 1);
			if (!before)
				CHECK(pthread_join(h, NULL) == 0);
			EQUAL(hits, 0);
			pthread_barrier_wait(&barrier);
			CHECK(pthread_join(t, NULL) == 0);
			EQUAL(pending(sig), 0);
		}
	unblock(sig);
}

// One thread waits already, in one of two ways, when the signal is sent to the process; who sends it blocks it.
static void *waits(void *arg)
{
	sigset_t none, set = only(current, 0);
	siginfo_t info;
	sigemptyset(&none);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 20; i++) {
		hits = 0;
		if (arg)
			while (!hits)
				FAILS(sigsuspend(&none), EINTR);
		else
			EQUAL(RETRY(sigwaitinfo(&set, &info)), current);
		EQUAL(hits, arg != NULL);
		EQUAL(arg ? value : info.si_value.sival_int, i);
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

static void waited(int sig)
{
	pthread_t t;
	current = sig;
	block(sig);
	for (long suspend = 0; suspend < 2; suspend++) {
		CHECK(pthread_create(&t, NULL, waits, (void *)suspend) == 0);
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < 20; i++) {
			if (i % 3 == 0)
				rest(2);
			CHECK(sigqueue(getpid(), sig, (union sigval){.sival_int = i}) == 0);
			pthread_barrier_wait(&barrier);
		}
		CHECK(pthread_join(t, NULL) == 0);
	}
	unblock(sig);
}

// As many as another process can send: they come, and nothing else happens.
static void flood(void)
{
	pid_t parent = getpid(), pid;
	for (int i = 0; i < SIGS; i++)
		handle_info(sigs[i], on_signal, 0);
	hits = 0;
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 60000; i++)
			CHECK(kill(parent, sigs[i % SIGS]) == 0);
		_exit(0);
	}
	while (waitpid(pid, NULL, WNOHANG) == 0)
		for (int i = 0; i < 100; i++) {
			sigset_t set = only(sigs[i % SIGS], 0);
			CHECK(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
			EQUAL(access("/", F_OK), 0);
		}
	CHECK(hits > 0);
}

int main(void)
{
	CHECK(pipe(pipe_fd) == 0 && pthread_barrier_init(&barrier, NULL, 2) == 0);
	for (int i = 0; i < SIGS; i++) {
		interrupts(sigs[i]);
		two(sigs[i]);
		temporary(sigs[i]);
		others(sigs[i]);
		waited(sigs[i]);
		signal(sigs[i], SIG_DFL);
	}
	flood();
	puts("heldsignals ok");
}
