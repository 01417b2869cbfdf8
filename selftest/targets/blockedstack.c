// A thread that blocks in a call is on its own stack there, where debuggers from outside and readers of core files look for
// its frames.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

enum { frameRoom = 4096 }; // what libc needs below the caller, and more

static const struct {
	const char *name;
	long nr;
} calls[] = {
	{"read", SYS_read}, {"nanosleep", SYS_clock_nanosleep}, {"wait4", SYS_wait4}, {"waitid", SYS_waitid},
	{"ppoll", SYS_ppoll}, {"pselect6", SYS_pselect6}, {"epoll_pwait", SYS_epoll_pwait},
	{"rt_sigsuspend", SYS_rt_sigsuspend}, {"rt_sigtimedwait", SYS_rt_sigtimedwait},
};

static void block(long nr, int from)
{
	sigset_t set = only(SIGUSR1, 0);
	struct epoll_event event;
	char byte;
	if (nr == SYS_wait4 || nr == SYS_waitid) {
		pid_t child = fork();
		if (child == 0)
			_exit(read(from, &byte, 1) != 0);
	}
	switch (nr) {
	case SYS_read: (void)!read(from, &byte, 1); break;
	case SYS_clock_nanosleep: clock_nanosleep(CLOCK_REALTIME, 0, &(struct timespec){1000, 0}, NULL); break;
	case SYS_wait4: waitpid(-1, NULL, 0); break;
	case SYS_waitid: waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED); break;
	case SYS_ppoll: ppoll(NULL, 0, NULL, &set); break;
	case SYS_pselect6: pselect(0, NULL, NULL, NULL, NULL, &set); break;
	case SYS_epoll_pwait: epoll_pwait(epoll_create1(0), &event, 1, -1, &set); break;
	case SYS_rt_sigsuspend: sigsuspend(&set); break;
	case SYS_rt_sigtimedwait: sigwaitinfo(&set, NULL); break;
	}
	_exit(1);
}

// blocked_at returns the stack pointer of a process that blocks in a call, 0 if it does not yet.
static unsigned long blocked_at(pid_t pid, long nr)
{
	char name[64], text[256] = "";
	long in = -1;
	unsigned long sp = 0;
	snprintf(name, sizeof name, "/proc/%d/syscall", pid);
	FILE *f = fopen(name, "r");
	CHECK(f);
	CHECK(fgets(text, sizeof text, f));
	fclose(f);
	if (sscanf(text, "%ld %*x %*x %*x %*x %*x %*x %lx", &in, &sp) != 2 || in != nr)
		return 0;
	return sp;
}

int main(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		unsigned long here = (unsigned long)__builtin_frame_address(0), sp;
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			close(ends[1]);
			block(calls[i].nr, ends[0]);
		}
		while ((sp = blocked_at(pid, calls[i].nr)) == 0)
			rest(1);
		if (here - sp > frameRoom)
			FAIL("%s blocks with the stack pointer %#lx, want one just below %#lx", calls[i].name, sp, here);
		kill(pid, SIGKILL);
		EQUAL(ended(pid), 1000 + SIGKILL);
	}
	return 0;
}
