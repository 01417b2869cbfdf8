// System call instructions in all kinds of company: what follows, what precedes, who jumps there. Each is called often; the
// instructions around must do what they say every time.
#include "check.h"
#include <sys/mman.h>

#define SITE(name, text) \
	__asm__(".text\n.p2align 6, 0xcc\n.globl " #name "\n" #name ":\n" text "\n.p2align 4, 0xcc\n"); \
	long name(long);

SITE(tight, "mov $39, %eax\nsyscall\nret")
SITE(last_byte, "mov $39, %eax\nsyscall\nret\n.byte 0xcc,0xcc,0xcc,0xcc,0xcc,0xcc,0xcc,0xcc")
SITE(long_nop, "mov $39, %eax\nsyscall\nnopw 0x0(%rax,%rax,1)\nnopw %cs:0x0(%rax,%rax,1)\nret")
SITE(cmp_follows, "mov $39, %eax\nsyscall\ncmp $-4095, %rax\njae 1f\nret\n1: ud2")
SITE(rip_follows, "mov $39, %eax\nsyscall\nmov 1f(%rip), %rdx\nadd %rdx, %rax\nsub $5, %rax\nret\n.p2align 3\n1: .quad 5")
SITE(call_follows, "mov $39, %eax\nsyscall\ncall 1f\nret\n1: ret")
SITE(push_follows, "mov $39, %eax\nsyscall\npush %rax\npop %rax\nret")
SITE(two_sites, "mov $39, %eax\nsyscall\nmov %eax, %edx\nmov $39, %eax\nsyscall\ncmp %eax, %edx\njne 1f\nret\n1: ud2")
SITE(adjacent, "mov $39, %eax\nxor %edi, %edi\nsyscall\nsyscall\nmov $39, %eax\nsyscall\nret")
SITE(loop_back, "mov $5, %r8d\n1: mov $39, %eax\nsyscall\ndec %r8d\njnz 1b\nret")
SITE(loop_to_site, "mov $3, %r8d\nmov $39, %eax\n1: syscall\nmov %eax, %r9d\nmov $39, %eax\ndec %r8d\njnz 1b\nmov %r9d, %eax\nret")
SITE(jump_over, "mov $39, %eax\njmp 1f\n.byte 0xcc,0xcc,0xcc,0xcc,0xcc\n1: syscall\njmp 2f\n.byte 0xcc,0xcc,0xcc,0xcc,0xcc,0xcc\n2: ret")
SITE(jump_behind, "cmp $1, %edi\nmov $39, %eax\nje 1f\nsyscall\n1: nop\nnop\nnop\nret")
SITE(entry_behind, "mov $39, %eax\nsyscall\n.globl behind\nbehind: ret\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop")
SITE(number_above, "push $39\npop %rax\nsyscall\nret")
SITE(number_memory, "mov 1f(%rip), %eax\nsyscall\nret\n.p2align 3\n1: .long 39")
SITE(data_behind, "mov $39, %eax\nsyscall\nret\n.ascii \"\\xeb\\xfe\\x90\\x90\\x90\\x90\\x90\"")
SITE(endbr, "endbr64\nmov $39, %eax\nsyscall\nret\nendbr64\nret")
SITE(prefixed, "mov $39, %eax\n.byte 0x48\nsyscall\nret")
SITE(rep, "mov $39, %eax\nrep ; syscall\nret")
SITE(hidden, "jmp 1f+1\n1: .byte 0xb8\nmov $39, %eax\nsyscall\nret")
SITE(in_immediate, "mov $0x050f9090, %edx\nmov $39, %eax\njmp 1f\nmov $0x050f0000, %ecx\n1: syscall\ncmp $0x050f9090, %edx\njne 2f\nret\n2: ud2")
SITE(red_zone, "mov %rdi, -8(%rsp)\nmov %rsp, -128(%rsp)\nmov $39, %eax\nsyscall\ncmp -8(%rsp), %rdi\njne 1f\ncmp -128(%rsp), %rsp\njne 1f\nret\n1: ud2")
SITE(stepped, "mov $39, %eax\nsyscall\n1: xor %edx, %edx\n2: inc %edx\ncmp $3, %edx\njne 2b\nret")
SITE(flags_kept, "xor %ecx, %ecx\nstc\nmov $39, %eax\nsyscall\njnc 1f\nclc\nmov $39, %eax\nsyscall\njc 1f\nret\n1: ud2")

static void straddles(void)
{
	// A site at every place near the edge of two pages, and at the very end of a mapping.
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED && munmap(p + 8192, 4096) == 0);
	static const char code[] = "\xb8\x27\0\0\0\x0f\x05\xc3";
	for (int at = 4096 - 12; at <= 4096 + 2; at++) {
		memset(p + 4064, 0xcc, 64);
		memcpy(p + at, code, 8);
		CHECK(mprotect(p, 8192, PROT_READ | PROT_EXEC) == 0);
		for (int i = 0; i < 5; i++)
			EQUAL(((long (*)(void))(p + at))(), getpid());
		CHECK(mprotect(p, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	}
	memcpy(p + 8192 - 8, code, 8);
	for (int i = 0; i < 5; i++)
		EQUAL(((long (*)(void))(p + 8192 - 8))(), getpid());
}

int main(void)
{
	long (*sites[])(long) = {tight, last_byte, long_nop, cmp_follows, rip_follows, call_follows, push_follows, two_sites, loop_back,
				 loop_to_site, jump_over, jump_behind, entry_behind, number_above, number_memory, data_behind, endbr, prefixed, rep,
				 hidden, in_immediate, red_zone, stepped, flags_kept};
	for (int round = 0; round < 200; round++)
		for (size_t i = 0; i < sizeof sites / sizeof *sites; i++)
			if (sites[i](0) != getpid())
				FAIL("site %zu, round %d", i, round);
	for (int round = 0; round < 20; round++) {
		EQUAL(jump_behind(1), 39); // over the site
		long result;
		__asm__ volatile("mov $91, %%eax\ncall behind" : "=a"(result)::"memory");
		EQUAL(result, 91);
		EQUAL(adjacent(0), getpid());
	}
	straddles();
	puts("sites ok");
}
