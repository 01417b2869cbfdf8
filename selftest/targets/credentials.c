// Programs executed by processes with every mixture of users, groups and capabilities: ids, rights and the secure mode of the
// next program are what they are natively, and it can execute others.
#include "check.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

enum { SOMEBODY = 1000, OTHER = 2000 };

static char *self;

static struct __user_cap_data_struct *caps(void)
{
	static struct __user_cap_data_struct d[2];
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	CHECK(syscall(SYS_capget, &h, d) == 0);
	return d;
}

static void set_caps(unsigned permitted, unsigned effective, unsigned inheritable)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {{effective, permitted, inheritable}};
	CHECK(syscall(SYS_capset, &h, d) == 0);
}

// stage compares with what the caller expects: r e s ids, whether anything is permitted, whether all of it is effective, AT_SECURE.
static int stage(char **argv)
{
	uid_t r, e, s;
	char got[64];
	getresuid(&r, &e, &s);
	struct __user_cap_data_struct *c = caps();
	snprintf(got, sizeof got, "%d %d %d %s %s %ld", r, e, s, c->permitted ? "rights" : "none", c->effective ? "effective" : "none",
		 getauxval(AT_SECURE));
	SAME(got, argv[2]);
	EQUAL(system("exit 3") >> 8, 3);
	EQUAL(system("/bin/sh -c 'exit 4'") >> 8, 4);
	return 5;
}

static void executes(uid_t r, uid_t e, uid_t s, const char *want)
{
	pid_t pid = fork();
	if (pid == 0) {
		char *argv[] = {self, "stage", (char *)want, NULL}, *env[] = {NULL};
		CHECK(setresuid(r, e, s) == 0);
		execve("/nonexistent", argv, env);
		EQUAL(errno, ENOENT);
		execve(self, argv, env);
		FAIL("exec: errno %d", errno);
	}
	EQUAL(ended(pid), 5);
}

static void users(void)
{
	executes(0, 0, 0, "0 0 0 rights effective 0");
	executes(SOMEBODY, SOMEBODY, SOMEBODY, "1000 1000 1000 none none 0");
	executes(SOMEBODY, SOMEBODY, 0, "1000 1000 1000 none none 0");
	executes(0, SOMEBODY, 0, "0 1000 1000 rights none 1");
	executes(SOMEBODY, 0, 0, "1000 0 0 rights effective 1");
	executes(SOMEBODY, 0, SOMEBODY, "1000 0 0 rights effective 1");
	executes(0, SOMEBODY, SOMEBODY, "0 1000 1000 rights none 1");
}

static void with(void (*prepare)(void), const char *want)
{
	pid_t pid = fork();
	if (pid == 0) {
		char *argv[] = {self, "stage", (char *)want, NULL}, *env[] = {NULL};
		prepare();
		execve(self, argv, env);
		FAIL("exec: errno %d", errno);
	}
	EQUAL(ended(pid), 5);
}

static void kept(void)
{
	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
	CHECK(caps()->permitted != 0 && caps()->effective == 0);
}

static void ambient(void)
{
	unsigned net = 1 << CAP_NET_BIND_SERVICE;
	kept();
	set_caps(net, net, net);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0);
	EQUAL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_BIND_SERVICE, 0, 0), 1);
}

static void inheritable(void)
{
	kept();
	set_caps(caps()->permitted, 0, 1 << CAP_CHOWN);
}

static void other_groups(void)
{
	CHECK(setgroups(0, NULL) == 0 && setresgid(SOMEBODY, OTHER, 0) == 0 && setresuid(0, SOMEBODY, 0) == 0);
}

static void fewer(void)
{
	unsigned trace = 1 << CAP_SYS_PTRACE, change = 1 << CAP_SETUID;
	set_caps(trace | change, change, 0); // root's come back with the next program
}

static void no_root(void)
{
	CHECK(prctl(PR_SET_SECUREBITS, 1 /* SECBIT_NOROOT */) == 0);
	set_caps(0, 0, 0);
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1)
		return stage(argv);
	if (geteuid() == 0) {
		users();
		with(kept, "1000 1000 1000 none none 0");
		with(ambient, "1000 1000 1000 rights effective 0");
		with(inheritable, "1000 1000 1000 none none 0");
		with(other_groups, "0 1000 1000 rights none 1");
		with(fewer, "0 0 0 rights effective 0");
		with(no_root, "0 0 0 none none 0");
	}
	EQUAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	FAILS(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
	FAILS(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	EQUAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	EQUAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	puts("credentials ok");
}
