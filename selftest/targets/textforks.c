// fork, with system calls of the text in use: the child has its own copy, in which it calls, unmaps, remaps and changes; what
// parent, siblings and grandchildren see of theirs does not change. vfork, where the memory is one.
#include "text.h"
#include <pthread.h>

PIECE(code, NUMBER "syscall\nret\n.skip 20, 0xcc\n")
PIECE(fresh, ROOM NUMBER "syscall\nret\n")
PIECE(negated, NUMBER "syscall\nneg %rax\nret\n.skip 20, 0xcc\n")

enum { FRESH = 64, CHILDREN = 24 };

static int fd, fd_other;
static char *text;

static void changes(int kind)
{
	switch (kind % 6) {
	case 0:
		CHECK(munmap(text, PAGE) == 0);
		break;
	case 1:
		map_text(fd_other, 1, text);
		several(text, SYS_getpid, -getpid());
		break;
	case 2:
		CHECK(madvise(text, PAGE, MADV_DONTNEED) == 0);
		several(text, SYS_getpid, getpid());
		break;
	case 3:
		CHECK(mprotect(text, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
		memcpy(text, negated, negated_end - negated);
		several(text, SYS_getpid, -getpid());
		break;
	case 4:
		several(text + FRESH, SYS_getpid, getpid()); // for the first time, here only
		break;
	case 5:;
		pid_t pid = fork();
		if (pid == 0) {
			several(text, SYS_getpid, getpid());
			several(text + FRESH, SYS_getpid, getpid());
			_exit(0);
		}
		EQUAL(ended(pid), 0);
		break;
	}
}

static volatile int stop;

static void *calls(void *arg)
{
	while (!stop)
		several(text, SYS_getppid, getppid());
	return arg;
}

static void forks(void)
{
	pid_t pids[CHILDREN];
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			several(text, SYS_getpid, getpid());
			changes(i);
			_exit(i);
		}
		several(text, SYS_getpid, getpid());
	}
	for (int i = 0; i < CHILDREN; i++)
		EQUAL(ended(pids[i]), i);
	several(text, SYS_getpid, getpid());
}

int main(void)
{
	fd = text_file(1);
	fd_other = text_file(1);
	PUT(fd, 0, code);
	PUT(fd, FRESH, fresh);
	PUT(fd_other, 0, negated);
	text = map_text(fd, 1, NULL);
	forks(); // first used in a child
	several(text, SYS_getpid, getpid());
	forks();
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, calls, NULL) == 0);
	forks(); // while another thread calls
	stop = 1;
	CHECK(pthread_join(thread, NULL) == 0);
	text = map_text(fd, 1, text);
	pid_t pid = vfork();
	if (pid == 0) {
		several(text, SYS_getpid, getpid()); // for the first time, for both
		map_text(fd_other, 1, text);
		several(text, SYS_getpid, -getpid());
		_exit(3);
	}
	EQUAL(ended(pid), 3);
	several(text, SYS_getpid, -getpid());
	puts("textforks ok");
}
