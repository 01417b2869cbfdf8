// Waits for children of every kind, while another thread executes programs that are not there or are none: no stranger is
// met, and where there is no child there is none.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

static volatile int stop;

static void *fails_to_execute(void *arg)
{
	char *none[] = {"x", NULL};
	while (!stop) {
		FAILS(execve(arg, none, none + 1), ENOEXEC);
		FAILS(execve("/nonexistent", none, none + 1), ENOENT);
	}
	return NULL;
}

static void nobody(int flags)
{
	int status = 77;
	struct rusage usage = {.ru_nsignals = 77};
	siginfo_t info = {.si_pid = 77};
	FAILS(wait4(-1, &status, flags, &usage), ECHILD);
	EQUAL(status, 77);
	EQUAL(usage.ru_nsignals, 77);
	FAILS(waitid(P_ALL, 0, &info, WEXITED | flags), ECHILD);
	EQUAL(info.si_pid, 0);
	FAILS(waitid(P_PGID, getpgrp(), NULL, WEXITED | WNOWAIT | flags), ECHILD);
	FAILS(waitpid(0, NULL, flags), ECHILD);
}

static void somebody(int flags)
{
	int status = 0;
	struct rusage usage = {0};
	siginfo_t info = {0};
	long exit_signal = flags & __WCLONE ? 0 : SIGCHLD;
	pid_t pid = syscall(SYS_clone, exit_signal, 0, 0, 0, 0);
	if (pid == 0) {
		rest(2);
		_exit(5);
	}
	int early = waitpid(-1, NULL, flags | WNOHANG);
	CHECK(early == 0 || early == pid);
	if (early == pid)
		return;
	CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | flags) == 0);
	EQUAL(info.si_pid, pid);
	EQUAL(info.si_status, 5);
	EQUAL(info.si_code, CLD_EXITED);
	CHECK(wait4(-1, &status, flags, &usage) == pid);
	EQUAL(WEXITSTATUS(status), 5);
	CHECK(usage.ru_maxrss > 0);
}

static void faults(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(6);
	FAILS(syscall(SYS_wait4, -1, 1, __WALL, 0), EFAULT); // the child is gone all the same
	FAILS(waitpid(pid, NULL, __WALL), ECHILD);
	FAILS(syscall(SYS_waitid, P_ALL, 0, 1, WEXITED | __WALL, 0), EFAULT);
	FAILS(syscall(SYS_wait4, -1, 0, __WALL | 0x100, 0), EINVAL);
	FAILS(syscall(SYS_waitid, P_ALL, 0, 0, __WALL, 0), EINVAL);
}

static volatile int ticks;
static void on_tick(int sig) { (void)sig; ticks++; }

static void interrupted(void)
{
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	handle(SIGALRM, on_tick, 0);
	tick(1000);
	FAILS(waitpid(-1, NULL, __WALL), EINTR);
	FAILS(waitid(P_ALL, 0, NULL, WEXITED | __WALL), EINTR);
	handle(SIGALRM, on_tick, SA_RESTART);
	pid_t killer = fork();
	if (killer == 0) {
		rest(20);
		kill(pid, SIGKILL);
		for (;;)
			pause();
	}
	CHECK(waitpid(-1, NULL, __WALL) == pid);
	tick(0);
	kill(killer, SIGKILL);
	EQUAL(ended(killer), 1000 + SIGKILL);
}

int main(void)
{
	char *file = "file";
	int fd = open(file, O_WRONLY | O_CREAT, 0777);
	CHECK(fd >= 0 && write(fd, "\x7f" "ELF", 4) == 4 && close(fd) == 0);
	pthread_t t[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, fails_to_execute, file);
	int flags[] = {__WALL, __WCLONE, __WALL | WNOHANG, __WCLONE | WNOHANG, __WALL | __WNOTHREAD, 0, WNOHANG};
	for (int i = 0; i < 300; i++) {
		nobody(flags[i % 7]);
		if (i % 5 == 0) {
			somebody(__WALL);
			somebody(__WCLONE);
		}
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	faults();
	interrupted();
	puts("wallwaits ok");
}
