// sleepers fork|exec N: starts N children that sleep, by fork alone or by fork and exec, prints their process IDs on
// one line when all are asleep, and ends them when its standard input ends.
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// sleeper says on the descriptor ready that it is there.
static void sleeper(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static pid_t start(char *self, int exec, int ready)
{
	char number[12];
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (exec) {
		snprintf(number, sizeof number, "%d", ready);
		execl(self, self, number, NULL);
		_exit(1);
	}
	sleeper(ready);
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0, pipes[2];
	pid_t *children = calloc(n + 1, sizeof *children);
	char c;

	if (argc == 2)
		sleeper(atoi(argv[1]));
	if (n < 1 || children == NULL || pipe(pipes))
		errx(2, "usage: sleepers fork|exec N");
	for (int i = 0; i < n; i++)
		children[i] = start(argv[0], !strcmp(argv[1], "exec"), pipes[1]);
	for (int i = 0; i < n; i++)
		if (read(pipes[0], &c, 1) != 1)
			errx(1, "a sleeper ended");
	for (int i = 0; i < n; i++)
		printf("%d ", children[i]);
	printf("\n");
	fflush(stdout);
	while (read(0, &c, 1) == 1)
		;
	for (int i = 0; i < n; i++)
		kill(children[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
