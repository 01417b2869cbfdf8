// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import "sync/atomic"

// A target whose tracer is another process of the same run: a debugger or strace that runs under trapline too. The
// tracer's runtime (tracer.go) knows every stop of it. What the two runtimes say to each other is in this file.
//
//   - The tracer writes orders into the image's data of the tracee, which is at the same address in both.
//   - A call that the runtime has a part in shows itself to the tracer as one entry and one exit, by two calls that do
//     nothing (showEntry, showExit). Whatever the runtime does in between, the tracer's runtime hides.
//   - An exec is offered to the tracer, which then brings the image into the new program (offerExec).
//   - With halt set in the Thread, exitToTarget goes to deliverTrap, where the tracer's runtime takes over.

// traceOrders is what the tracer wants.
var traceOrders uint64

const (
	orderTraced = 1 << 0 // somebody traces: no helper can seize
	orderShow   = 1 << 1 // show calls
	orderText   = 1 << 2 // the tracer may write into the text: it stays as it is
	ordersAll   = 1<<16 - 1
)

// callView is what the tracer sees of a call that the runtime makes, beside Thread.regs.
type callView struct {
	nr     int64 // orig_rax
	result int64 // rax
	ip     uint64
	edited uint64 // the tracer has changed something

	// A signal that came when the call had been made: the tracer sees it behind the exit.
	delayed uint64
	signal  Siginfo
}

// The calls by which the others show themselves. With no set rt_sigprocmask does nothing and looks at no other
// argument (kernel/signal.c).
const (
	showCall      = sysRtSigprocmask
	showEntryMark = 0x74726170
	showExitMark  = 0x7472617f
)

// eRESTARTNOINTR is the result of a call that will be made again, include/linux/errno.h.
const eRESTARTNOINTR = 513

// showEntry stops for the tracer as if the call began. The tracer may change it.
//
//go:noinline
func (t *Thread) showEntry(c *Call) {
	saveVectors()
	v := &t.view
	v.nr, v.result, v.ip, v.edited, v.delayed = int64(c.nr), -int64(eNOSYS), uint64(t.targetIP), 0, 0
	t.shown = true
	sys(showCall, showEntryMark, 0, 0, sigsetSize, 0, 0)
	if v.edited == 0 {
		return
	}
	v.edited = 0
	r := &t.regs
	c.nr = int(int32(v.nr))
	c.args = [6]uintptr{uintptr(r.DI), uintptr(r.SI), uintptr(r.DX), uintptr(r.R10), uintptr(r.R8), uintptr(r.R9)}
	if c.nr == -1 {
		c.Return(v.result) // skipped: the kernel leaves RAX as the tracer sets it
	}
}

// showExit stops for the tracer as if the call returned, and returns what the target is to see.
//
//go:noinline
func (t *Thread) showExit(result int64) int64 {
	saveVectors()
	v := &t.view
	v.result, v.ip, v.edited = result, uint64(t.targetIP), 0
	if result == -ENOTRUN {
		v.result = -eRESTARTNOINTR
	}
	shown := v.result
	t.shown = false
	sys(showCall, showExitMark, 0, 0, sigsetSize, 0, 0)
	if v.delayed != 0 {
		v.delayed = 0
		sys(sysRtTgsigqueue, uintptr(t.pid), uintptr(t.tid), uintptr(v.signal.Signo), addrOf(&v.signal), 0, 0)
	}
	if v.edited == 0 {
		return result
	}
	t.targetIP = uintptr(v.ip)
	if v.result == shown {
		return result
	}
	return v.result
}

// What became of an exec that was offered to the tracer.
const (
	execOffered = 0
	execTaken   = 1
	execLeft    = 2 // the tracer let the signal through: it knows nothing of trapline
)

// siExec marks the signal that offers an exec; its address is that of the execJob. siExecFailed marks the one that takes
// the offer back. A thread may send itself positive codes, which RLIMIT_SIGPENDING does not make the kernel forget
// (__send_signal_locked, kernel/signal.c, 6.18).
const (
	siExec       = -siToken + 1
	siExecFailed = -siToken + 2
)

// offerExec offers the exec that follows to the tracer and reports whether it was taken. The signal stops for the
// tracer before it is delivered; a tracer's runtime drops it.
func (t *Thread) offerExec() bool {
	j := &t.exec
	j.block = 0
	if t.block != nil {
		j.block = t.blockNr + 1
	}
	t.tellTracer(siExec)
	if j.taken == execTaken {
		// The SIGTRAP of the exec has to come at once if the target does not block it.
		setKernelMask(allSignals &^ (sigBit(sigTrap) &^ t.mask))
		return true
	}
	traceOrders &^= orderTraced
	return false
}

// withdrawExec tells the tracer that the exec has failed.
func (t *Thread) withdrawExec() { t.tellTracer(siExecFailed) }

func (t *Thread) tellTracer(code int32) {
	j := &t.exec
	j.taken = execOffered
	info := Siginfo{Signo: sigBus, Code: code}
	info.SetAddr(addrOf(j))
	for atomic.LoadUint32(&j.taken) == execOffered { // a token that is on its way takes the signal's place
		sys(sysRtTgsigqueue, uintptr(t.pid), uintptr(t.tid), sigBus, addrOf(&info), 0, 0)
	}
}

// traceLater serves PTRACE_TRACEME of a vfork child. Its parent, who will be the tracer, cannot wait for it before it has
// executed a program, and a stop before, such as that of a trap, would last for ever.
func (t *Thread) traceLater() int64 {
	if t.traceMe {
		return -int64(ePERM)
	}
	t.traceMe = true
	return 0
}

// childOfLauncher reports whether the parent is the launcher. It traces nobody, and would never let the process go on
// from its first trap: such a PTRACE_TRACEME, by which programs find out whether they are traced, is put off as well.
func (t *Thread) childOfLauncher() bool {
	s := shared()
	return t.pid == s.MainPID && int32(sys(sysGetppid, 0, 0, 0, 0, 0, 0)) == s.MainParent
}

// traceExec does at the end of boot what the exec would have done: the kernel sends the SIGTRAP in the same way
// (ptrace_event, include/linux/ptrace.h).
func (t *Thread) traceExec() {
	if t.childOfLauncher() || failed(sys(sysPtrace, ptraceTraceMe, 0, 0, 0, 0, 0)) {
		return
	}
	traceOrders |= orderTraced | orderText
	sys(sysKill, uintptr(t.pid), sigTrap, 0, 0, 0, 0)
}
