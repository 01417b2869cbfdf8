// Synchronous signals: handler, si_code, si_addr, and going on behind the instruction. SIGSEGV, SIGBUS, SIGFPE, SIGILL,
// SIGTRAP; without a handler the program dies of them, blocked or ignored or not.
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>

static siginfo_t seen;
static sigjmp_buf back;
static volatile int pass; // SIGTRAP: returns

static void caught(int sig, siginfo_t *info, void *uc)
{
	(void)uc;
	seen = *info;
	EQUAL(sig, info->si_signo);
	if (!pass)
		siglongjmp(back, 1);
}

static char *map;
extern char divide[], illegal[];

static void null(void) { *(volatile int *)8 = 1; }
static void readonly(void) { *(volatile char *)map = 1; }
static void none(void) { (void)*(volatile char *)(map + 4096); }
static void noncanonical(void) { *(volatile char *)0x8000000000000000 = 1; }
static void beyond(void) { *(volatile char *)(map + 8192) = 1; } // a file mapping past its end
static void zero(void) { __asm__ volatile("divide: idivl %%ecx" ::"a"(1), "d"(0), "c"(0) : "cc"); }
static void overflow(void) { __asm__ volatile("idivl %%ecx" ::"a"(0x80000000), "d"(0xffffffff), "c"(-1) : "cc"); }
static void undefined(void) { __asm__ volatile("illegal: ud2"); }
static void privileged(void) { __asm__ volatile("hlt"); }
static void breakpoint(void) { __asm__ volatile("int3"); }
static void float_zero(void)
{
	uint32_t mxcsr = 0x1f80 & ~(0x1f80 & 0x200); // unmask division by zero
	__asm__ volatile("ldmxcsr %0\ndivss %2, %1" ::"m"(mxcsr), "x"(1.0f), "x"(0.0f));
}
static void execute(void) { ((void (*)(void))(map))(); }
static void unaligned(void)
{
	static char space[32] __attribute__((aligned(16)));
	__asm__ volatile("movaps %%xmm0, (%0)" ::"r"(space + 1) : "memory");
}

static const struct {
	const char *name;
	void (*cause)(void);
	int sig, code;
	char **base;
	long offset; // of si_addr; NOT: not checked
} causes[] = {
#define NOT -1
	{"null", null, SIGSEGV, SEGV_MAPERR, NULL, 8},
	{"read-only", readonly, SIGSEGV, SEGV_ACCERR, &map, 0},
	{"no access", none, SIGSEGV, SEGV_ACCERR, &map, 4096},
	{"non-canonical", noncanonical, SIGSEGV, SI_KERNEL, NULL, 0},
	{"behind the file", beyond, SIGBUS, BUS_ADRERR, &map, 8192},
	{"division", zero, SIGFPE, FPE_INTDIV, NULL, NOT},
	{"quotient", overflow, SIGFPE, FPE_INTDIV, NULL, NOT},
	{"float division", float_zero, SIGFPE, FPE_FLTDIV, NULL, NOT},
	{"undefined", undefined, SIGILL, ILL_ILLOPN, NULL, NOT},
	{"privileged", privileged, SIGSEGV, SI_KERNEL, NULL, 0},
	{"execution", execute, SIGSEGV, SEGV_ACCERR, &map, 0},
	{"unaligned", unaligned, SIGSEGV, SI_KERNEL, NULL, 0},
	{"breakpoint", breakpoint, SIGTRAP, SI_KERNEL, NULL, 0},
};

enum { N = sizeof causes / sizeof *causes };

static void handled(int flags)
{
	int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	for (int i = 0; i < 5; i++)
		handle_info(signals[i], caught, flags);
	for (volatile int round = 0; round < 20; round++)
		for (volatile int i = 0; i < N; i++) {
			memset(&seen, 0, sizeof seen);
			if (sigsetjmp(back, 1) == 0) {
				pass = causes[i].sig == SIGTRAP;
				causes[i].cause();
				if (!pass)
					FAIL("%s: no signal", causes[i].name);
			}
			EQUAL(seen.si_signo, causes[i].sig);
			if (causes[i].code != seen.si_code)
				FAIL("%s: si_code is %d, want %d", causes[i].name, seen.si_code, causes[i].code);
			if (causes[i].offset != NOT)
				EQUAL((char *)seen.si_addr - (causes[i].base ? *causes[i].base : NULL), causes[i].offset);
			if (causes[i].cause == zero)
				CHECK(seen.si_addr == divide);
			if (causes[i].cause == undefined)
				CHECK(seen.si_addr == illegal);
			syscall(SYS_getppid);
		}
}

// Nobody catches: death by the signal. A synchronous signal that is blocked or ignored kills.
static void deaths(void)
{
	for (int i = 0; i < N; i++)
		for (int kind = 0; kind < 3; kind++) {
			pid_t pid = fork();
			if (pid == 0) {
				sigset_t set = only(causes[i].sig, 0);
				signal(causes[i].sig, kind == 1 ? SIG_IGN : SIG_DFL);
				if (kind == 2) {
					handle_info(causes[i].sig, caught, 0);
					sigprocmask(SIG_BLOCK, &set, NULL);
				}
				causes[i].cause();
				_exit(0);
			}
			int got = ended(pid);
			if (got != 1000 + causes[i].sig)
				FAIL("%s, %s: ended with %d", causes[i].name, kind == 0 ? "default" : kind == 1 ? "ignored" : "blocked", got);
		}
}

int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && ftruncate(fd, 8192) == 0);
	map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK(mprotect(map, 4096, PROT_READ) == 0 && mprotect(map + 4096, 4096, PROT_NONE) == 0);
	handled(0);
	stack_t alt = {.ss_sp = malloc(65536), .ss_size = 65536};
	sigaltstack(&alt, NULL);
	handled(SA_ONSTACK);
	handled(SA_NODEFER | SA_RESTART);
	deaths();
	puts("faults ok");
}
