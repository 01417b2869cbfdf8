// A system call leaves the stack alone: not a byte changes below the stack pointer, red zone or not, nor above it.
// A signal frame on the program's own stack would show here, as would a push.
#include "text.h"

enum { BELOW = 65536, ABOVE = 4096 };

// ON_STACK defines a function that makes one call with rsp = top, at a site of the given text.
#define ON_STACK(name, text) \
	__attribute__((noinline)) static long name(char *top, long nr, long a, long b, long c) \
	{ \
		long result; \
		__asm__ volatile("mov %%rsp, %%rbx\nmov %[top], %%rsp\n" text "mov %%rbx, %%rsp" \
				 : "=a"(result) \
				 : "a"(nr), "D"(a), "S"(b), "d"(c), [top] "r"(top) \
				 : "rbx", "rcx", "r11", "memory"); \
		return result; \
	}

ON_STACK(plain, "syscall\n")
ON_STACK(room_behind, "syscall\n" ROOM)
ON_STACK(room_before, ROOM "syscall\n")

int main(void)
{
	char *stack = mmap(NULL, BELOW + ABOVE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(stack != MAP_FAILED);
	static const struct {
		long nr, a, b, c;
	} calls[] = {
		{SYS_getpid, 0, 0, 0},
		{SYS_rt_sigprocmask, SIG_BLOCK, 0, 0},
		{SYS_rt_sigaction, SIGUSR2, 0, 0},
		{SYS_sigaltstack, 0, 0, 0},
		{SYS_close, -1, 0, 0},
		{SYS_dup, 0, 0, 0},
		{SYS_close_range, 1000, 2000, 0},
		{SYS_mmap, 0, 4096, PROT_READ},
		{SYS_execve, 0, 0, 0},
		{SYS_nanosleep, 0, 0, 0},
		{SYS_wait4, -1, 0, WNOHANG},
		{SYS_getuid, 0, 0, 0},
	};
	long (*const sites[])(char *, long, long, long, long) = {plain, room_behind, room_before};
	for (int round = 0; round < 21; round++)
		for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
			memset(stack, 0x5a, BELOW + ABOVE);
			sites[round % 3](stack + BELOW, calls[i].nr, calls[i].a, calls[i].b, calls[i].c);
			for (int k = 0; k < BELOW + ABOVE; k++)
				if (stack[k] != 0x5a)
					FAIL("call %ld, round %d: byte rsp%+d changed", calls[i].nr, round, k - BELOW);
		}
	puts("stack ok");
}
