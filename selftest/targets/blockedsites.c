// Threads are blocked in a call at a fresh site while another comes to the same site and its neighbour, signals come, and
// the text is mapped again, the same or other: the call returns behind its instruction, to what is there then.
#include "text.h"
#include <pthread.h>

enum { READERS = 4, ROUNDS = 40, SECOND = 32 };

PIECE(pair, NUMBER "syscall\nret\n.skip 3, 0xcc\n.p2align 5, 0xcc\n" NUMBER "syscall\nret\n.skip 10, 0xcc\n")
PIECE(other, NUMBER "nop\nnop\nadd $1000, %rax\nret\n") // no call, something else behind it

static char *text;
static int fds[READERS][2], want;
static pid_t tids[READERS];
static volatile int handled;
static pthread_barrier_t barrier;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void *reads(void *arg)
{
	long me = (long)arg;
	for (int round = 0; round < ROUNDS; round++) {
		char c = 0;
		long got;
		pthread_barrier_wait(&barrier);
		__atomic_store_n(&tids[me], syscall(SYS_gettid), __ATOMIC_SEQ_CST);
		do
			got = call(text, SYS_read, fds[me][0], (long)&c, 1);
		while (got == -EINTR);
		EQUAL(got, want);
		EQUAL(c, 'x');
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

// wait_asleep waits until the reader sleeps: in its call, since there is nothing else for it to wait for.
static void wait_asleep(int me)
{
	char name[64], line[512] = "", *state = NULL;
	pid_t tid;
	while (!(tid = __atomic_load_n(&tids[me], __ATOMIC_SEQ_CST)))
		rest(1);
	snprintf(name, sizeof name, "/proc/self/task/%d/stat", tid);
	while (!state || state[2] != 'S') {
		int fd = open(name, O_RDONLY);
		CHECK(fd >= 0 && read(fd, line, sizeof line - 1) > 0 && close(fd) == 0);
		state = strrchr(line, ')');
	}
}

int main(void)
{
	int fd = text_file(1), fd_other = text_file(1);
	pthread_t threads[READERS];
	PUT(fd, 0, pair);
	PUT(fd_other, 0, other);
	handle(SIGUSR1, on_signal, 0);
	pthread_barrier_init(&barrier, NULL, READERS + 1);
	for (long i = 0; i < READERS; i++)
		CHECK(pipe(fds[i]) == 0 && pthread_create(&threads[i], NULL, reads, (void *)i) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		text = map_text(fd, 1, NULL);
		want = 1;
		handled = 0;
		memset(tids, 0, sizeof tids);
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < READERS; i++)
			wait_asleep(i);
		several(text + SECOND, SYS_getpid, getpid());
		several(text, SYS_getpid, getpid());
		switch (round % 4) {
		case 1: // the call is interrupted and made again
			for (int i = 0; i < READERS; i++)
				EQUAL(syscall(SYS_tgkill, getpid(), tids[i], SIGUSR1), 0);
			while (handled < READERS)
				rest(1);
			break;
		case 2:
			map_text(fd, 1, text);
			several(text, SYS_getpid, getpid());
			break;
		case 3:
			map_text(fd_other, 1, text);
			want = 1001;
			EQUAL(call(text, 5, 0, 0, 0), 1005);
			break;
		}
		for (int i = 0; i < READERS; i++)
			EQUAL(write(fds[i][1], "x", 1), 1);
		pthread_barrier_wait(&barrier);
		CHECK(munmap(text, PAGE) == 0);
	}
	for (int i = 0; i < READERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	puts("blockedsites ok");
}
