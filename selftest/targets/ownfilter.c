// A filter of the program's own holds for its calls: RET_TRAP reaches its handler with the call's address, number and
// registers, and the handler's result is the call's; RET_ERRNO is an error; a filtered execve fails.
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <ucontext.h>

static volatile int traps;

static void emulate(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	EQUAL(sig, SIGSYS);
	EQUAL(info->si_code, 1); // SYS_SECCOMP
	EQUAL(info->si_errno, 77);
	EQUAL(info->si_arch, AUDIT_ARCH_X86_64);
	CHECK((uintptr_t)info->si_call_addr == (uintptr_t)uc->uc_mcontext.gregs[REG_RIP]);
	CHECK(*(unsigned short *)((char *)info->si_call_addr - 2) == 0x050f);
	EQUAL(uc->uc_mcontext.gregs[REG_RAX], info->si_syscall);
	traps++;
	uc->uc_mcontext.gregs[REG_RAX] = 1000 + info->si_syscall;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = emulate, .sa_flags = SA_SIGINFO};
	CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 2, 0), // a call in which the runtime has a part
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
	};
	struct sock_fprog prog = {sizeof code / sizeof *code, code};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
	for (int i = 0; i < 10; i++) {
		EQUAL(raw(SYS_getppid, 0, 0, 0, 0, 0, 0), 1000 + SYS_getppid);
		EQUAL(raw(SYS_dup, 1, 0, 0, 0, 0, 0), 1000 + SYS_dup);
		EQUAL(traps, 2 * i + 2);
	}
	struct utsname name;
	FAILS(uname(&name), EXDEV);
	pid_t pid = fork();
	if (pid == 0) {
		EQUAL(raw(SYS_getppid, 0, 0, 0, 0, 0, 0), 1000 + SYS_getppid);
		_exit(7);
	}
	EQUAL(ended(pid), 7);
	puts("ownfilter ok");
}
