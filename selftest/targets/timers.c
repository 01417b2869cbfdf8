// Timers of all kinds and what they deliver: POSIX timers by signal, to a thread, by a new thread; interval timers;
// timerfd; alarm. Counts are exact or have a sure lower bound.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/timerfd.h>

static volatile int hits, value, threads_hit;

static void on_timer(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	EQUAL(info->si_code, SI_TIMER);
	value = info->si_value.sival_int;
	hits++;
}

static void on_thread(union sigval v)
{
	EQUAL(v.sival_int, 5);
	syscall(SYS_getppid);
	__atomic_fetch_add(&threads_hit, 1, __ATOMIC_SEQ_CST);
}

static void posix(void)
{
	struct itimerspec often = {{0, 1000000}, {0, 1000000}}, off = {{0, 0}, {0, 0}};
	timer_t t;
	handle_info(SIGRTMIN, on_timer, SA_RESTART);
	struct sigevent by_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = {.sival_int = 4}};
	CHECK(timer_create(CLOCK_MONOTONIC, &by_signal, &t) == 0);
	CHECK(timer_settime(t, 0, &often, NULL) == 0);
	while (hits < 50)
		syscall(SYS_getppid);
	EQUAL(value, 4);
	CHECK(timer_settime(t, 0, &off, NULL) == 0);
	CHECK(timer_delete(t) == 0);
	struct sigevent by_thread = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread, .sigev_value = {.sival_int = 5}};
	CHECK(timer_create(CLOCK_MONOTONIC, &by_thread, &t) == 0);
	CHECK(timer_settime(t, 0, &often, NULL) == 0);
	while (threads_hit < 20)
		rest(1);
	CHECK(timer_delete(t) == 0);
}

static pthread_t target;
static volatile int wrong, told;

static void checks_thread(int sig) { (void)sig; told++; wrong += !pthread_equal(pthread_self(), target); }

static void *spins(void *stop)
{
	while (!*(volatile int *)stop)
		syscall(SYS_getppid);
	return NULL;
}

static void *own_timer(void *arg)
{
	timer_t t;
	struct itimerspec often = {{0, 1000000}, {0, 1000000}};
	struct sigevent e = {.sigev_notify = 4 /* SIGEV_THREAD_ID */, .sigev_signo = SIGUSR1};
	target = pthread_self();
	e._sigev_un._tid = syscall(SYS_gettid);
	CHECK(timer_create(CLOCK_MONOTONIC, &e, &t) == 0);
	CHECK(timer_settime(t, 0, &often, NULL) == 0);
	while (told < 50)
		syscall(SYS_getppid);
	timer_delete(t);
	return arg;
}

static void to_thread(void)
{
	pthread_t t[3];
	int stop = 0;
	handle(SIGUSR1, checks_thread, SA_RESTART);
	pthread_create(&t[0], NULL, spins, &stop);
	pthread_create(&t[1], NULL, spins, &stop);
	pthread_create(&t[2], NULL, own_timer, NULL);
	pthread_join(t[2], NULL);
	stop = 1;
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	EQUAL(wrong, 0);
}

static volatile int alarms;
static void on_alarm(int sig) { alarms += sig; }

static void intervals(void)
{
	struct itimerval now;
	handle(SIGALRM, on_alarm, 0);
	handle(SIGVTALRM, on_alarm, SA_RESTART);
	handle(SIGPROF, on_alarm, SA_RESTART);
	struct itimerval it = {{0, 2000}, {0, 2000}}, off = {{0, 0}, {0, 0}}, old;
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	while (!alarms)
		;
	setitimer(ITIMER_VIRTUAL, &off, NULL);
	alarms = 0;
	setitimer(ITIMER_PROF, &it, NULL);
	while (!alarms)
		syscall(SYS_getppid);
	setitimer(ITIMER_PROF, &off, NULL);
	EQUAL(alarm(100), 0);
	CHECK(getitimer(ITIMER_REAL, &now) == 0 && now.it_value.tv_sec >= 90);
	CHECK(setitimer(ITIMER_REAL, &off, &old) == 0 && old.it_value.tv_sec >= 90);
	EQUAL(alarm(0), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct itimerval soon = {{0, 0}, {0, 1000}};
		signal(SIGALRM, SIG_DFL);
		setitimer(ITIMER_REAL, &soon, NULL);
		for (;;)
			pause();
	}
	EQUAL(ended(pid), 1000 + SIGALRM);
}

static void descriptors(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec often = {{0, 1000000}, {0, 1000000}};
	struct pollfd p = {fd, POLLIN, 0};
	uint64_t total = 0, n;
	CHECK(fd >= 0 && timerfd_settime(fd, 0, &often, NULL) == 0);
	while (total < 30) {
		EQUAL(RETRY(poll(&p, 1, -1)), 1);
		EQUAL(read(fd, &n, 8), 8);
		CHECK(n > 0);
		total += n;
	}
	close(fd);
}

int main(void)
{
	posix();
	to_thread();
	intervals();
	descriptors();
	puts("timers ok");
}
