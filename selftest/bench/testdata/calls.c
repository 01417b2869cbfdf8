// calls CALL MILLISECONDS [SETUP [FILE]]: makes one system call over and over and prints the nanoseconds that a call
// took, one line a batch.
//
// CALL is one of
//	getpid	at a site with padding behind it, as most of libc's have
//	libc	getpid by libc's syscall()
//	access	of a path that does not exist
//
// SETUP is one of
//	burst		so few calls a batch that trace's ring has room for them, and time between batches to empty it
//	filter FILE	under the seccomp filter of FILE
//	handler FILE	the same, with a handler for SIGSYS in the section "allowed", which FILE lets through
//	sud		under Syscall User Dispatch, with this program's text let through
//
// Linked statically and not PIE, so that all its code lies below 4 GiB, where the filters know ranges.
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define PATH "/nonexistent/directory/file"

// long site(long nr, long a, long b)
asm(".text\n"
    ".balign 64\n"
    "site:\n"
    "	mov %rdi, %rax\n"
    "	mov %rsi, %rdi\n"
    "	mov %rdx, %rsi\n"
    "	syscall\n"
    "	cmp $-4095, %rax\n"
    "	jae 1f\n"
    "	ret\n"
    "1:	ret\n"
    "	.nops 16\n"
    ".balign 64\n");
long site(long nr, long a, long b);

static void by_site(void) { site(SYS_getpid, 0, 0); }
static void by_libc(void) { syscall(SYS_getpid); }
static void by_path(void) { site(SYS_access, (long)PATH, F_OK); }

static void (*call)(void);

// now reads the clock without a system call.
static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double batch(long calls)
{
	double start = now();
	for (long i = 0; i < calls; i++)
		call();
	return (now() - start) / calls;
}

static void spin(double ns)
{
	for (double end = now() + ns; now() < end;)
		;
}

// A burst of trace's records fits in half a ring; the launcher looks after every ring each few milliseconds.
enum { burst_calls = 150, burst_pause = 8000000, batch_time = 100000, max_batches = 100000 };

static double results[max_batches];

static void measure(double length, int burst)
{
	long calls = burst ? burst_calls : 16;
	int batches = 0;

	// Also the warm-up: the first calls of a site pay for its stub and for cold caches.
	do
		calls = burst ? calls : calls * 2;
	while (batch(calls) * calls < batch_time && !burst);
	for (double end = now() + length; batches == 0 || (now() < end && batches < max_batches);) {
		if (burst)
			spin(burst_pause);
		results[batches++] = batch(calls);
	}
	for (int i = 0; i < batches; i++)
		printf("%.2f\n", results[i]);
}

static void install(const char *file)
{
	static struct sock_filter program[BPF_MAXINSNS];
	int fd = open(file, O_RDONLY);
	long size = fd < 0 ? -1 : read(fd, program, sizeof program);
	struct sock_fprog p = { size / sizeof *program, program };

	if (size <= 0)
		err(1, "%s", file);
	close(fd);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p))
		err(1, "install the filter");
}

// The least a handler does: it makes the call, and the call's result is the target's.
__attribute__((section("allowed"))) static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	register long r10 asm("r10") = g[REG_R10], r8 asm("r8") = g[REG_R8], r9 asm("r9") = g[REG_R9];

	(void)sig, (void)info;
	asm volatile("syscall"
		     : "+a"(g[REG_RAX])
		     : "D"(g[REG_RDI]), "S"(g[REG_RSI]), "d"(g[REG_RDX]), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
}

// libc's restorer would trap.
asm(".pushsection allowed, \"ax\"\n"
    "restorer:\n"
    "	mov $15, %eax\n" // SYS_rt_sigreturn
    "	syscall\n"
    ".popsection\n");
void restorer(void);

static void handle(void)
{
	struct {
		void (*handler)(int, siginfo_t *, void *);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} action = { on_sigsys, SA_SIGINFO | SA_NODEFER | 0x04000000 /* SA_RESTORER */, restorer, 0 };

	if (syscall(SYS_rt_sigaction, SIGSYS, &action, NULL, sizeof action.mask))
		err(1, "handle SIGSYS");
}

static void dispatch(void)
{
	extern char __executable_start, etext;
	enum { set_dispatch = 59, on = 1 }; // PR_SET_SYSCALL_USER_DISPATCH, Linux 5.11

	if (prctl(set_dispatch, on, &__executable_start, &etext - &__executable_start, 0))
		err(1, "Syscall User Dispatch");
}

int main(int argc, char **argv)
{
	const char *name = argc > 2 ? argv[1] : "", *setup = argc > 3 ? argv[3] : "", *file = argc > 4 ? argv[4] : "";

	call = !strcmp(name, "getpid") ? by_site : !strcmp(name, "libc") ? by_libc : !strcmp(name, "access") ? by_path : NULL;
	if (call == NULL)
		errx(2, "unknown call %s", name);
	if (!strcmp(setup, "handler"))
		handle();
	if (!strcmp(setup, "filter") || !strcmp(setup, "handler"))
		install(file);
	if (!strcmp(setup, "sud"))
		dispatch();
	measure(atof(argv[2]) * 1e6, !strcmp(setup, "burst"));
	return 0;
}
