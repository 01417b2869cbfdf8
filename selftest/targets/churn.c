// Ten thousand threads are born and die, joined, detached and made by hand. What one of them left behind, a page or a
// mapping, would be there ten thousand times; what is kept for the next ones is no more than were alive at a time.
#include "check.h"
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

enum { THREADS = 10000, STACK = 65536 };

static int lines(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY), n = 0;
	CHECK(fd >= 0);
	for (ssize_t got; (got = read(fd, text, sizeof text)) > 0;)
		for (int i = 0; i < got; i++)
			n += text[i] == '\n';
	close(fd);
	return n;
}

static int entries(const char *path)
{
	DIR *d = opendir(path);
	CHECK(d != NULL);
	int n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

// resident returns the memory in use, in KiB.
static long resident(void)
{
	char text[256];
	int fd = open("/proc/self/statm", O_RDONLY);
	ssize_t n = read(fd, text, sizeof text - 1);
	CHECK(n > 0);
	text[n] = 0;
	close(fd);
	return atol(strchr(text, ' ')) * 4;
}

static int started;
static void *works(void *arg)
{
	syscall(SYS_getppid);
	__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
	return arg;
}

// alone waits until no other thread is left.
static void alone(void)
{
	while (entries("/proc/self/task") != 3)
		sched_yield();
}

static void joined(int n)
{
	for (int i = 0; i < n; i++) {
		pthread_t t;
		EQUAL(pthread_create(&t, NULL, works, NULL), 0);
		EQUAL(pthread_join(t, NULL), 0);
	}
}

static void detached(int n)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < n; i += 10) {
		started = 0;
		for (int k = 0; k < 10; k++) {
			pthread_t t;
			EQUAL(pthread_create(&t, &attr, works, NULL), 0);
		}
		while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < 10)
			sched_yield();
		alone();
	}
}

// A thread without a libc's data, which takes its own stack away and ends on nothing.
static void bare(int n)
{
	static pid_t alive;
	long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
		     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	for (int i = 0; i < n; i++) {
		char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(stack != MAP_FAILED);
		long tid = SYS_clone;
		register pid_t *child __asm__("r10") = &alive;
		__asm__ volatile("syscall\n\t"
				 "test %%eax, %%eax\n\t"
				 "jnz 1f\n\t"
				 "mov %[munmap], %%eax\n\t"
				 "mov %[stack], %%rdi\n\t"
				 "mov %[size], %%esi\n\t"
				 "syscall\n\t"
				 "mov %[exit], %%eax\n\t"
				 "xor %%edi, %%edi\n\t"
				 "syscall\n\t"
				 "hlt\n"
				 "1:"
				 : "+a"(tid)
				 : "D"(flags), "S"(stack + STACK), "d"(&alive), "r"(child), [stack] "r"(stack), [size] "i"(STACK),
				   [munmap] "i"(SYS_munmap), [exit] "i"(SYS_exit)
				 : "rcx", "r11", "memory");
		CHECK(tid > 0);
		while (__atomic_load_n(&alive, __ATOMIC_SEQ_CST))
			syscall(SYS_futex, &alive, FUTEX_WAIT, tid, NULL, NULL, 0);
		CHECK(madvise(stack, 4096, MADV_NORMAL) < 0); // it is gone
	}
}

static void all(int n)
{
	joined(n);
	detached(n);
	bare(n);
	alone();
}

int main(void)
{
	all(100);
	int mappings = lines("/proc/self/maps"), files = entries("/proc/self/fd");
	long memory = resident();
	all(THREADS / 3);
	int more = lines("/proc/self/maps") - mappings;
	CHECK(more < 400);
	EQUAL(entries("/proc/self/fd"), files);
	CHECK(resident() - memory < 8 << 10);
	puts("churn ok");
}
