// Makes most of the system calls that the tracer knows, with the arguments that programs
// use and with some that are wrong. What it does is the same every time: its trace can be
// compared with strace's line by line.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define C(nr, ...) ((void)syscall(SYS_##nr, ##__VA_ARGS__))
#define N ((void *)0)
#define BAD ((void *)0x10)

static char buf[4096], big[256];

static void files(void) {
	struct stat st;
	struct statx stx;
	struct statfs fs;
	int fd = syscall(SYS_openat, AT_FDCWD, "f", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	C(open, "/nonexistent", O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
	C(open, BAD, O_WRONLY | O_APPEND | O_NONBLOCK | O_SYNC);
	C(open, "f2", O_WRONLY | O_CREAT | O_EXCL, 0);
	C(open, ".", O_TMPFILE | O_RDWR, 0600);
	C(creat, "f3", 0751);
	struct open_how how = {.flags = O_RDONLY | O_PATH, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	C(openat2, AT_FDCWD, "f", &how, sizeof how);
	C(openat2, AT_FDCWD, "f", &how, 3);
	C(write, fd, "hello \"world\"\n\t\\\001\0022\0333\377x", 25);
	memset(big, 'x', sizeof big);
	big[200] = 0;
	C(write, fd, big, 256);
	C(write, fd, big, 32);
	C(write, fd, big, 33);
	C(write, fd, N, 0);
	C(write, fd, big, 0);
	C(write, fd, BAD, 7);
	C(write, -1, "x", 1);
	C(pwrite64, fd, "abc", 3, 100);
	C(lseek, fd, 0, SEEK_SET);
	C(lseek, fd, -1, SEEK_END);
	C(lseek, fd, 1, 77);
	C(pread64, fd, buf, 10, 2);
	C(pread64, fd, buf, 64, 0);
	C(read, fd, buf, sizeof buf);
	C(read, fd, BAD, 5);
	C(read, fd, buf, 0);
	C(read, 99, buf, 3);
	struct iovec iov[3] = {{"one", 3}, {big, 40}, {"", 0}}, in[2] = {{buf, 4}, {buf + 10, 50}};
	C(writev, fd, iov, 3);
	C(writev, fd, BAD, 3);
	C(writev, fd, iov, 0);
	C(pwritev, fd, iov, 1, 5L, 0);
	C(pwritev2, fd, iov, 1, 5L, 0, 2);
	C(preadv, fd, in, 2, 0L, 0);
	C(preadv2, fd, in, 2, 7L, 0, 0);
	C(preadv2, fd, in, 2, 7L, 0, 0x10000);
	C(readv, fd, in, 2);
	C(readv, 99, in, 2);
	C(fstat, fd, &st);
	C(fstat, 99, &st);
	C(stat, "/dev/null", &st);
	C(lstat, ".", &st);
	C(stat, "/nonexistent", &st);
	C(stat, N, &st);
	C(newfstatat, AT_FDCWD, "/tmp", &st, AT_SYMLINK_NOFOLLOW);
	C(newfstatat, fd, "", &st, AT_EMPTY_PATH | AT_NO_AUTOMOUNT | 7);
	C(statx, AT_FDCWD, "f", AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, &stx);
	C(statx, AT_FDCWD, "f", AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_SIZE, &stx);
	C(statx, AT_FDCWD, "nonexistent", 0, STATX_ALL, &stx);
	C(statfs, "/proc", &fs);
	C(statfs, "/nonexistent", &fs);
	C(fstatfs, 99, &fs);
	C(access, "f", F_OK);
	C(access, "f", R_OK | W_OK | X_OK);
	C(faccessat, AT_FDCWD, "f", R_OK);
	C(faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS);
	C(chmod, "f", 04755);
	C(stat, "f", &st);
	C(fchmod, fd, 0600);
	C(fchmodat, AT_FDCWD, "f", 0);
	C(chown, "f", 0, -1);
	C(lchown, "f", -1, 0);
	C(fchown, fd, -1, -1);
	C(fchownat, AT_FDCWD, "f", 0, 0, AT_SYMLINK_NOFOLLOW);
	C(mkdir, "d", 0755);
	C(mkdirat, AT_FDCWD, "d", 0);
	C(rmdir, "d");
	C(link, "f", "l");
	C(linkat, AT_FDCWD, "f", AT_FDCWD, "l2", AT_SYMLINK_FOLLOW);
	C(symlink, "target", "s");
	C(symlinkat, "target", AT_FDCWD, "s2");
	C(readlink, "s", buf, sizeof buf);
	C(readlinkat, AT_FDCWD, "s2", buf, 3);
	C(readlink, "f", buf, sizeof buf);
	C(rename, "l", "l3");
	C(renameat, AT_FDCWD, "l3", AT_FDCWD, "l4");
	C(renameat2, AT_FDCWD, "l4", AT_FDCWD, "l2", RENAME_NOREPLACE);
	C(mknod, "p", S_IFIFO | 0600, 0);
	C(mknodat, AT_FDCWD, "c", S_IFCHR | 0600, 0x103);
	C(mknod, "r", 0644, 0);
	C(truncate, "f", 10L);
	C(ftruncate, fd, 5L);
	C(fallocate, fd, 0, 0L, 100L);
	C(fallocate, fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0L, 100L);
	C(fadvise64, fd, 0L, 0L, POSIX_FADV_SEQUENTIAL);
	C(readahead, fd, 0L, 10L);
	C(sync_file_range, fd, 0L, 0L, SYNC_FILE_RANGE_WRITE);
	C(fsync, fd);
	C(fdatasync, fd);
	C(flock, fd, LOCK_EX | LOCK_NB);
	C(flock, fd, LOCK_UN);
	struct timespec ts[2] = {{1, 2}, {0, UTIME_OMIT}}, now[2] = {{0, UTIME_NOW}, {1700000000, 0}};
	struct timeval tv[2] = {{1, 2}, {3, 0}};
	long ut[2] = {1, 1700000000};
	C(utimensat, AT_FDCWD, "f", ts, 0);
	C(utimensat, AT_FDCWD, "f", now, AT_SYMLINK_NOFOLLOW);
	C(utimensat, AT_FDCWD, "f", N, 0);
	C(utimes, "f", tv);
	C(futimesat, AT_FDCWD, "f", N);
	C(utime, "f", ut);
	C(setxattr, "f", "user.a", "value", 5, 1);
	C(setxattr, "f", "user.b", "value", 6, 0);
	C(getxattr, "f", "user.a", buf, 100);
	C(getxattr, "f", "user.b", buf, 100);
	C(lgetxattr, "f", "user.none", buf, 100);
	C(fgetxattr, fd, "user.a", N, 0);
	C(listxattr, "f", buf, 100);
	C(flistxattr, fd, buf, 100);
	C(removexattr, "f", "user.a");
	C(getcwd, buf, sizeof buf);
	C(getcwd, buf, 1);
	int d = syscall(SYS_openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);
	C(getdents64, d, buf, sizeof buf);
	C(getdents64, d, buf, sizeof buf);
	C(lseek, d, 0, SEEK_SET);
	C(getdents, d, buf, sizeof buf);
	C(fchdir, d);
	C(chdir, "/nonexistent");
	C(unlink, "l2");
	C(unlinkat, AT_FDCWD, "nonexistent", AT_REMOVEDIR);
	C(umask, 022);
	C(umask, 077);
	C(dup, fd);
	C(dup2, fd, 50);
	C(dup3, fd, 51, O_CLOEXEC);
	C(close, 51);
	C(close, 99);
	C(close_range, 50, 60, 0);
	C(close_range, 70, ~0U, CLOSE_RANGE_CLOEXEC);
	long off = 0;
	int out = syscall(SYS_openat, AT_FDCWD, "out", O_RDWR | O_CREAT, 0600);
	C(sendfile, out, fd, &off, 3L);
	C(sendfile, out, fd, N, 0L);
	C(sendfile, out, 99, &off, 3L);
	C(copy_file_range, fd, &off, out, N, 2L, 0);
	int p[2];
	C(pipe, p);
	C(pipe2, p, O_CLOEXEC | O_NONBLOCK);
	C(pipe2, BAD, 0);
	C(splice, fd, &off, p[1], N, 1L, SPLICE_F_MOVE);
	C(tee, p[0], p[1], 1L, SPLICE_F_NONBLOCK);
	C(vmsplice, p[1], iov, 1L, 0);
	C(chroot, "/nonexistent");
	C(mount, "none", "/nonexistent", "tmpfs", MS_NOSUID | MS_NODEV, "size=1");
	C(mount, "none", "/nonexistent", "tmpfs", MS_BIND, "size=1");
	C(mount, "none", "/nonexistent", "tmpfs", MS_REMOUNT | MS_RDONLY, "size=1");
	C(umount2, "/nonexistent", MNT_DETACH);
	C(swapoff, "/nonexistent");
	C(memfd_create, "name", 1);
	C(memfd_create, "name", 0);
	C(inotify_init);
	int ino = syscall(SYS_inotify_init1, IN_CLOEXEC | IN_NONBLOCK);
	C(inotify_add_watch, ino, "/tmp", IN_CREATE | IN_MODIFY | IN_ONLYDIR);
	C(inotify_rm_watch, ino, 1);
	C(name_to_handle_at, AT_FDCWD, "f", N, N, 0);
	C(fsync, -1);
	C(syncfs, -1);
}

static void control(void) {
	int fd = syscall(SYS_openat, AT_FDCWD, "f", O_RDWR);
	C(fcntl, fd, F_GETFL);
	C(fcntl, fd, F_SETFL, O_RDONLY | O_NONBLOCK | O_LARGEFILE);
	C(fcntl, fd, F_GETFD);
	C(fcntl, fd, F_SETFD, FD_CLOEXEC);
	C(fcntl, fd, F_GETFD);
	C(fcntl, fd, F_DUPFD, 40);
	C(fcntl, fd, F_DUPFD_CLOEXEC, 40);
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
	C(fcntl, fd, F_SETLK, &fl);
	C(fcntl, fd, F_GETLK, &fl);
	C(fcntl, fd, F_OFD_SETLK, &fl);
	C(fcntl, fd, F_SETLK, N);
	C(fcntl, fd, F_GETOWN);
	C(fcntl, fd, F_GETSIG);
	C(fcntl, fd, F_SETSIG, SIGUSR1);
	C(fcntl, fd, F_GETSIG);
	C(fcntl, fd, F_GETLEASE);
	C(fcntl, fd, F_GETPIPE_SZ);
	C(fcntl, fd, F_GET_SEALS);
	C(fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK);
	C(fcntl, fd, 12345, 7);
	C(fcntl, -1, F_GETFL);
	struct termios tio;
	struct winsize ws;
	int n = 1;
	C(ioctl, 0, TCGETS, &tio);
	C(ioctl, 0, TIOCGWINSZ, &ws);
	C(ioctl, fd, FIONREAD, &n);
	C(ioctl, fd, FIONBIO, &n);
	C(ioctl, fd, FIOCLEX);
	C(ioctl, fd, 0x1234, &n);
	C(ioctl, fd, 0x80081272, &n);
	C(ioctl, fd, TIOCSPGRP, &n);
	C(ioctl, fd, TIOCSCTTY, 0);
	C(ioctl, fd, TCFLSH, TCIOFLUSH);
	int pt = syscall(SYS_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY);
	C(ioctl, pt, TIOCGPTN, &n);
	n = 0;
	C(ioctl, pt, TIOCSPTLCK, &n);
	C(ioctl, pt, TCGETS, &tio);
	C(ioctl, pt, TCSETSW, &tio);
	ws.ws_row = 24, ws.ws_col = 80, ws.ws_xpixel = 0, ws.ws_ypixel = 0;
	C(ioctl, pt, TIOCSWINSZ, &ws);
	C(ioctl, pt, TIOCGWINSZ, &ws);
	C(ioctl, pt, TIOCGPGRP, &n);
	C(close, pt);
}

static void memory(void) {
	char *p = mmap(N, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	C(mmap, 0x20000000, 4096, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
	C(mmap, N, 0, PROT_EXEC | 0x100, 0x2000000 | MAP_PRIVATE, 5, 0x1000);
	C(mmap, N, 4096, PROT_READ, MAP_ANONYMOUS | MAP_PRIVATE | MAP_HUGETLB | (21 << 26), -1, 0);
	C(mprotect, p, 4096, PROT_READ | PROT_EXEC);
	C(mprotect, p, 4096, PROT_NONE);
	C(madvise, p, 4096, MADV_DONTNEED);
	C(madvise, p, 4096, 77);
	C(msync, p, 4096, MS_SYNC | MS_INVALIDATE);
	C(mlock, p, 0);
	C(mlock2, p, 0, MLOCK_ONFAULT);
	C(munlock, p, 0);
	C(mlockall, 0);
	C(munlockall);
	C(mremap, p, 8192, 16384, MREMAP_MAYMOVE);
	C(mremap, p, 8192, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, 0x20001000);
	C(munmap, 0x20000000, 8192);
	C(munmap, 1, 0);
	C(brk, 0);
	C(membarrier, 0, 0, 0);
	C(membarrier, 1 << 8, 1, 0);
	C(pkey_mprotect, p, 0, PROT_READ, -1);
	C(process_vm_readv, getpid(), N, 0, N, 0, 0);
}

static void handler(int sig) {}

static void signals(void) {
	struct ksa { void *handler; unsigned long flags; void *restorer; unsigned long mask; } sa = {handler, SA_RESTART | 0x04000000 | SA_SIGINFO, (void *)0x1234567, 1 << (SIGINT - 1)}, old;
	unsigned long set = 1 << (SIGUSR2 - 1) | 1UL << 33, oldset, all = ~0UL;
	C(rt_sigaction, SIGUSR2, &sa, &old, 8);
	C(rt_sigaction, SIGUSR2, N, &old, 8);
	sa.handler = SIG_IGN, sa.flags = 0, sa.mask = 0;
	C(rt_sigaction, SIGUSR2, &sa, N, 8);
	sa.handler = SIG_DFL;
	C(rt_sigaction, SIGUSR2, &sa, &old, 8);
	C(rt_sigaction, SIGKILL, &sa, N, 8);
	C(rt_sigaction, 33, N, &old, 8);
	C(rt_sigaction, 99, BAD, N, 4);
	C(rt_sigprocmask, SIG_BLOCK, &set, &oldset, 8);
	C(rt_sigprocmask, SIG_SETMASK, &oldset, &set, 8);
	C(rt_sigprocmask, SIG_UNBLOCK, N, &set, 8);
	C(rt_sigprocmask, 7, &all, N, 8);
	C(rt_sigprocmask, SIG_BLOCK, &set, &oldset, 4);
	C(rt_sigpending, &set, 8);
	stack_t ss = {.ss_sp = buf, .ss_size = sizeof buf}, oss;
	C(sigaltstack, N, &oss);
	C(sigaltstack, &ss, &oss);
	ss.ss_flags = SS_DISABLE;
	C(sigaltstack, &ss, N);
	C(kill, getpid(), 0);
	C(kill, 0x7ffffff, SIGTERM);
	C(tkill, 0x7ffffff, SIGRTMIN + 1);
	C(tgkill, 0x7ffffff, 1, 200);
	siginfo_t si = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
	struct timespec zero = {0, 0};
	set = 1 << (SIGUSR1 - 1);
	C(rt_sigprocmask, SIG_BLOCK, &set, N, 8);
	C(rt_sigqueueinfo, getpid(), SIGUSR1, &si);
	C(rt_sigpending, &oldset, 8);
	C(rt_sigtimedwait, &set, &si, &zero, 8);
	C(rt_sigtimedwait, &set, &si, &zero, 8);
	C(rt_sigtimedwait, &set, N, &zero, 8);
	C(signalfd4, -1, &set, 8, SFD_CLOEXEC | SFD_NONBLOCK);
	C(signalfd, -1, &set, 8);
	struct itimerval it = {{0, 0}, {100, 5}}, oit;
	C(setitimer, ITIMER_REAL, &it, &oit);
	it.it_value.tv_sec = it.it_value.tv_usec = 0;
	C(setitimer, ITIMER_VIRTUAL, &it, N);
	C(setitimer, ITIMER_REAL, &it, N);
	C(getitimer, ITIMER_PROF, &oit);
	C(alarm, 0);
	signal(SIGUSR2, handler);
	raise(SIGUSR2);
	C(pidfd_send_signal, 99, SIGTERM, N, 0);
}

static void processes(void) {
	struct rlimit rl = {1024, RLIM_INFINITY};
	struct rusage ru;
	int status;
	C(prlimit64, 0, RLIMIT_NOFILE, N, &rl);
	C(prlimit64, 0, RLIMIT_CORE, &rl, N);
	C(getrlimit, RLIMIT_STACK, &rl);
	C(setrlimit, 99, &rl);
	C(getrusage, RUSAGE_SELF, &ru);
	C(getrusage, 77, &ru);
	pid_t pid = fork();
	if (pid == 0) {
		C(prctl, PR_SET_PDEATHSIG, SIGTERM);
		C(exit_group, 3);
	}
	siginfo_t si;
	memset(&si, 0, sizeof si);
	C(waitid, P_PID, pid, &si, WEXITED | WNOWAIT, N);
	C(wait4, pid, &status, 0, &ru);
	C(wait4, -1, &status, WNOHANG | WUNTRACED, N);
	C(wait4, -1, N, __WALL, N);
	C(waitid, P_ALL, 0, N, WEXITED, N);
	if ((pid = fork()) == 0) {
		C(kill, getpid(), SIGKILL);
	}
	C(wait4, pid, &status, 0, N);
	if ((pid = vfork()) == 0) {
		execl("/nonexistent", "a", "b\n", NULL);
		execl("/bin/true", "true", "0123456789012345678901234567890123456789", NULL);
		_exit(1);
	}
	C(wait4, pid, &status, 0, N);
	C(clone, CLONE_VM | CLONE_THREAD, N, N, N, N);
	struct clone_args ca = {.flags = CLONE_THREAD, .exit_signal = SIGCHLD};
	C(clone3, &ca, sizeof ca);
	C(clone3, &ca, 8);
	C(clone3, N, 64);
	C(execve, BAD, BAD, BAD);
	C(execve, "/nonexistent", N, N);
	C(execveat, AT_FDCWD, "/nonexistent", N, N, AT_EMPTY_PATH);
	C(getpgid, 0);
	C(setpgid, 0, -1);
	C(getpgrp);
	C(getsid, 0);
	int w = 0;
	struct timespec zero = {0, 0};
	C(futex, &w, FUTEX_WAKE, 1, N, N, 0);
	C(futex, &w, FUTEX_WAKE_PRIVATE, 0x7fffffff);
	C(futex, &w, FUTEX_WAIT, 1, N);
	C(futex, &w, FUTEX_WAIT_PRIVATE, 0, &zero);
	C(futex, &w, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &zero, N, FUTEX_BITSET_MATCH_ANY);
	C(futex, &w, FUTEX_WAKE_BITSET, 1, N, N, 7);
	C(futex, &w, FUTEX_REQUEUE, 1, 2, &status);
	C(futex, &w, FUTEX_CMP_REQUEUE_PRIVATE, 1, 2, &status, 5);
	C(futex, &w, FUTEX_WAKE_OP, 1, 2, &status, FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_GT, 2));
	C(futex, &w, FUTEX_TRYLOCK_PI);
	C(futex, &w, 99, 1, 2, 3, 4);
	C(prctl, PR_SET_NAME, "a long name of a thread");
	C(prctl, PR_GET_NAME, buf);
	C(prctl, PR_GET_DUMPABLE);
	C(prctl, PR_SET_DUMPABLE, 1);
	C(prctl, PR_GET_PDEATHSIG, &w);
	C(prctl, PR_CAPBSET_READ, 21);
	C(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	C(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	C(prctl, PR_GET_SECCOMP);
	C(prctl, PR_GET_TIMERSLACK);
	C(prctl, PR_SET_TIMERSLACK, 50000);
	C(prctl, PR_SET_PTRACER, -1);
	C(prctl, PR_SET_VMA, 0, 0x20000000, 4096, "name");
	C(prctl, PR_GET_CHILD_SUBREAPER, &w);
	C(prctl, 1234, 1, 2, 3, 4);
	long fsbase;
	C(arch_prctl, 0x1003, &fsbase);
	C(arch_prctl, 0x3001, 5);
	C(seccomp, SECCOMP_GET_NOTIF_SIZES, 0, buf);
	C(set_robust_list, N, 0);
	C(rseq, N, 0, 0, 0);
	C(sched_yield);
	unsigned char mask[128] = {3};
	C(sched_getaffinity, 0, 128, mask);
	C(sched_setaffinity, 0, 8, mask);
	C(sched_getscheduler, 0);
	C(sched_getparam, 0, &w);
	C(sched_setscheduler, 0, SCHED_OTHER, &w);
	C(sched_get_priority_max, SCHED_FIFO);
	C(getpriority, PRIO_PROCESS, 0);
	C(setpriority, PRIO_PROCESS, 0, 0);
	C(ioprio_get, 1, 0);
	C(ioprio_set, 1, 0, 0x4004);
	C(unshare, 0);
	C(unshare, CLONE_FS | CLONE_FILES);
	C(setns, 99, CLONE_NEWNET);
	C(personality, ~0U);
	C(kcmp, 1, 2, 0, 3, 4);
	C(getresuid, &w, &w, &w);
	C(getresgid, &w, &w, N);
	C(setreuid, -1, -1);
	C(setresuid, -1, 0, -1);
	C(setfsuid, 0);
	gid_t groups[3] = {1, 2, 3};
	C(getgroups, 0, N);
	C(setgroups, 3, groups);
	C(getgroups, 3, groups);
	struct __user_cap_header_struct ch = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct cd[2] = {{1, 3, 0}, {1, 0, 0}};
	C(capget, &ch, N);
	C(capget, &ch, cd);
	C(capset, &ch, N);
	C(pidfd_open, 0x7ffffff, 0);
	C(ptrace, 7, 0x7ffffff, 0, 9);
	C(ptrace, 99, 1, 2, 3);
}

static void waiting(void) {
	int p[2], q[2];
	C(pipe, p);
	if (pipe(p) || pipe(q)) return;
	C(write, p[1], "x", 1);
	struct pollfd fds[3] = {{p[0], POLLIN, 0}, {q[1], POLLOUT | POLLPRI, 0}, {-1, POLLIN, 0}};
	struct timespec zero = {0, 0}, one = {1, 0};
	unsigned long set = 0;
	C(poll, fds, 3, -1);
	C(poll, fds, 1, 0);
	fds[0].fd = q[0];
	C(poll, fds, 1, 0);
	C(poll, N, 0, 0);
	C(poll, BAD, 1, 0);
	C(ppoll, fds, 1, &zero, &set, 8);
	C(ppoll, fds, 2, N, N, 0);
	fd_set r, w;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(q[0], &r);
	FD_SET(q[1], &w);
	struct timeval tv = {0, 0};
	C(select, q[1] + 1, &r, &w, N, N);
	C(select, 0, N, N, N, &tv);
	C(select, -1, N, N, N, &tv);
	FD_ZERO(&r);
	FD_SET(q[0], &r);
	struct { void *p; size_t n; } ks = {&set, 8};
	C(pselect6, q[0] + 1, &r, N, N, &zero, &ks);
	C(pselect6, 0, N, N, N, &zero, N);
	int ep = syscall(SYS_epoll_create1, EPOLL_CLOEXEC);
	C(epoll_create, 1);
	struct epoll_event ev = {EPOLLIN | EPOLLET, {.u64 = 0x100000002}}, evs[4];
	C(epoll_ctl, ep, EPOLL_CTL_ADD, p[0], &ev);
	ev.events = EPOLLOUT;
	C(epoll_ctl, ep, EPOLL_CTL_MOD, q[0], &ev);
	C(epoll_wait, ep, evs, 4, 0);
	C(epoll_pwait, ep, evs, 4, 0, N, 8);
	C(epoll_pwait2, ep, evs, 4, &zero, &set, 8);
	C(epoll_wait, 99, evs, 4, 0);
	C(epoll_ctl, ep, EPOLL_CTL_DEL, p[0], &ev);
	C(epoll_ctl, ep, 9, p[0], N);
	C(eventfd, 3);
	C(eventfd2, 3, 02004000);
	int t = syscall(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct itimerspec its = {{0, 0}, {100, 1}};
	C(timerfd_settime, t, TFD_TIMER_ABSTIME, &its, N);
	its.it_value.tv_sec = its.it_value.tv_nsec = 0;
	C(timerfd_settime, t, 0, &its, N);
	C(timerfd_gettime, t, &its);
	C(nanosleep, &zero, N);
	C(nanosleep, &zero, &one);
	C(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &zero, N);
	C(clock_nanosleep, CLOCK_REALTIME, 0, &zero, &one);
	C(clock_nanosleep, -2, 0, &zero, N);
	C(nanosleep, BAD, N);
	C(clock_getres, CLOCK_BOOTTIME, &one);
	C(clock_getres, 99, &one);
	C(clock_settime, CLOCK_MONOTONIC, &zero);
	struct sigevent sev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM, .sigev_value.sival_int = 5};
	int timer;
	C(timer_create, CLOCK_REALTIME, &sev, &timer);
	C(timer_create, CLOCK_REALTIME, N, &timer);
	C(timer_settime, timer, 0, &its, N);
	C(timer_gettime, timer, &its);
	C(timer_getoverrun, timer);
	C(timer_delete, timer);
	C(getcpu, N, N, N);
}

static void sockets(void) {
	int s = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP), sv[2], one = 1;
	C(socket, AF_UNIX, SOCK_DGRAM, 0);
	C(socket, AF_INET6, SOCK_DGRAM, IPPROTO_IP);
	C(socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	C(socket, AF_PACKET, SOCK_RAW, 0x300);
	C(socket, 99, 9, 7);
	C(socketpair, AF_UNIX, SOCK_STREAM, 0, sv);
	C(socketpair, AF_UNIX, SOCK_STREAM, 0, BAD);
	struct sockaddr_in in = {AF_INET, htons(0), {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 in6 = {AF_INET6, htons(80), 5, IN6ADDR_LOOPBACK_INIT, 0};
	struct sockaddr_un un = {AF_UNIX, "sock"}, abs = {AF_UNIX, "\0abstract"};
	struct sockaddr_nl nl = {AF_NETLINK, 0, 0, 5};
	C(setsockopt, s, SOL_SOCKET, SO_REUSEADDR, &one, 4);
	C(setsockopt, s, SOL_TCP, TCP_NODELAY, &one, 4);
	C(setsockopt, s, SOL_IP, IP_TOS, &one, 1);
	C(setsockopt, s, SOL_IPV6, IPV6_V6ONLY, &one, 4);
	struct linger li = {1, 5};
	C(setsockopt, s, SOL_SOCKET, SO_LINGER, &li, sizeof li);
	C(setsockopt, s, SOL_SOCKET, SO_REUSEADDR, N, 4);
	C(setsockopt, s, 55, 66, "abcdefgh", 8);
	struct timeval tv = {1, 0};
	C(setsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	C(bind, s, &in, sizeof in);
	C(bind, -1, &in6, sizeof in6);
	C(bind, -1, &un, sizeof un);
	C(bind, -1, &un, 7);
	C(bind, -1, &abs, 11);
	C(bind, -1, &nl, sizeof nl);
	C(connect, -1, &in, 3);
	C(connect, -1, N, 16);
	C(connect, -1, BAD, 16);
	C(connect, -1, &un, 1);
	int x = 77;
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	C(listen, s, 511);
	C(accept, s, N, N);
	C(accept4, s, &from, &len, SOCK_CLOEXEC);
	C(getpeername, s, &from, &len);
	len = sizeof from;
	C(getsockname, sv[0], &from, &len);
	len = 1;
	C(getsockname, sv[0], &from, &len);
	C(getsockname, sv[0], &from, N);
	len = 4;
	C(getsockopt, s, SOL_SOCKET, SO_ERROR, &x, &len);
	C(getsockopt, s, SOL_SOCKET, SO_TYPE, &x, &len);
	C(getsockopt, s, SOL_SOCKET, SO_RCVBUF, &x, &len);
	len = 12;
	C(getsockopt, sv[0], SOL_SOCKET, SO_PEERCRED, buf, &len);
	len = 8;
	C(getsockopt, s, SOL_SOCKET, SO_LINGER, buf, &len);
	len = 4;
	C(getsockopt, s, SOL_TCP, TCP_MAXSEG, &x, &len);
	C(getsockopt, 99, SOL_SOCKET, SO_ERROR, &x, &len);
	C(getsockopt, s, SOL_SOCKET, SO_ERROR, &x, N);
	C(sendto, sv[0], "data\n", 5, MSG_NOSIGNAL | MSG_DONTWAIT, N, 0);
	C(sendto, -1, "data", 4, 0, &in, sizeof in);
	C(recvfrom, sv[1], buf, 100, 0, N, N);
	C(recvfrom, sv[1], buf, 100, MSG_DONTWAIT | MSG_PEEK, N, N);
	C(sendto, sv[0], "more", 4, 0, N, 0);
	len = sizeof from;
	C(recvfrom, sv[1], buf, 100, 0, &from, &len);
	struct iovec iov[2] = {{"ab", 2}, {"cde", 3}}, rio[1] = {{buf, 100}};
	union { char b[CMSG_SPACE(8)]; struct cmsghdr h; } cb;
	memset(&cb, 0, sizeof cb);
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = &cb, .msg_controllen = sizeof cb};
	cb.h.cmsg_len = CMSG_LEN(8), cb.h.cmsg_level = SOL_SOCKET, cb.h.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&cb.h), (int[2]){0, 1}, 8);
	C(sendmsg, sv[0], &mh, MSG_NOSIGNAL);
	struct msghdr rh = {.msg_name = &from, .msg_namelen = 50, .msg_iov = rio, .msg_iovlen = 1, .msg_control = &cb, .msg_controllen = sizeof cb};
	C(recvmsg, sv[1], &rh, MSG_CMSG_CLOEXEC);
	C(recvmsg, sv[1], &rh, MSG_DONTWAIT);
	C(recvmsg, sv[1], N, 0);
	mh.msg_name = &in, mh.msg_namelen = sizeof in, mh.msg_controllen = 0;
	C(sendmsg, -1, &mh, 0);
	struct mmsghdr mm[2] = {{.msg_hdr = {.msg_iov = iov, .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = iov + 1, .msg_iovlen = 1}}};
	C(sendmmsg, sv[0], mm, 2, 0);
	struct mmsghdr rm[2] = {{.msg_hdr = {.msg_iov = rio, .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = rio, .msg_iovlen = 1}}};
	C(recvmmsg, sv[1], rm, 2, MSG_DONTWAIT, N);
	C(recvmmsg, sv[1], rm, 2, MSG_DONTWAIT, N);
	C(shutdown, sv[0], SHUT_RDWR);
	C(shutdown, sv[0], 9);
	C(ioctl, s, FIONBIO, &one);
}

static void rest(void) {
	struct utsname u;
	long nums[4];
	C(uname, &u);
	C(uname, N);
	C(getrandom, BAD, 4, 1);
	C(getrandom, buf, 0, 0);
	int shm = syscall(SYS_shmget, IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	C(shmctl, shm, IPC_RMID, N);
	C(shmat, -1, N, SHM_RDONLY);
	C(shmdt, N);
	C(shmget, 0x1234, 4096, 0);
	int sem = syscall(SYS_semget, IPC_PRIVATE, 1, IPC_CREAT | IPC_EXCL | 0666);
	struct sembuf ops[2] = {{0, 1, SEM_UNDO}, {0, -1, IPC_NOWAIT}};
	struct timespec zero = {0, 0};
	C(semop, sem, ops, 2);
	C(semtimedop, sem, ops, 1, &zero);
	C(semctl, sem, 0, IPC_RMID, 0);
	C(msgget, IPC_PRIVATE | 0x77, 0);
	C(msgctl, -1, IPC_RMID, N);
	C(sethostname, "name", 1000);
	C(syslog, 10, N, 0);
	C(io_setup, 0, nums);
	C(io_destroy, N);
	C(times, N);
	C(time, N);
	C(settimeofday, BAD, N);
	C(add_key, "user", "name", "payload", 7, -3);
	C(acct, "/nonexistent");
	C(delete_module, "nonexistent", O_NONBLOCK);
	syscall(400, 1, 2, 3, 4, 5, 6);
	syscall(1000, 1, 2, 3, 4, 5, 6);
	C(landlock_restrict_self, -1, 0);
	C(lookup_dcookie, 1L, N, 0L);
	C(get_mempolicy, N, N, 0L, N, 0L);
	C(quotactl, 0, N, 0, N);
}

int main(void) {
	char dir[] = "/tmp/calls.XXXXXX";
	if (!mkdtemp(dir) || chdir(dir)) return 1;
	setenv("TZ", "UTC", 1);
	files();
	control();
	memory();
	signals();
	waiting();
	sockets();
	processes();
	rest();
	if (fork() == 0) execl("/bin/rm", "rm", "-r", dir, NULL);
	wait(N);
	return 0;
}
