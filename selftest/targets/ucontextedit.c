// Handlers that edit the context they interrupted: the next instruction, a register, a vector register, flags, the mask,
// in faults, in loops and in blocked calls.
#include "check.h"
#include <sys/mman.h>
#include <ucontext.h>

static volatile long seen;

// Faults: skip the instruction, with another result.
static void skip(int sig, siginfo_t *info, void *uc)
{
	greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	(void)sig;
	seen = (long)info->si_addr;
	regs[REG_RAX] = 4711;
	regs[REG_RIP] += 3; // mov (%rcx),%rax
}

static long load(long address)
{
	long value;
	__asm__ volatile("mov (%%rcx), %%rax" : "=a"(value) : "c"(address) : "memory");
	return value;
}

static void faults(void)
{
	handle_info(SIGSEGV, skip, 0);
	for (long i = 1; i < 300; i++) {
		EQUAL(load(i * 8), 4711);
		EQUAL(seen, i * 8);
	}
}

// A handler that comes out of a blocked call: another result, another place to go on, another register.
static void edits(int sig, siginfo_t *info, void *uc)
{
	greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	(void)sig;
	(void)info;
	seen = regs[REG_RAX];
	regs[REG_RAX] = 12345;
	regs[REG_R12] = 777;
	regs[REG_EFL] |= 1;
}

static long pause_edited(long *r12, long *carry)
{
	long result, flags, reg;
	__asm__ volatile("mov $5, %%r12\nclc\nsyscall\npushf\npop %1\nmov %%r12, %2"
			 : "=a"(result), "=&r"(flags), "=&r"(reg)
			 : "a"(SYS_pause)
			 : "r12", "rcx", "r11", "memory", "cc");
	*r12 = reg;
	*carry = flags & 1;
	return result;
}

static void in_calls(void)
{
	handle_info(SIGALRM, edits, 0);
	for (int i = 0; i < 20; i++) {
		long r12, carry;
		seen = 0;
		tick(0);
		struct itimerval once = {{0, 0}, {0, 20000}};
		setitimer(ITIMER_REAL, &once, NULL);
		EQUAL(pause_edited(&r12, &carry), 12345);
		EQUAL(seen, -EINTR);
		EQUAL(r12, 777);
		EQUAL(carry, 1);
	}
}

// What a handler sees of a blocked call is the program's own code: RIP behind the site, and the site's registers.
static volatile int inside;
extern char site_start[], site_end[];

static void looks(int sig, siginfo_t *info, void *uc)
{
	greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	(void)sig;
	(void)info;
	inside = (char *)regs[REG_RIP] == site_end && regs[REG_RCX] == (long)site_end && regs[REG_R9] == 0x1234567;
}

__attribute__((noinline)) static void watched_pause(void)
{
	__asm__ volatile("mov $0x1234567, %%r9d\n"
			 "site_start: syscall\nsite_end:\n"
			 :
			 : "a"(SYS_pause)
			 : "r9", "rcx", "r11", "memory");
}

static void sees_own_code(void)
{
	handle_info(SIGALRM, looks, 0);
	for (int i = 0; i < 20; i++) {
		inside = 0;
		struct itimerval once = {{0, 0}, {0, 20000}};
		setitimer(ITIMER_REAL, &once, NULL);
		watched_pause();
		EQUAL(inside, 1);
	}
}

// uc_sigmask: the mask after the handler; SIGKILL in it means nothing, SIGSYS is like any other.
static void blocks(int sig, siginfo_t *info, void *uc)
{
	(void)info;
	sigset_t *mask = &((ucontext_t *)uc)->uc_sigmask;
	EQUAL(sigismember(mask, sig), 0);
	EQUAL(sigismember(mask, SIGTERM), 1);
	EQUAL(sigismember(mask, SIGSYS), seen);
	sigaddset(mask, SIGUSR2);
	sigaddset(mask, SIGSYS);
	sigaddset(mask, SIGKILL);
	sigdelset(mask, SIGTERM);
}

static void masks(void)
{
	sigset_t set = only(SIGTERM, 0), now;
	handle_info(SIGUSR1, blocks, 0);
	for (int i = 0; i < 5; i++) {
		sigprocmask(SIG_SETMASK, &set, NULL);
		seen = 0;
		raise(SIGUSR1);
		sigprocmask(SIG_SETMASK, NULL, &now);
		for (int sig = 1; sig < 65; sig++)
			if (sigismember(&now, sig) >= 0)
				EQUAL(sigismember(&now, sig), sig == SIGUSR2 || sig == SIGSYS);
		sigaddset(&now, SIGTERM);
		sigprocmask(SIG_SETMASK, &now, NULL);
		seen = 1; // SIGSYS was blocked when the signal came
		raise(SIGUSR1);
		sigprocmask(SIG_SETMASK, NULL, &now);
		EQUAL(sigismember(&now, SIGTERM), 0);
		EQUAL(sigismember(&now, SIGSYS), 1);
	}
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

// A handler that leaves to another function altogether, on the program's stack.
static void elsewhere(void)
{
	puts("ucontextedit ok");
	exit(0);
}

static void leaves(int sig, siginfo_t *info, void *uc)
{
	greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	(void)sig;
	(void)info;
	regs[REG_RSP] = (regs[REG_RSP] - 4096) & ~15l;
	regs[REG_RSP] -= 8;
	regs[REG_RIP] = (long)elsewhere;
}

// Vector registers in the frame are the interrupted ones, and those of the edited frame come back.
static void vectors(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)info;
	struct _libc_fpstate *fp = ((ucontext_t *)uc)->uc_mcontext.fpregs;
	seen = fp->_xmm[9].element[0];
	fp->_xmm[9].element[0] = 99;
	__asm__ volatile("pxor %%xmm9, %%xmm9" ::: "xmm9");
}

static void edits_vectors(void)
{
	handle_info(SIGALRM, vectors, 0);
	for (int i = 0; i < 5; i++) {
		long result, before = 42 + i, after;
		struct itimerval once = {{0, 0}, {0, 20000}};
		setitimer(ITIMER_REAL, &once, NULL);
		__asm__ volatile("movq %2, %%xmm9\nsyscall\nmovq %%xmm9, %1" : "=a"(result), "=&r"(after) : "r"(before), "a"(SYS_pause) : "xmm9", "rcx", "r11", "memory");
		EQUAL(result, -EINTR);
		EQUAL(seen, before);
		EQUAL(after, 99);
	}
}

int main(void)
{
	faults();
	in_calls();
	sees_own_code();
	masks();
	edits_vectors();
	handle_info(SIGUSR1, leaves, 0);
	raise(SIGUSR1);
	FAIL("went on behind raise");
}
