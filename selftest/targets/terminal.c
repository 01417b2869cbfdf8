// A terminal of its own: session, foreground groups, keys that become signals, background reads and writes, hang-up.
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master;

static int slave(void)
{
	int n = 0, zero = 0;
	char name[64];
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0 && ioctl(master, TIOCSPTLCK, &zero) == 0 && ioctl(master, TIOCGPTN, &n) == 0);
	snprintf(name, sizeof name, "/dev/pts/%d", n);
	int fd = open(name, O_RDWR | O_NOCTTY);
	CHECK(fd >= 0);
	return fd;
}

static volatile int last;
static void note(int sig) { last = sig; }

// expects reads from the terminal until it has said text.
static void expects(const char *text)
{
	static char said[4096];
	size_t n = strlen(said);
	char *at;
	while (!(at = strstr(said, text))) {
		struct pollfd p = {master, POLLIN, 0};
		CHECK(poll(&p, 1, 20000) == 1);
		ssize_t got = read(master, said + n, sizeof said - 1 - n);
		CHECK(got > 0);
		said[n += got] = 0;
	}
	at += strlen(text);
	memmove(said, at, strlen(at) + 1);
}

// in_terminal is the session's first process.
static int in_terminal(int fd)
{
	close(master); // the last one to close it hangs up
	CHECK(setsid() == getpid());
	CHECK(ioctl(fd, TIOCSCTTY, 0) == 0);
	EQUAL(tcgetpgrp(fd), getpid());
	handle(SIGINT, note, 0);
	handle(SIGTSTP, note, 0);
	handle(SIGQUIT, note, 0);
	handle(SIGWINCH, note, SA_RESTART);
	int keys[] = {SIGINT, SIGQUIT, SIGTSTP, SIGWINCH};
	for (int i = 0; i < 4; i++) {
		last = 0;
		(void)!write(fd, "key\n", 4);
		while (!last)
			rest(1);
		EQUAL(last, keys[i]);
	}
	signal(SIGTTOU, SIG_IGN);
	signal(SIGINT, SIG_DFL);
	signal(SIGTSTP, SIG_DFL);
	pid_t pid = fork(); // a job in the foreground
	if (pid == 0) {
		setpgid(0, 0);
		tcsetpgrp(fd, getpid());
		signal(SIGTTOU, SIG_DFL);
		for (int i = 0; i < 3; i++)
			dup2(fd, i);
		execl("/bin/sh", "sh", "-c", "echo job; exec sleep 20", NULL);
		_exit(1);
	}
	int status;
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	tcsetpgrp(fd, getpid());
	(void)!write(fd, "stopped\n", 8);
	kill(-pid, SIGCONT);
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	kill(-pid, SIGTERM);
	EQUAL(ended(pid), 1000 + SIGTERM);
	pid = fork(); // one in the background that reads
	if (pid == 0) {
		char c;
		setpgid(0, 0);
		(void)!read(fd, &c, 1);
		_exit(9);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	kill(-pid, SIGKILL);
	EQUAL(ended(pid), 1000 + SIGKILL);
	(void)!write(fd, "hang up\n", 8);
	for (;;)
		pause(); // SIGHUP ends it
}

int main(void)
{
	int fd = slave();
	struct termios t;
	CHECK(tcgetattr(fd, &t) == 0);
	t.c_lflag &= ~ECHO;
	tcsetattr(fd, TCSANOW, &t);
	pid_t pid = fork();
	if (pid == 0)
		in_terminal(fd);
	for (int i = 0; i < 4; i++) {
		expects("key");
		if (i < 3)
			CHECK(write(master, &"\x03\x1c\x1a"[i], 1) == 1);
		else {
			struct winsize w = {10, 20, 0, 0};
			CHECK(ioctl(master, TIOCSWINSZ, &w) == 0);
		}
	}
	expects("job");
	CHECK(write(master, "\x1a", 1) == 1);
	expects("stopped");
	expects("hang up");
	close(fd);
	close(master);
	EQUAL(ended(pid), 1000 + SIGHUP);
	puts("terminal ok");
}
