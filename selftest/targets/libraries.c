// Libraries with system calls come and go while other threads make calls: each time their text is new, though the address
// is often the old one. This program is itself a library, one that has an interpreter and an entry, and loads copies of itself.
#include "check.h"
#include <dlfcn.h>
#include <pthread.h>

const char interpreter[] __attribute__((section(".interp"))) = "/lib64/ld-linux-x86-64.so.2";

#define SITE(name, number, behind) \
	__asm__(".text\n.globl " #name "\n" #name ":\nmov $" #number ", %eax\nsyscall\n" behind); \
	long name(void);

SITE(library_pid, 39, "ret\n.skip 9, 0xcc\n")
SITE(library_tid, 186, "cmp $-4095, %rax\njae 1f\nret\n1: ud2\n.skip 3, 0xcc\n")
SITE(library_parent, 110, "mov %rax, %rdx\nmov %rdx, %rax\nret\n")

static volatile int stop;

static void check_calls(long (*pid)(void), long (*tid)(void), long (*parent)(void))
{
	for (int i = 0; i < 3; i++) {
		EQUAL(pid(), getpid());
		EQUAL(tid(), gettid());
		EQUAL(parent(), getppid());
	}
}

static void *calls(void *arg)
{
	while (!stop)
		check_calls(library_pid, library_tid, library_parent); // of the program's own text
	return arg;
}

static void *churns(void *name)
{
	for (int i = 0; i < 40; i++) {
		void *library = dlopen(name, i % 2 ? RTLD_NOW : RTLD_LAZY);
		if (!library)
			FAIL("dlopen: %s", dlerror());
		long (*symbols[3])(void) = {dlsym(library, "library_pid"), dlsym(library, "library_tid"), dlsym(library, "library_parent")};
		CHECK(symbols[0] && symbols[0] != library_pid && symbols[1] && symbols[2]);
		check_calls(symbols[0], symbols[1], symbols[2]);
		CHECK(dlclose(library) == 0);
	}
	return NULL;
}

__attribute__((used)) static void start(void)
{
	pthread_t callers[2], loaders[2];
	start_storm(); // this library's own constructors have no loader to run them
	if (system("cp /proc/$PPID/exe ./first.so && cp first.so second.so") != 0)
		FAIL("no copies");
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&callers[i], NULL, calls, NULL) == 0);
	CHECK(pthread_create(&loaders[0], NULL, churns, "./first.so") == 0);
	CHECK(pthread_create(&loaders[1], NULL, churns, "./second.so") == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(loaders[i], NULL) == 0);
	stop = 1;
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(callers[i], NULL) == 0);
	puts("libraries ok");
	exit(0);
}

__asm__(".text\n.globl library_entry\nlibrary_entry:\nxor %ebp, %ebp\nand $-16, %rsp\ncall start\nud2\n");
