// io_uring by hand: requests, completions, a wait that a signal interrupts, a wait with a mask. Where the kernel does not
// offer it the program has nothing to say.
#include "check.h"
#include <linux/io_uring.h>
#include <sys/mman.h>

static int ring;
static unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
static struct io_uring_sqe *sqes;
static struct io_uring_cqe *cqes;

static int enter(unsigned submit, unsigned wait, unsigned flags, void *arg, size_t size)
{
	return syscall(SYS_io_uring_enter, ring, submit, wait, flags, arg, size);
}

static int setup(void)
{
	struct io_uring_params p = {0};
	ring = syscall(SYS_io_uring_setup, 8, &p);
	if (ring < 0)
		return -1;
	char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	char *cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof *cqes, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqes = mmap(NULL, p.sq_entries * sizeof *sqes, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	CHECK(sq != MAP_FAILED && cq != MAP_FAILED && sqes != MAP_FAILED);
	sq_tail = (unsigned *)(sq + p.sq_off.tail);
	sq_mask = (unsigned *)(sq + p.sq_off.ring_mask);
	sq_array = (unsigned *)(sq + p.sq_off.array);
	cq_head = (unsigned *)(cq + p.cq_off.head);
	cq_tail = (unsigned *)(cq + p.cq_off.tail);
	cq_mask = (unsigned *)(cq + p.cq_off.ring_mask);
	cqes = (void *)(cq + p.cq_off.cqes);
	return 0;
}

static void request(int op, int fd, void *buf, unsigned len, long tag)
{
	unsigned tail = *sq_tail, i = tail & *sq_mask;
	memset(&sqes[i], 0, sizeof sqes[i]);
	sqes[i].opcode = op;
	sqes[i].fd = fd;
	sqes[i].addr = (unsigned long)buf;
	sqes[i].len = len;
	sqes[i].user_data = tag;
	sq_array[i] = i;
	__atomic_store_n(sq_tail, tail + 1, __ATOMIC_RELEASE);
}

static int result(long tag)
{
	unsigned head = *cq_head;
	CHECK(head != __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE));
	struct io_uring_cqe *c = &cqes[head & *cq_mask];
	EQUAL(c->user_data, tag);
	int res = c->res;
	__atomic_store_n(cq_head, head + 1, __ATOMIC_RELEASE);
	return res;
}

static volatile int hits;
static void count(int sig) { (void)sig; hits++; }

int main(void)
{
	int fd[2];
	char c = 0;
	CHECK(pipe(fd) == 0);
	if (setup() < 0) {
		CHECK(errno == EPERM || errno == ENOSYS);
		puts("uring ok");
		return 0;
	}
	for (int i = 0; i < 50; i++) {
		request(IORING_OP_NOP, -1, NULL, 0, 1);
		EQUAL(enter(1, 1, IORING_ENTER_GETEVENTS, NULL, 0), 1);
		EQUAL(result(1), 0);
		request(IORING_OP_WRITE, fd[1], "x", 1, 2);
		EQUAL(enter(1, 1, IORING_ENTER_GETEVENTS, NULL, 0), 1);
		EQUAL(result(2), 1);
		request(IORING_OP_READ, fd[0], &c, 1, 3);
		EQUAL(enter(1, 1, IORING_ENTER_GETEVENTS, NULL, 0), 1);
		EQUAL(result(3), 1);
		EQUAL(c, 'x');
	}
	handle(SIGALRM, count, 0);
	for (int i = 0; i < 5; i++) {
		tick(5000);
		FAILS(enter(0, 1, IORING_ENTER_GETEVENTS, NULL, 0), EINTR);
		CHECK(hits > 0);
		tick(0);
		// A mask for the wait: SIGUSR1 is pending and comes as soon as it is let in.
		sigset_t set = only(SIGUSR1, SIGSYS), inside = only(SIGSYS, 0), now;
		handle(SIGUSR1, count, 0);
		sigprocmask(SIG_SETMASK, &set, NULL);
		raise(SIGUSR1);
		hits = 0;
		FAILS(enter(0, 1, IORING_ENTER_GETEVENTS, &inside, 8), EINTR);
		EQUAL(hits, 1);
		sigprocmask(SIG_SETMASK, NULL, &now);
		CHECK(sigismember(&now, SIGUSR1) && sigismember(&now, SIGSYS));
		sigemptyset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
	}
	puts("uring ok");
}
