// Other ways into the kernel, and numbers that are none: int 0x80 from 64-bit code, x32 numbers, huge and negative numbers,
// the upper half of rax, the legacy vsyscall page. With an argument: a process made by int 0x80.
#include "check.h"
#include <sys/mman.h>

// int80 makes a call of the i386 table: arguments in ebx, ecx, edx.
static long int80(int nr, int a, int b, int c)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

enum { I386_EXIT = 1, I386_FORK = 2, I386_WRITE = 4, I386_CLOSE = 6, I386_GETPID = 20 };

static void i386(void)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int fd[2];
	CHECK(low != MAP_FAILED && pipe(fd) == 0);
	strcpy(low, "old style");
	for (int i = 0; i < 100; i++) {
		EQUAL(int80(I386_GETPID, 0, 0, 0), getpid());
		EQUAL(int80(I386_WRITE, fd[1], (int)(long)low, 9), 9);
		char text[10] = "";
		EQUAL(read(fd[0], text, 9), 9);
		SAME(text, "old style");
		EQUAL(int80(I386_CLOSE, -1, 0, 0), -EBADF);
		EQUAL(int80(99999, 0, 0, 0), -ENOSYS);
		for (int nr = -518; nr < -510; nr++) // the kernel's own numbers for restarts among them
			EQUAL(int80(nr, 0, 0, 0), -ENOSYS);
		EQUAL(int80(I386_WRITE, fd[1], 8, 4), -EFAULT);
	}
	// All registers are kept: r8 to r11 too, since Linux 4.17 (arch/x86/entry/entry_64_compat.S).
	uint64_t r8, r9, r10, r11, rcx;
	__asm__ volatile("mov $11, %%r8\nmov $12, %%r9\nmov $13, %%r10\nmov $14, %%r11\nmov $15, %%rcx\n"
			 "int $0x80\n"
			 "mov %%r8, %0\nmov %%r9, %1\nmov %%r10, %2\nmov %%r11, %3\nmov %%rcx, %4"
			 : "=m"(r8), "=m"(r9), "=m"(r10), "=m"(r11), "=m"(rcx)
			 : "a"(I386_GETPID)
			 : "r8", "r9", "r10", "r11", "rcx", "memory");
	EQUAL(r8, 11);
	EQUAL(r9, 12);
	EQUAL(r10, 13);
	EQUAL(r11, 14);
	EQUAL(rcx, 15);
	munmap(low, 4096);
	close(fd[0]);
	close(fd[1]);
}

static void i386_fork(void)
{
	pid_t pid = int80(I386_FORK, 0, 0, 0);
	CHECK(pid >= 0);
	if (pid == 0) {
		syscall(SYS_getppid);
		int80(I386_EXIT, 9, 0, 0);
	}
	EQUAL(ended(pid), 9);
}

static long number(long nr) { return raw(nr, 0, 0, 0, 0, 0, 0); }

static void numbers(void)
{
	enum { X32 = 0x40000000 };
	long nothing[] = {X32 | SYS_getpid, X32 | 512, X32 | 0, 500, 512, 547, 548, 1000, 4096, 0x10000, 0x7fffffff, -1, -2, -100, -512, -513, -514, -516, 0x80000000, 0xc000003e, 0xffffffff};
	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
			if (number(nothing[i]) != -ENOSYS)
				FAIL("number %#lx: %ld", nothing[i], number(nothing[i]));
	for (long nr = 340; nr < 424; nr++) // never given to anything on x86-64
		EQUAL(number(nr), -ENOSYS);
	// The kernel takes the number as an int: the upper half of rax counts for nothing.
	EQUAL(number(0x100000000 | SYS_getpid), getpid());
	EQUAL(number((long)0xffffffff00000000 | SYS_getpid), getpid());
	EQUAL(number(0x1234567 * (1l << 32) | SYS_gettid), syscall(SYS_gettid));
	EQUAL(number(134 /* uselib */), -ENOSYS);
	EQUAL(number(174 /* create_module */), -ENOSYS);
}

// The page is emulated or executable, or not there at all: that is for the kernel to say, and the same either way.
static void vsyscalls(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[300], *page = NULL;
	while (fgets(line, sizeof line, f))
		if (strstr(line, "[vsyscall]"))
			page = (char *)strtoul(line, NULL, 16);
	fclose(f);
	if (!page)
		return;
	long (*vtime)(long *) = (void *)(page + 0x400);
	int (*vgettimeofday)(struct timeval *, void *) = (void *)page;
	long (*vgetcpu)(unsigned *, unsigned *, void *) = (void *)(page + 0x800);
	for (int i = 0; i < 300; i++) {
		struct timeval tv;
		unsigned cpu = 99999, node = 99999;
		long before = time(NULL) - 1, now = vtime(NULL);
		CHECK(now >= before && now <= before + 10);
		CHECK(vgettimeofday(&tv, NULL) == 0 && tv.tv_sec >= before);
		CHECK(vgetcpu(&cpu, &node, NULL) == 0 && cpu < 99999);
	}
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		if (has_i386())
			i386_fork();
		puts("entries fork ok");
		return 0;
	}
	if (has_i386())
		i386();
	numbers();
	vsyscalls();
	puts("entries ok");
}
