// Restartable sequences: libc's registration follows the thread, a sequence that is interrupted goes on at its abort handler,
// and threads without libc register their own.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/rseq.h>

static struct rseq *own(void) { return (void *)((char *)__builtin_thread_pointer() + __rseq_offset); }

static volatile int ticks;
static void on_tick(int sig) { (void)sig; ticks++; }

// counts adds 1 to *sum for each time that the loop in the sequence came to its end, and 1 to *aborts for each other one.
static void counts(struct rseq *r, long spins, long *sum, long *aborts)
{
	__asm__ volatile(
		".pushsection __rseq_cs, \"aw\"\n\t"
		".balign 32\n"
		"3:\n\t"
		".long 0, 0\n\t"
		".quad 1f, (2f - 1f), 4f\n\t"
		".popsection\n\t"
		"leaq 3b(%%rip), %%rax\n\t"
		"movq %%rax, %c[cs](%[r])\n"
		"1:\n\t"
		"movq %[spins], %%rcx\n"
		"7:\n\t"
		"decq %%rcx\n\t"
		"jnz 7b\n\t"
		"incq (%[sum])\n"
		"2:\n\t"
		"jmp 5f\n\t"
		".long %c[signature]\n"
		"4:\n\t"
		"incq (%[aborts])\n"
		"5:"
		:
		: [r] "r"(r), [cs] "i"(offsetof(struct rseq, rseq_cs)), [spins] "r"(spins), [sum] "r"(sum), [aborts] "r"(aborts),
		  [signature] "i"(RSEQ_SIG)
		: "rax", "rcx", "memory", "cc");
}

static void sequences(struct rseq *r)
{
	long sum = 0, aborts = 0, n = 0;
	ticks = 0;
	tick(500);
	for (; aborts < 20 || n < 2000; n++) {
		counts(r, 100000, &sum, &aborts);
		if (n % 16 == 0)
			sched_yield();
	}
	tick(0);
	EQUAL(sum + aborts, n);
	CHECK(ticks > 0);
}

static void processor(struct rseq *r)
{
	cpu_set_t all, one;
	CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
	for (int round = 0; round < 20; round++)
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
			if (!CPU_ISSET(cpu, &all))
				continue;
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
			EQUAL(*(volatile unsigned *)&r->cpu_id, cpu);
			EQUAL(*(volatile unsigned *)&r->cpu_id_start, cpu);
			unsigned now;
			CHECK(syscall(SYS_getcpu, &now, NULL, NULL) == 0);
			EQUAL(now, cpu);
		}
	CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
}

static long rseq(struct rseq *r, int flags) { return syscall(SYS_rseq, r, 32, flags, RSEQ_SIG); }

static void *works(void *arg)
{
	struct rseq *r = own();
	CHECK((int)r->cpu_id >= 0);
	processor(r);
	// Taken back and given anew, at another place.
	static __thread struct rseq other __attribute__((aligned(32)));
	FAILS(rseq(&other, 0), EINVAL);
	FAILS(rseq(r, 0), EBUSY);
	CHECK(rseq(r, RSEQ_FLAG_UNREGISTER) == 0);
	EQUAL((int)r->cpu_id, -1);
	FAILS(rseq(r, RSEQ_FLAG_UNREGISTER), EINVAL);
	CHECK(rseq(&other, 0) == 0);
	processor(&other);
	CHECK(rseq(&other, RSEQ_FLAG_UNREGISTER) == 0);
	CHECK(rseq(r, 0) == 0);
	processor(r);
	return arg;
}

int main(void)
{
	handle(SIGALRM, on_tick, SA_RESTART);
	works(NULL);
	sequences(own());
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, works, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	pid_t pid = fork(); // the child has its parent's registration
	if (pid == 0) {
		works(NULL);
		sequences(own());
		_exit(3);
	}
	EQUAL(ended(pid), 3);
	puts("rseq ok");
}
