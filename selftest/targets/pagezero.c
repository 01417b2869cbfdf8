// Nothing is at address zero, nor on the rest of that page: reading, writing and jumping there fault at the address the
// program used, calls are told EFAULT, and memory can be mapped there or not as the kernel says. With system calls in use.
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

static sigjmp_buf back;
static siginfo_t seen;
static greg_t registers[NGREG];

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	seen = *info;
	memcpy(registers, ((ucontext_t *)uc)->uc_mcontext.gregs, sizeof registers);
	siglongjmp(back, 1);
}

static void reads(long at) { (void)*(volatile char *)at; }
static void writes(long at) { *(volatile char *)at = 1; }
// The number of a system call is what libraries that use page zero jump by.
static void jumps(long at) { __asm__ volatile("xor %%r8d, %%r8d\nmov $39, %%eax\njmp *%0" ::"r"(at) : "rax", "r8"); }
static void calls(long at) { __asm__ volatile("mov $39, %%eax\ncall *%%rax" ::"r"(at) : "rax", "memory"); }

int main(void)
{
	static const struct {
		const char *name;
		void (*use)(long);
		int runs; // RIP is the address
	} uses[] = {{"read", reads, 0}, {"write", writes, 0}, {"jump", jumps, 1}};
	handle_info(SIGSEGV, on_fault, 0);
	for (volatile long at = 0; at < 4096; at += at < 512 ? 1 : 511) {
		EQUAL(syscall(SYS_getpid), getpid());
		for (volatile int i = 0; i < 3; i++) {
			if (sigsetjmp(back, 1) == 0) {
				uses[i].use(at);
				FAIL("%s of %#lx does not fault", uses[i].name, at);
			}
			CHECK(seen.si_addr == (void *)at);
			EQUAL(seen.si_code, SEGV_MAPERR);
			if (uses[i].runs) {
				EQUAL(registers[REG_RIP], at);
				EQUAL(registers[REG_RAX], 39);
				EQUAL(registers[REG_R8], 0);
			}
		}
	}
	if (sigsetjmp(back, 1) == 0) {
		calls(0);
		FAIL("a call of address 39 does not fault");
	}
	EQUAL((long)seen.si_addr, 39);
	EQUAL(registers[REG_RIP], 39);
	for (long at = 0; at < 600; at += 8) {
		FAILS(write(1, (void *)at, 4), EFAULT);
		FAILS(read(-1, (void *)at, 4), EBADF);
		FAILS(syscall(SYS_uname, at), EFAULT);
	}
	unsigned char resident;
	FAILS(mincore(NULL, 4096, &resident), ENOMEM);
	FAILS(msync(NULL, 4096, MS_ASYNC), ENOMEM);
	CHECK(munmap(NULL, 4096) == 0);
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	printf("page zero: %s\n", p == NULL ? "mapped" : strerror(errno)); // root may, others may not
	puts("pagezero ok");
}
