// A program to be started by debuggers: functions to stop in, a variable to watch, calls, signals, a child and threads.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int counter;
static volatile int caught;

static int leaf(int x)
{
	counter += x;
	return counter * 2;
}

static int middle(int x)
{
	int r = leaf(x);
	return r + 1;
}

static void on_signal(int sig) { caught = sig; }

static void *worker(void *arg)
{
	usleep(1000);
	return arg;
}

int main(void)
{
	int sum = 0, status;
	for (int i = 0; i < 3; i++)
		sum += middle(i);
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	getppid();
	printf("sum %d caught %d\n", sum, caught);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		leaf(100);
		_exit(5);
	}
	waitpid(pid, &status, 0);
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, worker, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("child %d\n", WEXITSTATUS(status));
	return 3;
}
