// exec while there are threads, in blocked calls and in loops: they vanish, the program keeps its id, whichever thread
// called. Argument: leader, other, or zombie: another thread, after the first one has exited.
#include "check.h"
#include <pthread.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { THREADS = 50 };

static char *self, *pid_text, *next_stage;
static int pipes[2], sockets[2];
static volatile int blocked;

static void *occupied(void *arg)
{
	long kind = (long)arg % 6;
	char c;
	__atomic_fetch_add(&blocked, 1, __ATOMIC_SEQ_CST);
	switch (kind) {
	case 0: (void)!read(pipes[0], &c, 1); break;
	case 1: RETRY(poll(NULL, 0, -1)); break;
	case 2: recv(sockets[0], &c, 1, 0); break;
	case 3: for (;;) pause();
	case 4: { static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; for (;;) pthread_mutex_lock(&m); }
	case 5: for (;;) syscall(SYS_getppid);
	}
	FAIL("a blocked call of kind %ld came back", kind);
}

static void *executes(void *arg)
{
	while (blocked < THREADS)
		sched_yield();
	rest(5);
	char *argv[] = {self, next_stage, pid_text, NULL};
	execv(self, argv);
	FAIL("exec: errno %d", errno);
	return arg;
}

int main(int argc, char **argv)
{
	static const char *who;
	static char pid[20];
	self = argv[0];
	who = argc > 1 ? argv[1] : "other";
	snprintf(pid, sizeof pid, "%d", getpid());
	pid_text = pid;
	if (argc > 2)
		SAME(argv[2], pid);
	EQUAL(syscall(SYS_gettid), getpid());
	int round = argc > 2 ? who[0] - '0' : 0;
	const char *kind = strchr(who, ' ') ? strchr(who, ' ') + 1 : who;
	if (round == 5) {
		printf("execthread %s ok\n", kind);
		return 0;
	}
	static char stage[20];
	snprintf(stage, sizeof stage, "%d %s", round + 1, kind);
	next_stage = stage;
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	EQUAL(pipes[0], 3);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
	pthread_t t;
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t, NULL, occupied, (void *)i) == 0);
	if (!strcmp(kind, "leader"))
		executes(NULL);
	CHECK(pthread_create(&t, NULL, executes, NULL) == 0);
	if (!strcmp(kind, "zombie"))
		syscall(SYS_exit, 1);
	pthread_join(t, NULL);
}
