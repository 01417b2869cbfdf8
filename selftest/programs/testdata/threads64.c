// What an emulator of user programs has to pass on: threads, signals, children.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void handler(int sig) { caught = sig; }

static void *next(void *p) { return (char *)p + 1; }

int main(void)
{
	pthread_t t[8];
	long sum = 0;
	for (long i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, next, (void *)i);
	for (int i = 0; i < 8; i++) {
		void *r;
		pthread_join(t[i], &r);
		sum += (long)r;
	}
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	int status;
	if (fork() == 0)
		_exit(3);
	wait(&status);
	printf("%ld %d %d\n", sum, caught, WEXITSTATUS(status));
	return 5;
}
