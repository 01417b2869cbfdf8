// fork at any moment: from several threads at once that also open, map, patch and execute, and in signal handlers. Each child
// is whole: it makes calls, handles signals, has threads, forks and executes.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

static volatile int stop, forks, hits;
static void count(int sig) { (void)sig; hits++; }
static void *returns(void *arg) { return arg; }

// child is what each child does.
static void child(int i)
{
	pid_t me = getpid();
	EQUAL(syscall(SYS_gettid), me);
	struct sigaction act = {.sa_handler = SIG_DFL};
	sigaction(SIGALRM, &act, NULL);
	handle(SIGUSR1, count, 0);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	hits = 0;
	syscall(SYS_kill, me, SIGUSR1);
	EQUAL(hits, 1);
	int fd = open("/dev/null", O_WRONLY);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED && munmap(page, 4096) == 0);
	if (i % 4 == 0) {
		pid_t pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			_exit(4);
		EQUAL(ended(pid), 4);
	}
	char *argv[] = {"sh", "-c", "exit 3", NULL}, *env[] = {NULL};
	if (i % 8 == 0)
		execve("/bin/sh", argv, env);
	_exit(3);
}

static void *forks_all_the_time(void *arg)
{
	for (int i = 0; i < 12; i++) {
		pid_t pid = i & 1 ? fork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		CHECK(pid >= 0);
		if (pid == 0)
			child(i);
		EQUAL(ended(pid), 3);
		__atomic_fetch_add(&forks, 1, __ATOMIC_SEQ_CST);
	}
	return arg;
}

static void *works(void *arg)
{
	int other = 500 + (int)(long)arg;
	while (!stop) {
		pthread_t t;
		CHECK(pthread_create(&t, NULL, returns, NULL) == 0);
		pthread_join(t, NULL);
		int fd = open("/dev/null", O_RDONLY);
		CHECK(fd >= 0 && dup2(fd, other) == other && close(fd) == 0 && close(other) == 0);
		char *page = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(page != MAP_FAILED && munmap(page, 8192) == 0);
	}
	return arg;
}

// A handler forks, wherever the thread is.
static volatile int in_handlers;
static void forks_in_handler(int sig)
{
	(void)sig;
	int saved = errno;
	if (in_handlers < 20) {
		pid_t pid = in_handlers & 1 ? vfork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		CHECK(pid >= 0);
		if (pid == 0) {
			if (!(in_handlers & 1))
				child(in_handlers);
			_exit(3);
		}
		EQUAL(ended(pid), 3);
		in_handlers++;
	}
	errno = saved;
}

static void handlers(void)
{
	handle(SIGALRM, forks_in_handler, SA_RESTART);
	tick(3000);
	int fd[2];
	CHECK(pipe(fd) == 0);
	while (in_handlers < 20) {
		char c = 'x';
		CHECK(write(fd[1], &c, 1) == 1 && read(fd[0], &c, 1) == 1);
		void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(page != MAP_FAILED && munmap(page, 4096) == 0);
		EQUAL(syscall(SYS_getpid), getpid());
	}
	tick(0);
}

int main(void)
{
	pthread_t t[5];
	for (int i = 0; i < 5; i++)
		pthread_create(&t[i], NULL, i < 3 ? forks_all_the_time : works, (void *)(long)i);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	stop = 1;
	for (int i = 3; i < 5; i++)
		pthread_join(t[i], NULL);
	EQUAL(forks, 36);
	handlers();
	FAILS(waitpid(-1, NULL, __WALL), ECHILD);
	puts("forkanywhere ok");
}
