// Sixteen threads come to fresh sites at the same time: the same site, and sites next to each other that may want the
// same padding. Every call is made, once, and by the right thread.
#include "text.h"
#include <pthread.h>

enum { THREADS = 16, ROUNDS = 60, PAGES = 2, SITES = 60 };

PIECE(close_by, "mov %edi, %eax\nsyscall\nret\n")
PIECE(padded, "mov %edi, %eax\nsyscall\nret\n.skip 7, 0xcc\n")
PIECE(padded_nops, "mov %edi, %eax\nsyscall\nret\nnopw %cs:0x0(%rax,%rax,1)\n")
PIECE(followed, "mov %edi, %eax\nsyscall\nmov %rax, %rdx\nmov %rdx, %rax\nret\n")
PIECE(twice, "mov $39, %eax\nsyscall\nmov %edi, %eax\nsyscall\nret\n.skip 5, 0xcc\n")

static const struct {
	const char *start, *end;
} pieces[] = {{close_by, close_by_end}, {padded, padded_end}, {close_by, close_by_end}, {followed, followed_end}, {padded_nops, padded_nops_end}, {twice, twice_end}};

static int offsets[SITES];
static char *text;
static pthread_barrier_t barrier;

static void *hits(void *arg)
{
	long me = (long)arg, tid = syscall(SYS_gettid);
	for (int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		// Half of the threads begin at one site, the others each at one of their own.
		long first = me % 2 ? 0 : me * 3;
		for (int i = 0; i < SITES; i++)
			EQUAL(call(text + offsets[(first + i) % SITES], SYS_gettid, 0, 0, 0), tid);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

int main(void)
{
	int fd = text_file(PAGES), at = PAGE - 400; // so that some are on either page, and maybe one on both
	for (int i = 0; i < SITES; i++) {
		size_t p = i % (sizeof pieces / sizeof *pieces);
		offsets[i] = at;
		EQUAL(pwrite(fd, pieces[p].start, pieces[p].end - pieces[p].start, at), pieces[p].end - pieces[p].start);
		at += pieces[p].end - pieces[p].start;
	}
	pthread_t threads[THREADS];
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, hits, (void *)i) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		text = map_text(fd, PAGES, NULL);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		CHECK(munmap(text, PAGES * PAGE) == 0);
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	puts("firsthits ok");
}
