// clone3: sizes and errors, and CLONE_CLEAR_SIGHAND, which resets handlers but leaves ignored signals ignored.
#include "check.h"
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

static volatile int hits;
static void count(int sig) { (void)sig; hits++; }

static pid_t clone3(uint64_t flags)
{
	struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
	return syscall(SYS_clone3, &args, sizeof args);
}

// dispositions says what a child finds: handler H, default D, ignored I.
static void dispositions(char *text)
{
	int signals[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGSYS, SIGSEGV, SIGRTMIN};
	size_t i;
	for (i = 0; i < sizeof signals / sizeof *signals; i++) {
		struct sigaction act;
		CHECK(sigaction(signals[i], NULL, &act) == 0);
		text[i] = act.sa_handler == count ? 'H' : act.sa_handler == SIG_IGN ? 'I' : act.sa_handler == SIG_DFL ? 'D' : '?';
	}
	text[i] = 0;
}

static void clear_sighand(void)
{
	char text[16];
	handle(SIGUSR1, count, 0);
	signal(SIGUSR2, SIG_IGN);
	handle(SIGSYS, count, 0);
	handle(SIGRTMIN, count, 0);
	for (int i = 0; i < 20; i++) {
		pid_t pid = clone3(CLONE_CLEAR_SIGHAND);
		CHECK(pid >= 0);
		if (pid == 0) {
			dispositions(text);
			SAME(text, "DIDDDD");
			raise(SIGUSR2);
			if (i % 3 == 0)
				raise(SIGUSR1);
			if (i % 3 == 1)
				raise(SIGSYS);
			execl("/bin/true", "true", NULL);
		}
		int want[] = {1000 + SIGUSR1, 1000 + SIGSYS, 0};
		EQUAL(ended(pid), want[i % 3]);
		pid = clone3(0);
		if (pid == 0) {
			dispositions(text);
			SAME(text, "HIDHDH");
			hits = 0;
			raise(SIGUSR1);
			raise(SIGSYS);
			_exit(hits);
		}
		EQUAL(ended(pid), 2);
		dispositions(text);
		SAME(text, "HIDHDH");
	}
	FAILS(clone3(CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM), EINVAL);
}

// In shared memory the parent keeps its handlers while the child has none.
static void clear_in_shared_memory(void)
{
	for (int i = 0; i < 20; i++) {
		struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND | CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};
		pid_t pid = raw(SYS_clone3, (long)&args, sizeof args, 0, 0, 0, 0);
		CHECK(pid >= 0);
		if (pid == 0) {
			struct sigaction act;
			sigaction(SIGUSR1, NULL, &act);
			if (act.sa_handler != SIG_DFL)
				_exit(1);
			if (i & 1)
				_exit(5);
			execl("/bin/sh", "sh", "-c", "exit 5", NULL);
			_exit(2);
		}
		EQUAL(ended(pid), 5);
		char text[16];
		dispositions(text);
		SAME(text, "HIDHDH");
		hits = 0;
		raise(SIGUSR1);
		EQUAL(hits, 1);
	}
}

static void errors(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	char larger[sizeof args + 64];
	FAILS(syscall(SYS_clone3, &args, 63), EINVAL);
	FAILS(syscall(SYS_clone3, &args, 4097), E2BIG);
	memset(larger, 0, sizeof larger);
	larger[sizeof larger - 1] = 1;
	FAILS(syscall(SYS_clone3, larger, sizeof larger), E2BIG);
	args.exit_signal = 65;
	FAILS(syscall(SYS_clone3, &args, sizeof args), EINVAL);
	args.exit_signal = SIGCHLD;
	args.stack = 4096;
	FAILS(syscall(SYS_clone3, &args, sizeof args), EINVAL);
	args.stack = 0;
	args.stack_size = 4096;
	FAILS(syscall(SYS_clone3, &args, sizeof args), EINVAL);
	args.stack_size = 0;
	args.flags = CLONE_DETACHED;
	FAILS(syscall(SYS_clone3, &args, sizeof args), EINVAL);
	// The oldest size, and one that a newer kernel may know, are fine.
	pid_t pid = syscall(SYS_clone3, &(struct clone_args){.exit_signal = SIGCHLD}, 64);
	if (pid == 0)
		_exit(3);
	EQUAL(ended(pid), 3);
	memset(larger, 0, sizeof larger);
	memcpy(larger, &(struct clone_args){.exit_signal = SIGCHLD}, sizeof args);
	pid = syscall(SYS_clone3, larger, sizeof larger);
	if (pid == 0)
		_exit(4);
	EQUAL(ended(pid), 4);
}

// A structure may be as long as a page if the kernel knows what is not zero in it.
static void large(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED && mprotect(page + 4096, 4096, PROT_NONE) == 0);
	memcpy(page, &(struct clone_args){.exit_signal = SIGCHLD}, sizeof(struct clone_args));
	int sizes[] = {256, 257, 264, 320, 1000, 4095, 4096};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		pid_t pid = syscall(SYS_clone3, page, sizes[i]);
		if (pid == 0)
			_exit(5);
		EQUAL(ended(pid), 5);
		page[sizes[i] - 1] = 1;
		FAILS(syscall(SYS_clone3, page, sizes[i]), E2BIG);
		page[sizes[i] - 1] = 0;
		FAILS(syscall(SYS_clone3, page + 4097 - sizes[i], sizes[i]), EFAULT);
	}
	// An id for the child, a descriptor that stands for it.
	if (geteuid() == 0) {
		pid_t want = 31990;
		int pidfd = -1;
		while (kill(want, 0) == 0)
			want--;
		struct clone_args args = {.exit_signal = SIGCHLD, .flags = CLONE_PIDFD, .pidfd = (long)&pidfd, .set_tid = (long)&want, .set_tid_size = 1};
		pid_t pid = syscall(SYS_clone3, &args, sizeof args);
		if (pid == 0)
			_exit(getpid() == want ? 6 : 1);
		EQUAL(pid, want);
		siginfo_t info;
		CHECK(waitid(P_PIDFD, pidfd, &info, WEXITED) == 0);
		EQUAL(info.si_pid, want);
		EQUAL(info.si_status, 6);
		close(pidfd);
		args.set_tid_size = 100;
		FAILS(syscall(SYS_clone3, &args, sizeof args), EINVAL);
		want = getpid();
		args.set_tid_size = 1;
		FAILS(syscall(SYS_clone3, &args, sizeof args), EEXIST);
	}
}

int main(void)
{
	clear_sighand();
	clear_in_shared_memory();
	errors();
	large();
	puts("clone3 ok");
}
