// Syscall User Dispatch switched off, which it is, in every way of writing that, by the program and by its tracer; and calls
// that every kind of thread and process makes after it was born, and after that.
// Arguments: on, remote; it is switched on, which cannot be shared. other PID; for a process that is no target. without, and
// a command: the command runs as on a kernel that does not have it. strict: strict seccomp mode. compat: a call of 32-bit
// code; the program must be linked below 4 GiB.
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

enum { DISPATCH = 59, OFF = 0, ON = 1, SET_CONFIG = 0x4210, GET_CONFIG = 0x4211, I386_FORK = 2, I386_PRCTL = 172 };

struct config { // struct ptrace_sud_config, linux/ptrace.h
	uint64_t mode, selector, offset, len;
};

// seen makes a call that tells who makes it.
static void seen(const char *who)
{
	char path[100];
	snprintf(path, sizeof path, "/seen/%s", who);
	EQUAL(raw(SYS_access, (long)path, F_OK, 0, 0, 0, 0), -ENOENT);
}

static int i386; // int 0x80 works

static long int80(int nr, int a, int b, int c, int d, int e)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return result;
}

static void off(const char *who)
{
	char after[100];
	snprintf(after, sizeof after, "%s-off", who);
	seen(who);
	EQUAL(raw(SYS_prctl, DISPATCH, OFF, 0, 0, 0, 0), 0);
	EQUAL(raw(SYS_prctl, 0x700000000 | DISPATCH, OFF, 0, 0, 0, 99), 0); // an int for the kernel
	EQUAL(raw(SYS_prctl, DISPATCH, OFF, 1, 0, 0, 0), -EINVAL);
	EQUAL(raw(SYS_prctl, DISPATCH, OFF, 0, 1, 0, 0), -EINVAL);
	EQUAL(raw(SYS_prctl, DISPATCH, OFF, 0, 0, 1, 0), -EINVAL);
	EQUAL(raw(SYS_prctl, DISPATCH, 3, 0, 0, 0, 0), -EINVAL);
	EQUAL(raw(SYS_prctl, DISPATCH, 1l << 32, 0, 0, 0, 0), -EINVAL);
	if (i386) {
		EQUAL(int80(I386_PRCTL, DISPATCH, OFF, 0, 0, 0), 0);
		EQUAL(int80(I386_PRCTL, DISPATCH, OFF, 0, 4, 0), -EINVAL);
	}
	seen(after);
}

static void *thread(void *arg)
{
	off("thread");
	return arg;
}

static int cloned(void *arg)
{
	(void)arg;
	off("clone");
	return 4;
}

static void on(void)
{
	raw(SYS_prctl, 0x700000000 | DISPATCH, ON, 0, 1l << 47, 0, 0); // the whole address space may call
}

static long set(pid_t pid, const struct config *c) { return raw(SYS_ptrace, SET_CONFIG, pid, sizeof *c, (long)c, 0, 0); }

static void shows(pid_t pid, const struct config *want)
{
	struct config got;
	memset(&got, 1, sizeof got);
	EQUAL(raw(SYS_ptrace, GET_CONFIG, pid, sizeof got, (long)&got, 0, 0), 0);
	EQUAL(memcmp(&got, want, sizeof got), 0);
}

static void stop(pid_t pid, long options)
{
	int status;
	CHECK(ptrace(PTRACE_SEIZE, pid, 0, options) == 0 && ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
	CHECK(waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status));
}

