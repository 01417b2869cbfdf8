// Seccomp filters for the C targets.
#ifndef FILTER_H
#define FILTER_H

#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(verdict) BPF_STMT(BPF_RET | BPF_K, verdict)

// add_filter returns what seccomp does.
__attribute__((unused))
static long add_filter(struct sock_filter *code, int n, unsigned flags)
{
	struct sock_fprog p = {n, code};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

// answer gives one verdict for a call and allows the rest.
__attribute__((unused))
static long answer(int nr, unsigned verdict, unsigned flags)
{
	struct sock_filter code[] = {
		LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), RETURN(verdict), RETURN(SECCOMP_RET_ALLOW),
	};
	return add_filter(code, 4, flags);
}

#endif
