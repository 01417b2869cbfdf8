// RLIMIT_SIGPENDING of 0: the kernel has no room for what a signal carries. What comes of each kind is printed.
#include "check.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

static volatile int hits, code, value, known;

static void note(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	hits++;
	code = info->si_code;
	known = info->si_pid == getpid();
	value = info->si_value.sival_int;
}

static pthread_t self;

static int by_kill(int sig) { return kill(getpid(), sig); }
static int by_tkill(int sig) { return syscall(SYS_tkill, getpid(), sig); }
static int by_sigqueue(int sig) { return sigqueue(getpid(), sig, (union sigval){.sival_int = 4711}); }
static int by_thread_queue(int sig)
{
	errno = pthread_sigqueue(self, sig, (union sigval){.sival_int = 4711});
	return errno ? -1 : 0;
}

static const struct {
	const char *name;
	int (*send)(int);
} ways[] = {{"kill", by_kill}, {"tkill", by_tkill}, {"sigqueue", by_sigqueue}, {"pthread_sigqueue", by_thread_queue}};

static void send_all(int sig)
{
	sigset_t set = only(sig, 0);
	handle_info(sig, note, 0);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		for (int how = 0; how < 3; how++) { // at once; blocked for a while; waited for
			siginfo_t info = {0};
			hits = code = value = known = 0;
			if (how)
				sigprocmask(SIG_BLOCK, &set, NULL);
			errno = 0;
			int r = ways[i].send(sig), error = r ? errno : 0;
			EQUAL(hits, how == 0 && r == 0);
			if (how == 2 && r == 0) {
				EQUAL(sigwaitinfo(&set, &info), sig);
				note(sig, &info, NULL);
			}
			sigprocmask(SIG_UNBLOCK, &set, NULL);
			printf("%d by %s, %s: errno %d, %d come, code %d, sender %s, value %d\n", sig, ways[i].name,
			       how == 0 ? "at once" : how == 1 ? "blocked" : "waited for", error, hits, code, known ? "known" : "unknown",
			       code == SI_QUEUE ? value : 0);
		}
	signal(sig, SIG_DFL);
}

// Faults always carry what belongs to them.
static void on_fault(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	EQUAL(info->si_code, SEGV_MAPERR);
	EQUAL((long)info->si_addr, 4711);
	puts("a fault is known");
	fflush(stdout);
	_exit(5);
}

int main(void)
{
	struct rlimit none = {0, 0};
	timer_t timer;
	int sigs[] = {SIGUSR1, SIGSEGV, SIGBUS, SIGSYS, SIGTRAP, SIGFPE, SIGRTMIN}, fd[2];
	self = pthread_self();
	CHECK(setrlimit(RLIMIT_SIGPENDING, &none) == 0);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		send_all(sigs[i]);
	FAILS(timer_create(CLOCK_MONOTONIC, NULL, &timer), EAGAIN);
	// A descriptor's signal that does not fit is SIGIO.
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	handle_info(SIGIO, note, 0);
	handle_info(SIGRTMIN, note, 0);
	CHECK(fcntl(fd[0], F_SETSIG, SIGRTMIN) == 0 && fcntl(fd[0], F_SETOWN, getpid()) == 0 && fcntl(fd[0], F_SETFL, O_ASYNC) == 0);
	hits = 0;
	EQUAL(write(fd[1], "x", 1), 1);
	EQUAL(hits, 1);
	EQUAL(code, SI_KERNEL);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		handle_info(SIGSEGV, on_fault, 0);
		*(volatile int *)4711 = 0;
	}
	EQUAL(ended(pid), 5);
	puts("noqueue ok");
}
