// Real-time signals queue, with payload, in order; standard ones do not. sigwaitinfo, sigtimedwait, signalfd.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

static volatile int count, order_broken, last[3];

static void queued(int sig, siginfo_t *info, void *uc)
{
	(void)uc;
	int kind = sig - SIGRTMIN;
	EQUAL(info->si_code, SI_QUEUE);
	EQUAL(info->si_pid, getpid());
	if (info->si_value.sival_int != last[kind] + 1)
		order_broken = 1;
	last[kind] = info->si_value.sival_int;
	count++;
}

static void handlers(void)
{
	sigset_t set = only(SIGRTMIN, SIGRTMIN + 1), none;
	sigaddset(&set, SIGRTMIN + 2);
	sigemptyset(&none);
	for (int i = 0; i < 3; i++)
		handle_info(SIGRTMIN + i, queued, SA_RESTART);
	for (int round = 0; round < 5; round++) {
		count = last[0] = last[1] = last[2] = 0;
		sigprocmask(SIG_BLOCK, &set, NULL);
		for (int i = 1; i <= 200; i++)
			for (int kind = 2; kind >= 0; kind--)
				CHECK(sigqueue(getpid(), SIGRTMIN + kind, (union sigval){.sival_int = i}) == 0);
		EQUAL(count, 0);
		sigprocmask(SIG_SETMASK, &none, NULL);
		// Each number in its order; handlers of one number do not nest.
		EQUAL(count, 600);
		EQUAL(order_broken, 0);
	}
	// Unblocked: each comes at once.
	count = last[0] = 0;
	for (int i = 1; i <= 1000; i++) {
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
		EQUAL(last[0], i);
	}
}

static void waits(void)
{
	sigset_t set = only(SIGRTMIN, SIGUSR1), none;
	siginfo_t info;
	struct timespec zero = {0};
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 100; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
	raise(SIGUSR1);
	raise(SIGUSR1);
	EQUAL(RETRY(sigwaitinfo(&set, &info)), SIGUSR1);
	EQUAL(info.si_code, SI_USER); // glibc's word for SI_TKILL here
	for (int i = 0; i < 100; i++) {
		EQUAL(sigtimedwait(&set, &info, &zero), SIGRTMIN);
		EQUAL(info.si_value.sival_int, i);
	}
	FAILS(sigtimedwait(&set, &info, &zero), EAGAIN);
	struct timespec bad = {0, 1000000000};
	FAILS(sigtimedwait(&set, &info, &bad), EINVAL);
	long start = milliseconds();
	struct timespec some = {0, 30000000};
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL); // no signal shortens it
	FAILS(sigtimedwait(&set, &info, &some), EAGAIN);
	CHECK(milliseconds() - start >= 30);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void descriptors(void)
{
	sigset_t set = only(SIGRTMIN, SIGUSR1), none;
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	struct pollfd p = {fd, POLLIN, 0};
	struct signalfd_siginfo info[4];
	CHECK(fd >= 0);
	FAILS(read(fd, info, sizeof info), EAGAIN);
	EQUAL(RETRY(poll(&p, 1, 0)), 0);
	for (int i = 0; i < 3; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
	kill(getpid(), SIGUSR1);
	EQUAL(RETRY(poll(&p, 1, -1)), 1);
	EQUAL(read(fd, info, sizeof info), sizeof info);
	EQUAL(info[0].ssi_signo, SIGUSR1);
	EQUAL(info[0].ssi_pid, getpid());
	for (int i = 0; i < 3; i++) {
		EQUAL(info[i + 1].ssi_signo, SIGRTMIN);
		EQUAL(info[i + 1].ssi_int, i);
		EQUAL(info[i + 1].ssi_code, SI_QUEUE);
	}
	close(fd);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

// Who is a signal for: a thread's own, the process's for whoever lets it through.
static volatile pthread_t who;
static void thread_handler(int sig) { (void)sig; who = pthread_self(); }

static void *blocks_nothing(void *stop)
{
	sigset_t none;
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	*(volatile int *)stop = 1;
	while (*(volatile int *)stop == 1)
		syscall(SYS_getppid);
	return NULL;
}

static void directed(void)
{
	pthread_t t;
	sigset_t set = only(SIGUSR1, 0), none;
	volatile int stop = 0;
	sigemptyset(&none);
	handle(SIGUSR1, thread_handler, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pthread_create(&t, NULL, blocks_nothing, (void *)&stop);
	while (!stop)
		sched_yield();
	for (int i = 0; i < 200; i++) {
		who = 0;
		if (i & 1)
			kill(getpid(), SIGUSR1);
		else
			pthread_kill(t, SIGUSR1);
		while (!who)
			sched_yield();
		CHECK(who == t);
	}
	who = 0;
	raise(SIGUSR1); // this thread's, which blocks it
	CHECK(!who);
	stop = 2;
	pthread_join(t, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	CHECK(who == pthread_self());
}

int main(void)
{
	handlers();
	waits();
	descriptors();
	directed();
	// No room for queued signals: EAGAIN, and the limit does not reach standard ones.
	struct rlimit limit = {0, 0};
	sigset_t set = only(SIGRTMIN, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
	FAILS(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1}), EAGAIN);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	siginfo_t info;
	EQUAL(RETRY(sigwaitinfo(&set, &info)), SIGUSR1);
	EQUAL(system("exit 3") >> 8, 3); // a program without queue still runs others
	puts("queue ok");
}
