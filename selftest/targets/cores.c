// Core files: the registers of the thread that dies are those of the program, whatever it dies of and wherever. They are
// printed, and where the kernel writes no core file into the working directory that is printed. Of a call that is interrupted
// the kernel shows a result that no program sees, which a core file of a target does not have.
#include "check.h"
#include <dirent.h>
#include <elf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/user.h>

// Each of these puts known values into the registers and comes back from nowhere. The stack pointer is kept for the parent.
void crash_call(long nr, long a, long b, long c), crash_load(void), crash_ud2(void), crash_bus(void *at);
unsigned long long *crash_sp;
extern char crash_start[], crash_end[];
#define KNOWN "mov crash_sp(%rip), %r15\nmov %rsp, (%r15)\nmov $0x11, %ebx\nmov $0x22, %ebp\nmov $0x88, %r8d\nmov $0x99, %r9d\nmov $8, %r10d\nmov $0x1212, %r12d\n" \
	"mov $0x1313, %r13d\nmov $0x1414, %r14d\nmov $0x1515, %r15d\n"
__asm__(".text\n.globl crash_start\ncrash_start:\n"
	".globl crash_call\ncrash_call:\nmov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\nmov %rcx, %rdx\n" KNOWN "cmp %eax, %eax\nsyscall\nnop\nud2\n"
	".p2align 5,0xcc\n"
	".globl crash_load\ncrash_load:\n" KNOWN "mov $4711, %eax\nxor %edi, %edi\nxor %esi, %esi\nxor %edx, %edx\nxor %ecx, %ecx\nxor %r11d, %r11d\nmov (%rax), %rax\n"
	".globl crash_ud2\ncrash_ud2:\n" KNOWN "xor %esi, %esi\nxor %edi, %edi\nxor %edx, %edx\nxor %ecx, %ecx\nxor %r11d, %r11d\nmov $6, %eax\nud2\n"
	".globl crash_bus\ncrash_bus:\n" KNOWN "mov %rdi, %rcx\nxor %esi, %esi\nxor %edi, %edi\nxor %edx, %edx\nxor %r11d, %r11d\nmov $8, %eax\nmov (%rcx), %rax\nxor %ecx, %ecx\n"
	".globl crash_end\ncrash_end:\n");

