// Descriptors over exec: those without FD_CLOEXEC stay, with offset and flags, the others go; nothing else is open.
#include "check.h"
#include <dirent.h>

// listing is the numbers in /proc/self/fd as a text.
static void listing(char *text)
{
	DIR *d = opendir("/proc/self/fd");
	CHECK(d != NULL);
	struct dirent *e;
	int numbers[100], n = 0;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
			numbers[n++] = atoi(e->d_name);
	closedir(d);
	*text = 0;
	for (int i = 0; i < n; i++)
		sprintf(text + strlen(text), "%d ", numbers[i]);
}

int main(int argc, char **argv)
{
	char text[1000];
	if (argc < 2) {
		int fd = open("file", O_RDWR | O_CREAT | O_APPEND, 0600);
		EQUAL(fd, 3);
		CHECK(write(fd, "0123456789", 10) == 10);
		EQUAL(lseek(fd, 4, SEEK_SET), 4);
		EQUAL(open("/dev/null", O_RDONLY | O_CLOEXEC), 4);
		EQUAL(dup(4), 5);
		EQUAL(fcntl(3, F_DUPFD_CLOEXEC, 10), 10);
		EQUAL(fcntl(3, F_DUPFD, 700), 700);
		EQUAL(fcntl(3, F_DUPFD_CLOEXEC, 701), 701);
		CHECK(fcntl(5, F_SETFD, FD_CLOEXEC) == 0 && fcntl(5, F_SETFD, 0) == 0);
		listing(text);
		SAME(text, "0 1 2 3 4 5 10 700 701 ");
		char *next[] = {argv[0], "1", NULL};
		execv(argv[0], next);
		FAIL("exec: errno %d", errno);
	}
	listing(text);
	SAME(text, "0 1 2 3 5 700 ");
	CHECK(fcntl(3, F_GETFL) & O_APPEND);
	char c;
	CHECK(read(argv[1][0] == '1' ? 3 : 700, &c, 1) == 1);
	EQUAL(c, '3' + argv[1][0] - '0'); // one open file, one offset, over both programs
	FAILS(fcntl(4, F_GETFD), EBADF);
	FAILS(fcntl(10, F_GETFD), EBADF);
	FAILS(fcntl(701, F_GETFD), EBADF);
	if (argv[1][0] == '1') {
		char *next[] = {argv[0], "2", NULL};
		execv(argv[0], next);
		FAIL("exec: errno %d", errno);
	}
	EQUAL(open("/dev/null", O_RDONLY), 4);
	EQUAL(open("/dev/null", O_RDONLY), 6);
	puts("execfds ok");
}
