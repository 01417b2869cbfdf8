// Threads: a thousand created and joined, small stacks, detached ones, thread-local data, keys with destructors, barriers.
#include "check.h"
#include <limits.h>
#include <pthread.h>

static __thread int local = 5;
static int destroyed;
static pthread_key_t key;

static void destroys(void *p) { __atomic_fetch_add(&destroyed, *(int *)p, __ATOMIC_SEQ_CST); free(p); }

static void *works(void *arg)
{
	EQUAL(local, 5);
	local = (int)(long)arg;
	errno = local;
	CHECK(syscall(SYS_gettid) != getpid());
	EQUAL(syscall(SYS_getpid), getpid());
	EQUAL(errno, local);
	int *p = malloc(sizeof *p);
	*p = 1;
	pthread_setspecific(key, p);
	for (int i = 0; i < 3; i++)
		sched_yield();
	EQUAL(local, (int)(long)arg);
	return (void *)((long)arg * 2);
}

static void serial(void)
{
	for (long i = 0; i < 1000; i++) {
		pthread_t t;
		void *result;
		CHECK(pthread_create(&t, NULL, works, (void *)i) == 0);
		CHECK(pthread_join(t, &result) == 0);
		EQUAL((long)result, i * 2);
	}
	EQUAL(destroyed, 1000);
}

static void parallel(int size)
{
	enum { N = 200 };
	pthread_t t[N];
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	CHECK(pthread_attr_setstacksize(&attr, size) == 0);
	destroyed = 0;
	for (long i = 0; i < N; i++)
		CHECK(pthread_create(&t[i], &attr, works, (void *)i) == 0);
	for (long i = 0; i < N; i++) {
		void *result;
		CHECK(pthread_join(t[i], &result) == 0);
		EQUAL((long)result, i * 2);
	}
	EQUAL(destroyed, N);
	pthread_attr_destroy(&attr);
}

static int left = 300;
static void *vanishes(void *arg) { __atomic_fetch_sub(&left, 1, __ATOMIC_SEQ_CST); return arg; }

static void detached(void)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 300; i++) {
		pthread_t t;
		int error;
		while ((error = pthread_create(&t, &attr, vanishes, NULL)) == EAGAIN)
			rest(1);
		EQUAL(error, 0);
	}
	while (__atomic_load_n(&left, __ATOMIC_SEQ_CST))
		sched_yield();
}

// Threads that create threads, and calls from many at a time.
static void *splits(void *depth)
{
	if (depth == 0)
		return (void *)1;
	pthread_t a, b;
	void *x, *y;
	CHECK(pthread_create(&a, NULL, splits, (char *)depth - 1) == 0);
	CHECK(pthread_create(&b, NULL, splits, (char *)depth - 1) == 0);
	for (int i = 0; i < 100; i++)
		syscall(SYS_getppid);
	pthread_join(a, &x);
	pthread_join(b, &y);
	return (char *)x + (long)y;
}

static void *many_calls(void *barrier)
{
	long me = syscall(SYS_gettid);
	pthread_barrier_wait(barrier);
	for (int i = 0; i < 20000; i++)
		EQUAL(syscall(SYS_gettid), me);
	return NULL;
}

static void together(void)
{
	pthread_barrier_t barrier;
	pthread_t t[8];
	pthread_barrier_init(&barrier, NULL, 8);
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, many_calls, &barrier);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	pthread_key_create(&key, destroys);
	serial();
	parallel(PTHREAD_STACK_MIN);
	parallel(65536);
	detached();
	EQUAL((long)splits((void *)6L), 64);
	together();
	puts("threads ok");
}
