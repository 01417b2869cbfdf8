// More system call sites than there is room for: each of 140,000 places makes its call, in every thread, with signals
// coming, and again in a child.
#include "check.h"
#include <pthread.h>
#include <sys/mman.h>

enum { SITES = 140000, THREADS = 4, SLOT = 16, STEP = 7 };
typedef long function(void);

static char *code;
static volatile int handled;
static pid_t self;

static void fill(void)
{
	static const char getpid_code[SLOT] = {0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05, 0xc3};
	code = mmap(NULL, (size_t)SITES * SLOT, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(code != MAP_FAILED);
	for (int i = 0; i < SITES; i++)
		memcpy(code + (size_t)i * SLOT, getpid_code, SLOT);
}

static void call(int i)
{
	EQUAL(((function *)(code + (size_t)i * SLOT))(), self);
}

// The handler calls from sites of its own, in the middle of others' calls.
static void handler(int sig)
{
	(void)sig;
	call(SITES - 1 - handled++ % STEP);
}

static void *thread(void *arg)
{
	for (int i = (int)(long)arg; i < SITES; i += STEP)
		call(i);
	return NULL;
}

int main(void)
{
	fill();
	self = getpid();
	for (int i = 0; i < SITES; i++)
		call(i);
	handle(SIGALRM, handler, SA_RESTART);
	tick(1000);
	pthread_t t[THREADS];
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, thread, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	tick(0);
	pid_t pid = fork();
	if (pid == 0) {
		self = getpid();
		for (int i = 0; i < SITES; i += STEP)
			call(i);
		_exit(0);
	}
	EQUAL(ended(pid), 0);
	return 0;
}
