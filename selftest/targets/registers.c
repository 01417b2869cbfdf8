// Every general register but rax, rcx and r11, the flags and the red zone come back from a system call as they were;
// rcx is the address after the instruction and r11 the flags, as SYSRET leaves them. Several sites with different
// surroundings, each called often: the first call of a site may take another way than the later ones.
#include "check.h"
#include <sched.h>
#include <sys/mman.h>

// The order is that of the assembly below.
struct state {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, flags, red[16], next;
};

enum { CF = 1, PF = 4, AF = 16, ZF = 64, SF = 128, DF = 1024, OF = 2048, AC = 1 << 18, ID = 1 << 21 };
static const uint64_t watched = CF | PF | AF | ZF | SF | DF | OF | AC | ID;

// SITE defines a function that loads everything from in, makes the call at a site of the given text, stores everything to out.
#define SITE(name, text) \
	__asm__(".text\n.globl " #name "\n.p2align 4\n" #name ":\n" \
		"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n" \
		"mov %rsi, keep(%rip)\n" \
		"mov %rdi, %rbx\n" /* 16 words of red zone */ \
		"mov $16, %ecx\n" \
		"1: mov 120(%rbx,%rcx,8), %rax\n" \
		"neg %rcx\nmov %rax, (%rsp,%rcx,8)\nneg %rcx\n" \
		"dec %ecx\njnz 1b\n" \
		"mov %rdi, %rax\n" \
		"mov 8(%rax), %rbx\nmov 24(%rax), %rdx\nmov 32(%rax), %rsi\nmov 40(%rax), %rdi\n" \
		"mov 48(%rax), %rbp\nmov 56(%rax), %r8\nmov 64(%rax), %r9\nmov 72(%rax), %r10\n" \
		"mov 88(%rax), %r12\nmov 96(%rax), %r13\nmov 104(%rax), %r14\nmov 112(%rax), %r15\n" \
		"mov 16(%rax), %rcx\nmov 80(%rax), %r11\n" \
		"lea -136(%rsp), %rsp\npush 120(%rax)\nmov (%rax), %rax\npopf\nlea 136(%rsp), %rsp\n" \
		text \
		"xchg %rax, keep(%rip)\n" \
		"mov %rbx, 8(%rax)\nmov %rcx, 16(%rax)\nmov %rdx, 24(%rax)\nmov %rsi, 32(%rax)\nmov %rdi, 40(%rax)\n" \
		"mov %rbp, 48(%rax)\nmov %r8, 56(%rax)\nmov %r9, 64(%rax)\nmov %r10, 72(%rax)\nmov %r11, 80(%rax)\n" \
		"mov %r12, 88(%rax)\nmov %r13, 96(%rax)\nmov %r14, 104(%rax)\nmov %r15, 112(%rax)\n" \
		"lea -136(%rsp), %rsp\npushf\npop %rbx\nlea 136(%rsp), %rsp\nmov %rbx, 120(%rax)\n" \
		"lea 2b(%rip), %rbx\nmov %rbx, 256(%rax)\n" \
		"mov keep(%rip), %rbx\nmov %rbx, (%rax)\n" \
		"mov $16, %ecx\n" \
		"1: neg %rcx\nmov (%rsp,%rcx,8), %rbx\nneg %rcx\nmov %rbx, 120(%rax,%rcx,8)\n" \
		"dec %ecx\njnz 1b\n" \
		"lea -136(%rsp), %rsp\npushq $0x2\npopf\nlea 136(%rsp), %rsp\n" \
		"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n" \
		".p2align 5, 0xcc\n")

uint64_t keep;
SITE(plain, "syscall\n2:\n");
SITE(nops, "syscall\n2: nop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\n");
SITE(padded, "jmp 3f\n.byte 0xcc,0xcc,0xcc,0xcc,0xcc,0xcc,0xcc,0xcc\n3: syscall\n2: jmp 4f\n.byte 0xcc,0xcc,0xcc,0xcc,0xcc,0xcc,0xcc,0xcc\n4:\n");
SITE(room_behind, "syscall\n2: jmp 4f\n.skip 16, 0xcc\n4:\n");
SITE(room_before, "jmp 3f\n.skip 16, 0xcc\n3: syscall\n2:\n");
// Five dead bytes are only within reach of two dead bytes that are within reach.
SITE(room_far, "syscall\n2: jmp 4f\n.skip 2, 0xcc\n.rept 70\nmov %eax, %eax\n.endr\nret\n.skip 16, 0xcc\n4:\n");
SITE(branches, "jmp 3f\n4: syscall\n2: jmp 5f\n3: jmp 4b\n5:\n");

typedef void site(const struct state *in, struct state *out);
site plain, nops, padded, room_behind, room_before, room_far, branches;

static uint64_t seed = 1;

static uint64_t next(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed ^ seed >> 29;
}

