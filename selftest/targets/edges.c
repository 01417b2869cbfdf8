// System calls at awkward addresses of a file's text: at every place in a cache line, across two lines or two pages, with the
// room in another page, at the very end of what is mapped; two that have room for one, back to back, in one thread or two.
#include "text.h"
#include <pthread.h>
#include <ucontext.h>

PIECE(plain, "mov %edi, %eax\nsyscall\nret\n")
PIECE(roomy, "mov %edi, %eax\nsyscall\nret\n.skip 12, 0xcc\n")
PIECE(followed, "mov %edi, %eax\nsyscall\nmov %rax, %rdx\nmov %rdx, %rax\nret\n")
PIECE(room_before, "jmp 1f\n.skip 8, 0xcc\n1: mov %edi, %eax\nsyscall\nret\n")
PIECE(one_room_for_two, "mov %edi, %eax\nsyscall\nret\n.skip 5, 0xcc\nmov %edi, %eax\nsyscall\nret\n")
PIECE(steps, "mov %edi, %eax\nsyscall\nret\n.skip 2, 0xcc\n.rept 45\ntest %eax, %eax\n.endr\nret\n.skip 3, 0xcc\n.rept 45\ntest %eax, %eax\n.endr\nret\n.skip 12, 0xcc\n")
// sched_yield, read of a descriptor that is not there, and what is asked for.
PIECE(back_to_back, "mov $24, %eax\nmov %edi, %edx\nmov $-1, %edi\nsyscall\nsyscall\nmov %edx, %eax\nsyscall\nret\n.skip 8, 0xcc\n")

enum { PAGES = 6, SPACING = 384 };

#define CASE(piece, site) {#piece, piece, piece##_end, site}
static const struct text_case {
	const char *name, *start, *end;
	int site; // its offset in the piece
} cases[] = {
	CASE(plain, 2), CASE(roomy, 2), CASE(followed, 2), CASE(room_before, 12), CASE(one_room_for_two, 2), CASE(back_to_back, 12), CASE(steps, 2),
};
enum { CASES = sizeof cases / sizeof *cases };

static void put(int fd, const struct text_case *c, long at)
{
	EQUAL(pwrite(fd, c->start, c->end - c->start, at), c->end - c->start);
}

static char *text;
static pthread_barrier_t barrier;

static void uses(void)
{
	for (int i = 0; i < 64; i++)
		several(text + i * SPACING, SYS_getppid, getppid());
}

