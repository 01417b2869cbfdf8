// A child or a thread starts with every register of its creator but rax and rsp, vector registers, mxcsr and flags
// included, and the creator keeps all of its own: fork, vfork, clone, clone3, threads. Go reads its arguments again from
// the registers after clone.
#include "check.h"
#include <linux/sched.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>

// The order is that of the assembly below.
struct state {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, flags, rsp, next, mxcsr, xmm[16][2];
};

struct pair {
	struct state parent, child;
	uint32_t running; // the kernel clears it when a thread ends
};

_Static_assert(offsetof(struct pair, child) == 408, "the assembly has this number");

void make(const struct state *in, struct pair *out);

// STORE: rax has what was rcx, rcx has the result. Nothing here changes a flag before pushf.
#define STORE(offset) \
	"push %rax\npush %rcx\npushf\ncld\n" \
	"mov keep(%rip), %rax\nlea " offset "(%rax), %rax\n" \
	"mov %rbx, 8(%rax)\nmov %rdx, 24(%rax)\nmov %rsi, 32(%rax)\nmov %rdi, 40(%rax)\n" \
	"mov %rbp, 48(%rax)\nmov %r8, 56(%rax)\nmov %r9, 64(%rax)\nmov %r10, 72(%rax)\nmov %r11, 80(%rax)\n" \
	"mov %r12, 88(%rax)\nmov %r13, 96(%rax)\nmov %r14, 104(%rax)\nmov %r15, 112(%rax)\n" \
	"pop 120(%rax)\npop (%rax)\npop 16(%rax)\nmov %rsp, 128(%rax)\n" \
	"lea 2b(%rip), %rbx\nmov %rbx, 136(%rax)\nstmxcsr 144(%rax)\n" \
	"movups %xmm0, 152(%rax)\nmovups %xmm1, 168(%rax)\nmovups %xmm2, 184(%rax)\nmovups %xmm3, 200(%rax)\n" \
	"movups %xmm4, 216(%rax)\nmovups %xmm5, 232(%rax)\nmovups %xmm6, 248(%rax)\nmovups %xmm7, 264(%rax)\n" \
	"movups %xmm8, 280(%rax)\nmovups %xmm9, 296(%rax)\nmovups %xmm10, 312(%rax)\nmovups %xmm11, 328(%rax)\n" \
	"movups %xmm12, 344(%rax)\nmovups %xmm13, 360(%rax)\nmovups %xmm14, 376(%rax)\nmovups %xmm15, 392(%rax)\n"

__asm__(".text\n.globl make\nmake:\n"
	"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
	"mov %rsi, keep(%rip)\nmov %rdi, %rax\n"
	"movups 152(%rax), %xmm0\nmovups 168(%rax), %xmm1\nmovups 184(%rax), %xmm2\nmovups 200(%rax), %xmm3\n"
	"movups 216(%rax), %xmm4\nmovups 232(%rax), %xmm5\nmovups 248(%rax), %xmm6\nmovups 264(%rax), %xmm7\n"
	"movups 280(%rax), %xmm8\nmovups 296(%rax), %xmm9\nmovups 312(%rax), %xmm10\nmovups 328(%rax), %xmm11\n"
	"movups 344(%rax), %xmm12\nmovups 360(%rax), %xmm13\nmovups 376(%rax), %xmm14\nmovups 392(%rax), %xmm15\n"
	"ldmxcsr 144(%rax)\n"
	"mov 8(%rax), %rbx\nmov 24(%rax), %rdx\nmov 32(%rax), %rsi\nmov 40(%rax), %rdi\n"
	"mov 48(%rax), %rbp\nmov 56(%rax), %r8\nmov 64(%rax), %r9\nmov 72(%rax), %r10\n"
	"mov 88(%rax), %r12\nmov 96(%rax), %r13\nmov 104(%rax), %r14\nmov 112(%rax), %r15\n"
	"push 120(%rax)\nmov (%rax), %rax\npopf\n"
	"syscall\n"
	"2: xchg %rax, %rcx\njrcxz 4f\njmp 5f\n4: jmp 3f\n5:\n"
	STORE("0")
	"pushq $0x2\npopf\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n"
	"3:\n"
	STORE("408")
	"mov $7, %edi\nmov $60, %eax\nsyscall\nud2\n"
	".bss\n.p2align 3\nkeep: .quad 0\n.text\n");

enum { FLAGS = 1 | 4 | 16 | 64 | 128 | 512 | 1024 | 2048 };

