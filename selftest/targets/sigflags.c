// What the flags of sigaction do: nesting and masks in handlers, SA_NODEFER, SA_RESETHAND, SA_SIGINFO, SA_ONSTACK; the
// order in which several pending signals are handled; errno and registers over a handler.
#include "check.h"
#include <ucontext.h>

static char trace[200];
static int depth;

static void note(const char *text) { strcat(trace, text); }

static void nested(int sig)
{
	note(sig == SIGUSR1 ? "(1" : sig == SIGUSR2 ? "(2" : "(t");
	if (sig == SIGUSR1 && depth++ == 0) {
		raise(SIGUSR1); // deferred: handled after this one
		raise(SIGUSR2); // nests
	}
	note(")");
}

static void nesting(void)
{
	*trace = depth = 0;
	handle(SIGUSR1, nested, 0);
	handle(SIGUSR2, nested, 0);
	raise(SIGUSR1);
	SAME(trace, "(1(2))(1)");
	*trace = depth = 0;
	handle(SIGUSR1, nested, SA_NODEFER);
	raise(SIGUSR1);
	SAME(trace, "(1(1)(2))");
	struct sigaction act = {.sa_handler = nested, .sa_mask = only(SIGUSR2, 0)};
	*trace = depth = 0;
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	SAME(trace, "(1)(1)(2)");
}

static void in_mask(int sig)
{
	sigset_t now;
	(void)sig;
	sigprocmask(SIG_SETMASK, NULL, &now);
	for (int i = 1; i <= 64; i++)
		if (sigismember(&now, i) > 0)
			sprintf(trace + strlen(trace), "%d ", i);
}

// The mask in a handler: what it was, the signal, and sa_mask; it comes back afterwards. SIGKILL and SIGSTOP never.
static void masks(void)
{
	sigset_t set = only(SIGHUP, 0), now;
	sigprocmask(SIG_SETMASK, &set, NULL);
	struct sigaction act = {.sa_handler = in_mask, .sa_mask = only(SIGTERM, SIGSYS)};
	sigaddset(&act.sa_mask, SIGKILL);
	sigaddset(&act.sa_mask, SIGRTMAX);
	sigaction(SIGUSR1, &act, NULL);
	for (int i = 0; i < 3; i++) {
		*trace = 0;
		raise(SIGUSR1);
		SAME(trace, "1 10 15 31 64 ");
		sigprocmask(SIG_SETMASK, NULL, &now);
		for (int sig = 1; sig < 32; sig++)
			EQUAL(sigismember(&now, sig), sig == SIGHUP);
	}
	act.sa_flags = SA_NODEFER;
	sigaction(SIGUSR1, &act, NULL);
	*trace = 0;
	raise(SIGUSR1);
	SAME(trace, "1 15 31 64 ");
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void quiet(int sig) { (void)sig; note("q"); }

static void reset(void)
{
	struct sigaction act;
	for (int i = 0; i < 3; i++) {
		*trace = 0;
		handle(SIGUSR1, quiet, SA_RESETHAND);
		raise(SIGUSR1);
		SAME(trace, "q");
		CHECK(sigaction(SIGUSR1, NULL, &act) == 0);
		CHECK(act.sa_handler == SIG_DFL);
	}
	pid_t pid = fork();
	if (pid == 0) {
		handle(SIGSYS, quiet, SA_RESETHAND);
		raise(SIGSYS);
		raise(SIGSYS);
		_exit(0);
	}
	EQUAL(ended(pid), 1000 + SIGSYS);
}

static siginfo_t seen;
static ucontext_t context;

static void informed(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	seen = *info;
	memcpy(&context, uc, sizeof(ucontext_t) - sizeof context.__fpregs_mem - sizeof context.__ssp);
}

// siginfo tells who sent what.
static void information(void)
{
	handle_info(SIGUSR1, informed, 0);
	raise(SIGUSR1);
	EQUAL(seen.si_signo, SIGUSR1);
	EQUAL(seen.si_code, SI_TKILL);
	EQUAL(seen.si_pid, getpid());
	EQUAL(seen.si_uid, getuid());
	kill(getpid(), SIGUSR1);
	EQUAL(seen.si_code, SI_USER);
	EQUAL(seen.si_pid, getpid());
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 77});
	EQUAL(seen.si_code, SI_QUEUE);
	EQUAL(seen.si_value.sival_int, 77);
	memset(&seen, 0, sizeof seen);
	pid_t pid = fork();
	if (pid == 0) {
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	EQUAL(ended(pid), 0);
	EQUAL(seen.si_pid, pid);
	siginfo_t own = {.si_signo = SIGUSR1, .si_code = -60};
	own.si_pid = 12345;
	EQUAL(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &own), 0);
	EQUAL(seen.si_code, -60);
	EQUAL(seen.si_pid, 12345);
	CHECK(context.uc_mcontext.gregs[REG_RIP] != 0);
	EQUAL(context.uc_mcontext.gregs[REG_CSGSFS] & 0xffff, 0x33);
	EQUAL(context.uc_link, 0);
}

static void takes_errno(int sig)
{
	(void)sig;
	errno = 0;
	close(-1);
	note("e");
}

static void order(int sig)
{
	sprintf(trace + strlen(trace), "%d ", sig);
}

// Several unblocked at once: each handler starts in the frame of the one before, so the order seen is from the highest
// standard signal that is not synchronous; real-time ones follow their number and queue.
static void pending_order(void)
{
	int signals[] = {SIGUSR2, SIGHUP, SIGTERM, SIGUSR1, SIGRTMIN + 2, SIGRTMIN, SIGRTMIN + 1, SIGRTMIN};
	sigset_t all, old;
	sigfillset(&all);
	struct sigaction act = {.sa_handler = order};
	sigfillset(&act.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &act, NULL);
	for (int round = 0; round < 5; round++) {
		*trace = 0;
		sigprocmask(SIG_SETMASK, &all, &old);
		for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
			raise(signals[i]);
		sigprocmask(SIG_SETMASK, &old, NULL);
		SAME(trace, "1 10 12 15 34 34 35 36 ");
	}
}

int main(void)
{
	nesting();
	masks();
	reset();
	information();
	*trace = 0;
	handle(SIGUSR1, takes_errno, 0);
	errno = 5;
	raise(SIGUSR1);
	SAME(trace, "e");
	EQUAL(errno, EBADF); // errno is the program's business
	pending_order();
	puts("sigflags ok");
}
