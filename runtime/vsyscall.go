// Runs in the target, on the signal stack with every signal blocked.

package runtime

import "github.com/trapline/trapline/ucontext"

const (
	vsyscallStart = 0xffffffffff600000 // VSYSCALL_ADDR, arch/x86/include/uapi/asm/vsyscall.h
	vsyscallEnd   = vsyscallStart + pageSize
)

func inVsyscall(addr uintptr) bool { return addr-vsyscallStart < vsyscallEnd-vsyscallStart }

// vsyscall serves a call into the legacy vsyscall page. The kernel has already made it
// return to its caller (emulate_vsyscall, arch/x86/entry/vsyscall/vsyscall_64.c, 6.18), so
// there is no site to go back to: the call, which never blocks, is made here.
func vsyscall(t *Thread, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	m := &uc.Mcontext
	t.site, t.trapped = info.CallAddr(), info.CallAddr()
	c := &t.call
	c.nr = int(info.Syscall())
	c.args = [6]uintptr{uintptr(m.DI), uintptr(m.SI), uintptr(m.DX)}
	c.done, c.edited = false, false
	if s := shared(); hooked(s, c.nr) {
		(*Tool)(at(s.Tool)).Hook(c)
	}
	m.AX = uint64(c.Do())
}
