// sigaction gives back what was set, for every signal: handler, flags, mask, restorer; errors for those that cannot be
// caught. SIGSYS and SIGSEGV are signals like the others.
#include "check.h"
#include <pthread.h>

// The kernel's structure, with the restorer and a mask of 64 bits.
struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

#define RESTORER 0x04000000ul

static long act(int sig, const struct kernel_action *new, struct kernel_action *old)
{
	return raw(SYS_rt_sigaction, sig, (long)new, (long)old, 8, 0, 0);
}

static void other(int sig) { (void)sig; }

static void every_signal(void)
{
	struct kernel_action sets[] = {
		{other, SA_SIGINFO | SA_RESTART | RESTORER, (void *)0x1234567000, 0xfffffffffffff0ff},
		{(void *)0x7654321000, SA_NODEFER | SA_ONSTACK | RESTORER, (void *)0x99999000, 0x40000400},
		{SIG_IGN, 0, 0, 0},
		{SIG_DFL, 0, 0, 0},
		{SIG_IGN, SA_RESTART | SA_NOCLDSTOP | SA_SIGINFO, (void *)1, 1ul << (SIGUSR1 - 1)},
		{SIG_DFL, SA_RESETHAND | SA_NODEFER, (void *)2, 1ul << (SIGSYS - 1)},
		{other, SA_RESETHAND | SA_NOCLDWAIT | RESTORER, (void *)3, 0},
		{SIG_DFL, 0, 0, 0},
	};
	uint64_t never = 1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1);
	for (int sig = 1; sig <= 64; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		struct kernel_action want = {SIG_DFL, 0, 0, 0}, got;
		EQUAL(act(sig, NULL, &want), 0);
		for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
			memset(&got, 0xee, sizeof got);
			EQUAL(act(sig, &sets[i], &got), 0);
			struct kernel_action again;
			memset(&again, 0xee, sizeof again);
			EQUAL(act(sig, NULL, &again), 0);
			if (got.handler != want.handler || got.flags != want.flags || got.restorer != want.restorer || got.mask != want.mask)
				FAIL("signal %d, set %zu: old action is handler %p, flags %#lx, restorer %p, mask %#lx; want %p, %#lx, %p, %#lx", sig, i,
				     got.handler, got.flags, got.restorer, (long)got.mask, want.handler, want.flags, want.restorer, (long)want.mask);
			want = sets[i];
			want.mask &= ~never;
			if (again.handler != want.handler || again.flags != want.flags || again.restorer != want.restorer || again.mask != want.mask)
				FAIL("signal %d, set %zu: action is handler %p, flags %#lx, restorer %p, mask %#lx; want %p, %#lx, %p, %#lx", sig, i,
				     again.handler, again.flags, again.restorer, (long)again.mask, want.handler, want.flags, want.restorer, (long)want.mask);
		}
	}
}

static void errors(void)
{
	struct kernel_action a = {other, RESTORER, 0, 0}, old;
	EQUAL(act(SIGKILL, &a, NULL), -EINVAL);
	EQUAL(act(SIGSTOP, &a, NULL), -EINVAL);
	EQUAL(act(SIGKILL, NULL, &old), 0);
	CHECK(old.handler == SIG_DFL);
	EQUAL(act(0, &a, NULL), -EINVAL);
	EQUAL(act(65, &a, NULL), -EINVAL);
	EQUAL(act(-1, &a, NULL), -EINVAL);
	EQUAL(raw(SYS_rt_sigaction, SIGUSR1, (long)&a, 0, 4, 0, 0), -EINVAL);
	EQUAL(raw(SYS_rt_sigaction, SIGUSR1, (long)&a, 0, 16, 0, 0), -EINVAL);
	EQUAL(raw(SYS_rt_sigaction, SIGUSR1, 8, 0, 8, 0, 0), -EFAULT);
	// A result that cannot be written: the action is set all the same.
	EQUAL(act(SIGUSR1, &a, (void *)8), -EFAULT);
	EQUAL(act(SIGUSR1, NULL, &old), 0);
	CHECK(old.handler == other);
	// In and out may be one structure.
	struct kernel_action both = {SIG_IGN, 0, 0, 0};
	EQUAL(act(SIGUSR1, &both, &both), 0);
	CHECK(both.handler == other);
	EQUAL(act(SIGUSR1, NULL, &both), 0);
	CHECK(both.handler == SIG_IGN);
	signal(SIGUSR1, SIG_DFL);
	// Unknown flag bits: the kernel clears those it does not know, since Linux 5.11 (include/uapi/asm-generic/signal-defs.h).
	struct kernel_action odd = {other, RESTORER | 0x400 | 0x100, (void *)1, 0};
	EQUAL(act(SIGUSR1, &odd, NULL), 0);
	EQUAL(act(SIGUSR1, NULL, &old), 0);
	EQUAL(old.flags, RESTORER);
	signal(SIGUSR1, SIG_DFL);
}

static volatile int hits;
static void count(int sig) { (void)sig; hits++; }

static void *sets_in_thread(void *arg)
{
	handle(SIGUSR1, count, 0);
	return arg;
}

// One table for the whole process: a thread's change is everybody's.
static void threads(void)
{
	pthread_t t;
	pthread_create(&t, NULL, sets_in_thread, NULL);
	pthread_join(t, NULL);
	raise(SIGUSR1);
	EQUAL(hits, 1);
	struct sigaction old = handle(SIGUSR1, SIG_DFL, 0);
	CHECK(old.sa_handler == count);
}

// Ignoring a pending signal discards it.
static void discards(void)
{
	sigset_t set = only(SIGUSR1, SIGSYS), pending, none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &set, NULL);
	raise(SIGUSR1);
	raise(SIGSYS);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGSYS));
	signal(SIGUSR1, SIG_IGN);
	signal(SIGSYS, SIG_IGN);
	sigpending(&pending);
	CHECK(sigisemptyset(&pending));
	signal(SIGUSR1, SIG_DFL);
	signal(SIGSYS, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(void)
{
	every_signal();
	errors();
	threads();
	discards();
	puts("sigaction ok");
}
