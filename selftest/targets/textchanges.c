// Text of a file that is changed after its system calls were used: written to, given back to the file, mapped over in part,
// protected; by the program and by a handler that interrupted a call. What runs is what is there, and what is read there is
// what the program wrote, whether or not somebody changed bytes for himself in between.
#include "text.h"

// The padding lies behind PAGE, so that it can be replaced alone.
PIECE(edge_code, NUMBER "syscall\nret\n")
PIECE(padding, ".skip 64, 0xcc\n")
PIECE(code, NUMBER "syscall\nret\n.skip 20, 0xcc\n")
PIECE(followed, NUMBER "syscall\nmov %rax, %rdx\nmov %rdx, %rax\nret\n")
PIECE(plus_thousand, NUMBER "syscall\nadd $1000, %rax\nret\n")
PIECE(value, "mov $77, %eax\nret\n.skip 40, 0x90\n") // longer than code

enum { FOLLOWED = 256, PAGES = 3 };

static int fd;
static long pid;
static char original[PAGES * PAGE];

static long edge(void) { return PAGE - (edge_code_end - edge_code); }

static void use(char *text)
{
	several(text, SYS_getpid, pid);
	several(text + FOLLOWED, SYS_getpid, pid);
	several(text + edge(), SYS_getpid, pid);
}

// same: the text reads as what the program or the file put there.
static void same(const char *text, const char *want, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] != want[i])
			FAIL("byte %zu of the text is %#x, want %#x", i, text[i] & 0xff, want[i] & 0xff);
}

