// Shared by the C and C++ targets. A check that does not hold says where and what, and ends the whole process with status 1.
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <features.h>
// glibc says of raise and others that they call nothing in the program; with a handler they do.
#ifdef __LEAF
#undef __LEAF
#define __LEAF
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if __has_include(<linux/futex.h>)
#include <linux/futex.h>
#else // musl-gcc has no kernel headers
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };
#endif

// fail may be called in a signal handler, in a thread and in a child that shares memory: no stdio stream, no atexit.
__attribute__((noreturn, format(printf, 3, 4), unused))
static void fail(const char *file, int line, const char *fmt, ...)
{
	char text[512];
	int n = snprintf(text, sizeof text, "%s:%d: ", file, line);
	va_list ap;
	va_start(ap, fmt);
	n += vsnprintf(text + n, sizeof text - n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof text - 2)
		n = sizeof text - 2;
	text[n++] = '\n';
	(void)!write(2, text, n);
	_exit(1);
}

#define FAIL(...) fail(__FILE_NAME__, __LINE__, __VA_ARGS__)

// CHECK: cond holds.
#define CHECK(cond) \
	do { \
		if (!(cond)) \
			FAIL("not so: %s (errno %d)", #cond, errno); \
	} while (0)

// EQUAL: two integers are the same.
#define EQUAL(got, want) \
	do { \
		long got_ = (long)(got), want_ = (long)(want); \
		if (got_ != want_) \
			FAIL("%s = %ld (%#lx), want %s = %ld (%#lx) (errno %d)", \
			     #got, got_, got_, #want, want_, want_, errno); \
	} while (0)

// FAILS: the call returns -1 with this errno.
#define FAILS(call, err) \
	do { \
		errno = 0; \
		long got_ = (long)(call); \
		int errno_ = errno; \
		if (got_ != -1 || errno_ != (err)) \
			FAIL("%s = %ld, errno %d (%s), want -1, errno %d (%s)", \
			     #call, got_, errno_, strerror(errno_), err, strerror(err)); \
	} while (0)

// RETRY is the call, made again as long as a signal interrupts it.
#define RETRY(call) \
	({ \
		long got_; \
		do \
			got_ = (long)(call); \
		while (got_ == -1 && errno == EINTR); \
		got_; \
	})

// SAME: two strings are the same.
#define SAME(got, want) \
	do { \
		const char *got_ = (got), *want_ = (want); \
		if (strcmp(got_, want_)) \
			FAIL("%s = \"%s\", want \"%s\"", #got, got_, want_); \
	} while (0)

// raw is a system call without libc's errno: the kernel's own result. It has no frame: a child may return from it on
// borrowed stack.
__attribute__((always_inline, unused))
static inline long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

// ended waits for a child of any kind and returns its exit status, or 1000 + the signal that killed it.
__attribute__((unused))
static int ended(pid_t pid)
{
	int status = 0;
	pid_t got;
	do
		got = waitpid(pid, &status, __WALL);
	while (got < 0 && errno == EINTR);
	if (got != pid)
		FAIL("waitpid(child) = %d, errno %d", got == -1 ? -1 : 0, errno);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// has_i386 tells whether the kernel answers int 0x80: without CONFIG_IA32_EMULATION, or with ia32_emulation=off, it is a
// fault.
__attribute__((unused))
static int has_i386(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		long nr = 20; // getpid
		signal(SIGSEGV, SIG_DFL);
		__asm__ volatile("int $0x80" : "+a"(nr) : : "memory");
		_exit(0);
	}
	return ended(pid) == 0;
}

// handle sets a handler; it returns what was set before.
__attribute__((unused))
static struct sigaction handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction act, old;
	memset(&act, 0, sizeof act);
	act.sa_handler = handler;
	act.sa_flags = flags;
	CHECK(sigaction(sig, &act, &old) == 0);
	return old;
}

__attribute__((unused))
static struct sigaction handle_info(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction act, old;
	memset(&act, 0, sizeof act);
	act.sa_sigaction = handler;
	act.sa_flags = flags | SA_SIGINFO;
	CHECK(sigaction(sig, &act, &old) == 0);
	return old;
}

// tick sends SIGALRM every us microseconds; 0 stops it. It repeats, so that a signal which comes before the call that
// it is to interrupt is no more than an early one.
__attribute__((unused))
static void tick(int us)
{
	struct itimerval it = {{0, us}, {0, us}};
	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

// With SELFTEST_STORM set a signal comes every millisecond, whose handler has SA_RESTART. Its timer is a POSIX one: it is
// neither inherited nor handed on by exec, and leaves SIGALRM and the interval timers to the target.
static void storm_signal(int sig) { (void)sig; }

__attribute__((constructor, unused))
static void start_storm(void)
{
	struct sigevent event;
	struct itimerspec often = {{0, 1000000}, {0, 1000000}};
	struct sigaction now;
	timer_t timer;
	sigaction(SIGRTMAX - 3, NULL, &now);
	if (!getenv("SELFTEST_STORM") || now.sa_handler != SIG_DFL) // the program that loads this library has one
		return;
	handle(SIGRTMAX - 3, storm_signal, SA_RESTART);
	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGRTMAX - 3;
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &often, NULL) == 0);
}

// milliseconds of the monotonic clock.
__attribute__((unused))
static long milliseconds(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

// rest sleeps, whatever signals come.
__attribute__((unused))
static void rest(int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

// in_call waits until a process is in a call that blocks.
__attribute__((unused))
static void in_call(pid_t pid, int nr)
{
	char name[64], text[16];
	int fd, n;
	snprintf(name, sizeof name, "/proc/%d/syscall", pid);
	do {
		rest(1);
		fd = open(name, O_RDONLY);
		CHECK(fd >= 0 && (n = read(fd, text, sizeof text - 1)) > 0);
		close(fd);
		text[n] = 0;
	} while (text[0] == 'r' || atoi(text) != nr); // running
}

// only returns the set of just one signal, or of two.
__attribute__((unused))
static sigset_t only(int a, int b)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	return set;
}

#endif
