// Code with system calls for the targets about text that is looked at, changed, moved and unmapped: pieces of code as
// data, files made of them, and mappings of such a file as the loader maps a library's text.
#ifndef TEXT_H
#define TEXT_H

#include "check.h"
#include <sys/mman.h>

enum { PAGE = 4096 };

// ROOM is dead bytes in the middle of code.
#define ROOM "jmp 99f\n.skip 16, 0xcc\n99:\n"

// NUMBER takes the arguments of a function as those of a system call: number, and three more.
#define NUMBER "mov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\nmov %rcx, %rdx\n"

typedef long function(long nr, ...);

// PIECE defines code that can be copied to anywhere: from name to name_end.
#define PIECE(name, text) \
	__asm__(".pushsection .rodata\n" #name ":\n" text "\n" #name "_end:\n.popsection"); \
	extern const char name[], name##_end[];

// text_file returns a file of so many pages, all zero; it goes with the program.
__attribute__((unused))
static int text_file(int pages)
{
	char name[] = "text.XXXXXX";
	int fd = mkstemp(name);
	CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, pages * PAGE) == 0);
	return fd;
}

// PUT writes a piece to a file.
#define PUT(fd, at, piece) EQUAL(pwrite(fd, piece, piece##_end - piece, at), piece##_end - piece)

// map_text maps a file's first pages; at is NULL, or where to replace what is there.
__attribute__((unused))
static char *map_text(int fd, int pages, void *at)
{
	char *p = mmap(at, pages * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | (at ? MAP_FIXED : 0), fd, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

// call calls the code at that place with a number and up to three arguments.
__attribute__((unused))
static long call(const char *at, long nr, long a, long b, long c)
{
	return ((function *)at)(nr, a, b, c);
}

// several calls the code at that place as often as it takes to have changed it, if somebody does.
__attribute__((unused))
static void several(const char *at, long nr, long want)
{
	for (int i = 0; i < 4; i++)
		EQUAL(call(at, nr, 0, 0, 0), want);
}

#endif
