// Bytes that look like padding and are not: a branch goes there, a call returns there, execution falls through, a constant is
// read there. In each function a system call is near that would have use for them.
#include "check.h"
#include <ucontext.h>

// f(0) makes a getpid call, f(1) takes the other way, which gives 77.
#define SITE(name, text) \
	__asm__(".text\n.p2align 6, 0x40\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" text \
		"\n.size " #name ", . - " #name "\n.skip 200, 0x40\n"); \
	long name(long);

#define TEST "mov $39, %eax\ntest %edi, %edi\n"
#define NOPS "nop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\n"
#define LONG_NOP ".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\n"

SITE(first_nop, TEST "jnz 1f\nsyscall\nret\n1:" NOPS "mov $77, %eax\nret")
SITE(middle_nop, TEST "jnz 1f\nsyscall\nret\nnop\nnop\nnop\n1: nop\nnop\nnop\nnop\nmov $77, %eax\nret")
SITE(last_nop, TEST "jnz 1f\nsyscall\nret\nnop\nnop\nnop\nnop\n1: nop\nmov $77, %eax\nret")
SITE(long_first, TEST "jnz 1f\nsyscall\nret\n1:" LONG_NOP "mov $77, %eax\nret")
SITE(long_inside, TEST "jnz 1f+1\nsyscall\nret\n1:" LONG_NOP "mov $77, %eax\nret")
SITE(long_branch, TEST ".byte 0x0f, 0x85\n.long 1f - 2f\n2: syscall\nret\n1:" NOPS "mov $77, %eax\nret")
SITE(jump_later, TEST "jnz 2f\nsyscall\nret\n1:" NOPS "mov $77, %eax\nret\n2: jmp 1b")
SITE(jump_behind_site, "mov $39, %eax\nsyscall\ntest %edi, %edi\njnz 1f\nret\n1:" NOPS "mov $77, %eax\nret")
SITE(called, TEST "jnz 2f\nsyscall\nret\n1:" NOPS "mov $77, %eax\nret\n2: call 1b\nret")
SITE(returns_there, "mov $39, %eax\nsyscall\ncall 3f\n" NOPS "test %edi, %edi\njz 2f\nmov $77, %eax\n2: ret\n3: ret")
SITE(falls_through, "mov $39, %eax\nsyscall\ntest %edi, %edi\njz 1f\n" NOPS "mov $77, %eax\n1: ret")
SITE(falls_into_long, "mov $39, %eax\nsyscall\ncmp $1, %edi\njne 1f\n" LONG_NOP "mov $77, %eax\n1: ret")
SITE(straight, "mov $39, %eax\nsyscall\n" NOPS LONG_NOP "test %edi, %edi\njz 1f\nmov $77, %eax\n1: ret")
SITE(loop_head, "mov $3, %r8d\njmp 1f\n2:" NOPS "1: mov $39, %eax\nsyscall\ndec %r8d\njnz 2b\ntest %edi, %edi\njz 3f\nmov $77, %eax\n3: ret")
SITE(loop_head_long, "mov $3, %r8d\njmp 1f\n2:" LONG_NOP "1: mov $39, %eax\nsyscall\ndec %r8d\njnz 2b\ntest %edi, %edi\njz 3f\nmov $77, %eax\n3: ret")
SITE(loop_end, "mov $3, %r8d\n1: mov $39, %eax\nsyscall\ndec %r8d\njz 2f\njmp 1b\n2:" NOPS "test %edi, %edi\njz 3f\nmov $77, %eax\n3: ret")
SITE(counted, "mov $2, %ecx\n1: loop 1b\n" TEST "jnz 2f\nsyscall\nret\n2:" LONG_NOP "mov $77, %eax\nret")
SITE(by_jrcxz, TEST "mov %rdi, %rcx\nxor $1, %ecx\njrcxz 1f\nsyscall\nret\n1:" NOPS "mov $77, %eax\nret")
SITE(constant, "mov $39, %eax\nsyscall\nmov 1f(%rip), %edx\nmov 1f+4(%rip), %ecx\n"
	       "cmp $0x90909090, %edx\njne 2f\ncmp $0x90909090, %ecx\njne 2f\ntest %edi, %edi\njz 3f\nmov $77, %eax\n3: ret\n1: .long 0x90909090, 0x90909090\n2: ud2")
SITE(constant_int3, "mov $39, %eax\nsyscall\nmov 1f(%rip), %rdx\nmov $0xcccccccccccccccc, %rcx\n"
		    "cmp %rcx, %rdx\njne 2f\ntest %edi, %edi\njz 3f\nmov $77, %eax\n3: ret\n1: .quad 0xcccccccccccccccc\n2: ud2")
// Each int3 and each ud2 is a signal, whose handler goes on with the next instruction.
SITE(break_point, TEST "jnz 1f\nsyscall\nret\n1: int3\nint3\nint3\nint3\nint3\nint3\nmov $77, %eax\nret")
SITE(undefined, TEST "jnz 1f\nsyscall\nret\n1: ud2\nud2\nud2\nud2\nmov $77, %eax\nret")

#define CASE(name) {#name, name}
static const struct {
	const char *name;
	long (*function)(long);
} cases[] = {
	CASE(first_nop), CASE(middle_nop), CASE(last_nop), CASE(long_first), CASE(long_inside), CASE(long_branch), CASE(jump_later),
	CASE(jump_behind_site), CASE(called), CASE(returns_there), CASE(falls_through), CASE(falls_into_long), CASE(straight),
	CASE(loop_head), CASE(loop_head_long), CASE(loop_end), CASE(counted), CASE(by_jrcxz), CASE(constant), CASE(constant_int3),
	CASE(break_point), CASE(undefined),
};

static volatile int traps;

static void on_trap(int sig, siginfo_t *info, void *uc)
{
	greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	(void)info;
	if (sig == SIGILL)
		regs[REG_RIP] += 2;
	traps++;
}

int main(void)
{
	long pid = getpid();
	handle_info(SIGTRAP, on_trap, 0);
	handle_info(SIGILL, on_trap, 0);
	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
			for (int k = 0; k < 8; k++) {
				long other = k > 3 && k % 2, want = other ? 77 : pid; // at first only the call
				traps = 0;
				long got = cases[i].function(other);
				int want_traps = !other ? 0 : cases[i].function == break_point ? 6 : cases[i].function == undefined ? 4 : 0;
				if (got != want || traps != want_traps)
					FAIL("%s(%ld), round %d: %ld after %d traps, want %ld after %d", cases[i].name, other, round, got, traps, want, want_traps);
			}
	puts("fakeroom ok");
}
