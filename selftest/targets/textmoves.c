// Text whose system calls were used moves, shrinks, goes, and other text takes its place: calls work from the new address, the
// old one faults at the address the program jumped to, and nothing of the old text is seen in what comes after it.
#include "text.h"
#include <setjmp.h>
#include <ucontext.h>

PIECE(code, NUMBER "syscall\nret\n.skip 20, 0xcc\n")
PIECE(before, ROOM NUMBER "syscall\nret\n")
PIECE(negated, NUMBER "syscall\nneg %rax\nret\n.skip 20, 0xcc\n")
PIECE(value, "mov $77, %eax\nret\n.skip 30, 0x90\n")

enum { BEHIND = 14 /* NUMBER, syscall */, BEFORE = PAGE + 64, PAGES = 2 };

static int fd, fd_other;
static long pid;
static sigjmp_buf back;
static siginfo_t seen;
static long seen_ip;

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	seen = *info;
	seen_ip = ((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
	siglongjmp(back, 1);
}

// faults calls where no text is.
static void faults(char *at)
{
	if (sigsetjmp(back, 1) == 0) {
		call(at, SYS_getpid, 0, 0, 0);
		FAIL("text that is gone ran");
	}
	CHECK(seen.si_addr == at && seen_ip == (long)at);
	EQUAL(seen.si_code, SEGV_MAPERR);
}

static void use(char *text)
{
	several(text, SYS_getpid, pid);
	several(text + BEFORE, SYS_getpid, pid);
}

static void moved(void)
{
	char *text = map_text(fd, PAGES, NULL);
	use(text);
	for (int i = 0; i < 10; i++) {
		char *to = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(mremap(text, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
		use(to);
		faults(text);
		faults(text + BEFORE);
		if (i % 2) { // something else in the old place
			CHECK(map_text(fd_other, 1, text) == text);
			several(text, SYS_getpid, 77);
			CHECK(munmap(text, PAGE) == 0);
		}
		use(to);
		text = to;
	}
	// One page alone moves; its neighbour stays.
	char *to = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mremap(text, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	several(to, SYS_getpid, pid);
	several(text + BEFORE, SYS_getpid, pid);
	faults(text);
	CHECK(mremap(to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, text) == text); // and comes back
	use(text);
	CHECK(mremap(text, PAGES * PAGE, PAGE, 0) == text); // shrinks
	several(text, SYS_getpid, pid);
	faults(text + BEFORE);
	CHECK(mremap(text, PAGE, PAGES * PAGE, 0) == text); // and grows again
	use(text);
	CHECK(munmap(text, PAGES * PAGE) == 0);
}

static void other_text(void)
{
	for (int i = 0; i < 40; i++) {
		char *text = map_text(fd, PAGES, NULL);
		use(text);
		if (i % 2)
			CHECK(munmap(text, PAGES * PAGE) == 0);
		CHECK(map_text(fd_other, PAGES, text) == text);
		several(text, SYS_getpid, 77);
		several(text + BEFORE, SYS_getpid, -pid);
		char bytes[PAGES * PAGE];
		EQUAL(pread(fd_other, bytes, sizeof bytes, 0), sizeof bytes);
		CHECK(memcmp(text, bytes, PAGE) == 0); // no call is in the first page
		CHECK(munmap(text, PAGES * PAGE) == 0);
		faults(text + BEFORE);
	}
}

// Half of it goes: the half with the padding or the half with the calls.
static void halves(void)
{
	for (int i = 0; i < 10; i++) {
		char *text = map_text(fd, PAGES, NULL);
		use(text);
		CHECK(munmap(text + PAGE, PAGE) == 0);
		several(text, SYS_getpid, pid);
		faults(text + BEFORE);
		CHECK(mmap(text + PAGE, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, PAGE) == text + PAGE);
		use(text);
		CHECK(munmap(text, PAGE) == 0);
		several(text + BEFORE, SYS_getpid, pid);
		faults(text);
		CHECK(munmap(text + PAGE, PAGE) == 0);
	}
}

// Text that makes the call about itself: it comes back to what is there then.
static void itself(void)
{
	for (int i = 0; i < 4; i++) {
		char *text = map_text(fd, PAGES, NULL);
		if (i % 2)
			use(text);
		EQUAL(call(text, SYS_mprotect, (long)text, PAGES * PAGE, PROT_READ | PROT_EXEC), 0);
		EQUAL(call(text, SYS_madvise, (long)text, PAGES * PAGE, MADV_DONTNEED), 0);
		EQUAL(call(text, SYS_mprotect, (long)text, PAGES * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
		use(text);
		if (sigsetjmp(back, 1) == 0) {
			if (i < 2)
				call(text, SYS_munmap, (long)text, PAGE, 0);
			else
				call(text, SYS_mprotect, (long)text, PAGE, PROT_READ);
			FAIL("text that is gone ran");
		}
		EQUAL(seen_ip, (long)text + BEHIND);
		EQUAL(seen.si_code, i < 2 ? SEGV_MAPERR : SEGV_ACCERR);
		CHECK(munmap(text, PAGES * PAGE) == 0);
	}
}

// Calls that fail have changed nothing.
static void failing(void)
{
	char *text = map_text(fd, PAGES, NULL);
	for (int i = 0; i < 3; i++) {
		use(text);
		FAILS(munmap(text + 1, PAGE), EINVAL);
		use(text);
		FAILS(mprotect(text, PAGE, -1), EINVAL);
		FAILS(mprotect(text + 1, PAGE, PROT_READ), EINVAL);
		use(text);
		FAILS((long)mmap(text, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, -1, 0), EBADF);
		FAILS((long)mmap(text, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 1), EINVAL);
		FAILS((long)mmap(text, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
		use(text);
		FAILS((long)mremap(text, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, text + PAGE + 1), EINVAL);
		FAILS((long)mremap(text, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, text + PAGE), EINVAL);
		FAILS(madvise(text + 1, PAGE, MADV_DONTNEED), EINVAL);
		FAILS(madvise(text, PAGE, -1), EINVAL);
		use(text);
	}
	CHECK(munmap(text, PAGES * PAGE) == 0);
}

// Sealed text cannot be unmapped, moved or protected, by nobody.
static void sealed(void)
{
	enum { MSEAL = 462 }; // since Linux 6.10
	for (int used = 0; used < 2; used++) {
		char *text = map_text(fd, PAGES, NULL);
		if (used)
			use(text);
		if (syscall(MSEAL, text, PAGES * PAGE, 0) < 0) {
			EQUAL(errno, ENOSYS);
			return;
		}
		for (int i = 0; i < 3; i++) {
			use(text);
			FAILS(mprotect(text, PAGE, PROT_READ | PROT_WRITE), EPERM);
			FAILS(munmap(text, PAGE), EPERM);
			FAILS((long)mmap(text, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EPERM);
			FAILS((long)mremap(text, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, text + 64 * PAGE), EPERM);
		}
		use(text);
		EQUAL(call(text, SYS_mprotect, (long)text, PAGE, PROT_READ | PROT_WRITE), -EPERM); // by itself
	}
}

int main(void)
{
	pid = getpid();
	fd = text_file(PAGES);
	fd_other = text_file(PAGES);
	PUT(fd, 0, code);
	PUT(fd, BEFORE, before);
	PUT(fd_other, 0, value);
	PUT(fd_other, BEFORE, negated);
	handle_info(SIGSEGV, on_fault, 0);
	moved();
	other_text();
	halves();
	itself();
	failing();
	sealed();
	puts("textmoves ok");
}
