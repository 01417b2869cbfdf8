// Calls that can be counted: every thread makes exactly as many getppid calls as the second argument says. The first says how:
// hot: from one place; spread: from many, in text that comes and goes; threads: eight threads from one place; common: eight
// threads from many, the same for all; fresh: eight threads, each from many of its own; storm: from one while signals come.
#include "text.h"
#include <pthread.h>

enum { THREADS = 8, SITES = 256, PAGES = 2, SIZE = 32 };

PIECE(site, "mov $110, %eax\nsyscall\nret\n.skip 24, 0xcc\n") // SIZE

__asm__(".text\n.p2align 6, 0x40\n.globl hot_site\nhot_site: mov $110, %eax\nsyscall\nret\n.skip 16, 0xcc\n");
long hot_site(void);

static long times;
static pid_t parent;
static volatile int alarms;

static void on_alarm(int sig) { (void)sig; alarms++; }

static void *hot(void *arg)
{
	for (long i = 0; i < times; i++)
		EQUAL(hot_site(), parent);
	return arg;
}

static int sites_file(void)
{
	int fd = text_file(PAGES);
	EQUAL(site_end - site, SIZE);
	for (int i = 0; i < SITES; i++)
		PUT(fd, i * SIZE, site);
	return fd;
}

static void *spread(void *arg)
{
	int fd = sites_file();
	for (long done = 0; done < times;) {
		char *text = map_text(fd, PAGES, NULL);
		for (int i = 0; i < SITES && done < times; i++, done++)
			EQUAL(call(text + i * SIZE, 0, 0, 0, 0), parent);
		CHECK(munmap(text, PAGES * PAGE) == 0);
	}
	CHECK(close(fd) == 0);
	return arg;
}

static char *text;

static void *common(void *arg)
{
	for (long i = 0; i < times; i++)
		EQUAL(call(text + i % SITES * SIZE, 0, 0, 0, 0), parent);
	return arg;
}

static void all(void *(*function)(void *))
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, function, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	times = atol(argv[2]);
	const char *how = argv[1];
	// The number of this process's parent, without asking for it.
	FILE *f = fopen("/proc/self/stat", "r");
	CHECK(f && fscanf(f, "%*d %*s %*c %d", &parent) == 1);
	fclose(f);
	if (!strcmp(how, "hot"))
		hot(NULL);
	else if (!strcmp(how, "spread"))
		spread(NULL);
	else if (!strcmp(how, "threads"))
		all(hot);
	else if (!strcmp(how, "fresh"))
		all(spread);
	else if (!strcmp(how, "common")) {
		text = map_text(sites_file(), PAGES, NULL);
		all(common);
	} else if (!strcmp(how, "storm")) {
		handle(SIGALRM, on_alarm, 0);
		tick(200);
		hot(NULL);
		tick(0);
		CHECK(alarms > 0);
	} else
		FAIL("how? %s", how);
	printf("counts %s ok\n", how);
}
