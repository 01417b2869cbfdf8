// How a program comes back from a handler: through its own restorer, by rt_sigreturn on a frame that was put elsewhere, or
// with a frame made by hand; with the alternate stack and mask of the frame.
#include "check.h"
#include <setjmp.h>
#include <ucontext.h>

struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static volatile int hits;
void own_restorer(void);
void other_frame(void);
static char copy[16384] __attribute__((aligned(64)));
static char *frame_at, *copy_at;

__asm__(".text\n.globl own_restorer\nown_restorer:\n"
	"incl restored_count(%rip)\n"
	"mov $15, %eax\nsyscall\nud2\n"
	".globl other_frame\nother_frame:\n"
	"mov copy_address(%rip), %rsp\n"
	"mov $15, %eax\nsyscall\nud2\n"
	".bss\n.p2align 3\n.globl restored_count\nrestored_count: .long 0\n.p2align 3\n.globl copy_address\ncopy_address: .quad 0\n.text\n");
extern volatile int restored_count;
extern char *volatile copy_address;

static void act(int sig, void *handler, unsigned long flags, void *restorer)
{
	struct kernel_action a = {handler, flags | 0x04000000, restorer, 0};
	EQUAL(raw(SYS_rt_sigaction, sig, (long)&a, 0, 8, 0, 0), 0);
}

static void count(int sig) { (void)sig; hits++; }

static void restorers(void)
{
	act(SIGUSR1, count, SA_NODEFER, own_restorer);
	for (int i = 1; i <= 100; i++) {
		raise(SIGUSR1);
		EQUAL(hits, i);
		EQUAL(restored_count, i);
	}
	act(SIGALRM, count, SA_RESTART, own_restorer); // in blocked calls too
	tick(1000);
	rest(50);
	tick(0);
	CHECK(restored_count > 100);
}

// moves copies the frame and returns from the copy. The floating-point state is found by its pointer, so it moves along.
static void moves(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)info;
	ucontext_t *u = uc;
	frame_at = (char *)uc; // the return address has been taken off: this is what rsp has in the restorer
	char *end = (char *)u->uc_mcontext.fpregs + 512;
	uint32_t *software = (uint32_t *)((char *)u->uc_mcontext.fpregs + 464); // struct _fpx_sw_bytes
	if (software[0] == 0x46505853) // FP_XSTATE_MAGIC1
		end = (char *)u->uc_mcontext.fpregs + software[1];
	size_t size = end - frame_at;
	CHECK(size < sizeof copy - 64);
	copy_at = copy + ((unsigned long)frame_at & 63);
	memcpy(copy_at, frame_at, size);
	((ucontext_t *)copy_at)->uc_mcontext.fpregs = (void *)(copy_at + ((char *)u->uc_mcontext.fpregs - frame_at));
	((ucontext_t *)copy_at)->uc_mcontext.gregs[REG_R12] = 4242;
	copy_address = copy_at;
	hits++;
}

static void frames(void)
{
	act(SIGUSR1, moves, SA_SIGINFO, other_frame);
	for (int i = 0; i < 20; i++) {
		long r12;
		hits = 0;
		__asm__ volatile("mov $1, %%r12\nsyscall\nmov %%r12, %0" : "=r"(r12) : "a"(SYS_tkill), "D"(syscall(SYS_gettid)), "S"(SIGUSR1) : "r12", "rcx", "r11", "memory");
		EQUAL(hits, 1);
		EQUAL(r12, 4242);
	}
}

// A frame that is none kills, as the kernel does it: SIGSEGV.
static void bad_frames(void)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			if (i == 1)
				signal(SIGSEGV, SIG_IGN);
			__asm__ volatile("mov %0, %%rsp\nmov $15, %%eax\nsyscall\nud2" ::"r"(i == 2 ? 8L : 0x1000L) : "memory");
		}
		EQUAL(ended(pid), 1000 + SIGSEGV);
	}
}

extern char bad_frame_end[];
static sigjmp_buf back;

static void on_segv(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	EQUAL(info->si_code, SI_KERNEL);
	CHECK(((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP] == (greg_t)bad_frame_end);
	siglongjmp(back, 1);
}

// A handler for it finds the end of the call, whatever signals come: they have their handlers before the call or on top of
// this one.
static void bad_frames_in_storm(void)
{
	static char stack[1 << 16];
	stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
	CHECK(sigaltstack(&alt, NULL) == 0);
	handle_info(SIGSEGV, on_segv, SA_ONSTACK);
	handle(SIGALRM, count, SA_ONSTACK);
	tick(700);
	for (volatile int i = 0; i < 2000; i++)
		if (sigsetjmp(back, 1) == 0)
			__asm__ volatile("mov %0, %%rsp\nmov $15, %%eax\nsyscall\n"
					 ".globl bad_frame_end\nbad_frame_end: ud2" ::"r"(0x1000L) : "memory");
	tick(0);
}

int main(void)
{
	restorers();
	frames();
	bad_frames();
	bad_frames_in_storm();
	puts("sigreturns ok");
}
