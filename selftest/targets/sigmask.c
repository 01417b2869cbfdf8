// sigprocmask gives back what was set, every bit of it, SIGSYS and SIGSEGV as well; the masks of ppoll, pselect, sigsuspend
// and epoll_pwait hold for the call and no longer; /proc shows what was set.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>

static uint64_t set_mask(int how, uint64_t mask)
{
	uint64_t old;
	EQUAL(raw(SYS_rt_sigprocmask, how, (long)&mask, (long)&old, 8, 0, 0), 0);
	return old;
}

static uint64_t get_mask(void)
{
	uint64_t now = 0x5555;
	EQUAL(raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&now, 8, 0, 0), 0);
	return now;
}

static const uint64_t never = 1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1);
#define BIT(sig) (1ul << ((sig) - 1))

static void bits(void)
{
	uint64_t masks[] = {0, BIT(SIGSYS), BIT(SIGSEGV), BIT(SIGSYS) | BIT(SIGSEGV) | BIT(SIGUSR1), ~0ul, 1, 0x8000000000000000, 0};
	uint64_t before = get_mask();
	for (int round = 0; round < 5; round++)
		for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
			EQUAL(set_mask(SIG_SETMASK, masks[i]), before);
			before = masks[i] & ~never;
			EQUAL(get_mask(), before);
			for (int k = 0; k < 10; k++) // calls with everything blocked
				syscall(SYS_getppid);
		}
	for (int sig = 1; sig <= 64; sig++) {
		set_mask(SIG_SETMASK, 0);
		EQUAL(set_mask(SIG_BLOCK, BIT(sig)), 0);
		EQUAL(set_mask(SIG_UNBLOCK, ~BIT(sig)), BIT(sig) & ~never);
		EQUAL(set_mask(SIG_UNBLOCK, BIT(sig)), BIT(sig) & ~never);
		EQUAL(get_mask(), 0);
	}
}

static void errors(void)
{
	uint64_t mask = BIT(SIGUSR1), old = 77;
	EQUAL(raw(SYS_rt_sigprocmask, 99, (long)&mask, (long)&old, 8, 0, 0), -EINVAL);
	EQUAL(old, 77);
	EQUAL(raw(SYS_rt_sigprocmask, 99, 0, (long)&old, 8, 0, 0), 0); // how means nothing without a set
	EQUAL(old, 0);
	EQUAL(raw(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, 0, 4, 0, 0), -EINVAL);
	EQUAL(raw(SYS_rt_sigprocmask, SIG_BLOCK, 8, 0, 8, 0, 0), -EFAULT);
	EQUAL(get_mask(), 0);
	EQUAL(raw(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, 8, 8, 0, 0), -EFAULT); // set all the same
	EQUAL(get_mask(), BIT(SIGUSR1));
	mask = BIT(SIGSYS);
	EQUAL(raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)&mask, 8, 0, 0), 0); // in and out are one
	EQUAL(mask, BIT(SIGUSR1));
	EQUAL(get_mask(), BIT(SIGSYS));
	set_mask(SIG_SETMASK, 0);
}

static uint64_t seen;
static volatile int hits;

static void sees(int sig) { (void)sig; hits++; seen = get_mask(); }

// A call with a mask of its own: the mask holds while it waits and in the handler, the old one comes back.
static void temporary(void)
{
	uint64_t outside = BIT(SIGUSR1) | BIT(SIGSYS) | BIT(SIGHUP);
	uint64_t inside = BIT(SIGTERM) | BIT(SIGSYS);
	struct { uint64_t *mask; size_t size; } pair = {&inside, 8};
	struct timespec ts = {100, 0};
	struct epoll_event event;
	int epoll = epoll_create1(0);
	handle(SIGUSR1, sees, 0);
	for (int round = 0; round < 5; round++)
		for (int kind = 0; kind < 5; kind++) {
			set_mask(SIG_SETMASK, outside);
			hits = 0;
			raise(SIGUSR1); // pending: comes as soon as the call's mask lets it
			EQUAL(hits, 0);
			long r = 0;
			switch (kind) {
			case 0: r = raw(SYS_rt_sigsuspend, (long)&inside, 8, 0, 0, 0, 0); break;
			case 1: r = raw(SYS_ppoll, 0, 0, (long)&ts, (long)&inside, 8, 0); ts.tv_sec = 100; break;
			case 2: r = raw(SYS_pselect6, 0, 0, 0, 0, (long)&ts, (long)&pair); ts.tv_sec = 100; break;
			case 3: r = raw(SYS_epoll_pwait, epoll, (long)&event, 1, -1, (long)&inside, 8); break;
			case 4: r = raw(441 /* epoll_pwait2 */, epoll, (long)&event, 1, (long)&ts, (long)&inside, 8); break;
			}
			EQUAL(r, -EINTR);
			EQUAL(hits, 1);
			EQUAL(seen, inside | BIT(SIGUSR1));
			EQUAL(get_mask(), outside);
		}
	// A ready descriptor beats the pending signal; it stays pending.
	struct pollfd p = {1, POLLOUT, 0};
	int null = open("/dev/null", O_WRONLY);
	p.fd = null;
	raise(SIGUSR1);
	hits = 0;
	EQUAL(raw(SYS_ppoll, (long)&p, 1, 0, (long)&inside, 8, 0), 1);
	EQUAL(hits, 0);
	EQUAL(get_mask(), outside);
	set_mask(SIG_SETMASK, 0);
	EQUAL(hits, 1);
	EQUAL(raw(SYS_ppoll, 0, 0, (long)&ts, (long)&inside, 4, 0), -EINVAL);
	EQUAL(raw(SYS_epoll_pwait, epoll, (long)&event, 1, 0, (long)&inside, 16), -EINVAL);
	close(null);
	close(epoll);
}

// status reads a mask line of /proc/self/status.
static uint64_t status(const char *name)
{
	char line[200];
	uint64_t value = 0;
	FILE *f = fopen("/proc/thread-self/status", "r");
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name)))
			value = strtoull(line + strlen(name) + 1, NULL, 16);
	fclose(f);
	return value;
}

// Threads inherit the creator's mask, and have one each.
static void *in_thread(void *arg)
{
	EQUAL(get_mask(), BIT(SIGUSR1) | BIT(SIGSYS));
	set_mask(SIG_SETMASK, BIT(SIGUSR2));
	return arg;
}

int main(void)
{
	bits();
	errors();
	temporary();
	set_mask(SIG_SETMASK, BIT(SIGUSR1) | BIT(SIGSYS));
	pthread_t t;
	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
	EQUAL(get_mask(), BIT(SIGUSR1) | BIT(SIGSYS));
	pid_t pid = fork();
	if (pid == 0)
		_exit(get_mask() == (BIT(SIGUSR1) | BIT(SIGSYS)) ? 3 : 4);
	EQUAL(ended(pid), 3);
	EQUAL(status("SigBlk") & BIT(SIGUSR1), BIT(SIGUSR1));
	set_mask(SIG_SETMASK, 0);
	EQUAL(status("SigBlk"), 0);
	puts("sigmask ok");
}