static void send_self(int sig) { crash_call(SYS_tgkill, getpid(), syscall(SYS_gettid), sig); }
static void abort_called(void) { abort(); }
static void waits(void) { crash_call(SYS_pause, 0, 0, 0); }
static void aborts(void) { send_self(SIGABRT); }
static void segv_sent(void) { send_self(SIGSEGV); }
static void sys_sent(void) { send_self(SIGSYS); }
static void fpe_sent(void) { crash_call(SYS_kill, getpid(), SIGFPE, 0); }
static void bus(void)
{
	int fd = open("empty", O_RDWR | O_CREAT, 0600);
	crash_bus(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
}
static void file_size(void)
{
	struct rlimit l = {1 << 30, 1 << 30}; // room for the core file
	int fd = open("sized", O_RDWR | O_CREAT, 0600);
	CHECK(setrlimit(RLIMIT_FSIZE, &l) == 0);
	crash_call(SYS_ftruncate, fd, 1l << 31, 0);
}
static void handled(int sig) { signal(sig, SIG_DFL); } // and the fault comes once more
static void faults_again(void) { handle(SIGSEGV, handled, 0); crash_load(); }
static void unblocked(void)
{
	uint64_t bit = 1 << (SIGABRT - 1);
	sigset_t set = only(SIGABRT, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGABRT);
	crash_call(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&bit, 0);
}
static void *in_thread(void *arg) { send_self(SIGABRT); return arg; }
static void thread(void)
{
	pthread_t t;
	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
}

static const struct {
	const char *name;
	void (*crash)(void);
	int send; // by the parent, when the child waits
} rows[] = {
	{"load", crash_load, 0}, {"ud2", crash_ud2, 0}, {"bus", bus, 0}, {"abort", abort_called, 0}, {"SIGABRT to itself", aborts, 0},
	{"SIGSEGV to itself", segv_sent, 0}, {"SIGSYS to itself", sys_sent, 0}, {"SIGFPE to itself", fpe_sent, 0}, {"file size", file_size, 0},
	{"a fault after a handler", faults_again, 0}, {"SIGABRT unblocked", unblocked, 0}, {"SIGABRT in a thread", thread, 0},
	{"SIGQUIT in a call", waits, SIGQUIT}, {"SIGSEGV in a call", waits, SIGSEGV},
};

static char *map_file(const char *name, size_t *size)
{
	int fd = open(name, O_RDONLY);
	struct stat st;
	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	*size = st.st_size;
	char *map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	close(fd);
	return map;
}

static void show(const char *what, const char *core, int interrupted)
{
	const Elf64_Ehdr *e = (const void *)core;
	CHECK(!memcmp(e->e_ident, ELFMAG, SELFMAG));
	const Elf64_Phdr *p = (const void *)(core + e->e_phoff);
	while (p->p_type != PT_NOTE)
		p++;
	const char *at = core + p->p_offset, *end = at + p->p_filesz;
	int threads = 0;
	while (at < end) {
		const Elf64_Nhdr *n = (const void *)at;
		const char *data = at + sizeof *n + ((n->n_namesz + 3) & ~3);
		if (n->n_type == NT_PRSTATUS && threads++ == 0) { // the one that died comes first
			const struct elf_prstatus *s = (const void *)data;
			const struct user_regs_struct *r = (const void *)s->pr_reg;
			int own = r->rip >= (uintptr_t)crash_start && r->rip < (uintptr_t)crash_end;
			if (own)
				printf("%s: signal %d, RIP crash%+ld, RAX %lld, RBX %llx, RDX %llx, RBP %llx, R8 %llx, R9 %llx, R10 %llx, R12 %llx, R13 %llx, R14 %llx, flags %llx\n",
				       what, s->pr_cursig, (long)r->rip - (long)crash_start, interrupted ? -EINTR : (long long)r->rax, r->rbx, r->rdx, r->rbp, r->r8, r->r9,
				       r->r10, r->r12, r->r13, r->r14, r->eflags & 0xcff);
			else
				printf("%s: signal %d, RIP abort%+ld, RAX %lld\n", what, s->pr_cursig, (long)r->rip - (long)abort, r->rax);
			printf("  the program's stack: %d, thread pointer: %d, RCX behind the call: %d\n", own && r->rsp == *crash_sp, r->fs_base != 0, r->rcx == r->rip);
		} else if (n->n_type == NT_SIGINFO) {
			const siginfo_t *info = (const void *)data;
			printf("  siginfo: signal %d, code %d, address %ld\n", info->si_signo, info->si_code, info->si_code > 0 && (long)info->si_addr < 10000 ? (long)info->si_addr : 0);
		}
		at = data + ((n->n_descsz + 3) & ~3);
	}
	printf("  %d threads\n", threads);
}

static int is_core(const struct dirent *d) { return !strncmp(d->d_name, "core", 4); }

int main(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	crash_sp = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int filter = open("/proc/self/coredump_filter", O_WRONLY);
	CHECK(crash_sp != MAP_FAILED && write(filter, "0", 1) == 1); // no memory
	if (setrlimit(RLIMIT_CORE, &all) < 0) {
		puts("no core files are allowed");
		return 0;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int status;
		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0) {
			rows[i].crash();
			_exit(1);
		}
		if (rows[i].send) {
			in_call(pid, SYS_pause);
			kill(pid, rows[i].send);
		}
		EQUAL(waitpid(pid, &status, 0), pid);
		CHECK(WIFSIGNALED(status));
		struct dirent **found;
		int n = scandir(".", &found, is_core, alphasort);
		if (n != 1 || !WCOREDUMP(status)) {
			printf("%s: %d core files here, %d written\n", rows[i].name, n, WCOREDUMP(status) != 0);
			return 0; // core_pattern leads elsewhere
		}
		size_t size;
		char *core = map_file(found[0]->d_name, &size);
		show(rows[i].name, core, rows[i].send != 0);
		munmap(core, size);
		unlink(found[0]->d_name);
		free(found[0]);
		free(found);
	}
	puts("cores ok");
}
