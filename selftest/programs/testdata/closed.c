/* Writes to the file argv[1] what it finds at the standard descriptors, and which descriptor an open gets first. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int flags[3], err[3];
    for (int fd = 0; fd < 3; fd++) {
        flags[fd] = fcntl(fd, F_GETFD);
        err[fd] = errno;
    }
    int first = open("/dev/null", O_RDONLY);
    int out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    char text[200];
    int n = snprintf(text, sizeof text, "%d arguments", argc - 1);
    for (int fd = 0; fd < 3; fd++)
        n += snprintf(text + n, sizeof text - n, ", %d: %s", fd, flags[fd] < 0 && err[fd] == EBADF ? "closed" : "open");
    n += snprintf(text + n, sizeof text - n, ", first free %d\n", first);
    return write(out, text, n) == n ? 0 : 1;
}
