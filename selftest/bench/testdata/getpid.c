// getpid MILLISECONDS: calls getpid for that long and prints the nanoseconds a call took.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	double start, length = argc > 1 ? atof(argv[1]) * 1e6 : 0, spent;
	long calls = 0;

	// The first calls of a site pay for its stub and for cold caches.
	for (int i = 0; i < 64; i++)
		syscall(SYS_getpid);
	start = now();
	do {
		for (int i = 0; i < 64; i++)
			syscall(SYS_getpid);
		calls += 64;
		spent = now() - start;
	} while (spent < length);
	printf("%.1f\n", spent / calls);
	return 0;
}
