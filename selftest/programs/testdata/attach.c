/* Runs until a debugger sets go; says how it ended. argv[1] gets the process id. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

volatile int go;
const char *volatile motto = "who goes there";
volatile long rounds;

__attribute__((noinline)) static void beat(void) {
    rounds++;
    __asm__("");
}

static int gate[2];

__attribute__((noinline)) static long knock(void) {
    char c;
    return read(gate[0], &c, 1) + 1;
}

static void *sentry(void *arg) {
    return (void *)(knock() + (long)arg);
}

__attribute__((noinline)) static void patrol(void) {
    while (!go) {
        getppid();
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        beat();
    }
}

int main(int argc, char **argv) {
    pthread_t t;
    if (pipe(gate) != 0 || pthread_create(&t, NULL, sentry, NULL) != 0)
        return 1;
    FILE *f = fopen(argv[argc - 1], "w");
    fprintf(f, "%d\n", getpid());
    fclose(f);
    patrol();
    printf("released by %d, %s\n", go, rounds > 0 ? "after some rounds" : "at once");
    return go;
}
