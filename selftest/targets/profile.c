// A profiler: wherever a signal comes while the threads make calls all the time, the unwinder finds the way from the
// handler to main, or to where a thread began.
#include "check.h"
#include <execinfo.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unwind.h>

enum { MOST = 64 };
static volatile int hits, inside;
static __thread uintptr_t root; // the function that is to be found

struct trace {
	uintptr_t at[MOST];
	int n, found;
};

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *arg)
{
	struct trace *t = arg;
	t->at[t->n++] = _Unwind_GetIP(context);
	if (_Unwind_GetRegionStart(context) == root)
		t->found = t->n;
	return t->n == MOST ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void sample(int sig, siginfo_t *info, void *uc)
{
	struct trace t = {.n = 0};
	int saved = errno;
	(void)sig;
	(void)info;
	(void)uc;
	if (root == 0)
		return; // a thread that has just begun, or is about to end
	_Unwind_Backtrace(frame, &t);
	if (t.found == 0) {
		char text[20 * MOST], *p = text;
		for (int i = 0; i < t.n; i++)
			p += sprintf(p, " %lx", (long)t.at[i]);
		FAIL("no way to %lx in %d frames:%s", (long)root, t.n, text);
	}
	void *at[MOST];
	int n = backtrace(at, MOST);
	CHECK(n >= t.found);
	for (int i = 1; i < t.found; i++)
		EQUAL(at[i], t.at[i]);
	__atomic_add_fetch(&hits, 1, __ATOMIC_RELAXED);
	errno = saved;
}

static int pipes[2];

// Calls of the program's own, and libc's.
__attribute__((noinline)) static void own(void) { raw(SYS_getppid, 0, 0, 0, 0, 0, 0); }
__attribute__((noinline)) static void own_mask(void) { raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, 0, 8, 0, 0); }
__attribute__((noinline)) static void own_sleep(void) { struct timespec ts = {0, 100000}; raw(SYS_nanosleep, (long)&ts, 0, 0, 0, 0, 0); }
__attribute__((noinline)) static void own_fails(void) { raw(SYS_openat, -1, 0, 0, 0, 0, 0); }
static void write_read(void) { char c = 0; (void)!write(pipes[1], &c, 1); (void)!read(pipes[0], &c, 1); }
static void masks(void) { sigset_t set = only(SIGUSR1, 0); sigprocmask(SIG_BLOCK, &set, NULL); sigprocmask(SIG_UNBLOCK, &set, NULL); }
static void memory(void) { munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096); }
static void sleeps(void) { struct timespec ts = {0, 100000}; nanosleep(&ts, NULL); }
static void polls(void) { poll(NULL, 0, 1); }
static void files(void) { close(dup(0)); close(open("/", O_RDONLY)); (void)!access("/nonexistent", 0); }
static void times(void) { struct timespec ts; clock_gettime(CLOCK_MONOTONIC, &ts); clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); }
static void acts(void) { struct sigaction old; sigaction(SIGUSR2, NULL, &old); }

static void (*const doing[])(void) = {
	own, own_mask, own_sleep, own_fails,
	write_read, masks, memory, sleeps, polls, files, times, acts,
};

__attribute__((noinline)) static void work(int ms)
{
	for (long end = milliseconds() + ms; milliseconds() < end;)
		for (size_t i = 0; i < sizeof doing / sizeof *doing; i++)
			for (int k = 0; k < 20; k++)
				doing[i]();
}

static volatile int stop;

static void *thread(void *arg)
{
	root = (uintptr_t)thread;
	__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	while (!stop)
		work(1);
	root = 0;
	return arg;
}

int main(void)
{
	pthread_t t;
	struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
	struct trace first = {.n = 0};
	root = (uintptr_t)main;
	CHECK(pipe(pipes) == 0);
	_Unwind_Backtrace(frame, &first); // reads what it needs the first time
	void *at[MOST];
	backtrace(at, MOST);
	handle_info(SIGPROF, sample, SA_RESTART);
	handle_info(SIGALRM, sample, SA_RESTART);
	CHECK(setitimer(ITIMER_PROF, &often, NULL) == 0);
	tick(700);
	work(300);
	tick(0);
	CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
	while (!inside)
		rest(1);
	for (int i = 0; i < 200; i++) {
		pthread_kill(t, SIGALRM);
		own();
		rest(1);
	}
	stop = 1;
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(setitimer(ITIMER_PROF, &never, NULL) == 0);
	CHECK(hits > 100);
	puts("profile ok");
}
