// Alternate stacks that are just large enough for a signal's frame, or not quite, and signals that come near their end. What
// comes of it, and how far down memory is written, is printed where it changes: it depends on the processor's frames alone.
#include "check.h"
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

enum { BELOW = 16384, MOST = 16384, UNTOUCHED = 0x5a };

static unsigned char *arena; // BELOW bytes of nobody's, then the stack
static struct result {
	volatile int hits, faults, code;
} *result;
static size_t least;

// The handlers of the alternate stack need no room of their own.
void counts(int sig);
void skips(int sig, siginfo_t *info, void *uc);
long send_at(void *sp, long tid, long sig);
volatile int hits;
__asm__(".text\n"
	".globl counts\ncounts:\nincl hits(%rip)\nret\n"
	".globl skips\nskips:\nincl hits(%rip)\naddq $2, 168(%rdx)\nret\n" // RIP, over ud2
	".globl send_at\nsend_at:\npush %r12\nmov %rsp, %r12\nmov %rdi, %rsp\nmov %rsi, %rdi\nmov %rdx, %rsi\n"
	"mov $200, %eax\nsyscall\n" // tkill
	"mov %r12, %rsp\npop %r12\nret\n");

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	result->faults++;
	result->code = info->si_code;
	result->hits = hits;
	_exit(0);
}

struct trial {
	size_t size, sp;    // of the stack; where RSP is on it, 0: on the main one
	unsigned flags;     // of the stack
	int onstack, fault; // the handler is to run on it; an instruction raises the signal
	int handled;        // SIGSEGV is
};

static void run(const struct trial *t)
{
	stack_t ss = {.ss_sp = arena + BELOW, .ss_size = t->size, .ss_flags = t->flags};
	CHECK(sigaltstack(&ss, NULL) == 0);
	handle(SIGUSR1, counts, t->onstack);
	handle_info(SIGILL, skips, t->onstack);
	if (t->handled)
		handle_info(SIGSEGV, on_fault, 0);
	if (t->fault)
		__asm__ volatile("ud2");
	else
		send_at(t->sp ? arena + BELOW + t->sp : (void *)__builtin_frame_address(0) - 4096, syscall(SYS_gettid), SIGUSR1);
	result->hits = hits;
	_exit(0);
}

// outcome says in text what comes of a trial.
static void outcome(const struct trial *t, char *text, size_t n)
{
	memset(arena, UNTOUCHED, BELOW + MOST);
	memset(result, 0, sizeof *result);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		run(t);
	int status = ended(pid);
	long low = 0;
	while (low < BELOW + MOST && arena[low] == UNTOUCHED)
		low++;
	low = low < BELOW + MOST ? BELOW + (long)t->size - low : 0;
	snprintf(text, n, "status %d, %d handled, %d faults of code %d, %ld bytes used", status, result->hits, result->faults, result->code, low);
}

static char last[200];

static void show(const char *what, long at, const struct trial *t)
{
	char text[200];
	outcome(t, text, sizeof text);
	if (strcmp(text, last))
		printf("%s, from %ld: %s\n", what, at, text);
	strcpy(last, text);
}

// sizes goes up from what sigaltstack takes to more than any frame needs.
static void sizes(const char *what, struct trial t, int step)
{
	last[0] = 0;
	for (t.size = 2048; t.size <= least + 256; t.size += step)
		show(what, t.size, &t);
}

// depths has RSP on the stack, from its end to where a frame has room below.
static void depths(const char *what, struct trial t)
{
	last[0] = 0;
	t.size = MOST;
	for (t.sp = 8; t.sp <= least + 256; t.sp += t.sp < 160 ? 40 : 240) {
		char text[200];
		outcome(&t, text, sizeof text);
		*strrchr(text, ',') = 0; // the bytes are other ones each time
		if (strcmp(text, last))
			printf("%s, from %zu: %s\n", what, t.sp, text);
		strcpy(last, text);
	}
}

int main(void)
{
	arena = mmap(NULL, BELOW + MOST, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(arena != MAP_FAILED && result != MAP_FAILED);
	least = getauxval(AT_MINSIGSTKSZ);
	if (least == 0)
		least = 4096;
	printf("AT_MINSIGSTKSZ %zu\n", least);
	sizes("a signal", (struct trial){.onstack = SA_ONSTACK}, 64);
	sizes("a signal, disarmed", (struct trial){.onstack = SA_ONSTACK, .flags = SS_AUTODISARM}, 128);
	sizes("a signal, and SIGSEGV handled", (struct trial){.onstack = SA_ONSTACK, .handled = 1}, 128);
	sizes("a fault", (struct trial){.onstack = SA_ONSTACK, .fault = 1}, 128);
	depths("nested", (struct trial){.onstack = SA_ONSTACK});
	depths("nested, disarmed", (struct trial){.onstack = SA_ONSTACK, .flags = SS_AUTODISARM});
	depths("without SA_ONSTACK", (struct trial){});
	depths("without SA_ONSTACK, disarmed", (struct trial){.flags = SS_AUTODISARM});
	depths("nested, and SIGSEGV handled", (struct trial){.onstack = SA_ONSTACK, .handled = 1});
	// Exactly what the kernel says is enough.
	char text[200];
	outcome(&(struct trial){.size = least, .onstack = SA_ONSTACK}, text, sizeof text);
	CHECK(strstr(text, "status 0, 1 handled") != NULL);
	puts("smallstacks ok");
}