// Calls that need no arguments, and such that fail, block, or are of special interest to whoever intercepts calls.
static const struct call {
	long nr, args[6];
	int fixed; // arguments count
	long want; // result; ANY: not checked
} calls[] = {
#define ANY -99999
	{SYS_getpid, {0}, 0, ANY},
	{SYS_gettid, {0}, 0, ANY},
	{SYS_getppid, {0}, 0, ANY},
	{SYS_sched_yield, {0}, 0, 0},
	{SYS_close, {-1}, 1, -EBADF},
	{SYS_close_range, {5, 4, 0}, 3, -EINVAL},
	{SYS_dup2, {-1, 5}, 2, -EBADF},
	{SYS_dup3, {-1, 5, 0}, 3, -EBADF},
	{SYS_rt_sigprocmask, {SIG_BLOCK, 0, 0, 8}, 4, 0},
	{SYS_rt_sigaction, {SIGUSR1, 0, 0, 8}, 4, 0},
	{SYS_rt_sigaction, {65, 0, 0, 8}, 4, -EINVAL},
	{SYS_sigaltstack, {0, 0}, 2, 0},
	{SYS_mmap, {0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}, 6, -EINVAL},
	{SYS_munmap, {1, 1}, 2, -EINVAL},
	{SYS_mprotect, {1, 1, 0}, 3, -EINVAL},
	{SYS_mremap, {1, 1, 1, 0, 0}, 5, -EINVAL},
	{SYS_brk, {0}, 1, ANY},
	{SYS_prctl, {-1, 0, 0, 0, 0}, 5, -EINVAL},
	{SYS_arch_prctl, {-1, 0}, 2, -EINVAL},
	{SYS_seccomp, {-1, 0, 0}, 3, -EINVAL},
	{SYS_ppoll, {0, 0, 0, 0, 99}, 2, ANY},
	{SYS_nanosleep, {0, 0}, 2, -EFAULT},
	{SYS_execve, {0, 0, 0}, 3, -EFAULT},
	{SYS_execveat, {-1, 0, 0, 0, 0}, 5, -EFAULT},
	{SYS_clone, {CLONE_THREAD, 0, 0, 0, 0}, 5, -EINVAL},
	{SYS_clone3, {0, 0}, 2, -EINVAL},
	{SYS_wait4, {-1, 0, WNOHANG, 0}, 4, -ECHILD},
	{SYS_write, {1, 8, 4}, 3, -EFAULT},
	{SYS_write, {1, 0, 0}, 3, 0},
	{500, {0}, 0, -ENOSYS},
	{-1, {0}, 0, -ENOSYS},
};

static void once(const char *name, site *make, const struct call *call, int round)
{
	struct state in, out = {0};
	uint64_t *word = (uint64_t *)&in;
	for (size_t i = 0; i < sizeof in / 8; i++)
		word[i] = next();
	in.rax = call->nr;
	uint64_t *arg[] = {&in.rdi, &in.rsi, &in.rdx, &in.r10, &in.r8, &in.r9};
	for (int i = 0; i < call->fixed; i++)
		*arg[i] = call->args[i];
	if (call->nr == SYS_ppoll) { // returns at once: no time at all
		static const struct timespec zero;
		in.rdx = (uint64_t)&zero;
		in.r10 = 0;
	}
	in.flags = (in.flags & watched) | 0x202;
	make(&in, &out);
#define KEPT(reg) \
	if (in.reg != out.reg) \
		FAIL("%s: call %ld, round %d: " #reg " was %#lx, is %#lx", name, call->nr, round, (long)in.reg, (long)out.reg)
	KEPT(rbx); KEPT(rdx); KEPT(rsi); KEPT(rdi); KEPT(rbp); KEPT(r8); KEPT(r9); KEPT(r10);
	KEPT(r12); KEPT(r13); KEPT(r14); KEPT(r15);
	for (int i = 0; i < 16; i++)
		KEPT(red[i]);
	if ((in.flags ^ out.flags) & (watched | 0x200))
		FAIL("%s: call %ld, round %d: flags were %#lx, are %#lx", name, call->nr, round, (long)in.flags, (long)out.flags);
	if (out.rcx != out.next)
		FAIL("%s: call %ld, round %d: rcx is site+2%+ld", name, call->nr, round, (long)(out.rcx - out.next));
	if ((in.flags ^ out.r11) & (watched | 0x200))
		FAIL("%s: call %ld, round %d: flags were %#lx, r11 is %#lx", name, call->nr, round, (long)in.flags, (long)out.r11);
	if (call->want != ANY)
		EQUAL(out.rax, call->want);
}

int main(void)
{
	static const struct {
		const char *name;
		site *make;
	} sites[] = {{"plain", plain}, {"nops", nops}, {"padded", padded}, {"room_behind", room_behind}, {"room_before", room_before}, {"room_far", room_far}, {"branches", branches}};
	for (int round = 0; round < 50; round++)
		for (size_t s = 0; s < sizeof sites / sizeof *sites; s++)
			for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
				once(sites[s].name, sites[s].make, &calls[i], round);
	puts("registers ok");
}
