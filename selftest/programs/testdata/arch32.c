/* A 32-bit program: calls through int 0x80 and the vdso, a thread, a child. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void *thread(void *arg) { return (char *)arg + (getpid() > 0); }

int main(int argc, char **argv) {
    pthread_t t;
    void *r;
    (void)argv;
    pthread_create(&t, NULL, thread, (void *)41);
    pthread_join(t, &r);
    pid_t pid = fork();
    if (pid == 0)
        _exit(5);
    int status;
    waitpid(pid, &status, 0);
    printf("%d bits, %d, %d, %d\n", (int)sizeof(void *) * 8, (int)(long)r, WEXITSTATUS(status), argc);
    return argc > 1 ? 9 : 0;
}
