// User notification: a supervisor answers for its child, lets calls go on, gives it descriptors. Calls of all kinds: those that
// nobody needs to see, a call that a program is executed by, a fork; one that a signal interrupts while the supervisor thinks.
#include "filter.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

static void send_fd(int sock, int fd)
{
	char c = 'f', room[CMSG_SPACE(sizeof fd)] = {0};
	struct iovec v = {&c, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET, h->cmsg_type = SCM_RIGHTS, h->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	CHECK(sendmsg(sock, &m, 0) == 1);
}

static int receive_fd(int sock)
{
	int fd;
	char c, room[CMSG_SPACE(sizeof fd)];
	struct iovec v = {&c, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	CHECK(recvmsg(sock, &m, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

static volatile int alarms;
static void on_alarm(int sig) { (void)sig; alarms++; }

// child makes its calls under a filter that asks about them.
static void child(int sock)
{
	static const int asked[] = {SYS_getppid, SYS_mkdir, SYS_openat, SYS_clone, SYS_execve, SYS_fork, SYS_close, SYS_getsid, SYS_getpgid, SYS_mmap};
	enum { N = sizeof asked / sizeof *asked };
	struct sock_filter code[N + 3] = {LOAD(nr)};
	for (int i = 0; i < N; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, asked[i], N - i, 0);
	code[N + 1] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	code[N + 2] = (struct sock_filter)RETURN(SECCOMP_RET_USER_NOTIF);
	int listener = add_filter(code, N + 3, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	CHECK(listener >= 0);
	send_fd(sock, listener);
	for (int i = 0; i < 5; i++)
		EQUAL(raw(SYS_getppid, 0, 0, 0, 0, 0, 0), 4242);
	FAILS(mkdir("/nowhere/at/all", 0700), EXDEV);
	int fd = open("/supervised", O_RDONLY);
	CHECK(fd >= 0);
	char text[4] = "";
	CHECK(read(fd, text, 3) == 3);
	SAME(text, "abc");
	FAILS(close(990), EDOM); // answered by the supervisor
	FAILS(close(991), EBADF); // by the kernel
	EQUAL(raw(SYS_mmap, 1, 0, 0, 0, 0, 0), -ENODATA);
	handle(SIGALRM, on_alarm, 0);
	tick(50000);
	EQUAL(raw(SYS_getsid, 0, 0, 0, 0, 0, 0), -EINTR); // nobody answers
	tick(0);
	handle(SIGALRM, on_alarm, SA_RESTART);
	int seen = alarms;
	struct itimerval once = {{0, 0}, {0, 50000}};
	setitimer(ITIMER_REAL, &once, NULL);
	EQUAL(raw(SYS_getpgid, 0, 0, 0, 0, 0, 0), 77); // the first one is interrupted and made again
	EQUAL(alarms, seen + 1);
	pid_t pid = fork();
	if (pid == 0) {
		EQUAL(raw(SYS_getppid, 0, 0, 0, 0, 0, 0), 4242);
		FAILS(execl("/nonexistent/refused", "x", NULL), EDOM);
		execl("/proc/self/exe", "notify", "executed", NULL);
		_exit(1);
	}
	EQUAL(ended(pid), 5);
	_exit(6);
}

static void supervise(int listener)
{
	struct seccomp_notif_sizes sizes;
	EQUAL(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes), 0);
	CHECK(sizes.seccomp_notif <= 256 && sizes.seccomp_notif_resp <= 256);
	int pgids = 0;
	for (;;) {
		_Alignas(8) char in[256] = {0}, out[256] = {0};
		struct seccomp_notif *n = (void *)in;
		struct seccomp_notif_resp *r = (void *)out;
		struct pollfd p = {listener, POLLIN, 0};
		if (poll(&p, 1, -1) == 1 && p.revents & POLLHUP)
			return;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, n) != 0) {
			CHECK(errno == ENOENT || errno == EINTR);
			continue;
		}
		r->id = n->id;
		EQUAL(n->data.arch, AUDIT_ARCH_X86_64);
		switch (n->data.nr) {
		case SYS_getppid:
			r->val = 4242;
			break;
		case SYS_mkdir:
			r->error = -EXDEV;
			break;
		case SYS_openat: {
			char path[16] = "";
			struct iovec to = {path, sizeof path - 1}, from = {(void *)n->data.args[1], sizeof path - 1};
			process_vm_readv(n->pid, &to, 1, &from, 1, 0);
			r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
			if (strncmp(path, "/supervised", 11))
				break;
			int file = memfd_create("x", 0);
			CHECK(write(file, "abc", 3) == 3 && lseek(file, 0, SEEK_SET) == 0);
			struct seccomp_notif_addfd add = {.id = n->id, .srcfd = file};
			int given = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
			CHECK(given >= 0);
			close(file);
			r->flags = 0, r->val = given;
			break;
		}
		case SYS_getsid: // no answer, till the interrupted call is gone
			while (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n->id) == 0)
				rest(5);
			continue;
		case SYS_getpgid:
			if (pgids++ == 0) {
				while (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n->id) == 0)
					rest(5);
				continue;
			}
			r->val = 77;
			break;
		case SYS_close:
			r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
			if (n->data.args[0] == 990)
				r->flags = 0, r->error = -EDOM;
			break;
		case SYS_mmap:
			r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
			if (n->data.args[0] == 1)
				r->flags = 0, r->error = -ENODATA;
			break;
		case SYS_execve: {
			char path[16] = "";
			struct iovec to = {path, sizeof path - 1}, from = {(void *)n->data.args[0], sizeof path - 1};
			process_vm_readv(n->pid, &to, 1, &from, 1, 0);
			r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
			if (!strncmp(path, "/nonexistent", 12))
				r->flags = 0, r->error = -EDOM;
			break;
		}
		default:
			r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		}
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, r) != 0)
			CHECK(errno == ENOENT);
	}
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return raw(SYS_getppid, 0, 0, 0, 0, 0, 0) == 4242 ? 5 : 1;
	int sock[2];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sock) == 0);
	pid_t pid = fork();
	if (pid == 0)
		child(sock[1]);
	int listener = receive_fd(sock[0]);
	supervise(listener);
	EQUAL(ended(pid), 6);
	puts("notify ok");
}
