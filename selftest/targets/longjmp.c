// Jumps out of handlers, a thousand times, out of blocked calls and out of calls that come one after another: nothing
// may be left behind that such a jump would leak.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>

static sigjmp_buf back;
static volatile int hits, armed;

static void jump(int sig)
{
	(void)sig;
	hits++;
	if (armed) {
		armed = 0;
		siglongjmp(back, 1);
	}
}

static int pipe_fd[2];

static void blocked_read(void) { char c; (void)!read(pipe_fd[0], &c, 1); }
static void blocked_poll(void) { poll(NULL, 0, -1); }
static void blocked_sleep(void) { rest(100000); }
static void blocked_suspend(void) { sigset_t none; sigemptyset(&none); sigsuspend(&none); }
static void blocked_wait(void) { waitpid(-1, NULL, 0); }
static void busy(void) { syscall(SYS_getppid); }
static void masks(void) { sigset_t set = only(SIGUSR1, 0); sigprocmask(SIG_BLOCK, &set, NULL); sigprocmask(SIG_UNBLOCK, &set, NULL); }
static void memory(void) { (void)!open("/nonexistent", O_RDONLY); syscall(SYS_mprotect, 0, 0, 0); }

static void (*const doing[])(void) = {blocked_read, blocked_poll, blocked_sleep, blocked_suspend, blocked_wait, busy, masks, memory};

static void run(int rounds, int flags)
{
	handle(SIGALRM, jump, flags);
	hits = 0;
	tick(500);
	for (volatile int i = 0; i < rounds; i++)
		if (sigsetjmp(back, 1) == 0) {
			armed = 1;
			for (;;)
				doing[i % (sizeof doing / sizeof *doing)]();
		}
	tick(0);
	CHECK(hits >= rounds);
	sigset_t now;
	sigprocmask(SIG_SETMASK, NULL, &now);
	CHECK(sigisemptyset(&now));
}

int main(void)
{
	CHECK(pipe(pipe_fd) == 0);
	pid_t pid = fork(); // somebody to wait for
	if (pid == 0)
		for (;;)
			pause();
	run(1000, 0);
	run(1000, SA_RESTART);
	run(500, SA_NODEFER);
	char *alt = malloc(65536);
	stack_t ss = {.ss_sp = alt, .ss_size = 65536};
	sigaltstack(&ss, NULL);
	run(500, SA_ONSTACK);
	// And with a handler that was left in the middle, everything else works: children, threads, exec.
	EQUAL(system("exit 3") >> 8, 3);
	kill(pid, SIGKILL);
	EQUAL(ended(pid), 1000 + SIGKILL);
	puts("longjmp ok");
}
