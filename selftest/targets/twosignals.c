// Two signals that come at one time, the first blocked and the second handled: the handler finds the instruction that they
// interrupted. It is one before a system call that waits for its page, so that it is known which one.
#include "text.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <ucontext.h>

// waits calls getpid. Its load, which a detour takes, waits for the page.
__asm__(".text\n.p2align 6, 0x40\n.type waits, @function\nwaits:\n.cfi_startproc\nmov $39, %eax\n"
	"waits_load: mov 0x123(%rdi), %edx\n"
	"syscall\nret\n.cfi_endproc\n.size waits, .-waits\n.skip 300, 0x40\n");
extern const char waits_load[];
long waits(const char *page);

static int faults; // the userfaultfd
static char *page;
static volatile int handled;
static volatile long seen;
static pid_t self;

static void on_signal(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	EQUAL(info->si_code, SI_USER);
	seen = ((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
	struct uffdio_zeropage zero = {.range = {(long)page, PAGE}};
	CHECK(ioctl(faults, UFFDIO_ZEROPAGE, &zero) == 0);
	handled++;
}

// both stops the process when it waits for the page, and sends both signals while it is stopped.
static void both(int first, int second)
{
	char name[64], state = 0, *end;
	struct uffd_msg event;
	EQUAL(read(faults, &event, sizeof event), sizeof event);
	CHECK(kill(self, SIGSTOP) == 0);
	snprintf(name, sizeof name, "/proc/%d/stat", self);
	while (state != 'T') {
		char line[256] = "";
		int fd = open(name, O_RDONLY);
		CHECK(fd >= 0 && read(fd, line, sizeof line - 1) > 0);
		close(fd);
		CHECK((end = strrchr(line, ')')));
		state = end[2];
	}
	CHECK(kill(self, first) == 0 && kill(self, second) == 0 && kill(self, SIGCONT) == 0);
	_exit(0);
}

static void pair(int blocked, int taken)
{
	sigset_t set = only(blocked, 0), pending;
	handle_info(taken, on_signal, 0);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	for (int i = 1; i <= 5; i++) {
		CHECK(madvise(page, PAGE, MADV_DONTNEED) == 0);
		handled = 0;
		pid_t pid = fork();
		if (pid == 0)
			both(blocked, taken);
		EQUAL(waits(page), self);
		EQUAL(handled, 1);
		EQUAL(seen, (long)waits_load);
		EQUAL(ended(pid), 0);
		CHECK(sigpending(&pending) == 0);
		EQUAL(sigismember(&pending, blocked), 1);
	}
	signal(blocked, SIG_IGN); // drops it
	signal(blocked, SIG_DFL);
	CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

int main(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	self = getpid();
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	for (int i = 0; i < 4; i++) // as often as it takes to have it patched
		EQUAL(waits(page), self);
	faults = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_register range = {.range = {(long)page, PAGE}, .mode = UFFDIO_REGISTER_MODE_MISSING};
	CHECK(faults >= 0 && ioctl(faults, UFFDIO_API, &api) == 0 && ioctl(faults, UFFDIO_REGISTER, &range) == 0);
	pair(SIGBUS, SIGSEGV);
	pair(SIGBUS, SIGSYS);
	pair(SIGSEGV, SIGSYS);
	puts("twosignals ok");
}
