// sigaltstack: errors, states, handlers on it and nested, SS_AUTODISARM, overflow of the main stack, jumps off it, in
// threads, in children.
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

enum { SIZE = 65536 };
static char *alt;
static volatile int hits, inside;
static sigjmp_buf back;

static int on_alt(void)
{
	char *here = __builtin_frame_address(0);
	return here > alt && here <= alt + SIZE;
}

static void where(int sig) { (void)sig; hits++; inside = on_alt(); }

static void on_it(int sig, siginfo_t *info, void *uc)
{
	stack_t now, other = {.ss_sp = malloc(SIZE), .ss_size = SIZE}, off = {.ss_flags = SS_DISABLE};
	(void)sig;
	(void)info;
	where(sig);
	CHECK(sigaltstack(NULL, &now) == 0);
	EQUAL(now.ss_flags, SS_ONSTACK);
	CHECK(now.ss_sp == alt);
	FAILS(sigaltstack(&other, NULL), EPERM);
	FAILS(sigaltstack(&off, NULL), EPERM);
	CHECK(((ucontext_t *)uc)->uc_stack.ss_sp == alt);
	EQUAL(((ucontext_t *)uc)->uc_stack.ss_size, SIZE);
	free(other.ss_sp);
	for (int i = 0; i < 20; i++)
		syscall(SYS_getppid);
	if (hits < 4)
		raise(SIGUSR2); // nests on the same stack
}

static void set(unsigned flags)
{
	stack_t ss = {.ss_sp = alt, .ss_size = SIZE, .ss_flags = flags}, now;
	CHECK(sigaltstack(&ss, NULL) == 0);
	CHECK(sigaltstack(NULL, &now) == 0);
	CHECK(now.ss_sp == alt);
	EQUAL(now.ss_size, SIZE);
	EQUAL((unsigned)now.ss_flags, flags);
}

static void states(void)
{
	stack_t now, bad = {.ss_sp = alt, .ss_size = 100};
	CHECK(sigaltstack(NULL, &now) == 0);
	EQUAL(now.ss_flags, SS_DISABLE);
	FAILS(sigaltstack(&bad, NULL), ENOMEM);
	bad = (stack_t){.ss_sp = alt, .ss_size = SIZE, .ss_flags = 8};
	FAILS(sigaltstack(&bad, NULL), EINVAL);
	CHECK(sigaltstack(NULL, &now) == 0);
	EQUAL(now.ss_flags, SS_DISABLE);
	set(0);
	for (int i = 0; i < 10; i++) {
		hits = 0;
		handle_info(SIGUSR1, on_it, SA_ONSTACK);
		handle_info(SIGUSR2, on_it, SA_ONSTACK | SA_NODEFER);
		raise(SIGUSR1);
		EQUAL(hits, 4);
		EQUAL(inside, 1);
		handle(SIGUSR1, where, 0);
		raise(SIGUSR1);
		EQUAL(inside, 0);
	}
	// Disabling keeps nothing; a handler with SA_ONSTACK runs on the ordinary stack then.
	stack_t off = {.ss_flags = SS_DISABLE};
	CHECK(sigaltstack(&off, &now) == 0);
	CHECK(now.ss_sp == alt);
	CHECK(sigaltstack(NULL, &now) == 0);
	EQUAL(now.ss_flags, SS_DISABLE);
	EQUAL(now.ss_size, 0);
	handle(SIGUSR1, where, SA_ONSTACK);
	raise(SIGUSR1);
	EQUAL(inside, 0);
}

static void disarmed(int sig)
{
	stack_t now;
	where(sig);
	CHECK(sigaltstack(NULL, &now) == 0);
	EQUAL(now.ss_flags, SS_DISABLE);
	static char space[SIZE];
	stack_t other = {.ss_sp = space, .ss_size = SIZE};
	CHECK(sigaltstack(&other, NULL) == 0); // allowed; sigreturn puts the old setting back
}

static void autodisarm(void)
{
	set(SS_AUTODISARM);
	handle(SIGUSR1, disarmed, SA_ONSTACK);
	for (int i = 0; i < 5; i++) {
		raise(SIGUSR1);
		EQUAL(inside, 1);
		stack_t now;
		CHECK(sigaltstack(NULL, &now) == 0);
		EQUAL((unsigned)now.ss_flags, SS_AUTODISARM);
		CHECK(now.ss_sp == alt);
	}
}

static void jump(int sig)
{
	where(sig);
	siglongjmp(back, 1);
}

// Leaving the stack by a jump leaves it usable.
static void jumps(void)
{
	set(0);
	handle(SIGUSR1, jump, SA_ONSTACK);
	for (volatile int i = 0; i < 200; i++) {
		inside = 0;
		if (sigsetjmp(back, 1) == 0) {
			raise(SIGUSR1);
			FAIL("no jump");
		}
		EQUAL(inside, 1);
		stack_t now;
		CHECK(sigaltstack(NULL, &now) == 0);
		EQUAL(now.ss_flags, 0);
	}
}

// unending calls itself through a pointer until the stack is full.
static int unending(volatile char *from);
static int (*volatile again)(volatile char *) = unending;

static int unending(volatile char *from)
{
	volatile char frame[4096];
	for (int i = 0; i < 4096; i += 512)
		frame[i] = from[i % 2];
	return again(frame) + frame[17];
}

static void overflow(void)
{
	struct rlimit limit = {256 * 1024, RLIM_INFINITY}, old;
	getrlimit(RLIMIT_STACK, &old);
	limit.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_STACK, &limit);
	handle(SIGSEGV, jump, SA_ONSTACK);
	for (volatile int i = 0; i < 5; i++) {
		char start[2] = {0};
		inside = 0;
		if (sigsetjmp(back, 1) == 0)
			unending(start);
		EQUAL(inside, 1);
	}
	signal(SIGSEGV, SIG_DFL);
	setrlimit(RLIMIT_STACK, &old);
}

// A thread starts without one; a fork child has its parent's; a vfork child too.
static void *in_thread(void *arg)
{
	stack_t now;
	CHECK(sigaltstack(NULL, &now) == 0);
	EQUAL(now.ss_flags, SS_DISABLE);
	stack_t own = {.ss_sp = malloc(SIZE), .ss_size = SIZE};
	CHECK(sigaltstack(&own, NULL) == 0);
	CHECK(sigaltstack(NULL, &now) == 0);
	CHECK(now.ss_sp == own.ss_sp);
	own.ss_flags = SS_DISABLE;
	sigaltstack(&own, NULL);
	free(own.ss_sp);
	return arg;
}

static void inheritance(void)
{
	pthread_t t;
	set(0);
	handle(SIGUSR1, where, SA_ONSTACK);
	CHECK(pthread_create(&t, NULL, in_thread, NULL) == 0 && pthread_join(t, NULL) == 0);
	set(0);
	pid_t pid = fork();
	if (pid == 0) {
		stack_t now;
		sigaltstack(NULL, &now);
		CHECK(now.ss_sp == alt && now.ss_flags == 0);
		raise(SIGUSR1);
		_exit(inside ? 4 : 5);
	}
	EQUAL(ended(pid), 4);
}

int main(void)
{
	alt = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	states();
	autodisarm();
	jumps();
	overflow();
	inheritance();
	// A stack that is too small for a frame kills.
	pid_t pid = fork();
	if (pid == 0) {
		munmap(alt, SIZE);
		raise(SIGUSR1);
		_exit(0);
	}
	EQUAL(ended(pid), 1000 + SIGSEGV);
	puts("altstack ok");
}
