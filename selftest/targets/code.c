// Code that comes, changes and goes: pages with a system call that are unmapped and used again for other code, written
// over, moved, mapped twice, protected and opened again. What runs is what the program wrote last.
#include "check.h"
#include <pthread.h>
#include <sys/mman.h>

enum { PAGE = 4096 };
typedef long function(void);

// emit writes: mov $nr,%eax; syscall; ret, with padding behind, or: mov $value,%eax; ret.
static int emit_call(char *at, int nr)
{
	char code[] = {0xb8, nr, nr >> 8, 0, 0, 0x0f, 0x05, 0xc3};
	memcpy(at, code, sizeof code);
	memset(at + sizeof code, 0xcc, 16);
	return sizeof code + 16;
}

static int emit_value(char *at, int value)
{
	char code[] = {0xb8, value, value >> 8, value >> 16, 0, 0xc3};
	memcpy(at, code, sizeof code);
	memset(at + sizeof code, 0x90, 18);
	return sizeof code + 18;
}

static char *page(int flags)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, flags | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

static void call(char *at, long want)
{
	for (int i = 0; i < 5; i++)
		EQUAL(((function *)at)(), want);
}

// Written over in place.
static void rewritten(void)
{
	char *p = page(MAP_PRIVATE);
	for (int i = 0; i < 100; i++) {
		emit_call(p, SYS_getpid);
		call(p, getpid());
		emit_value(p, i + 1000);
		call(p, i + 1000);
		emit_call(p, SYS_gettid);
		call(p, syscall(SYS_gettid));
		memcpy(p, "\x90\x90\x90\x90\x90\xb8", 6); // the same bytes, one instruction later
		p[6] = SYS_getppid;
		memcpy(p + 7, "\0\0\0\x0f\x05\xc3", 6);
		call(p, getppid());
	}
	munmap(p, 2 * PAGE);
}

// Unmapped, and another page in the same place.
static void reused(void)
{
	char *p = page(MAP_PRIVATE);
	for (int i = 0; i < 100; i++) {
		emit_call(p + i * 8, SYS_getpid);
		call(p + i * 8, getpid());
		switch (i % 3) {
		case 0: CHECK(munmap(p, 2 * PAGE) == 0); break;
		case 1: CHECK(madvise(p, 2 * PAGE, MADV_DONTNEED) == 0); break;
		}
		char *again = mmap(p, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		CHECK(again == p);
		emit_value(p + i * 8, 77);
		call(p + i * 8, 77);
		for (int k = 0; k < 64; k++)
			EQUAL(p[2 * PAGE - 64 + k], 0); // nothing written where the program wrote nothing
	}
	munmap(p, 2 * PAGE);
}

// Writable or executable, never both.
static void flipped(void)
{
	char *p = page(MAP_PRIVATE);
	for (int i = 0; i < 100; i++) {
		CHECK(mprotect(p, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
		emit_call(p, i & 1 ? SYS_getpid : SYS_gettid);
		emit_call(p + PAGE - 6, SYS_getppid); // across the edge of the pages
		CHECK(mprotect(p, 2 * PAGE, PROT_READ | PROT_EXEC) == 0);
		call(p, getpid());
		call(p + PAGE - 6, getppid());
	}
	CHECK(mprotect(p, 2 * PAGE, PROT_EXEC) == 0); // not readable, on CPUs that can
	call(p, getpid());
	munmap(p, 2 * PAGE);
}

// Moved: the old place gets something else.
static void moved(void)
{
	for (int i = 0; i < 50; i++) {
		char *p = page(MAP_PRIVATE);
		emit_call(p, SYS_getpid);
		call(p, getpid());
		char *q = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
		call(q, getpid());
		CHECK(mmap(p, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == p);
		emit_value(p, 5);
		call(p, 5);
		call(q, getpid());
		munmap(p, PAGE);
		munmap(q, 2 * PAGE);
	}
}

// One memory at two addresses, and shared with a child: nobody else's code may change.
static void shared(void)
{
	int fd = memfd_create("code", 0);
	CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
	char *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	char *y = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	CHECK(w != MAP_FAILED && x != MAP_FAILED && y != MAP_FAILED);
	for (int i = 0; i < 50; i++) {
		int n = emit_call(w, SYS_getpid);
		char copy[64], file[64];
		memcpy(copy, w, n);
		call(x, getpid());
		call(y, getpid());
		pid_t pid = fork();
		if (pid == 0) {
			call(x, getpid());
			call(y, getpid());
			_exit(0);
		}
		EQUAL(ended(pid), 0);
		EQUAL(pread(fd, file, n, 0), n);
		CHECK(memcmp(file, copy, n) == 0); // a file's contents are the program's
		emit_value(w, 3);
		call(x, 3);
		memset(w, 0xc3, 64);
	}
	close(fd);
}

static char *threads_page;
static volatile int stop;

static void *calls(void *arg)
{
	while (!stop)
		CHECK(((function *)threads_page)() == getpid());
	return arg;
}

// First calls of fresh sites by many threads at a time.
static void raced(void)
{
	for (int i = 0; i < 50; i++) {
		pthread_t t[4];
		threads_page = page(MAP_PRIVATE);
		emit_call(threads_page, SYS_getpid);
		stop = 0;
		for (int k = 0; k < 4; k++)
			pthread_create(&t[k], NULL, calls, NULL);
		for (int k = 0; k < 20; k++)
			call(threads_page, getpid());
		stop = 1;
		for (int k = 0; k < 4; k++)
			pthread_join(t[k], NULL);
		munmap(threads_page, 2 * PAGE);
	}
}

int main(void)
{
	rewritten();
	reused();
	flipped();
	moved();
	shared();
	raced();
	puts("code ok");
}
