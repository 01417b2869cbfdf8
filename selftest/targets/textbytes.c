// The bytes of a system call that are none: in an immediate, a displacement, an address, a constant between functions, next to
// system calls and to padding. They are never changed. Nor is any other byte of the program's text, compared with its file,
// but padding and the system calls themselves with what directly follows them.
#include "check.h"

// SITE notes where its system call is. DATA notes bytes that must stay as they are.
#define SITE(name, text) \
	__asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" text "\n.size " #name ", . - " #name "\n"); \
	long name(void);
#define CALL "777: syscall\n.pushsection sites, \"aw\"\n.quad 777b\n.popsection\n"
#define DATA(text) "778: " text "\n779:\n.pushsection datas, \"aw\"\n.quad 778b, 779b\n.popsection\n"

SITE(immediate, "mov $39, %eax\n" DATA("mov $0x050f050f, %edx\ncmp $0x050f050f, %edx\njne 1f\nmov $0x050f909090909090, %rdx") CALL "jmp 2f\n.skip 9, 0xcc\n2: ret\n1: ud2")
SITE(constant, "mov $39, %eax\n" CALL "ret\n.skip 8, 0xcc\n" DATA(".byte 0x0f, 0x05, 0xc3, 0x0f, 0x05, 0x90, 0x90, 0x90, 0x90, 0x90, 0x0f, 0x05") "\n.skip 8, 0xcc")
SITE(number_and_bytes, DATA("mov $0x050f, %eax\nmov $39, %eax") CALL "ret\n.skip 8, 0x90\n" DATA(".byte 0xb8, 39, 0, 0, 0, 0x0f, 0x05"))
SITE(displacement, "mov $39, %eax\n" DATA("lea 0x50f(%rax), %rdx\nlea 0x50f0000(%rax), %rdx") CALL "ret\n.skip 5, 0xcc\n.byte 0x0f\n.skip 5, 0xcc\n.byte 0x05\n.skip 5, 0xcc\n")
SITE(split, "mov $39, %eax\n" CALL "mov $0x0f, %dl\nadd $0xc3c3c305, %eax\nsub $0xc3c3c305, %eax\nret\n" DATA(".byte 0x0f, 0x05, 0x0f, 0x05, 0x0f, 0x05"))
SITE(branch_around, "mov $39, %eax\n" CALL "jmp 1f\n" DATA(".byte 0x0f, 0x05, 0xeb, 0xfe, 0x0f, 0x05") "\n.skip 6, 0xcc\n1: ret\n.skip 6, 0x90")
SITE(tail, "mov $39, %eax\n" CALL "mov %rax, %rdx\nmov %rdx, %rax\nret\n" DATA(".byte 0x0f, 0x05"))

extern const char __executable_start[], __etext[]; // the linker's
extern const char *const __start_sites[], *const __stop_sites[], *const __start_datas[], *const __stop_datas[];

enum { SITE_BYTE = 1, DATA_BYTE = 2, PADDING = 4, FOLLOWS = 16 };

// Padding as compilers and assemblers write it.
static const char *const paddings[] = {
	"\xcc", "\x90", "\x66\x90", "\x0f\x1f\x00", "\x0f\x1f\x40\x00", "\x0f\x1f\x44\x00\x00", "\x66\x0f\x1f\x44\x00\x00", "\x0f\x1f\x80\x00\x00\x00\x00",
	"\x0f\x1f\x84\x00\x00\x00\x00\x00", "\x66\x0f\x1f\x84\x00\x00\x00\x00\x00", "\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00",
	"\x66\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00",
};
static const int lengths[] = {1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

static char file[1 << 20], kinds[1 << 20];
static long size;

static void classify(void)
{
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (long at = 0; at + lengths[i] <= size; at++)
			if (memcmp(file + at, paddings[i], lengths[i]) == 0)
				memset(kinds + at, PADDING, lengths[i]);
	for (const char *const *site = __start_sites; site < __stop_sites; site++)
		memset(kinds + (*site - __executable_start), SITE_BYTE, FOLLOWS);
	for (const char *const *data = __start_datas; data < __stop_datas; data += 2)
		memset(kinds + (data[0] - __executable_start), DATA_BYTE, data[1] - data[0]);
}

// compare compares the pages of the program's text with its file.
static void compare(void)
{
	char line[512];
	int texts = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	CHECK(maps);
	while (fgets(line, sizeof line, maps)) {
		unsigned long start, end, offset;
		char execute;
		CHECK(sscanf(line, "%lx-%lx %*c%*c%c%*c %lx", &start, &end, &execute, &offset) == 4);
		if (execute != 'x' || (unsigned long)__executable_start > start || (unsigned long)__etext <= start)
			continue;
		texts++;
		for (unsigned long at = 0; at < end - start && (long)(offset + at) < size; at++) {
			const char *memory = (const char *)start + at;
			// The first segment begins at offset 0, and text is as far from its start as in the file.
			EQUAL(memory - __executable_start, offset + at);
			if (memory >= __etext)
				break;
			if (*memory != file[offset + at] && !(kinds[offset + at] & (SITE_BYTE | PADDING)))
				FAIL("byte %#lx of the program was %#x, is %#x", offset + at, file[offset + at] & 0xff, *memory & 0xff);
		}
	}
	EQUAL(texts, 1);
	fclose(maps);
}

int main(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	size = read(fd, file, sizeof file);
	CHECK(fd >= 0 && size > 0 && size < (long)sizeof file);
	EQUAL(__stop_sites - __start_sites, 7);
	classify();
	compare();
	long (*functions[])(void) = {immediate, constant, number_and_bytes, displacement, split, branch_around, tail};
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
			if (functions[i]() != getpid())
				FAIL("function %zu, round %d", i, round);
		if (round % 10 == 0)
			compare();
	}
	compare();
	puts("textbytes ok");
}
