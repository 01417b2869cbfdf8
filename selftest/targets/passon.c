// A signal for the whole process while every thread blocks and unblocks it all the time: whoever finds it first may no longer
// be the one to take it.
#include "check.h"
#include <pthread.h>

enum { THREADS = 6, SENT = 20000 };

static volatile int hits, done;

static void on_signal(int sig) { (void)sig; __atomic_add_fetch(&hits, 1, __ATOMIC_RELAXED); }

static void *flickers(void *arg)
{
	sigset_t set = only(SIGSYS, SIGSEGV);
	while (!done) {
		CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
		CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
	}
	return arg;
}

int main(void)
{
	pthread_t threads[THREADS];
	handle(SIGSYS, on_signal, 0);
	handle(SIGSEGV, on_signal, 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, flickers, NULL) == 0);
	for (int i = 0; i < SENT; i++)
		CHECK(kill(getpid(), i & 1 ? SIGSYS : SIGSEGV) == 0);
	done = 1;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	if (!(hits > 0 && hits <= SENT)) FAIL("%d signals for %d sent", hits, SENT);
	puts("passon ok");
}
