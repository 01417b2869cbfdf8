// Robust, priority-inheritance and process-shared mutexes, conditions with timeouts: the kernel walks lists in the
// program's memory when a thread or process ends.
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

struct shared {
	pthread_mutex_t mutex;
	sem_t sem;
	int count;
};

static struct shared *shared;
static volatile int owned;

static void init(int robust, int pi, int pshared)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	if (robust)
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (pi)
		CHECK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT) == 0);
	if (pshared)
		pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	EQUAL(pthread_mutex_init(&shared->mutex, &attr), 0);
}

static void *dies_owning(void *arg)
{
	EQUAL(pthread_mutex_lock(&shared->mutex), 0);
	return arg;
}

static void *dies_owning_raw(void *arg)
{
	EQUAL(pthread_mutex_lock(&shared->mutex), 0);
	owned = 1;
	syscall(SYS_exit, 0);
	return arg;
}

static void recover(void)
{
	EQUAL(pthread_mutex_lock(&shared->mutex), EOWNERDEAD);
	EQUAL(pthread_mutex_consistent(&shared->mutex), 0);
	EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
}

static void robust(int pi)
{
	for (int i = 0; i < 50; i++) {
		pthread_t t;
		init(1, pi, 1);
		pthread_create(&t, NULL, i & 1 ? dies_owning_raw : dies_owning, NULL);
		if (i & 1)
			while (!owned)
				sched_yield();
		else
			pthread_join(t, NULL);
		recover();
		owned = 0;
		pid_t pid = fork(); // a process that is killed with it
		if (pid == 0) {
			pthread_mutex_lock(&shared->mutex);
			raise(SIGKILL);
		}
		EQUAL(ended(pid), 1000 + SIGKILL);
		recover();
		pid = fork(); // and one that executes
		if (pid == 0) {
			pthread_mutex_lock(&shared->mutex);
			execl("/bin/true", "true", NULL);
		}
		EQUAL(ended(pid), 0);
		recover();
	}
}

static void *adds(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		EQUAL(pthread_mutex_lock(&shared->mutex), 0);
		shared->count++;
		if (i % 64 == 0)
			sched_yield(); // contention
		EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
	}
	return arg;
}

static void contended(int pi)
{
	pthread_t t[4];
	init(0, pi, 1);
	shared->count = 0;
	pid_t pid = fork();
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, adds, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	if (pid == 0)
		_exit(0);
	EQUAL(ended(pid), 0);
	EQUAL(shared->count, 40000);
}

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turn;

static void *pings(void *who)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&plain);
		while (turn != (int)(long)who)
			pthread_cond_wait(&cond, &plain);
		turn = !turn;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&plain);
	}
	return NULL;
}

static void conditions(void)
{
	pthread_t a, b;
	pthread_create(&a, NULL, pings, (void *)0L);
	pthread_create(&b, NULL, pings, (void *)1L);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += 10000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	pthread_mutex_lock(&plain);
	EQUAL(pthread_cond_timedwait(&cond, &plain, &at), ETIMEDOUT);
	pthread_mutex_unlock(&plain);
	sem_init(&shared->sem, 1, 0);
	FAILS(sem_timedwait(&shared->sem, &at), ETIMEDOUT);
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 100; i++)
			sem_post(&shared->sem);
		_exit(0);
	}
	for (int i = 0; i < 100; i++)
		EQUAL(sem_wait(&shared->sem), 0);
	EQUAL(ended(pid), 0);
}

int main(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	robust(0);
	robust(1);
	contended(0);
	contended(1);
	conditions();
	puts("mutexes ok");
}
