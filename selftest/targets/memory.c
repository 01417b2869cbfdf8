// The memory calls: placement, fixed mappings that may not replace, moving and growing, protections, brk, sharing over fork,
// what the kernel lists; no room is missing and no mapping of the program's is lost.
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096 };

static char *map(void *at, size_t size, int prot, int flags)
{
	char *p = mmap(at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

static void fixed(void)
{
	char *p = map(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, 0);
	memset(p, 7, 4 * PAGE);
	FAILS(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	EQUAL(p[PAGE], 7);
	CHECK(map(p + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED) == p + PAGE);
	EQUAL(p[PAGE], 0);
	EQUAL(p[2 * PAGE], 7);
	CHECK(munmap(p + PAGE, PAGE) == 0);
	CHECK(map(p + PAGE, PAGE, PROT_READ, MAP_FIXED_NOREPLACE) == p + PAGE);
	CHECK(munmap(p, 4 * PAGE) == 0);
	CHECK(map(p, PAGE, PROT_READ, MAP_FIXED_NOREPLACE) == p);
	CHECK(map(p, PAGE, PROT_READ, 0) != p); // a hint that is taken
	munmap(p, PAGE);
	char *low = map(NULL, PAGE, PROT_READ, MAP_32BIT);
	CHECK((unsigned long)low < 1ul << 31);
	munmap(low, PAGE);
	char *hint = map((void *)0x200000000000, PAGE, PROT_READ, 0);
	CHECK(hint == (void *)0x200000000000);
	munmap(hint, PAGE);
}

static void errors(void)
{
	FAILS(mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
	FAILS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	FAILS(mmap(NULL, 1ul << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	FAILS(munmap((void *)1, PAGE), EINVAL);
	FAILS(munmap((void *)PAGE, 0), EINVAL);
	CHECK(munmap((void *)0x200000000000, PAGE) == 0); // nothing there is no error
	FAILS(mprotect((void *)0x200000000000, PAGE, PROT_READ), ENOMEM);
	FAILS((long)mremap((void *)0x200000000000, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	FAILS(madvise((void *)1, PAGE, MADV_DONTNEED), EINVAL);
	FAILS(madvise(NULL, 1ul << 46, MADV_NORMAL), ENOMEM); // given to all that is there
	FAILS(msync((void *)0x200000000000, PAGE, MS_SYNC), ENOMEM);
}

static void moving(void)
{
	char *p = map(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, 0);
	for (int i = 0; i < 8; i++)
		p[i * PAGE] = i + 1;
	CHECK(mremap(p, 8 * PAGE, 4 * PAGE, 0) == p);
	char *block = map(p + 4 * PAGE, PAGE, PROT_NONE, MAP_FIXED_NOREPLACE);
	FAILS((long)mremap(p, 4 * PAGE, 16 * PAGE, 0), ENOMEM);
	char *q = mremap(p, 4 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	for (int i = 0; i < 4; i++)
		EQUAL(q[i * PAGE], i + 1);
	EQUAL(q[15 * PAGE], 0);
	char *at = map(NULL, 4 * PAGE, PROT_NONE, 0);
	CHECK(mremap(q, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
	EQUAL(at[3 * PAGE], 4);
	munmap(at, 4 * PAGE);
	munmap(q, 16 * PAGE);
	munmap(block, PAGE);
}

static void program_break(void)
{
	char *start = sbrk(0);
	CHECK(sbrk(3 * PAGE) == start);
	memset(start, 1, 3 * PAGE);
	CHECK(sbrk(0) == start + 3 * PAGE);
	CHECK(brk(start) == 0);
	CHECK(sbrk(0) == start);
	CHECK(sbrk(PAGE) == start);
	EQUAL(start[0], (long)start % PAGE ? 1 : 0); // only whole pages come anew
	CHECK(brk(start) == 0);
	struct rlimit old, limit;
	getrlimit(RLIMIT_DATA, &old);
	limit = old;
	limit.rlim_cur = PAGE;
	setrlimit(RLIMIT_DATA, &limit);
	FAILS(brk(start + (1 << 20)), ENOMEM);
	setrlimit(RLIMIT_DATA, &old);
	EQUAL(raw(SYS_brk, 0, 0, 0, 0, 0, 0), (long)sbrk(0));
	for (int i = 0; i < 100; i++)
		CHECK(sbrk(PAGE * 16) != (void *)-1);
	CHECK(brk(start) == 0);
}

static void files_and_forks(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	CHECK(ftruncate(fd, 4 * PAGE) == 0);
	char *shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char *zero = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED && private != MAP_FAILED && zero != MAP_FAILED);
	private[PAGE] = 9;
	pid_t pid = fork();
	if (pid == 0) {
		shared[0] = 1;
		private[0] = 2;
		zero[0] = 3;
		_exit(private[PAGE]);
	}
	EQUAL(ended(pid), 9);
	EQUAL(shared[0], 1);
	EQUAL(private[0], 1);
	EQUAL(private[PAGE], 9);
	EQUAL(zero[0], 3);
	char byte;
	EQUAL(pread(fd, &byte, 1, 0), 1);
	EQUAL(byte, 1);
	close(fd);
}

// Large reservations succeed: nothing of note is missing of the address space.
static void room(void)
{
	char *p = mmap(NULL, 1ul << 45, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK(munmap(p, 1ul << 45) == 0);
	for (unsigned long at = 0xc000000000; at < 0xc800000000; at += 1ul << 32) // where Go begins
		CHECK(munmap(map((void *)at, 64 << 20, PROT_READ | PROT_WRITE, MAP_FIXED_NOREPLACE), 64 << 20) == 0);
	for (unsigned long at = 0x10000; at < 0x70000000; at += 0x1000000) { // low, for programs that are not PIE
		p = mmap((void *)at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (p != MAP_FAILED)
			munmap(p, PAGE);
		else
			EQUAL(errno, EEXIST);
	}
}

static void locked(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_MEMLOCK, &limit);
	char *p = map(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, 0);
	CHECK(mlock(p, 4 * PAGE) == 0 && munlock(p, 4 * PAGE) == 0);
	unsigned char resident[4];
	CHECK(mincore(p, 4 * PAGE, resident) == 0);
	EQUAL(resident[0] & 1, 1);
	CHECK(mlockall(MCL_FUTURE) == 0);
	EQUAL(system("exit 3") >> 8, 3);
	CHECK(munlockall() == 0);
	munmap(p, 4 * PAGE);
}

int main(void)
{
	for (int i = 0; i < 20; i++) {
		fixed();
		errors();
		moving();
		program_break();
	}
	files_and_forks();
	room();
	locked();
	puts("memory ok");
}
