/* Static musl: threads, signals, fork, exec, popen, a timer; musl's clone and its thread exit need no stack. */
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long total;
static volatile sig_atomic_t alarms;

static void *add(void *arg) {
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&lock);
        total += (long)arg;
        pthread_mutex_unlock(&lock);
        sched_yield();
    }
    return NULL;
}

static void on_alarm(int sig) { alarms += sig == SIGALRM; }

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc > 1) {
        printf("again %s\n", argv[1]);
        return 4;
    }
    pthread_t t[50];
    for (long i = 0; i < 50; i++)
        pthread_create(&t[i], NULL, add, (void *)i);
    for (int i = 0; i < 50; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 50; i++) {
        pthread_create(&t[i], NULL, add, NULL);
        pthread_detach(t[i]);
    }
    printf("threads %ld\n", total);

    int sum = 0, status;
    for (int i = 0; i < 20; i++)
        if (fork() == 0)
            _exit(i);
    while (wait(&status) > 0)
        sum += WEXITSTATUS(status);
    printf("forks %d\n", sum);

    pid_t pid;
    posix_spawn(&pid, "/proc/self/exe", NULL, NULL, (char *[]){argv[0], "spawned", NULL}, environ);
    waitpid(pid, &status, 0);
    printf("spawn %d\n", WEXITSTATUS(status));
    FILE *p = popen("echo from a shell; exit 6", "r");
    char line[64];
    if (fgets(line, sizeof line, p))
        fputs(line, stdout);
    printf("popen %d\n", WEXITSTATUS(pclose(p)));

    signal(SIGALRM, on_alarm);
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, NULL, &timer);
    timer_settime(timer, 0, &(struct itimerspec){{0, 2000000}, {0, 2000000}}, NULL);
    while (alarms < 10)
        pause();
    timer_delete(timer);
    puts("timer");
    return 0;
}
