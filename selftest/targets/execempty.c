// execve with no arguments and no environment, as arrays of nothing and as null pointers. The kernel makes argv[0] an
// empty string since Linux 5.18 (do_execveat_common in fs/exec.c).
#include "check.h"

extern char **environ;

int main(int argc, char **argv)
{
	char *none[] = {NULL}, *one[] = {"execempty", NULL};
	EQUAL(argc, 1);
	int stage = argv[0][0] == 0 ? environ[0] ? 1 : 2 : environ[0] ? 0 : 3;
	char *self = realpath("/proc/self/exe", NULL);
	switch (stage) {
	case 0: { char *env[] = {"STAGE=1", NULL}; syscall(SYS_execve, self, none, env); break; }
	case 1: syscall(SYS_execve, self, NULL, NULL); break;
	case 2: syscall(SYS_execve, self, one, none); break;
	case 3: puts("execempty ok"); return 0;
	}
	FAIL("exec, stage %d: errno %d", stage, errno);
}
