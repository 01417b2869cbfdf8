// C++ exceptions that signal handlers throw out of what they have interrupted: blocked calls, calls that come one after
// another, faults, a stack that is full; in threads too. The unwinder goes through the signal's frame, and cleanups make
// calls of their own.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

struct Thrown { int sig; };

static __thread volatile int armed, cleanups;
static int pipe_fd[2];

struct Cleanup {
	~Cleanup()
	{
		raw(SYS_getppid, 0, 0, 0, 0, 0, 0);
		cleanups++;
	}
};

static void throws(int sig)
{
	if (sig == SIGALRM && !armed)
		return;
	armed = 0;
	throw Thrown{sig};
}

static void blocked_read(void) { char c; (void)!read(pipe_fd[0], &c, 1); }
static void blocked_poll(void) { poll(NULL, 0, -1); }
static void blocked_sleep(void) { struct timespec ts = {100, 0}; nanosleep(&ts, NULL); }
static void blocked_suspend(void) { sigset_t none; sigemptyset(&none); sigsuspend(&none); }
static void blocked_wait(void) { waitpid(-1, NULL, 0); }
static void blocked_raw(void) { raw(SYS_pause, 0, 0, 0, 0, 0, 0); }
static void busy(void) { raw(SYS_getppid, 0, 0, 0, 0, 0, 0); }
static void masks(void) { sigset_t set = only(SIGUSR1, 0); sigprocmask(SIG_BLOCK, &set, NULL); sigprocmask(SIG_UNBLOCK, &set, NULL); }
static void descriptors(void) { (void)!open("/nonexistent", O_RDONLY); close(-1); }

static void (*const doing[])(void) = {
	blocked_read, blocked_poll, blocked_sleep, blocked_suspend, blocked_wait, blocked_raw, busy, masks, descriptors,
};
enum { KINDS = sizeof doing / sizeof *doing };

// forever has no cleanups and no catch: an exception may come at any of its instructions.
__attribute__((noinline)) static void forever(void (*call)(void))
{
	armed = 1;
	for (;;)
		call();
}

__attribute__((noinline)) static void outer(void (*call)(void))
{
	Cleanup cleanup;
	forever(call);
}

__attribute__((noinline)) static void outmost(void (*call)(void))
{
	Cleanup first, second;
	outer(call);
}

// caught finds SIGALRM blocked, because its handler has never returned.
static void caught(void (*call)(void))
{
	sigset_t set = only(SIGALRM, 0), old;
	cleanups = 0;
	try {
		outmost(call);
		FAIL("nothing thrown");
	} catch (const Thrown &thrown) {
		EQUAL(thrown.sig, SIGALRM);
		EQUAL(cleanups, 3);
	}
	CHECK(pthread_sigmask(SIG_UNBLOCK, &set, &old) == 0);
	EQUAL(sigismember(&old, SIGALRM), 1);
}

static void out_of_calls(int flags)
{
	handle(SIGALRM, throws, flags);
	tick(500);
	for (int i = 0; i < 15 * KINDS; i++)
		caught(doing[i % KINDS]);
	tick(0);
}

static volatile int zero, *volatile nowhere;
static int loads(void) { Cleanup cleanup; return *nowhere; }
static int divides(void) { Cleanup cleanup; return 1 / zero; }

static int overflows(volatile char *from);
static int (*volatile again)(volatile char *) = overflows;

static int overflows(volatile char *from)
{
	volatile char frame[4096];
	for (int i = 0; i < 4096; i += 512)
		frame[i] = from[i % 2];
	return again(frame) + frame[17];
}

static int fills_stack(void) { Cleanup cleanup; char start[2] = {0}; return overflows(start); }

static void out_of_faults(void)
{
	struct { int sig; int (*fault)(void); } const faults[] = {{SIGSEGV, loads}, {SIGFPE, divides}, {SIGSEGV, fills_stack}};
	struct rlimit limit;
	stack_t alt;
	getrlimit(RLIMIT_STACK, &limit);
	limit.rlim_cur = 256 * 1024;
	setrlimit(RLIMIT_STACK, &limit);
	memset(&alt, 0, sizeof alt);
	alt.ss_size = 65536;
	alt.ss_sp = mmap(NULL, alt.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(sigaltstack(&alt, NULL) == 0);
	handle(SIGSEGV, throws, SA_NODEFER | SA_ONSTACK);
	handle(SIGFPE, throws, SA_NODEFER);
	for (int i = 0; i < 60; i++) {
		int sig = 0;
		cleanups = 0;
		try {
			faults[i % 3].fault();
		} catch (const Thrown &thrown) {
			sig = thrown.sig;
		}
		EQUAL(sig, faults[i % 3].sig);
		EQUAL(cleanups, 1);
	}
}

// An exception that stays inside of a handler: the call that the handler came in goes on or is made again.
static volatile int hits;

static void catches(int sig)
{
	try {
		Cleanup cleanup;
		throw Thrown{sig};
	} catch (const Thrown &thrown) {
		EQUAL(thrown.sig, sig);
	}
	if (++hits == 5)
		CHECK(write(pipe_fd[1], "x", 1) == 1);
}

static void inside(void)
{
	for (int i = 0; i < 20; i++) {
		char c = 0;
		hits = 0;
		handle(SIGALRM, catches, SA_RESTART);
		tick(500);
		EQUAL(read(pipe_fd[0], &c, 1), 1);
		EQUAL(c, 'x');
		CHECK(hits >= 5);
		tick(0);
	}
}

static volatile int done;

static void *thrown_out(void *arg)
{
	for (int i = 0; i < 2 * KINDS; i++)
		caught(doing[i % KINDS]);
	__atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
	while (done >= 0) // until nobody sends signals any more
		rest(1);
	return arg;
}

static void threads(void)
{
	enum { N = 3 };
	pthread_t t[N];
	handle(SIGALRM, throws, 0);
	for (int i = 0; i < N; i++)
		CHECK(pthread_create(&t[i], NULL, thrown_out, NULL) == 0);
	while (done < N) {
		for (int i = 0; i < N; i++)
			pthread_kill(t[i], SIGALRM);
		rest(1);
	}
	done = -1;
	for (int i = 0; i < N; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

int main(void)
{
	CHECK(pipe(pipe_fd) == 0);
	pid_t pid = fork(); // somebody to wait for
	if (pid == 0)
		for (;;)
			pause();
	out_of_calls(0);
	out_of_calls(SA_RESTART);
	inside();
	threads();
	out_of_faults();
	kill(pid, SIGKILL);
	EQUAL(ended(pid), 1000 + SIGKILL);
	puts("exceptions ok");
}
