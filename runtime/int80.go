// Runs in the target, on the signal stack with every signal blocked.

package runtime

import "github.com/trapline/trapline/ucontext"

// int80 serves an int 0x80 in 64-bit code. The stub makes the call; hooks do not see it. Calls
// that would take the thread out of the runtime's sight are refused, but for fork. Numbers are
// those of arch/x86/entry/syscalls/syscall_32.tbl, 6.18.
func int80(t *Thread, nr int, site uintptr, m *ucontext.Sigcontext) {
	if m.CS != codeSegment64 {
		abort("a system call of 32-bit code in a 64-bit program", site)
	}
	bx, cx := uint32(m.BX), uint32(m.CX)
	switch nr {
	case 2: // fork
		m.AX = int80Fork(t)
		return
	case 120, 190, 435: // clone, vfork, clone3
		abort("a new process through int 0x80 cannot be followed", site)
	case 11, 358: // execve, execveat
		abort("exec through int 0x80 cannot be followed", site)
	case 67, 72, 119, 126, 173, 174, 175, 179, 186: // sigaction to sigaltstack
		abort("a signal call through int 0x80 cannot be served", site)
	}
	switch {
	case nr == 26 && bx == ptraceSetDispatch: // ptrace
		abort("ptrace(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG) through int 0x80 cannot be served", site)
	case nr == 172 && bx == prSetDispatch: // prctl
		m.AX = uint64(setDispatch(uintptr(cx), uintptr(uint32(m.DX)), uintptr(uint32(m.SI)), uintptr(uint32(m.DI)), site))
		return
	case nr == 172 && bx == prSetSeccomp, nr == 354 && bx <= setModeFilter: // seccomp
		abort("a seccomp mode set through int 0x80 cannot be served", site)
	}
	m.IP = uint64(t.stubFor(site) + stubInt80)
}

// int80Fork forks in the signal handler: the child has a copy of its stack.
func int80Fork(t *Thread) uint64 {
	t.clone = cloneJob{nr: sysFork, parent: t.tid}
	pid := sys(sysFork, 0, 0, 0, 0, 0, 0)
	if pid == 0 {
		t.armThread()
		t.tid = int32(sys(sysGettid, 0, 0, 0, 0, 0, 0))
		t.forked()
		t.pid = t.tid
		t.started()
	}
	return uint64(pid)
}