static void compare(const char *who, const struct state *in, const struct state *out)
{
#define KEPT(reg) \
	if (in->reg != out->reg) \
		FAIL("%s: " #reg " was %#lx, is %#lx", who, (long)in->reg, (long)out->reg)
	KEPT(rbx); KEPT(rdx); KEPT(rsi); KEPT(rdi); KEPT(rbp); KEPT(r8); KEPT(r9); KEPT(r10);
	KEPT(r12); KEPT(r13); KEPT(r14); KEPT(r15); KEPT(mxcsr);
	for (int i = 0; i < 16; i++) {
		KEPT(xmm[i][0]);
		KEPT(xmm[i][1]);
	}
	if ((in->flags ^ out->flags) & FLAGS)
		FAIL("%s: flags were %#lx, are %#lx", who, (long)in->flags, (long)out->flags);
	if ((in->flags ^ out->r11) & FLAGS)
		FAIL("%s: flags were %#lx, r11 is %#lx", who, (long)in->flags, (long)out->r11);
	if (out->rcx != out->next)
		FAIL("%s: rcx is site+2%+ld", who, (long)(out->rcx - out->next));
}

static uint64_t seed = 1;

static uint64_t next(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed ^ seed >> 29;
}

static struct pair *pair;
static char *top; // of the child's stack

// create makes one child; arguments from a on are set, the others random.
static void create(const char *kind, long nr, int args, long a, long b, long c, long d, uint64_t child_rsp)
{
	struct state in;
	for (size_t i = 0; i < sizeof in / 8; i++)
		((uint64_t *)&in)[i] = next();
	in.rax = nr;
	in.mxcsr = 0x1fa0;
	in.flags = (next() & FLAGS) | 0x202;
	if (args > 0) in.rdi = a;
	if (args > 1) in.rsi = b;
	if (args > 2) in.rdx = c;
	if (args > 3) in.r10 = d;
	in.r8 = next();
	memset(pair, 0, sizeof *pair);
	pair->running = 1;
	make(&in, pair);
	if ((long)pair->parent.rax <= 0)
		FAIL("%s: result %ld", kind, (long)pair->parent.rax);
	if (strstr(kind, "thread"))
		while (__atomic_load_n(&pair->running, __ATOMIC_ACQUIRE))
			syscall(SYS_futex, &pair->running, FUTEX_WAIT, 1, NULL, NULL, 0);
	else
		EQUAL(ended(pair->parent.rax), 7);
	char who[64];
	snprintf(who, sizeof who, "%s, creator", kind);
	compare(who, &in, &pair->parent);
	snprintf(who, sizeof who, "%s, child", kind);
	compare(who, &in, &pair->child);
	if (!child_rsp)
		child_rsp = pair->parent.rsp;
	if (pair->child.rsp != child_rsp)
		FAIL("%s: child's rsp is off by %ld", kind, (long)(pair->child.rsp - child_rsp));
}

int main(void)
{
	pair = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	top = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pair != MAP_FAILED && top != MAP_FAILED);
	top += 65536;
	uint64_t sp = (uint64_t)top;
	long thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
	struct clone_args vm = {.flags = CLONE_VM, .exit_signal = SIGCHLD, .stack = sp - 65536, .stack_size = 65536};
	struct clone_args plain = {.exit_signal = SIGCHLD};
	struct clone_args threads = {.flags = thread, .stack = sp - 65536, .stack_size = 65536, .child_tid = (uint64_t)&pair->running};
	for (int i = 0; i < 30; i++) {
		create("fork", SYS_fork, 0, 0, 0, 0, 0, 0);
		create("vfork", SYS_vfork, 0, 0, 0, 0, 0, 0);
		create("clone", SYS_clone, 2, SIGCHLD, 0, 0, 0, 0);
		create("clone with a stack", SYS_clone, 2, SIGCHLD, sp, 0, 0, sp);
		create("clone VM", SYS_clone, 2, CLONE_VM | SIGCHLD, sp, 0, 0, sp);
		create("clone VM VFORK", SYS_clone, 2, CLONE_VM | CLONE_VFORK | SIGCHLD, sp, 0, 0, sp);
		create("clone VM VFORK, own stack", SYS_clone, 2, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
		create("clone VFORK", SYS_clone, 2, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
		create("thread", SYS_clone, 4, thread, sp, 0, (long)&pair->running, sp);
		create("clone3", SYS_clone3, 2, (long)&plain, sizeof plain, 0, 0, 0);
		create("clone3 VM", SYS_clone3, 2, (long)&vm, sizeof vm, 0, 0, sp);
		create("clone3 thread", SYS_clone3, 2, (long)&threads, sizeof threads, 0, 0, sp);
	}
	puts("childregs ok");
}
