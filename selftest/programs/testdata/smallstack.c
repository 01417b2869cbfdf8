/* Threads with the smallest stack glibc gives out (16 KB): each makes calls, takes signals on that stack, and forks. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 32, ROUNDS = 50 };

static volatile sig_atomic_t hits;

static void handler(int sig) {
    (void)sig;
    __atomic_add_fetch(&hits, 1, __ATOMIC_RELAXED);
    getppid();
}

static void *work(void *arg) {
    long n = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char buf[16];
        int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        n += read(fd, buf, sizeof buf);
        close(fd);
        pthread_kill(pthread_self(), SIGUSR1);
    }
    pid_t pid = fork();
    if (pid == 0)
        _exit((int)(long)arg);
    int status;
    waitpid(pid, &status, 0);
    return (void *)(n + WEXITSTATUS(status));
}

int main(void) {
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &sa, NULL);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    if (pthread_attr_setstacksize(&attr, 16384) != 0)
        return 2;
    pthread_t t[THREADS];
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], &attr, work, (void *)i) != 0)
            return 3;
    long total = 0;
    for (int i = 0; i < THREADS; i++) {
        void *r;
        pthread_join(t[i], &r);
        total += (long)r;
    }
    printf("%ld %d\n", total, (int)hits);
    return 0;
}
