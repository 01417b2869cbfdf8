// Futexes that lend priority, by hand: lock and unlock, an owner that dies, a waiter that is moved from a condition to a lock,
// robust lists of threads and of processes in shared memory.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

static long futex(volatile void *word, int op, long value, const void *timeout, volatile void *other, long third)
{
	return syscall(SYS_futex, word, op, value, timeout, other, third);
}

struct memory {
	volatile unsigned lock, condition, ready, woken;
	volatile unsigned robust[16]; // every other one is a lock: links are 8 bytes apart
	struct robust_list_head head;
	struct robust_list list[8];
};
static struct memory *m;

static void *contends(void *count)
{
	unsigned me = syscall(SYS_gettid);
	for (int i = 0; i < 2000; i++) {
		unsigned none = 0;
		if (!__atomic_compare_exchange_n(&m->lock, &none, me, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			CHECK(futex(&m->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
		EQUAL(m->lock & FUTEX_TID_MASK, me);
		++*(volatile long *)count;
		if (i % 32 == 0)
			sched_yield();
		if (!__atomic_compare_exchange_n(&m->lock, &me, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			me = syscall(SYS_gettid);
			CHECK(futex(&m->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
		}
	}
	return NULL;
}

static void contention(void)
{
	pthread_t t[4];
	long count = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, contends, &count);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	EQUAL(count, 8000);
	EQUAL(m->lock, 0);
	FAILS(futex(&m->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
	m->lock = syscall(SYS_gettid);
	FAILS(futex(&m->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	FAILS(futex(&m->lock, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	CHECK(futex(&m->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
	struct timespec past = {1, 0};
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	m->lock = pid;
	FAILS(futex(&m->lock, FUTEX_LOCK_PI, 0, &past, NULL, 0), ETIMEDOUT);
	FAILS(futex(&m->lock, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
	kill(pid, SIGKILL);
	EQUAL(ended(pid), 1000 + SIGKILL);
	FAILS(futex(&m->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);
	m->lock = 0;
}

// A waiter gets the lock of an owner that has died, with the mark on it.
static void owner_dies(void)
{
	for (int i = 0; i < 50; i++) {
		m->ready = 0;
		pid_t pid = fork();
		if (pid == 0) {
			struct robust_list_head head = {{&head.list}, 0, NULL};
			CHECK(syscall(SYS_set_robust_list, &head, sizeof head) == 0);
			m->lock = syscall(SYS_gettid);
			m->ready = 1;
			if (i & 1)
				while (!(m->lock & FUTEX_WAITERS))
					sched_yield();
			if (i % 3 == 1)
				execl("/bin/true", "true", NULL);
			if (i % 3 == 2)
				raise(SIGKILL);
			_exit(0);
		}
		while (!m->ready)
			sched_yield();
		long r = futex(&m->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
		if (i & 1) { // it waited: it is the owner now
			EQUAL(r, 0);
			EQUAL(m->lock & FUTEX_TID_MASK, syscall(SYS_gettid));
			EQUAL(m->lock & FUTEX_OWNER_DIED, FUTEX_OWNER_DIED);
		} else if (r) // or it came too late: nobody owns it
			EQUAL(errno, ESRCH);
		m->lock = 0;
		waitpid(pid, NULL, 0);
	}
}

static void *waits(void *arg)
{
	__atomic_fetch_add(&m->ready, 1, __ATOMIC_SEQ_CST);
	CHECK(futex(&m->condition, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &m->lock, 0) == 0);
	EQUAL(m->lock & FUTEX_TID_MASK, syscall(SYS_gettid));
	__atomic_fetch_add(&m->woken, 1, __ATOMIC_SEQ_CST);
	CHECK(futex(&m->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
	return arg;
}

static void requeue(void)
{
	for (int i = 0; i < 20; i++) {
		pthread_t t[3];
		m->ready = m->woken = m->condition = m->lock = 0;
		for (int k = 0; k < 3; k++)
			pthread_create(&t[k], NULL, waits, NULL);
		while (m->ready < 3)
			sched_yield();
		CHECK(futex(&m->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
		int moved = 0;
		while (moved < 3) {
			long n = futex(&m->condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)10L, &m->lock, m->condition);
			CHECK(n >= 0);
			moved += n;
		}
		EQUAL(m->woken, 0);
		CHECK(futex(&m->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
		for (int k = 0; k < 3; k++)
			pthread_join(t[k], NULL);
		EQUAL(m->woken, 3);
		EQUAL(m->lock, 0);
	}
}

// links makes a robust list of all eight locks, owned by the caller.
static void links(void)
{
	unsigned me = syscall(SYS_gettid);
	m->head.list.next = &m->list[0];
	m->head.futex_offset = (long)&m->robust[0] - (long)&m->list[0];
	m->head.list_op_pending = NULL;
	for (int i = 0; i < 8; i++) {
		m->list[i].next = i < 7 ? &m->list[i + 1] : &m->head.list;
		m->robust[i * 2] = me;
	}
	CHECK(syscall(SYS_set_robust_list, &m->head, sizeof m->head) == 0);
}

static void *dies(void *arg)
{
	links();
	if (arg)
		syscall(SYS_exit, 0);
	return NULL;
}

static void robust(void)
{
	struct robust_list_head *head, *mine;
	size_t size;
	CHECK(syscall(SYS_get_robust_list, 0, &mine, &size) == 0);
	EQUAL(size, sizeof *mine);
	FAILS(syscall(SYS_set_robust_list, mine, size - 1), EINVAL);
	for (int i = 0; i < 30; i++) {
		memset((void *)m->robust, 0, sizeof m->robust);
		if (i % 3 == 0) {
			pthread_t t;
			pthread_create(&t, NULL, dies, (void *)1L);
			pthread_join(t, NULL);
		} else {
			pid_t pid = fork();
			if (pid == 0) {
				links();
				CHECK(syscall(SYS_get_robust_list, 0, &head, &size) == 0 && head == &m->head);
				if (i % 3 == 1)
					raise(SIGKILL);
				execl("/bin/true", "true", NULL);
			}
			EQUAL(ended(pid), i % 3 == 1 ? 1000 + SIGKILL : 0);
		}
		for (int k = 0; k < 16; k++)
			EQUAL(m->robust[k], k & 1 ? 0 : FUTEX_OWNER_DIED);
	}
	CHECK(syscall(SYS_get_robust_list, 0, &head, &size) == 0 && head == mine);
}

int main(void)
{
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(m != MAP_FAILED);
	contention();
	owner_dies();
	requeue();
	robust();
	puts("pifutexes ok");
}
