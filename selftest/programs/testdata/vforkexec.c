/* posix_spawn (a vfork with a stack of its own), vfork itself, and a failing exec in a vfork child. */
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(void) {
    pid_t pid;
    int status;
    char *argv[] = {"true", NULL};
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0)
        waitpid(pid, &status, 0);
    pid = vfork();
    if (pid == 0) {
        execv("/bin/false", argv);
        _exit(100);
    }
    waitpid(pid, &status, 0);
    pid = vfork();
    if (pid == 0) {
        execv("/nonexistent", argv);
        _exit(3);
    }
    int failed;
    waitpid(pid, &failed, 0);
    printf("%d %d\n", WEXITSTATUS(status), WEXITSTATUS(failed));
    return 0;
}