// A child that is traced. Where it is asked for it is told to dispatch.
static void traced(int on)
{
	volatile int *go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct config c = {0};
	pid_t pid = fork();
	if (pid == 0) {
		while (!*go)
			rest(1);
		off("traced");
		_exit(7);
	}
	EQUAL(set(pid, &c), -ESRCH); // not traced
	stop(pid, PTRACE_O_EXITKILL);
	shows(pid, &c);
	EQUAL(set(pid, &c), 0);
	EQUAL(raw(SYS_ptrace, SET_CONFIG, pid, sizeof c - 1, (long)&c, 0, 0), -EINVAL);
	EQUAL(raw(SYS_ptrace, GET_CONFIG, pid, sizeof c + 1, (long)&c, 0, 0), -EINVAL);
	EQUAL(raw(SYS_ptrace, SET_CONFIG, pid, sizeof c, 8, 0, 0), -EFAULT);
	EQUAL(raw(SYS_ptrace, GET_CONFIG, pid, sizeof c, 8, 0, 0), -EFAULT);
	c.offset = 1;
	EQUAL(set(pid, &c), -EINVAL);
	c.mode = 3;
	EQUAL(set(pid, &c), -EINVAL);
	c.mode = ON;
	c.len = 1ul << 47;
	if (on)
		set(pid, &c);
	CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
	*go = 1;
	EQUAL(ended(pid), 7);
}

// A process that trapline has nothing to do with.
static void other(pid_t pid)
{
	struct config off = {0}, on = {.mode = ON, .offset = 4096, .len = (1ul << 47) - 8192};
	stop(pid, 0);
	EQUAL(set(pid, &on), 0);
	shows(pid, &on);
	EQUAL(set(pid, &off), 0);
	shows(pid, &off);
	CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
	puts("other ok");
	exit(0);
}

static void without(char **command)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DISPATCH, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {sizeof code / sizeof *code, code};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	EQUAL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p), 0);
	execv(command[0], command);
}

static void strict(void)
{
	puts("strict");
	fflush(stdout);
	EQUAL(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), -1); // no such flag
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL) == 0);
	syscall(SYS_exit, 0);
}

static void compat(void)
{
	if (!has_i386()) {
		puts("no i386");
		exit(0);
	}
	static const unsigned char text[] = {
		0xb8, 20, 0, 0, 0, // mov $20 (getpid), %eax
		0xcd, 0x80,        // int $0x80
		0xcb,              // lret
	};
	char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(low != MAP_FAILED);
	struct {
		uint32_t ip;
		uint16_t cs;
	} far = {(uint32_t)(uintptr_t)low, 0x23};
	memcpy(low, text, sizeof text);
	// On a stack below 4 GiB, and from code there: the far call leaves a return address of 32 bits.
	uint32_t pid;
	__asm__ volatile("mov %%rsp, %%rbx\nmov %2, %%rsp\nlcall *(%1)\nmov %%rbx, %%rsp"
			 : "=&a"(pid) : "r"(&far), "r"(low + 8192) : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
	EQUAL(pid, getpid());
	puts("compat ok");
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	const char *what = argc > 1 ? argv[1] : "off";
	if (!strcmp(what, "exec")) {
		off("exec");
		return 0;
	}
	if (!strcmp(what, "on"))
		on();
	if (!strcmp(what, "remote"))
		traced(1);
	if (!strcmp(what, "other"))
		other(atoi(argv[2]));
	if (!strcmp(what, "without"))
		without(argv + 2);
	if (!strcmp(what, "strict"))
		strict();
	if (!strcmp(what, "compat"))
		compat();
	if (strcmp(what, "off"))
		FAIL("%s: errno %d", what, errno);
	i386 = has_i386();
	off("first");
	pthread_t t;
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	pid_t pid = fork();
	if (pid == 0) {
		off("fork");
		pthread_create(&t, NULL, thread, NULL);
		pthread_join(t, NULL);
		_exit(3);
	}
	EQUAL(ended(pid), 3);
	EQUAL(ended(clone(cloned, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL)), 4);
	pid = vfork();
	if (pid == 0) {
		off("vfork");
		_exit(5);
	}
	EQUAL(ended(pid), 5);
	pid = i386 ? int80(I386_FORK, 0, 0, 0, 0, 0) : fork();
	if (pid == 0) {
		off("int80");
		_exit(6);
	}
	EQUAL(ended(pid), 6);
	traced(0);
	off("parent");
	pid = vfork();
	if (pid == 0) {
		execl("/proc/self/exe", "dispatch", "exec", NULL);
		_exit(1);
	}
	EQUAL(ended(pid), 0);
	puts("dispatch ok");
}
