// SIGSYS as the program's own signal: handler, raise, kill, queue, blocked and pending, sigwait, ignored, default.
// Argument: default; the program dies of it.
#include "check.h"
#include <pthread.h>
#include <sys/signalfd.h>
#include <ucontext.h>

static volatile int hits;
static siginfo_t seen;

static void count(int sig, siginfo_t *info, void *uc)
{
	(void)uc;
	EQUAL(sig, SIGSYS);
	seen = *info;
	hits++;
	syscall(SYS_getppid); // calls work in the handler
	EQUAL(close(-1), -1);
}

static void handled(void)
{
	handle_info(SIGSYS, count, 0);
	for (int i = 0; i < 50; i++) {
		hits = 0;
		raise(SIGSYS);
		EQUAL(hits, 1);
		EQUAL(seen.si_code, SI_TKILL);
		EQUAL(seen.si_pid, getpid());
		kill(getpid(), SIGSYS);
		EQUAL(hits, 2);
		EQUAL(seen.si_code, SI_USER);
		sigqueue(getpid(), SIGSYS, (union sigval){.sival_int = i});
		EQUAL(hits, 3);
		EQUAL(seen.si_code, SI_QUEUE);
		EQUAL(seen.si_value.sival_int, i);
		pthread_kill(pthread_self(), SIGSYS);
		EQUAL(hits, 4);
	}
}

// A forged siginfo that looks like the kernel's own is a program's signal all the same.
static void forged(void)
{
	siginfo_t info = {.si_signo = SIGSYS, .si_code = SI_QUEUE};
	hits = 0;
	for (int code = -100; code < 0; code += 7) {
		info.si_code = code;
		EQUAL(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGSYS, &info), 0);
		EQUAL(seen.si_code, code);
	}
	info.si_syscall = SYS_getppid;
	info.si_arch = 0xc000003e;
	info.si_call_addr = (void *)forged;
	for (int code = 1; code <= 2; code++) { // SYS_SECCOMP, SYS_USER_DISPATCH: to itself a program may send anything
		info.si_code = code;
		EQUAL(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGSYS, &info), 0);
		EQUAL(seen.si_code, code);
		EQUAL(seen.si_syscall, SYS_getppid);
	}
	EQUAL(hits, 17);
}

static void blocked(void)
{
	sigset_t set = only(SIGSYS, 0), pending, none;
	siginfo_t info;
	struct timespec zero = {0};
	sigemptyset(&none);
	for (int i = 0; i < 20; i++) {
		hits = 0;
		sigprocmask(SIG_BLOCK, &set, NULL);
		sigpending(&pending);
		EQUAL(sigismember(&pending, SIGSYS), 0);
		raise(SIGSYS);
		raise(SIGSYS);
		for (int k = 0; k < 20; k++)
			syscall(SYS_getppid);
		EQUAL(hits, 0);
		sigpending(&pending);
		EQUAL(sigismember(&pending, SIGSYS), 1);
		if (i & 1) {
			EQUAL(RETRY(sigwaitinfo(&set, &info)), SIGSYS);
			EQUAL(info.si_code, SI_USER); // glibc's word for SI_TKILL here
			EQUAL(info.si_pid, getpid());
			FAILS(sigtimedwait(&set, &info, &zero), EAGAIN); // two standard signals are one
		} else if (i & 2) {
			FAILS(sigsuspend(&none), EINTR);
			EQUAL(hits, 1);
		}
		sigprocmask(SIG_SETMASK, &none, NULL);
		EQUAL(hits, !(i & 1));
		sigpending(&pending);
		EQUAL(sigismember(&pending, SIGSYS), 0);
	}
}

// Waits that begin before the signal is there; it comes from another process.
static void waited(void)
{
	sigset_t set = only(SIGSYS, 0), none;
	siginfo_t info;
	int sig;
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			rest(5);
			kill(getppid(), SIGSYS);
			_exit(0);
		}
		if (i & 1) {
			EQUAL(RETRY(sigwaitinfo(&set, &info)), SIGSYS);
			EQUAL(info.si_pid, pid);
			EQUAL(info.si_code, SI_USER);
		} else {
			EQUAL(sigwait(&set, &sig), 0);
			EQUAL(sig, SIGSYS);
		}
		EQUAL(ended(pid), 0);
	}
	int fd = signalfd(-1, &set, 0);
	CHECK(fd >= 0);
	struct signalfd_siginfo record;
	pid_t pid = fork();
	if (pid == 0) {
		in_call(getppid(), SYS_read);
		kill(getppid(), SIGSYS);
		_exit(0);
	}
	EQUAL(read(fd, &record, sizeof record), sizeof record);
	EQUAL(record.ssi_signo, SIGSYS);
	EQUAL(record.ssi_pid, pid);
	EQUAL(ended(pid), 0);
	close(fd);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void edits_mask(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)info;
	sigset_t now;
	sigprocmask(SIG_SETMASK, NULL, &now);
	EQUAL(sigismember(&now, SIGSYS), 1); // blocked in its own handler
	if (hits++ == 0) {
		raise(SIGSYS);
		EQUAL(hits, 1);
	}
	EQUAL(sigismember(&((ucontext_t *)uc)->uc_sigmask, SIGSYS), 0);
}

static void *in_thread(void *arg)
{
	sigset_t set = only(SIGSYS, 0);
	int sig;
	EQUAL(sigwait(&set, &sig), 0);
	return arg;
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		puts("sigsys: will die of it");
		fflush(stdout);
		syscall(SYS_getppid);
		raise(SIGSYS);
		FAIL("alive");
	}
	handled();
	forged();
	blocked();
	waited();
	hits = 0;
	handle_info(SIGSYS, edits_mask, 0);
	raise(SIGSYS);
	EQUAL(hits, 2);
	signal(SIGSYS, SIG_IGN);
	raise(SIGSYS);
	for (int i = 0; i < 20; i++)
		syscall(SYS_getppid);
	signal(SIGSYS, SIG_DFL);
	// Blocked everywhere, one thread waits for it.
	sigset_t set = only(SIGSYS, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pthread_t t;
	pthread_create(&t, NULL, in_thread, NULL);
	rest(5);
	kill(getpid(), SIGSYS);
	pthread_join(t, NULL);
	int kinds[] = {0, 1, 2};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			if (i == 0)
				sigprocmask(SIG_UNBLOCK, &set, NULL);
			if (i == 2)
				handle_info(SIGSYS, count, 0), signal(SIGSYS, SIG_DFL);
			kill(getpid(), SIGSYS);
			sigprocmask(SIG_UNBLOCK, &set, NULL);
			_exit(0);
		}
		EQUAL(ended(pid), 1000 + SIGSYS);
	}
	puts("sigsys ok");
}
