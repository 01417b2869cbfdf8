// rt_sigreturn on frames that no signal has made: registers, flags, mask, alternate stack and floating-point state of a
// context built in memory, at odd places, and of one that was copied and is gone back to again and again.
#include "check.h"
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { SIZE = 65536, FRAME = 304 }; // of the kernel's struct ucontext, which ends with a mask of 8 bytes

struct state { // what landed saves
	uint64_t gregs[16]; // in the order of the frame: r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp
	uint64_t flags, xmm0, xmm15;
	uint32_t mxcsr;
	uint16_t control;
} state;
uint64_t origin[8];

void land(void);
void landed(void);
void landing_call(void);
void behind_call(void);
void depart(void *frame);

// depart keeps what a function has to keep and goes to where the frame says; land comes back from there to behind depart.
__asm__(".text\n"
	".globl depart\ndepart:\n"
	"mov %rbx, origin(%rip)\nmov %rbp, origin+8(%rip)\nmov %r12, origin+16(%rip)\nmov %r13, origin+24(%rip)\n"
	"mov %r14, origin+32(%rip)\nmov %r15, origin+40(%rip)\nmov %rsp, origin+48(%rip)\n"
	"mov %rdi, %rsp\n"
	"mov $15, %eax\nsyscall\nud2\n"
	".globl landing_call\nlanding_call:\nsyscall\n"
	".globl behind_call\nbehind_call:\n"
	".globl land\nland:\n"
	"mov %r8, state(%rip)\nmov %r9, state+8(%rip)\nmov %r10, state+16(%rip)\nmov %r11, state+24(%rip)\n"
	"mov %r12, state+32(%rip)\nmov %r13, state+40(%rip)\nmov %r14, state+48(%rip)\nmov %r15, state+56(%rip)\n"
	"mov %rdi, state+64(%rip)\nmov %rsi, state+72(%rip)\nmov %rbp, state+80(%rip)\nmov %rbx, state+88(%rip)\n"
	"mov %rdx, state+96(%rip)\nmov %rax, state+104(%rip)\nmov %rcx, state+112(%rip)\nmov %rsp, state+120(%rip)\n"
	".globl landed\nlanded:\n"
	"mov origin+48(%rip), %rsp\n"
	"pushf\npop %rax\nmov %rax, state+128(%rip)\npushq $0x202\npopf\n"
	"movq %xmm0, state+136(%rip)\nmovq %xmm15, state+144(%rip)\n"
	"stmxcsr state+152(%rip)\nfnstcw state+156(%rip)\n"
	"mov origin(%rip), %rbx\nmov origin+8(%rip), %rbp\nmov origin+16(%rip), %r12\nmov origin+24(%rip), %r13\n"
	"mov origin+32(%rip), %r14\nmov origin+40(%rip), %r15\n"
	"ret\n");

static char memory[SIZE] __attribute__((aligned(64)));
static struct _libc_fpstate taken; // a handler's, without the part behind the first 512 bytes
static char whole[16384] __attribute__((aligned(64)));
static volatile int hits;
static ucontext_t *volatile seen;
static volatile long seen_ip, seen_ax, seen_code;

