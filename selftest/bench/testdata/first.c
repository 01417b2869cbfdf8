// first BATCHES: makes one getpid at each of many sites that were never used, and prints the nanoseconds a call took,
// one line a batch. Every site has a page of its own in a private mapping of a file, as libraries have.
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { page = 4096, sites = 200 };

// mov $39 (getpid), %eax; syscall; ret; padding as an assembler writes it.
static const unsigned char code[] = {
	0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0,
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int text(void)
{
	int fd = memfd_create("text", 0);

	if (fd < 0 || ftruncate(fd, sites * page))
		err(1, "make a file");
	for (int i = 0; i < sites; i++)
		if (pwrite(fd, code, sizeof code, i * page) != sizeof code)
			err(1, "write a site");
	return fd;
}

static double batch(int fd)
{
	char *p = mmap(NULL, sites * page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	double start;

	if (p == MAP_FAILED)
		err(1, "map the sites");
	for (int i = 0; i < sites; i++)
		(void)*(volatile char *)(p + i * page); // the page fault is not the call's
	start = now();
	for (int i = 0; i < sites; i++)
		((long (*)(void))(p + i * page))();
	return (now() - start) / sites;
}

int main(int argc, char **argv)
{
	int fd = text(), batches = argc > 1 ? atoi(argv[1]) : 1;

	batch(fd); // warms up what all sites share
	for (int i = 0; i < batches; i++)
		printf("%.2f\n", batch(fd));
	return 0;
}
