/* Threads, each joined before the next starts, without a call whose number or result depends on the moment. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *work(void *arg) {
    char name[32], buf[8];
    snprintf(name, sizeof name, "t%ld", (long)arg);
    int fd = open(name, O_RDWR | O_CREAT, 0600);
    for (long i = 0; i <= (long)arg; i++)
        if (write(fd, name, strlen(name)) < 0)
            return NULL;
    lseek(fd, 0, SEEK_SET);
    long n = read(fd, buf, sizeof buf);
    close(fd);
    unlink(name);
    return (void *)n;
}

int main(void) {
    long n = 0;
    for (long i = 0; i < 6; i++) {
        pthread_t t;
        void *r;
        pthread_create(&t, NULL, work, (void *)i);
        while (pthread_tryjoin_np(t, &r) == EBUSY) /* pthread_join calls futex only when it has to wait */
            __builtin_ia32_pause();
        n += (long)r;
    }
    printf("%ld\n", n);
    return 0;
}
