// makecontext, swapcontext, getcontext: calls on stacks of the program's own, switched in the middle; from a handler too.
#include "check.h"
#include <ucontext.h>

enum { N = 10, SIZE = 32768, ROUNDS = 500 };
static ucontext_t contexts[N], home;
static char stacks[N][SIZE] __attribute__((aligned(16)));
static int turns[N];
static volatile int alarms;

static void worker(int self)
{
	sigset_t mask = only(self % 2 ? SIGUSR1 : SIGUSR2, 0), now;
	sigprocmask(SIG_SETMASK, &mask, NULL); // masks go with the context
	for (int i = 0; i < ROUNDS; i++) {
		turns[self]++;
		EQUAL(syscall(SYS_getpid), getpid());
		CHECK(swapcontext(&contexts[self], &contexts[(self + 1) % N]) == 0);
		sigprocmask(SIG_SETMASK, NULL, &now);
		EQUAL(sigismember(&now, SIGUSR1), self % 2);
		EQUAL(sigismember(&now, SIGUSR2), !(self % 2));
	}
}

static void on_alarm(int sig) { (void)sig; alarms++; syscall(SYS_getppid); }

// A handler that leaves by setcontext.
static ucontext_t after;
static volatile int left;
static void leaves(int sig) { (void)sig; left++; setcontext(&after); }

int main(void)
{
	handle(SIGALRM, on_alarm, SA_RESTART);
	tick(1000);
	for (int i = 0; i < N; i++) {
		CHECK(getcontext(&contexts[i]) == 0);
		contexts[i].uc_stack.ss_sp = stacks[i];
		contexts[i].uc_stack.ss_size = SIZE;
		contexts[i].uc_link = i == N - 1 ? &home : &contexts[i + 1];
		makecontext(&contexts[i], (void (*)(void))worker, 1, i);
	}
	CHECK(swapcontext(&home, &contexts[0]) == 0);
	tick(0);
	for (int i = 0; i < N; i++)
		EQUAL(turns[i], ROUNDS);
	handle(SIGUSR1, leaves, 0);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (volatile int i = 0; i < 200; i++) {
		volatile int again = 0;
		getcontext(&after);
		if (!again) {
			again = 1;
			raise(SIGUSR1);
			FAIL("came back from raise");
		}
		EQUAL(left, i + 1);
	}
	puts("contexts ok");
}
