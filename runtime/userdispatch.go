// Runs in the target, on the tool stack or the signal stack.

package runtime

// A target's own use of Syscall User Dispatch, for itself or, through ptrace, for another target. What is
// to be dispatched is the runtime's already, by SUD or by a filter that SUD would outrank; so to switch
// it on is refused. To switch it off is to do nothing, as natively.

// include/uapi/linux/prctl.h and ptrace.h.
const (
	prSetDispatch       = 59 // PR_SET_SYSCALL_USER_DISPATCH
	dispatchOff         = 0  // PR_SYS_DISPATCH_OFF
	dispatchOn          = 1  // PR_SYS_DISPATCH_ON: all but a range
	dispatchInclusiveOn = 2  // PR_SYS_DISPATCH_INCLUSIVE_ON: only a range

	ptraceSetDispatch = 0x4210 // PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG (6.4)
	ptraceGetDispatch = 0x4211 // PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG (6.4)
)

// dispatchConfig is struct ptrace_sud_config, include/uapi/linux/ptrace.h.
type dispatchConfig struct{ mode, selector, offset, length uint64 }

// set answers a request to dispatch like this as task_set_syscall_user_dispatch does
// (kernel/entry/syscall_user_dispatch.c, 6.18). call is the request's name.
func (d *dispatchConfig) set(call string, site uintptr) int64 {
	switch d.mode {
	case dispatchOff:
		if d.offset|d.length|d.selector != 0 {
			return -int64(eINVAL)
		}
		return 0
	case dispatchOn, dispatchInclusiveOn:
		var l line
		l.start(sys(sysGetpid, 0, 0, 0, 0, 0, 0))
		l.str(call)
		l.str(": Syscall User Dispatch would take the program's calls away from trapline")
		l.finish(site)
	}
	return -int64(eINVAL)
}

// setDispatch serves prctl(PR_SET_SYSCALL_USER_DISPATCH).
func setDispatch(mode, offset, length, selector, site uintptr) int64 {
	d := dispatchConfig{uint64(mode), uint64(selector), uint64(offset), uint64(length)}
	return d.set("prctl(PR_SET_SYSCALL_USER_DISPATCH)", site)
}

// isTarget reports whether a thread that the caller traces, and that is stopped, is a target's.
func isTarget(tid uintptr) bool {
	var word uint64
	r := sys(sysPtrace, ptracePeek, tid, SharedBase, addrOf(&word), 0, 0)
	return r == 0 && word == SharedMagic
}
