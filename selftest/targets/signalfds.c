// signalfd: what the process blocks and somebody sends, with all that it carries; by read, poll and epoll. With the name of a
// signal: that one is sent, too, before ("late") or after a descriptor for all signals is made, or when it was closed.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static int for_all(int flags)
{
	sigset_t set;
	sigfillset(&set);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | flags);
	CHECK(fd >= 0);
	return fd;
}

// shows reads one signal that this process has sent.
static void shows(int fd, int sig, int code, int value)
{
	struct signalfd_siginfo info;
	struct pollfd p = {fd, POLLIN, 0};
	EQUAL(poll(&p, 1, 0), 1);
	EQUAL(read(fd, &info, sizeof info), sizeof info);
	EQUAL(info.ssi_signo, sig);
	EQUAL(info.ssi_code, code);
	EQUAL(info.ssi_pid, getpid());
	EQUAL(info.ssi_int, value);
	EQUAL(poll(&p, 1, 0), 0);
	FAILS(read(fd, &info, sizeof info), EAGAIN);
}

static void others(int fd)
{
	int sigs[] = {SIGUSR1, SIGTERM, SIGQUIT, SIGABRT, SIGILL, SIGTRAP, SIGFPE, SIGRTMIN + 5}, epoll = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN}, got;
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++) {
		EQUAL(epoll_wait(epoll, &got, 1, 0), 0);
		CHECK(kill(getpid(), sigs[i]) == 0);
		EQUAL(epoll_wait(epoll, &got, 1, 0), 1);
		shows(fd, sigs[i], SI_USER, 0);
		CHECK(sigqueue(getpid(), sigs[i], (union sigval){.sival_int = 4711}) == 0);
		shows(fd, sigs[i], SI_QUEUE, 4711);
		raise(sigs[i]);
		shows(fd, sigs[i], SI_TKILL, 0);
	}
	close(epoll);
}

// waited_for sends what no descriptor shows, and takes it otherwise.
static void waited_for(int sig)
{
	sigset_t set = only(sig, 0), usr1 = only(SIGUSR1, 0);
	siginfo_t info;
	int fd = signalfd(-1, &usr1, 0);
	close(for_all(0));
	CHECK(fd >= 0 && kill(getpid(), sig) == 0);
	EQUAL(sigwaitinfo(&set, &info), sig);
	EQUAL(info.si_pid, getpid());
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int sig; } own[] = {{"SIGSEGV", SIGSEGV}, {"SIGBUS", SIGBUS}, {"SIGSYS", SIGSYS}};
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int i = 0; i < 3; i++) {
		waited_for(own[i].sig);
		if (argc < 3 || strcmp(argv[2], own[i].name))
			continue;
		if (!strcmp(argv[1], "executed")) { // with the descriptor, in the place of the standard input
			dup2(for_all(0), 0);
			execl("/proc/self/exe", "signalfds", "inherited", argv[2], NULL);
		}
		int fd = !strcmp(argv[1], "inherited") ? 0 : !strcmp(argv[1], "late") ? -1 : for_all(SFD_CLOEXEC);
		if (!strcmp(argv[1], "thread"))
			raise(own[i].sig);
		else
			kill(getpid(), own[i].sig);
		shows(fd >= 0 ? fd : for_all(0), own[i].sig, !strcmp(argv[1], "thread") ? SI_TKILL : SI_USER, 0);
	}
	others(for_all(0));
	puts("signalfds ok");
}
