// Job control of a group whose process executes programs all the time: it stops, its parent hears of it, and it goes on,
// whenever the signal comes.
#include "check.h"

enum { ROUNDS = 60, LONGEST_PAUSE = 3000 }; // us

// executes goes on for ever.
static void executes(char *program)
{
	execl(program, program, "again", NULL);
	_exit(1);
}

// await waits for a change of the child and returns its status. Who does not hear of it in time hangs.
static int await(pid_t pid, int options)
{
	int status = 0;
	alarm(20);
	EQUAL(waitpid(pid, &status, options), pid);
	alarm(0);
	return status;
}

int main(int argc, char **argv)
{
	char program[] = "/proc/self/exe";
	(void)argv;
	if (argc > 1)
		executes(program);
	srand(1);
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		executes(program);
	}
	setpgid(pid, pid);
	for (int i = 0; i < ROUNDS; i++) {
		usleep(rand() % LONGEST_PAUSE);
		EQUAL(kill(-pid, SIGSTOP), 0);
		int status = await(pid, WUNTRACED);
		CHECK(WIFSTOPPED(status));
		EQUAL(WSTOPSIG(status), SIGSTOP);
		EQUAL(kill(i % 2 ? pid : -pid, SIGCONT), 0);
		CHECK(WIFCONTINUED(await(pid, WCONTINUED)));
	}
	EQUAL(kill(-pid, SIGKILL), 0);
	EQUAL(WTERMSIG(await(pid, 0)), SIGKILL);
	puts("stopexec ok");
}
