// Many at a time: five hundred threads that live at once, a hundred processes that live at once, each at work.
#include "check.h"
#include <pthread.h>
#include <sys/mman.h>

enum { THREADS = 500, PROCESSES = 100 };

static pthread_barrier_t barrier;
static int done;

static void *works(void *arg)
{
	long me = syscall(SYS_gettid);
	pthread_barrier_wait(&barrier); // everybody is there
	for (int i = 0; i < 20; i++)
		EQUAL(syscall(SYS_gettid), me);
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	return arg;
}

static void threads(void)
{
	static pthread_t t[THREADS];
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	done = 0;
	for (int i = 0; i < THREADS; i++)
		EQUAL(pthread_create(&t[i], &attr, works, NULL), 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	EQUAL(done, THREADS);
	pthread_barrier_destroy(&barrier);
}

// arrive waits until all processes have.
static void arrive(int *arrived, int *gate)
{
	if (__atomic_add_fetch(arrived, 1, __ATOMIC_SEQ_CST) == PROCESSES) {
		__atomic_store_n(gate, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, gate, FUTEX_WAKE, PROCESSES, NULL, NULL, 0);
	}
	while (!__atomic_load_n(gate, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, gate, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void processes(void)
{
	static pid_t pids[PROCESSES];
	int *together = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*together = 0;
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		CHECK(pids[i] >= 0);
		if (pids[i] == 0) {
			arrive(together, together + 1);
			for (int k = 0; k < 20; k++)
				syscall(SYS_getppid);
			_exit(i & 63);
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		EQUAL(ended(pids[i]), i & 63);
	munmap(together, 4096);
}

int main(void)
{
	threads();
	processes();
	threads();
	puts("crowd ok");
}