static void count(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	seen_ip = ((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
	seen_ax = ((ucontext_t *)uc)->uc_mcontext.gregs[REG_RAX];
	seen_code = info->si_code;
	hits++;
}

// make fills a frame: every register has a value of its own, and the program goes on at land.
static ucontext_t *make(void *at)
{
	ucontext_t *u = at;
	memset(u, 0, FRAME);
	for (int i = 0; i < 16; i++)
		u->uc_mcontext.gregs[i] = 0x0111111111111111 * i + 7;
	u->uc_mcontext.gregs[REG_RSP] = (long)memory + SIZE - 4096;
	u->uc_mcontext.gregs[REG_RIP] = (long)land;
	u->uc_mcontext.gregs[REG_EFL] = 0x202 | 0x8d1; // OF, SF, ZF, AF, CF
	u->uc_mcontext.gregs[REG_CSGSFS] = 0x33 | 0x2bl << 48;
	u->uc_stack.ss_flags = SS_DISABLE;
	return u;
}

static void go(ucontext_t *u)
{
	memset(&state, 0xee, sizeof state);
	depart(u);
	for (int i = 0; i < 16; i++)
		if (state.gregs[i] != (uint64_t)u->uc_mcontext.gregs[i])
			FAIL("register %d of the frame is %#lx, want %#llx", i, (long)state.gregs[i], u->uc_mcontext.gregs[i]);
}

static void set_vectors(void)
{
	__asm__ volatile("movq %0, %%xmm0\nmovq %0, %%xmm15\nldmxcsr %1" ::"r"(0x7777l), "m"((int){0x1fa0}) : "xmm0", "xmm15");
}

// Without floating-point state everything is as at the start of a program.
static void without_vectors(void)
{
	for (int i = 0; i < 5; i++) {
		set_vectors();
		go(make(memory));
		EQUAL(state.flags & 0x8d1, 0x8d1);
		EQUAL(state.xmm0, 0);
		EQUAL(state.xmm15, 0);
		EQUAL(state.mxcsr, 0x1f80);
		EQUAL(state.control, 0x37f);
	}
}

static void take(int sig, siginfo_t *info, void *uc)
{
	struct _libc_fpstate *fp = ((ucontext_t *)uc)->uc_mcontext.fpregs;
	uint32_t *software = (uint32_t *)((char *)fp + 464); // struct _fpx_sw_bytes
	(void)sig;
	(void)info;
	taken = *fp;
	memcpy(whole, fp, software[0] == 0x46505853 ? software[1] : 512); // FP_XSTATE_MAGIC1
}

static void vectors(ucontext_t *u, struct _libc_fpstate *fp)
{
	u->uc_mcontext.fpregs = fp;
	fp->_xmm[0].element[0] = 0xabc;
	fp->_xmm[0].element[1] = 0;
	fp->_xmm[15].element[0] = 0xdef;
	fp->_xmm[15].element[1] = 0;
	fp->mxcsr = 0x1f90;
	fp->cwd = 0x27f;
	set_vectors();
	go(u);
	EQUAL(state.xmm0, 0xabc);
	EQUAL(state.xmm15, 0xdef);
	EQUAL(state.mxcsr, 0x1f90);
	EQUAL(state.control, 0x27f);
}

static void with_vectors(void)
{
	handle_info(SIGUSR1, take, 0);
	set_vectors();
	raise(SIGUSR1);
	for (int i = 0; i < 5; i++) {
		struct _libc_fpstate *legacy = (void *)(memory + 4096);
		*legacy = taken;
		memset((char *)legacy + 464, 0, 48); // FXSAVE alone
		vectors(make(memory), legacy);
		ucontext_t *u = make(memory);
		u->uc_flags = 7; // UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS
		vectors(u, (void *)whole);
	}
}

// State that the processor does not take: SIGSEGV, when all other registers are those of the frame.
static void bad_vectors(void)
{
	handle_info(SIGSEGV, count, 0);
	for (int i = 0; i < 4; i++) {
		struct _libc_fpstate *bad = (void *)(memory + 4096);
		*bad = taken;
		memset((char *)bad + 464, 0, 48);
		bad->mxcsr = i & 1 ? 0xffffffff : 0x1f80;
		ucontext_t *u = make(memory);
		u->uc_mcontext.fpregs = i & 1 ? bad : (void *)64;
		hits = 0;
		memset(&state, 0xee, sizeof state);
		depart(u);
		EQUAL(hits, 1);
		EQUAL(seen_ip, (long)land);
		EQUAL(seen_ax, 0);
		EQUAL(seen_code, SI_KERNEL);
		EQUAL(state.gregs[0], u->uc_mcontext.gregs[0]);
	}
	signal(SIGSEGV, SIG_DFL);
}

// The kernel reads the context and nothing around it.
static void places(void)
{
	char *page = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED && mprotect(page + 4096, 4096, PROT_READ | PROT_WRITE) == 0);
	go(make(page + 4096));
	go(make(page + 2 * 4096 - FRAME));
	go(make(memory + 8));
	go(make(memory + 3));
	mprotect(page + 4096, 4096, PROT_READ);
	go((ucontext_t *)(page + 4096));
	munmap(page, 3 * 4096);
}

static uint64_t mask_now(void)
{
	uint64_t mask = 0;
	EQUAL(raw(SYS_rt_sigprocmask, SIG_SETMASK, 0, (long)&mask, 8, 0, 0), 0);
	return mask;
}

static void set_mask(ucontext_t *u, uint64_t mask) { memcpy(&u->uc_sigmask, &mask, sizeof mask); }

// The mask of the frame takes effect, and what it lets through comes before the first instruction.
static void masks(void)
{
	const uint64_t usr = 1 << (SIGUSR1 - 1), unblockable = 1 << (SIGKILL - 1) | 1 << (SIGSTOP - 1), storm = 1ul << (SIGRTMAX - 4);
	handle_info(SIGUSR1, count, 0);
	handle_info(SIGSYS, count, 0);
	for (int i = 0; i < 6; i++) {
		int sig = i & 1 ? SIGSYS : SIGUSR1;
		uint64_t bit = 1ul << (sig - 1), others = 0x5a5a5a5a5a5a5a5a & ~(usr | 1ul << (SIGSYS - 1)) & ~storm;
		ucontext_t *u = make(memory);
		set_mask(u, others | bit | unblockable);
		go(u);
		EQUAL(mask_now(), (others | bit) & ~unblockable);
		hits = 0;
		raw(SYS_tkill, getpid(), sig, 0, 0, 0, 0);
		EQUAL(hits, 0);
		u = make(memory);
		go(u);
		EQUAL(mask_now(), 0);
		EQUAL(hits, 1);
		EQUAL(seen_ip, (long)land);
		EQUAL(seen_ax, u->uc_mcontext.gregs[REG_RAX]);
	}
}

// A frame can lead to a system call instruction, with everything for the call.
static void calls(void)
{
	for (int i = 0; i < 5; i++) {
		ucontext_t *u = make(memory);
		u->uc_mcontext.gregs[REG_RIP] = (long)landing_call;
		u->uc_mcontext.gregs[REG_RAX] = SYS_getpid;
		memset(&state, 0xee, sizeof state);
		depart(u);
		EQUAL(state.gregs[13], getpid());
		EQUAL(state.gregs[14], (long)behind_call);
		EQUAL(state.gregs[4], u->uc_mcontext.gregs[REG_R12]);
	}
}

// Flags: the direction, and one instruction at a time.
static volatile long steps;

static void step(int sig, siginfo_t *info, void *uc)
{
	greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	(void)sig;
	EQUAL(info->si_code, TRAP_TRACE);
	steps++;
	if (regs[REG_RIP] == (long)landed)
		regs[REG_EFL] &= ~0x100;
}

static void flags(void)
{
	handle_info(SIGTRAP, step, 0);
	for (int i = 0; i < 5; i++) {
		ucontext_t *u = make(memory);
		u->uc_mcontext.gregs[REG_EFL] |= 0x400 | 0x40000; // DF, AC
		go(u);
		EQUAL(state.flags & 0x40400, 0x40400);
		u = make(memory);
		u->uc_mcontext.gregs[REG_EFL] |= 0x100; // TF
		steps = 0;
		go(u);
		EQUAL(steps, 16); // every instruction between land and landed
		EQUAL(state.flags & 0x100, 0);
	}
}

// The alternate stack of a frame counts if it could be set at that moment.
static char *const low = memory + 8192, *const high = memory + 24576;

static void stack_is(void *sp, size_t size, int flag)
{
	stack_t now;
	CHECK(sigaltstack(NULL, &now) == 0);
	CHECK(now.ss_sp == sp);
	EQUAL(now.ss_size, size);
	EQUAL(now.ss_flags, flag);
}

static void changes_stack(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)info;
	((ucontext_t *)uc)->uc_stack = (stack_t){.ss_sp = high, .ss_size = 8192};
}