static void *second(void *arg)
{
	for (int i = 0; i < CASES; i++) {
		pthread_barrier_wait(&barrier);
		uses();
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

// lines has sites at every place of a cache line.
static void lines(int threads)
{
	pthread_t thread;
	if (threads > 1)
		CHECK(pthread_create(&thread, NULL, second, NULL) == 0);
	for (int i = 0; i < CASES; i++) {
		int fd = text_file(PAGES);
		for (int k = 0; k < 64; k++) {
			// A jump to the piece, whose system call is k bytes into a line.
			long start = k * SPACING, at = start + 64 + k - cases[i].site;
			char jump[] = {0xe9, at - start - 5, (at - start - 5) >> 8, 0, 0};
			EQUAL(pwrite(fd, jump, 5, start), 5);
			put(fd, &cases[i], at);
		}
		text = map_text(fd, PAGES, NULL);
		if (threads > 1)
			pthread_barrier_wait(&barrier);
		uses();
		if (threads > 1)
			pthread_barrier_wait(&barrier);
		CHECK(munmap(text, PAGES * PAGE) == 0);
		close(fd);
	}
	if (threads > 1)
		CHECK(pthread_join(thread, NULL) == 0);
}

static void pages(void)
{
	for (int i = 0; i < CASES; i++)
		for (int at = PAGE - 20; at <= PAGE + 2; at++) {
			int fd = text_file(2);
			put(fd, &cases[i], at);
			char *p = map_text(fd, 2, NULL);
			several(p + at, SYS_getppid, getppid());
			CHECK(munmap(p, 2 * PAGE) == 0);
			close(fd);
		}
}

// Behind the last bytes of the mapping is nothing: the call is made, then the next instruction faults, there.
static volatile int faults;
static long fault_at, result;

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	(void)sig;
	CHECK((long)info->si_addr == fault_at);
	EQUAL(regs[REG_RIP], fault_at);
	EQUAL(regs[REG_RCX], fault_at);
	result = regs[REG_RAX];
	regs[REG_RIP] = *(long *)regs[REG_RSP]; // returns
	regs[REG_RSP] += 8;
	faults++;
}

static void ends(void)
{
	int fd = text_file(1);
	EQUAL(pwrite(fd, plain, 4, PAGE - 4), 4);
	EQUAL(pwrite(fd, roomy, roomy_end - roomy, PAGE - 64), roomy_end - roomy); // room, if somebody wants it
	handle_info(SIGSEGV, on_fault, SA_NODEFER);
	handle_info(SIGBUS, on_fault, SA_NODEFER);
	for (int mapped = 1; mapped <= 2; mapped++) { // the second page is behind the file's end: SIGBUS
		char *p = map_text(fd, 2, NULL);
		if (mapped == 1)
			CHECK(munmap(p + PAGE, PAGE) == 0);
		fault_at = (long)p + PAGE;
		for (int i = 0; i < 5; i++) {
			faults = 0;
			call(p + PAGE - 4, SYS_getppid, 0, 0, 0);
			EQUAL(faults, 1);
			EQUAL(result, getppid());
		}
		several(p + PAGE - 64, SYS_getppid, getppid());
		CHECK(munmap(p, mapped * PAGE) == 0);
	}
	// Room that ends with the mapping.
	for (int room = 1; room < 10; room++) {
		EQUAL(pwrite(fd, roomy, 5 + room, PAGE - 5 - room), 5 + room);
		char *p = map_text(fd, 1, NULL);
		several(p + PAGE - 5 - room, SYS_getppid, getppid());
		CHECK(munmap(p, PAGE) == 0);
	}
	close(fd);
}

static volatile int illegal;

static void on_illegal(int sig, siginfo_t *info, void *uc)
{
	greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	(void)sig;
	CHECK((long)info->si_addr == fault_at && regs[REG_RIP] == fault_at);
	regs[REG_RIP] = *(long *)regs[REG_RSP];
	regs[REG_RSP] += 8;
	illegal++;
}

// The second byte of a site alone is replaced, with its page.
static void torn(void)
{
	int fd = text_file(2), other = text_file(2);
	put(fd, &cases[1], PAGE - 3);
	EQUAL(pwrite(other, "\x0b\xc3", 2, PAGE), 2); // 0f 0b is ud2
	char *p = map_text(fd, 2, NULL);
	fault_at = (long)p + PAGE - 1;
	handle_info(SIGILL, on_illegal, SA_NODEFER);
	for (int i = 0; i < 5; i++) {
		several(p + PAGE - 3, SYS_getppid, getppid());
		CHECK(mmap(p + PAGE, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, other, PAGE) == p + PAGE);
		call(p + PAGE - 3, SYS_getppid, 0, 0, 0);
		EQUAL(illegal, i + 1);
		CHECK(mmap(p + PAGE, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, PAGE) == p + PAGE);
	}
	CHECK(munmap(p, 2 * PAGE) == 0);
}

// Two that have room for one, which goes and comes back with the page of one or the other.
static void shared_room(void)
{
	int fd = text_file(2), first = PAGE - 5, second = PAGE + 5; // the room is at the start of the second page
	put(fd, &cases[4], first);
	for (int i = 0; i < 12; i++) {
		char *p = map_text(fd, 2, NULL), *page = i % 2 ? p : p + PAGE;
		several(p + (i % 4 < 2 ? first : second), SYS_getppid, getppid());
		several(p + (i % 4 < 2 ? second : first), SYS_getppid, getppid());
		for (int k = 0; k < 3; k++) {
			switch (i / 4) {
			case 0: CHECK(munmap(page, PAGE) == 0); break;
			case 1: CHECK(mprotect(page, PAGE, PROT_READ) == 0); break;
			case 2: CHECK(madvise(page, PAGE, MADV_DONTNEED) == 0); break;
			}
			several(p + (page == p ? second : first), SYS_getppid, getppid());
			CHECK(mmap(page, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, page - p) == page);
			several(p + first, SYS_getppid, getppid());
			several(p + second, SYS_getppid, getppid());
		}
		CHECK(munmap(p, 2 * PAGE) == 0);
	}
	close(fd);
}

int main(void)
{
	pthread_barrier_init(&barrier, NULL, 2);
	lines(1);
	pages();
	ends();
	torn();
	shared_room();
	lines(2);
	lines(2);
	puts("edges ok");
}
