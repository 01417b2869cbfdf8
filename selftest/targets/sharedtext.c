// Text that is shared: with the file, with other mappings of the same file, with a child. A change that somebody made for
// himself would be seen by everybody: the file, read and mapped elsewhere, stays as it was.
#include "text.h"

PIECE(code, NUMBER "syscall\nret\n.skip 20, 0xcc\n")
PIECE(followed, ROOM NUMBER "syscall\nmov %rax, %rdx\nmov %rdx, %rax\nret\n.skip 20, 0xcc\n")

enum { FOLLOWED = 128, PAGES = 2 };

static int fd;
static char original[PAGES * PAGE];
static char *views[3];

static void use(char *text)
{
	several(text, SYS_getpid, getpid());
	several(text + FOLLOWED, SYS_getpid, getpid());
	several(text + PAGE, SYS_gettid, getpid());
}

static void unchanged(void)
{
	char now[sizeof original];
	EQUAL(pread(fd, now, sizeof now, 0), sizeof now);
	CHECK(memcmp(now, original, sizeof now) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(memcmp(views[i], original, sizeof original) == 0);
}

int main(void)
{
	fd = text_file(PAGES);
	PUT(fd, 0, code);
	PUT(fd, FOLLOWED, followed);
	PUT(fd, PAGE, code);
	EQUAL(pread(fd, original, sizeof original, 0), sizeof original);
	views[0] = mmap(NULL, sizeof original, PROT_READ, MAP_SHARED, fd, 0);
	views[1] = mmap(NULL, sizeof original, PROT_READ, MAP_PRIVATE, fd, 0); // until somebody writes to it, the same pages
	// The text itself, which may neither be changed for the file's other users nor for the program.
	views[2] = mmap(NULL, sizeof original, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	CHECK(views[0] != MAP_FAILED && views[1] != MAP_FAILED && views[2] != MAP_FAILED);
	for (int i = 0; i < 3; i++) {
		use(views[2]);
		unchanged();
		char *private = map_text(fd, PAGES, NULL);
		use(private);
		unchanged();
		pid_t pid = fork();
		if (pid == 0) {
			use(views[2]);
			use(private);
			unchanged();
			_exit(0);
		}
		EQUAL(ended(pid), 0);
		unchanged();
		// What is written to the file runs at once in shared text.
		EQUAL(pwrite(fd, "\xb8\x4d\0\0\0\xc3", 6, PAGE), 6);
		several(views[2] + PAGE, SYS_getpid, 77);
		PUT(fd, PAGE, code);
		use(views[2]);
		use(private);
		unchanged();
		CHECK(munmap(private, sizeof original) == 0);
	}
	CHECK(mprotect(views[2], sizeof original, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	use(views[2]);
	unchanged();
	// A second way to executable text: a shared mapping that is opened later.
	CHECK(mprotect(views[0], sizeof original, PROT_READ | PROT_EXEC) == 0);
	use(views[0]);
	unchanged();
	// The same memory under two names, without a file.
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	memcpy(memory, original, PAGE);
	CHECK(mprotect(memory, PAGE, PROT_READ | PROT_EXEC) == 0);
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		several(memory, SYS_getpid, getpid());
		if (pid == 0)
			_exit(memcmp(memory, original, PAGE) != 0);
		EQUAL(ended(pid), 0);
		CHECK(memcmp(memory, original, PAGE) == 0);
	}
	puts("sharedtext ok");
}
