// A program that looks into another: seize, interrupt, read registers and memory, change them, let go; memory of a child by
// process_vm_readv and /proc/PID/mem. The child was not executed under the tracer.
#include "check.h"
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

static volatile long word = 1;

int main(void)
{
	volatile int *looping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 20; i++) {
		int status;
		*looping = 0;
		pid_t pid = fork();
		if (pid == 0) {
			word = 2;
			*looping = 1;
			while (word == 2)
				if (i & 1)
					rest(1);
			syscall(SYS_getppid);
			_exit(word);
		}
		while (!*looping)
			rest(1);
		CHECK(ptrace(PTRACE_SEIZE, pid, 0, 0) == 0);
		CHECK(ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
		struct user_regs_struct regs;
		CHECK(ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0 && regs.rip != 0);
		EQUAL(ptrace(PTRACE_PEEKDATA, pid, &word, 0), 2);
		long value = 0;
		struct iovec local = {&value, 8}, remote = {(void *)&word, 8};
		EQUAL(process_vm_readv(pid, &local, 1, &remote, 1, 0), 8);
		EQUAL(value, 2);
		CHECK(ptrace(PTRACE_POKEDATA, pid, &word, 9) == 0);
		CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
		EQUAL(ended(pid), 9);
	}
	// By this programs find out whether they are traced.
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
	FAILS(ptrace(PTRACE_TRACEME, 0, 0, 0), EPERM);
	// Own memory through the file.
	int fd = open("/proc/self/mem", O_RDWR);
	CHECK(fd >= 0);
	long value = 77, got;
	EQUAL(pwrite(fd, &value, 8, (long)&word), 8);
	EQUAL(word, 77);
	EQUAL(pread(fd, &got, 8, (long)&word), 8);
	EQUAL(got, 77);
	close(fd);
	puts("tracer ok");
}
