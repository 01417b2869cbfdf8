// Runs in the target, on the tool stack or the signal stack.

package runtime

import "github.com/trapline/trapline/ucontext"

// What sends the target's system calls to the runtime, as a SIGSYS: Shared.Source.
const (
	// SourceSeccomp: the trap filter. Children and new programs inherit it.
	SourceSeccomp = 0
	// SourceSUD: Syscall User Dispatch (kernel/entry/syscall_user_dispatch.c, 5.11), with the
	// reserved range as the one place whose calls go through, whatever the number and the
	// architecture. It is a thread's own: each new thread and process arms it, and each new program.
	SourceSUD = 1
)

// Siginfo codes of a SIGSYS, include/uapi/asm-generic/siginfo.h.
const (
	sysSeccompCode  = 1 // SYS_SECCOMP
	sysDispatchCode = 2 // SYS_USER_DISPATCH
)

// x32Bit is __X32_SYSCALL_BIT (arch/x86/include/uapi/asm/unistd.h). No number of x86-64 is that
// high; the negative ones lie up here too.
const x32Bit = 0x40000000

func usesSUD() bool { return shared().Source == SourceSUD }

// armProgram arms the trap source in a new program. Only the first one installs the filter.
func (t *Thread) armProgram(first bool) {
	if first {
		checkText()
	}
	switch {
	case usesSUD():
		t.armThread()
	case first:
		installFilter(t)
	}
}

// armThread arms the trap source in a new thread or process, in which the kernel has cleared it
// (dup_task_struct, kernel/fork.c, 6.18).
func (t *Thread) armThread() {
	if !usesSUD() {
		return
	}
	s := shared()
	r := sys(sysPrctl, prSetDispatch, dispatchOn, s.TextStart, StubLimit-s.TextStart, 0, 0)
	if failed(r) {
		abortErrno("Syscall User Dispatch cannot be armed", r, t.site)
	}
}

// checkText ends a process in which the image's text is not where it is linked: the reserved
// range begins there.
func checkText() {
	s := shared()
	if text, found := findImage(); found && (text.Start != s.TextStart || text.End < s.TextEnd) {
		abort("the image is not mapped as it was linked", text.Start)
	}
}

// isTrap reports whether a SIGSYS is about a system call that was not made: the trap source's, or
// that of a filter of the target's own for a call that the runtime makes. The target may send itself a
// forged one, and under SUD, which does not see the vsyscall page, a filter's verdict on a call there is
// the target's own business.
func isTrap(info *ucontext.Siginfo, uc *ucontext.Ucontext) bool {
	ip := uintptr(uc.Mcontext.IP)
	inRange := inRuntime(ip)
	// A number that looks like -ERESTARTSYS to the kernel makes it go back to the site as if to
	// restart a call (handle_signal, arch/x86/kernel/signal.c, 6.18).
	here := info.CallAddr() == ip || info.CallAddr() == ip+callLength
	switch {
	case info.Code == sysDispatchCode:
		return usesSUD() && !inRange && here
	case info.Code != sysSeccompCode:
		return false
	case usesSUD():
		return inRange && here
	}
	return here || inVsyscall(info.CallAddr())
}