static void stacks(void)
{
	stack_t now, off = {.ss_flags = SS_DISABLE};
	ucontext_t *u = make(memory);
	u->uc_stack = (stack_t){.ss_sp = low, .ss_size = 16384};
	go(u);
	stack_is(low, 16384, 0);
	u = make(memory);
	u->uc_stack = (stack_t){.ss_sp = high, .ss_size = 100}; // too small: no change
	go(u);
	stack_is(low, 16384, 0);
	u->uc_stack = (stack_t){.ss_sp = high, .ss_size = 8192, .ss_flags = 77}; // no such flags
	go(u);
	stack_is(low, 16384, 0);
	u->uc_stack = (stack_t){.ss_sp = high, .ss_size = 8192, .ss_flags = SS_ONSTACK};
	go(u);
	stack_is(high, 8192, 0);
	// One that is in use cannot be changed. Since Linux 6.12 that is the one rt_sigreturn is called on, not the frame's.
	u = make(high + 4096);
	u->uc_stack = (stack_t){.ss_sp = low, .ss_size = 8192};
	go(u);
	CHECK(sigaltstack(NULL, &now) == 0);
	puts(now.ss_sp == high ? "the stack of the call counts" : "the stack of the frame counts");
	u = make(memory);
	u->uc_stack = (stack_t){.ss_sp = low, .ss_size = 8192};
	u->uc_mcontext.gregs[REG_RSP] = (long)(now.ss_sp == high ? low : high) + 4096;
	go(u);
	stack_is(low, 8192, 0);
	CHECK(sigaltstack(&off, NULL) == 0);
	handle_info(SIGUSR1, changes_stack, 0);
	raise(SIGUSR1);
	stack_is(high, 8192, 0);
	CHECK(sigaltstack(&off, NULL) == 0);
}

// A copy of a frame is a place to go back to, as often as one likes.
static void keep(int sig, siginfo_t *info, void *uc)
{
	struct _libc_fpstate *fp = ((ucontext_t *)uc)->uc_mcontext.fpregs;
	take(sig, info, uc);
	memcpy(memory, uc, FRAME);
	((ucontext_t *)memory)->uc_mcontext.fpregs = fp ? (void *)whole : NULL;
	hits++;
}

static void again(int flags)
{
	static volatile int rounds;
	struct itimerval once = {{0, 0}, {0, 20000}};
	handle_info(SIGALRM, keep, flags);
	hits = rounds = 0;
	setitimer(ITIMER_REAL, &once, NULL);
	while (hits == 0)
		EQUAL(raw(SYS_pause, 0, 0, 0, 0, 0, 0), -EINTR);
	rounds++;
	if (rounds < 5)
		depart(memory);
	EQUAL(rounds, 5);
	EQUAL(hits, 1);
}

static void *all(void *arg)
{
	without_vectors();
	with_vectors();
	bad_vectors();
	places();
	calls();
	flags();
	return arg;
}

int main(void)
{
	pthread_t t;
	all(NULL);
	masks();
	stacks();
	again(0);
	CHECK(pthread_create(&t, NULL, all, NULL) == 0 && pthread_join(t, NULL) == 0);
	puts("madeframes ok");
}
