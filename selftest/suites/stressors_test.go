package suites

import (
	"os"
	"slices"
	"strings"
	"time"
)

// stressNames are the stressors of stress-ng that have to do with what trapline takes part in: signals, processes, threads,
// memory, waiting, descriptors. Those that only burn cycles or fill disks are left out, and so are those that need what
// trapline refuses (docs/compatibility.md): prctl and usersyscall switch Syscall User Dispatch on.
var stressNames = strings.Fields(`
	alarm bad-altstack context cyclic daemon exec exit-group fork forkheavy vfork vforkmany clone spawn pthread futex mutex
	kill longjmp race-sched sigabrt sigchld sigfd sigfpe sigio signal signest sigpending sigpipe sigq sigrt sigsegv
	sigsuspend sigtrap itimer timer timerfd hrtimers clock nanosleep sleep wait waitcpu zombie session
	eventfd poll epoll pipe pidfd sem sem-sysv mq msg shm shm-sysv sock sockfd sockpair pty tee splice vm-splice
	aio aiol io-uring close dup fcntl get procfs
	mmap mmapaddr mmapfixed mmapfork mmapmany mprotect madvise mremap munmap remap pagemove pkey memfd mincore msync mlock
	brk vm-addr vm-rw vm-segv stack stackmmap secretmem userfaultfd tlb-shootdown
	enosys syscall sysbadaddr vdso nop far-branch fault fp-error opcode priv-instr misaligned
	cap chroot landlock membarrier personality ptrace resched resources rseq schedpolicy seccomp set switch tun
	unshare yield`)

// quickStressors run with -short.
var quickStressors = []string{"sigsegv", "signest", "sigsuspend", "vforkmany", "clone", "pthread", "madvise"}

// notAsRoot are stressors that root may not run.
var notAsRoot = []string{"exec", "spawn"}

// stressors makes a suite of each: a stressor that breaks something breaks only itself.
func stressors() []suite {
	var all []suite
	for _, name := range stressNames {
		all = append(all, suite{
			name:  "stress-" + name,
			soak:  !slices.Contains(quickStressors, name),
			limit: 3 * time.Minute,
			env:   []string{"GLIBC_TUNABLES=glibc.pthread.rseq=0"}, // rseq can be registered once
			argv: func(string, string) []string {
				argv := []string{"stress-ng", "--verify", "--temp-path", "/tmp", "-t", "2", "--" + name, "1"}
				if os.Getuid() == 0 && slices.Contains(notAsRoot, name) {
					return append(strings.Fields("setpriv --reuid=65534 --regid=65534 --clear-groups"), argv...)
				}
				return argv
			},
			parse: func(output, _ string) results { return stressResults(name, output) },
		})
	}
	return all
}

// stressResults: the stressor as a whole. The status says whether it failed, and is compared too.
func stressResults(name, output string) results {
	switch {
	case strings.Contains(output, "unsuccessful run completed"):
		return results{name: fail}
	case strings.Contains(output, "skipping"), strings.Contains(output, "skipped"):
		return results{name: skip}
	case strings.Contains(output, "successful run completed"):
		return results{name: pass}
	}
	return results{name: unfinished}
}
