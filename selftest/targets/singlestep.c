// A program that steps through itself with the trap flag, over system calls with and without room near: the addresses it
// stops at, and how often, are printed, to be compared with those of another run. Whether there is a stop directly behind a
// system call depends on how the kernel returns from it (SYSRET with the trap flag stops one instruction later), so such stops
// are left out.
#include "text.h"
#include <ucontext.h>

// CALL notes the address behind a system call.
#define CALL "syscall\n777:\n.pushsection behind, \"aw\"\n.quad 777b\n.popsection\n"
extern const long __start_behind[], __stop_behind[];

#define SITE(name, text) \
	__asm__(".text\n.p2align 6, 0x40\n.globl " #name "\n" #name ":\n" text "ret\n.globl " #name "_end\n" #name "_end:\n.skip 200, 0x40\n"); \
	extern char name##_end[]; \
	extern long name(void);

SITE(no_room, "mov $39, %eax\n" CALL "mov %eax, %edx\nmov $186, %eax\n" CALL "cmp %eax, %edx\n")
SITE(room_behind, "mov $39, %eax\n" CALL ROOM "mov %eax, %edx\nmov %edx, %eax\n")
SITE(room_before, ROOM "mov $39, %eax\n" CALL "mov %eax, %edx\nmov %edx, %eax\n")
SITE(in_a_loop, "mov $3, %r8d\n1: mov $39, %eax\n" CALL "dec %r8d\njnz 1b\n" ROOM)
SITE(back_to_back, "mov $24, %eax\nmov $-1, %edi\n" CALL CALL "mov $39, %eax\n" CALL ROOM)
SITE(unknown_number, "mov $500, %eax\n" CALL ROOM "mov $39, %eax\n" CALL)

#define CASE(name) {#name, name, name##_end}
static const struct stepped {
	const char *name;
	long (*function)(void);
	const char *end;
} cases[] = {CASE(no_room), CASE(room_behind), CASE(room_before), CASE(in_a_loop), CASE(back_to_back), CASE(unknown_number)};
enum { CASES = sizeof cases / sizeof *cases, MOST = 64 };

extern const char caller_start[], caller_end[];
static const struct stepped *current;
static volatile int steps;
static long addresses[MOST];

static void on_trap(int sig, siginfo_t *info, void *uc)
{
	const greg_t *regs = ((ucontext_t *)uc)->uc_mcontext.gregs;
	long ip = regs[REG_RIP];
	(void)sig;
	EQUAL(info->si_code, TRAP_TRACE);
	if (ip >= (long)caller_start && ip <= (long)caller_end)
		return;
	if (ip < (long)current->function || ip >= (long)current->end)
		FAIL("%s: a stop at %#lx, after %d", current->name, ip, steps);
	for (const long *behind = __start_behind; behind < __stop_behind; behind++)
		if (ip == *behind)
			return;
	CHECK(steps < MOST && regs[REG_EFL] & 0x100);
	addresses[steps++] = ip - (long)current->function;
}

int main(void)
{
	handle_info(SIGTRAP, on_trap, 0);
	for (int i = 0; i < CASES; i++) {
		current = &cases[i];
		for (int round = 0; round < 8; round++) {
			if (round == 4) // steps over what has been used without
				EQUAL(current->function(), getpid());
			long result;
			steps = 0;
			__asm__ volatile("sub $256, %%rsp\npushf\norl $0x100, (%%rsp)\npopf\ncaller_start:\n"
					 "call *%[function]\n"
					 "pushf\nandl $~0x100, (%%rsp)\npopf\ncaller_end:\nadd $256, %%rsp\n"
					 : "=a"(result)
					 : [function] "r"(current->function)
					 : "rcx", "rdx", "rdi", "r8", "r11", "memory", "cc");
			EQUAL(result, getpid());
			printf("%s, round %d:", current->name, round);
			for (int k = 0; k < steps; k++)
				printf(" +%ld", addresses[k]);
			puts("");
		}
	}
	puts("singlestep ok");
}
