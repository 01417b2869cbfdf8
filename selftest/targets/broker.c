// A sandbox as browsers have it: a filter traps what needs rights, and the SIGSYS handler asks a broker in another process, by calls
// of its own, and gives the interrupted call the broker's answer. In threads too, and with signals in between.
#include "filter.h"
#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <ucontext.h>

enum { THREADS = 4, ROUNDS = 30 };

static int sock[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int alarms;
static void on_alarm(int sig) { (void)sig; alarms++; }

static void send_answer(int error, int fd)
{
	char room[CMSG_SPACE(sizeof fd)] = {0};
	struct iovec v = {&error, sizeof error};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	if (fd >= 0) {
		m.msg_control = room, m.msg_controllen = sizeof room;
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET, h->cmsg_type = SCM_RIGHTS, h->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(h), &fd, sizeof fd);
	}
	CHECK(sendmsg(sock[1], &m, 0) == sizeof error);
}

static void broker(void)
{
	char path[256];
	for (ssize_t n; (n = recv(sock[1], path, sizeof path, 0)) > 0;) {
		int fd = open(path, O_RDONLY);
		send_answer(fd < 0 ? -errno : 0, fd);
		if (fd >= 0)
			close(fd);
	}
	_exit(0);
}

// ask returns a descriptor or a negative error. The handler's own calls are none that the filter traps.
static long ask(const char *path)
{
	int error = 0, fd = -1;
	char room[CMSG_SPACE(sizeof fd)];
	struct iovec v = {&error, sizeof error};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	if (send(sock[0], path, strlen(path) + 1, 0) < 0 || recvmsg(sock[0], &m, 0) != sizeof error)
		return -EIO;
	if (error)
		return error;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	int saved = errno;
	CHECK(sig == SIGSYS && info->si_code == 1 && (greg_t)(uintptr_t)info->si_call_addr == r[REG_RIP]);
	sigset_t all, old;
	sigfillset(&all);
	CHECK(sigprocmask(SIG_BLOCK, &all, &old) == 0);
	CHECK(sigismember(&old, SIGSYS) == 1);
	switch (info->si_syscall) {
	case SYS_openat:
		r[REG_RAX] = ask((const char *)r[REG_RSI]);
		break;
	case SYS_sigaltstack: // answered by the kernel for no thread
		r[REG_RAX] = -EXDEV;
		break;
	default:
		r[REG_RAX] = -ENOSYS;
	}
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
	errno = saved;
}

static void *opens(void *arg)
{
	char text[16];
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		int fd = open("/proc/version", O_RDONLY);
		pthread_mutex_unlock(&lock);
		CHECK(fd >= 0 && read(fd, text, 5) == 5 && !memcmp(text, "Linux", 5));
		CHECK(close(fd) == 0);
		pthread_mutex_lock(&lock);
		FAILS(open("/nonexistent", O_RDONLY), ENOENT);
		pthread_mutex_unlock(&lock);
		for (int j = 0; j < 100; j++) // each may meet an alarm, which comes before the call or behind it
			FAILS(sigaltstack(NULL, NULL), EXDEV);
		FAILS(syscall(SYS_getsid, 0), ENOSYS);
		FAILS(execl("/bin/true", "true", NULL), ENOSYS);
	}
	return arg;
}

int main(void)
{
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(sock[0]);
		broker();
	}
	close(sock[1]);
	handle_info(SIGSYS, on_sigsys, SA_ONSTACK);
	handle(SIGALRM, on_alarm, SA_RESTART);
	pthread_t t[THREADS];
	struct sock_filter code[] = {
		LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sigaltstack, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 1, 0),
		RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_TRAP),
	};
	EQUAL(add_filter(code, sizeof code / sizeof *code, SECCOMP_FILTER_FLAG_TSYNC), 0);
	tick(700);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, opens, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	tick(0);
	close(sock[0]);
	EQUAL(ended(pid), 0);
	puts("broker ok");
}
