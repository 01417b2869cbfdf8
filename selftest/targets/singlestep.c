// A program that steps through itself with the trap flag: its handler sees each instruction of its own once, in order,
// system calls as one step, and nothing else.
#include "check.h"
#include <ucontext.h>

extern char step_start[], step_end[];
static long addresses[64];
static volatile int steps;

static void on_trap(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)info;
	greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	if (steps < 64)
		addresses[steps] = regs[REG_RIP] - (long)step_start;
	steps++;
}

int main(void)
{
	handle_info(SIGTRAP, on_trap, 0);
	for (int round = 0; round < 5; round++) {
		long result;
		steps = 0;
		__asm__ volatile("sub $256, %%rsp\n"
				 "pushf\norl $0x100, (%%rsp)\npopf\n"
				 "step_start: mov $39, %%eax\n"
				 "syscall\n"
				 "mov %%eax, %%edx\n"
				 "mov $186, %%eax\n"
				 "syscall\n"
				 "pushf\nandl $~0x100, (%%rsp)\npopf\n"
				 "step_end: add $256, %%rsp\n"
				 : "=d"(result)
				 :
				 : "rax", "rcx", "r11", "memory", "cc");
		EQUAL(result, getpid());
		// mov, syscall with the next instruction (the kernel returns past it) or alone: what counts is that it is the
		// same every time, that it begins and ends where it should, and that it stays in the program.
		CHECK(steps >= 6 && steps <= 10);
		EQUAL(addresses[0], 5);
		EQUAL(addresses[steps - 1], step_end - step_start);
		for (int i = 1; i < steps; i++)
			CHECK(addresses[i] > addresses[i - 1]);
	}
	puts("singlestep ok");
}