static void written(char *text)
{
	for (int i = 0; i < 5; i++) {
		use(text);
		CHECK(mprotect(text, PAGES * PAGE, PROT_READ | PROT_WRITE) == 0);
		same(text, original, PAGES * PAGE); // it is data now
		memcpy(text, value, value_end - value);
		memcpy(text + FOLLOWED, plus_thousand, plus_thousand_end - plus_thousand);
		memset(text + PAGE, 0x77, 64); // what was padding
		CHECK(mprotect(text, PAGES * PAGE, PROT_READ | PROT_EXEC) == 0);
		several(text, 0, 77);
		several(text + FOLLOWED, SYS_getpid, pid + 1000);
		several(text + edge(), SYS_getpid, pid);
		for (int k = 0; k < 64; k++)
			EQUAL(text[PAGE + k], 0x77);
		CHECK(mprotect(text, PAGES * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
		memcpy(text, original, PAGES * PAGE); // in place, on the run
		use(text);
		CHECK(mprotect(text, PAGES * PAGE, PROT_READ | PROT_EXEC) == 0);
	}
	use(text);
}

static void dropped(char *text)
{
	for (int i = 0; i < 5; i++) {
		use(text);
		CHECK(madvise(text, PAGES * PAGE, MADV_DONTNEED) == 0);
		use(text);
		CHECK(madvise(text, PAGE, MADV_DONTNEED) == 0); // the code without its padding
		use(text);
		CHECK(madvise(text + PAGE, PAGE, MADV_DONTNEED) == 0); // the padding without its code
		use(text);
		enum { DONTNEED_LOCKED = 24 }; // since Linux 5.18
		CHECK(madvise(text, PAGES * PAGE, DONTNEED_LOCKED) == 0 || errno == EINVAL);
		use(text);
	}
}

static void replaced(char *text)
{
	for (int i = 0; i < 5; i++) {
		use(text);
		char *zero = mmap(text + PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		CHECK(zero == text + PAGE);
		for (int k = 0; k < PAGE; k++)
			EQUAL(zero[k], 0);
		several(text + edge(), SYS_getpid, pid);
		for (int k = 0; k < PAGE; k++)
			EQUAL(zero[k], 0); // it is the program's data: nobody's room
		CHECK(munmap(zero, PAGE) == 0);
		use(text);
		CHECK(mmap(zero, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, PAGE) == zero);
		use(text);
		// The code goes, its padding stays.
		CHECK(mmap(text, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 2 * PAGE) == text);
		several(text, 0, 77);
		CHECK(mmap(text, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) == text);
	}
	use(text);
}

static volatile int faulted;
static char *protected;

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	CHECK(info->si_addr == protected && info->si_code == SEGV_ACCERR);
	faulted++;
	CHECK(mprotect(protected, PAGES * PAGE, PROT_READ | PROT_EXEC) == 0);
}

static void closed(char *text)
{
	handle_info(SIGSEGV, on_fault, 0);
	protected = text;
	static const int none[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};
	for (int i = 0; i < 9; i++) {
		use(text);
		CHECK(mprotect(text, PAGES * PAGE, none[i % 3]) == 0);
		EQUAL(faulted, i);
		use(text);
		EQUAL(faulted, i + 1);
	}
	for (int i = 0; i < 9; i++) { // the padding alone
		CHECK(mprotect(text + PAGE, PAGE, none[i % 3]) == 0);
		several(text + edge(), SYS_getpid, pid);
		if (none[i % 3] != PROT_NONE)
			same(text + PAGE, original + PAGE, PAGE);
		CHECK(mprotect(text + PAGE, PAGE, PROT_READ | PROT_EXEC) == 0);
		use(text);
	}
	CHECK(syscall(SYS_pkey_mprotect, text, PAGES * PAGE, PROT_READ | PROT_WRITE, -1) == 0); // key -1: as mprotect
	same(text, original, PAGES * PAGE);
	CHECK(syscall(SYS_pkey_mprotect, text, PAGES * PAGE, PROT_READ | PROT_EXEC, -1) == 0);
	use(text);
	CHECK(mprotect(text, PAGES * PAGE, PROT_EXEC) == 0); // not readable, on CPUs that can
	use(text);
	CHECK(mprotect(text, PAGES * PAGE, PROT_READ | PROT_EXEC) == 0);
	signal(SIGSEGV, SIG_DFL);
}

// Written to through a file, as debuggers and hot patchers do: no call names the text.
static void through_a_file(char *text)
{
	int mem = open("/proc/self/mem", O_RDWR);
	CHECK(mem >= 0);
	for (int i = 0; i < 5; i++) {
		use(text);
		EQUAL(pwrite(mem, value, value_end - value, (long)text), value_end - value);
		several(text, 0, 77);
		several(text + FOLLOWED, SYS_getpid, pid);
		EQUAL(pwrite(mem, original, PAGES * PAGE, (long)text), PAGES * PAGE);
		use(text);
	}
	CHECK(close(mem) == 0);
}

// A handler that comes in the middle of a call puts other code in its place: the call returns to that.
static char *exchanged;
static volatile int hits;
static int exchange_fd, late[2], restarts;

static void on_alarm(int sig)
{
	(void)sig;
	if (++hits == 2) // the first may come before the call
		map_text(exchange_fd, 1, exchanged);
	if (hits == 4 && restarts)
		EQUAL(write(late[1], "x", 1), 1);
}

static void under_way(long at, int flags)
{
	restarts = flags != 0;
	for (int i = 0; i < 3; i++) {
		char c;
		exchanged = map_text(fd, PAGES, NULL);
		use(exchanged);
		hits = 0;
		handle(SIGALRM, on_alarm, flags);
		tick(3000);
		long got;
		do
			got = call(exchanged + at, SYS_read, late[0], (long)&c, 1);
		while (got == -EINTR); // by a signal that came before the exchange
		tick(0);
		EQUAL(got, flags ? 1001 : -EINTR + 1000);
		CHECK(munmap(exchanged, PAGES * PAGE) == 0);
	}
}

int main(void)
{
	pid = getpid();
	fd = text_file(PAGES);
	PUT(fd, 0, code);
	PUT(fd, FOLLOWED, followed);
	PUT(fd, edge(), edge_code);
	PUT(fd, PAGE, padding);
	PUT(fd, 2 * PAGE, value);
	EQUAL(pread(fd, original, sizeof original, 0), sizeof original);
	char *text = map_text(fd, PAGES, NULL);
	written(text);
	dropped(map_text(fd, PAGES, text));
	replaced(text);
	closed(text);
	through_a_file(text);
	CHECK(pipe(late) == 0);
	exchange_fd = text_file(1);
	PUT(exchange_fd, 0, plus_thousand);
	PUT(exchange_fd, FOLLOWED, plus_thousand);
	for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
		under_way(0, flags);
		under_way(FOLLOWED, flags);
	}
	char now[sizeof original];
	EQUAL(pread(fd, now, sizeof now, 0), sizeof now);
	same(now, original, sizeof now); // the file is nobody's to write to
	puts("textchanges ok");
}
