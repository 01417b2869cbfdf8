// vfork: the child borrows memory and stack, the parent waits for exec or exit, nothing of the child's registers stays.
#include "check.h"
#include <spawn.h>

static volatile int shared;

static void exits(void)
{
	for (int i = 0; i < 200; i++) {
		volatile int local = i;
		pid_t pid = vfork();
		CHECK(pid >= 0);
		if (pid == 0) {
			shared++;
			local++;
			_exit(i & 127);
		}
		EQUAL(local, i + 1); // the child has ended before the parent goes on
		EQUAL(shared, i + 1);
		EQUAL(ended(pid), i & 127);
	}
}

static void executes(void)
{
	for (int i = 0; i < 50; i++) {
		pid_t pid = vfork();
		CHECK(pid >= 0);
		if (pid == 0) {
			execl("/bin/sh", "sh", "-c", "exit 5", NULL);
			_exit(1);
		}
		EQUAL(ended(pid), 5);
	}
}

// A child whose exec fails tells the parent through shared memory.
static void failing(void)
{
	for (int i = 0; i < 50; i++) {
		volatile int error = 0;
		pid_t pid = vfork();
		CHECK(pid >= 0);
		if (pid == 0) {
			execl("/nonexistent/program", "x", NULL);
			error = errno;
			execl("/", "x", NULL);
			error = error * 1000 + errno;
			execl("/bin/true", "true", NULL);
			_exit(1);
		}
		EQUAL(error, ENOENT * 1000 + EACCES);
		EQUAL(ended(pid), 0);
	}
}

// A vfork child may vfork.
static void nested(void)
{
	for (int i = 0; i < 20; i++) {
		volatile int inner = 0;
		pid_t pid = vfork();
		CHECK(pid >= 0);
		if (pid == 0) {
			pid_t deeper = vfork();
			if (deeper == 0) {
				inner++;
				_exit(3);
			}
			int status;
			_exit(waitpid(deeper, &status, 0) == deeper && WEXITSTATUS(status) == 3 ? 4 : 1);
		}
		EQUAL(inner, 1);
		EQUAL(ended(pid), 4);
	}
}

// A child that is killed releases the parent too.
static void killed(void)
{
	pid_t pid = vfork();
	if (pid == 0) {
		kill(getpid(), SIGKILL); // raise would take the parent's id out of the shared memory
		_exit(0);
	}
	EQUAL(ended(pid), 1000 + SIGKILL);
}

int main(void)
{
	exits();
	executes();
	failing();
	nested();
	killed();
	EQUAL(system("exit 6") >> 8, 6);
	FILE *p = popen("echo from a pipe; exit 7", "r");
	char line[64] = "";
	CHECK(fgets(line, sizeof line, p) != NULL);
	SAME(line, "from a pipe\n");
	EQUAL(pclose(p) >> 8, 7);
	FAILS(wait(NULL), ECHILD);
	puts("vfork ok");
}
