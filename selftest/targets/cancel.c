// pthread_cancel: deferred, in every kind of blocked call, asynchronous, disabled, with clean-up handlers. libc decides by
// the interrupted program counter whether a call had begun: it must see its own code.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

static int pipe_fd[2], sockets[2];
static volatile int ready, cleaned, sent;

static void cleans(void *arg) { cleaned += (int)(long)arg; }

static void *cancelled(void *arg)
{
	char c;
	pthread_cleanup_push(cleans, (void *)1L);
	ready = 1;
	switch ((long)arg) {
	case 0: (void)!read(pipe_fd[0], &c, 1); break;
	case 1: RETRY(poll(NULL, 0, -1)); break;
	case 2: recv(sockets[0], &c, 1, 0); break;
	case 3: rest(100000); break;
	case 4: { sigset_t set = only(SIGUSR1, 0); int sig; sigwait(&set, &sig); break; }
	case 5: waitpid(-1, NULL, 0); break;
	case 6: for (;;) pthread_testcancel();
	case 7: { struct flock l = {.l_type = F_WRLCK}; (void)!fcntl(pipe_fd[0], F_SETLKW, &l); RETRY(pause()); break; }
	case 8: RETRY(pause()); break;
	case 9: pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL); for (;;) syscall(SYS_getppid);
	case 10: pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL); for (;;) ;
	case 11: for (;;) { (void)!open("/nonexistent", O_RDONLY); (void)!write(pipe_fd[1], "", 0); }
	}
	pthread_cleanup_pop(0);
	FAIL("not cancelled: %ld", (long)arg);
}

static void *refuses(void *arg)
{
	int old;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	ready = 1;
	while (!sent)
		sched_yield();
	pthread_setcancelstate(old, NULL);
	pthread_testcancel();
	FAIL("not cancelled");
	return arg;
}

int main(void)
{
	CHECK(pipe(pipe_fd) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	pid_t pid = fork(); // somebody to wait for
	if (pid == 0)
		for (;;)
			pause();
	for (int round = 0; round < 20; round++)
		for (long kind = 0; kind < 12; kind++) {
			pthread_t t;
			void *result;
			ready = cleaned = 0;
			CHECK(pthread_create(&t, NULL, cancelled, (void *)kind) == 0);
			while (!ready)
				sched_yield();
			if (round & 1)
				rest(1); // blocked by now, most likely; without: any time
			CHECK(pthread_cancel(t) == 0);
			CHECK(pthread_join(t, &result) == 0);
			CHECK(result == PTHREAD_CANCELED);
			EQUAL(cleaned, 1);
		}
	pthread_t t;
	void *result;
	ready = 0;
	pthread_create(&t, NULL, refuses, NULL);
	while (!ready)
		sched_yield();
	pthread_cancel(t);
	sent = 1;
	pthread_join(t, &result);
	CHECK(result == PTHREAD_CANCELED);
	kill(pid, SIGKILL);
	EQUAL(ended(pid), 1000 + SIGKILL);
	puts("cancel ok");
}
