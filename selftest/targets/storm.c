// A timer signal every millisecond, and others from another process, over 200000 calls: every call is made exactly once
// and gives its own result, every queued signal is handled exactly once.
#include "check.h"
#include <sys/mman.h>

static volatile int alarms, queued;

static void on_alarm(int sig) { (void)sig; alarms++; }

static void on_queue(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	EQUAL(info->si_value.sival_int, queued + 1);
	queued++;
	if (queued % 8 == 0)
		syscall(SYS_getppid); // calls in handlers
}

// calls makes one round of calls whose effect can be counted.
static void calls(int *bytes, int fd[2])
{
	EQUAL(syscall(SYS_getpid), getpid());
	EQUAL(write(fd[1], "x", 1), 1); // with SA_RESTART; short of a full pipe it is never interrupted
	++*bytes;
	EQUAL(lseek(fd[0], 0, SEEK_CUR), -1);
	FAILS(close(-1), EBADF);
	if (*bytes % 64 == 0) {
		char text[64];
		EQUAL(read(fd[0], text, 64), 64);
		*bytes -= 64;
	}
}

int main(void)
{
	enum { ROUNDS = 50000, SIGNALS = 3000 };
	int fd[2], bytes = 0;
	CHECK(pipe(fd) == 0);
	handle(SIGALRM, on_alarm, SA_RESTART);
	handle_info(SIGRTMIN, on_queue, SA_RESTART);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		for (int i = 1; i <= SIGNALS; i++) {
			while (sigqueue(parent, SIGRTMIN, (union sigval){.sival_int = i}) < 0)
				rest(1);
			if (i % 16 == 0)
				rest(1);
		}
		_exit(0);
	}
	tick(1000);
	for (int i = 0; i < ROUNDS; i++)
		calls(&bytes, fd);
	int file = open("numbers", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	for (int i = 0; i < 20000; i++)
		EQUAL(write(file, &i, sizeof i), sizeof i);
	EQUAL(ended(pid), 0);
	while (queued < SIGNALS)
		syscall(SYS_getppid);
	tick(0);
	EQUAL(queued, SIGNALS);
	EQUAL(lseek(file, 0, SEEK_CUR), 20000 * sizeof(int));
	int *numbers = mmap(NULL, 20000 * sizeof(int), PROT_READ, MAP_PRIVATE, file, 0);
	for (int i = 0; i < 20000; i++)
		EQUAL(numbers[i], i);
	char rest_of_pipe[65536];
	CHECK(fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0);
	EQUAL(read(fd[0], rest_of_pipe, sizeof rest_of_pipe), bytes ? bytes : -1);
	CHECK(alarms > 0);
	puts("storm ok");
}
