// Runs in the target, on the signal stack with every signal blocked.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

// Signal numbers and codes that the runtime itself has to do with.
const (
	sigQuit = 3
	sigIll  = 4
	sigTrap = 5
	sigAbrt = 6
	sigBus  = 7
	sigFpe  = 8
	sigKill = 9
	sigSegv = 11
	sigCont = 18
	sigStop = 19
	sigXcpu = 24
	sigXfsz = 25
	sigSys  = 31

	siTkill   = -6      // SI_TKILL
	siTimer   = -2      // SI_TIMER
	siToken   = -0x746c // of a token (held.go); no code of the kernel's
	trapTrace = 2       // TRAP_TRACE
	siKernel  = 0x80    // SI_KERNEL

	archX8664 = 0xc000003e // AUDIT_ARCH_X86_64
	archI386  = 0x40000003 // AUDIT_ARCH_I386
)

func sigBit(sig int) uint64 { return 1 << (uint(sig) - 1) }

const (
	// ownSignals reach the runtime whatever the target does: a blocked SIGSYS makes the
	// kernel kill (force_sig_info_to_task, kernel/signal.c), blocked SIGSEGV and SIGBUS
	// would do the same to a hook that reads a bad pointer.
	ownSignals  = 1<<(sigSys-1) | 1<<(sigSegv-1) | 1<<(sigBus-1)
	unblockable = 1<<(sigKill-1) | 1<<(sigStop-1)
	allSignals  = ^uint64(0)
	// faultSignals are what else a bug in a hook may raise.
	faultSignals = 1<<(sigIll-1) | 1<<(sigTrap-1) | 1<<(sigFpe-1)
	// coreSignals are those that the runtime handles where the target does not: to say so if it is a bug in a hook, and
	// because the core file is to show the target's registers, not those of a stub or a hook.
	coreSignals = faultSignals | 1<<(sigQuit-1) | 1<<(sigAbrt-1) | 1<<(sigXcpu-1) | 1<<(sigXfsz-1)
)

// kernelMask is the mask the kernel gets for a mask that the target wants.
func kernelMask(mask uint64) uint64 { return mask &^ ownSignals }

// parkedSignal is a signal that came while the thread was in the runtime.
type parkedSignal struct {
	info             ucontext.Siginfo
	sig              int
	err, trapno, cr2 uint64
}

// onSignal handles every signal. In the target's own code it stands for the target's
// handler at once; in the runtime it keeps the signal for the moment the thread leaves.
func onSignal(t *Thread, sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	t.limitNesting(sig, info, uc)
	switch {
	case sig == sigSys && isTrap(info, uc):
		onTrap(t, info, uc)
		return
	case t.isToken(sig, info):
		t.takeTokens(uc)
		return
	case sig == sigBus && (info.Code == siExec || info.Code == siExecFailed):
		atomic.StoreUint32(&t.exec.taken, execLeft)
		return
	case isFault(sig, info):
		if onFault(t, sig, info, uc) {
			return
		}
	}
	if t.mustWait(sig, info, uc) || stepped(sig, info) && t.stepThrough(uc) {
		return
	}
	if sigBit(sig)&ownSignals != 0 {
		t.endRestart(sig, &uc.Mcontext)
	}
	calling := inCall(uintptr(uc.Mcontext.IP))
	if !t.targetContext(uc) {
		if !calling && sigBit(sig)&coreSignals != 0 && t.sighand.get(sig).handler == sigDfl && !stepped(sig, info) {
			defaultAction(t, sig, info, uc) // the hook may go on for long
			return
		}
		t.parkSignal(sig, info, uc)
		return
	}
	if stepped(sig, info) {
		info.SetAddr(uintptr(uc.Mcontext.IP))
	}
	deliver(t, sig, info, uc)
}

// limitNesting sees to it that the signal stack is large enough for whatever somebody sends: the kernel blocks each of the
// runtime's own signals while it is handled. A handler that is not on top of another one may meet faults of its own, and
// after one that somebody sent on top of it no more of that kind.
func (t *Thread) limitNesting(sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	switch {
	case t.onSignalStack(uintptr(uc.Mcontext.SP)):
		if info.Code <= 0 {
			uc.Sigmask |= sigBit(sig)
		}
	case sig == sigSegv || sig == sigBus:
		changeKernelMask(sigUnblock, sigBit(sig))
	}
}

// mustWait serves one of the runtime's own signals that the target blocks: the kernel has not kept it back.
func (t *Thread) mustWait(sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) bool {
	switch bit := sigBit(sig) & ownSignals; {
	case sig != sigSys && t.mask&bit != 0 && info.Code > 0:
		killBy(t, sig, uc) // as the kernel does with a fault whose signal is blocked
	case t.blocked()&bit != 0:
		t.hold(sig, info, uc)
	default:
		return false
	}
	return true
}

// inRuntime reports whether a context is one of the runtime's own code.
func (t *Thread) inRuntime(uc *ucontext.Ucontext) bool {
	m := &uc.Mcontext
	return inImage(uintptr(m.IP)) || t.onToolStack(uintptr(m.SP))
}

// isFault reports whether the instruction at RIP, or an int3 before it, has raised the signal.
func isFault(sig int, info *ucontext.Siginfo) bool {
	switch {
	case sig == sigTrap:
		return info.Code == siKernel
	case sigBit(sig)&(ownSignals|faultSignals) == 0 || sig == sigSys:
		return false
	}
	return info.Code > 0
}

// targetContext turns the context of an interrupted thread to the target's and reports true. Where the runtime has to go on
// first it sees to it that it comes to exitToTarget without blocking.
func (t *Thread) targetContext(uc *ucontext.Ucontext) bool {
	m := &uc.Mcontext
	if to := patchTarget(uintptr(m.IP)); to != 0 {
		m.IP = uint64(to)
	}
	switch {
	case inStubs(uintptr(m.IP)):
		leaveStub(t, uc)
	case t.inRuntime(uc):
		return t.leaveRuntime(uc)
	}
	return true
}

// endRestart gives a call its EINTR that the kernel is about to restart: for the runtime's own signals it always is, since
// those that the target blocks or ignores do not interrupt anything. RCX tells a call that was made from one to be made.
func (t *Thread) endRestart(sig int, m *ucontext.Sigcontext) {
	a := t.sighand.get(sig)
	if a.flags&saRestart != 0 || a.handler == sigDfl || a.handler == sigIgn {
		return
	}
	ip := uintptr(m.IP)
	w := &shared().Windows
	made := uintptr(m.CX) == ip+callLength
	switch {
	case inStubs(ip) && ip&(stubSize-1) == stubSyscall && made,
		w[WindowDoCall].has(ip) && ip == callIn(w[WindowDoCall]) && made,
		w[WindowMakeCall].has(ip) && ip == callIn(w[WindowMakeCall]) && made:
		m.IP += callLength
		m.AX = ^uint64(eINTR) + 1
	}
}

// leaveStub turns the context of a thread interrupted in a stub to the target's: the
// site where the call has not been made or is to be restarted, behind it where it
// has been made.
func leaveStub(t *Thread, uc *ucontext.Ucontext) {
	m := &uc.Mcontext
	stub := uintptr(m.IP) &^ (stubSize - 1)
	site := stubSite(stub)
	switch offset := uintptr(m.IP) - stub; {
	case offset < stubSyscall:
		m.IP = uint64(site)
		m.CX, m.R11 = uint64(site)+callLength, m.EFlags
	case offset == stubInt80:
		m.IP = uint64(site)
	case offset == stubSyscall:
		if uintptr(m.CX) != stub+stubSyscall+callLength {
			markResume(m, stub, site)
		}
		m.IP = uint64(site)
		m.CX = uint64(site) + callLength
	default:
		m.IP = uint64(site) + callLength
		m.CX = m.IP
	}
}

// leaveRuntime is targetContext for a thread interrupted in the runtime's own code.
func (t *Thread) leaveRuntime(uc *ucontext.Ucontext) bool {
	m := &uc.Mcontext
	ip := uintptr(m.IP)
	w := &shared().Windows
	switch {
	case w[WindowStubEntry].has(ip):
		if t.onToolStack(uintptr(m.SP)) {
			m.SP = t.regs.SP
		}
		if t.stepping {
			m.EFlags |= flagTF // stepInto took it
			t.stepping = false
		}
		site := stubSite(uintptr(m.R11))
		m.IP = uint64(site)
		m.CX = uint64(site) + callLength
		m.R11 = m.EFlags
		return true
	case w[WindowExit].has(ip):
		t.completeExit(uc)
		return true
	case w[WindowDoCall].has(ip):
		parkCall(w[WindowDoCall], m, doCallRefusedAddr, doCallRestartedAddr)
	case w[WindowMakeCall].has(ip):
		parkCall(w[WindowMakeCall], m, makeCallRefusedAddr, makeCallRestartedAddr)
	case w[WindowJudgeCall].has(ip):
		parkCall(w[WindowJudgeCall], m, judgeCallRefusedAddr, judgeCallRefusedAddr) // it is never restarted
	case w[WindowSigreturn].has(ip):
		m.IP = uint64(doSigreturnRefusedAddr)
	case w[WindowSignalExit].has(ip):
		m.IP = uint64(signalExitCheckedAddr)
	}
	return false
}

// parkCall keeps a call that has not started from starting, and turns a restart into
// its result: the kernel has put RIP back to the instruction because the handler
// has SA_RESTART, and RCX tells the two apart.
func parkCall(w Range, m *ucontext.Sigcontext, refused, restarted uintptr) {
	ip, call := uintptr(m.IP), callIn(w)
	switch {
	case ip == call && uintptr(m.CX) == call+callLength:
		m.IP = uint64(restarted)
	case ip <= call:
		m.IP = uint64(refused)
	}
}

// inCall reports whether a thread is at one of the runtime's calls for the target, before it or behind it.
func inCall(ip uintptr) bool {
	w := &shared().Windows
	return w[WindowDoCall].has(ip) || w[WindowMakeCall].has(ip)
}

// callIn returns the address of the one system call instruction in a window.
func callIn(w Range) uintptr {
	for p := w.Start; p < w.End; p++ {
		if *(*uint16)(at(p)) == callBytes {
			return p
		}
	}
	return 0
}

const (
	callBytes  = 0x050f // syscall, little-endian
	callLength = 2
)

// completeExit does for a thread interrupted on its way out what the rest of
// exitToTarget would have done.
func (t *Thread) completeExit(uc *ucontext.Ucontext) {
	m, r := &uc.Mcontext, &t.regs
	m.AX, m.BX, m.CX, m.DX, m.SI, m.DI, m.BP, m.SP = r.AX, r.BX, r.CX, r.DX, r.SI, r.DI, r.BP, r.SP
	m.R8, m.R9, m.R10, m.R11, m.R12, m.R13, m.R14, m.R15 = r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15
	m.EFlags = r.Flags
	x := ucontext.XMM(m.Fpstate)
	for i := range x {
		if t.allSaved || FewVectors>>i&1 != 0 {
			x[i] = t.vectors[i]
		}
	}
	t.toTarget(m)
}

// toTarget points a complete context at the place where the target goes on.
func (t *Thread) toTarget(m *ucontext.Sigcontext) {
	m.IP = uint64(t.targetIP)
	if t.tail {
		m.IP = uint64(t.site)
		m.CX = uint64(t.site) + callLength
		markResume(m, t.stub, t.site)
	}
}

// handled is the signals that have a handler. The kernel's own actions go on without the rest of the runtime: a signal that
// kills or stops does so while a hook runs, however long.
func (t *Thread) handled() uint64 {
	set := uint64(0)
	for sig := 1; sig <= numSignals; sig++ {
		if h := atomic.LoadUintptr(&t.sighand.actions[sig].handler); h != sigDfl && h != sigIgn {
			set |= sigBit(sig)
		}
	}
	return set
}

// letKill lets signals act that have no handler.
func (t *Thread) letKill() { setKernelMask(t.blocked() | t.handled()) }

// parkSignal keeps the signal and has all others that are handled wait in the kernel until the thread has left the runtime.
func (t *Thread) parkSignal(sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	m := &uc.Mcontext
	if !t.isParked(sig, info) {
		p := t.newParked(uintptr(m.IP))
		p.info, p.err, p.trapno, p.cr2 = *info, m.Err, m.Trapno, m.CR2
		p.sig = sig
	}
	uc.Sigmask |= kernelMask(t.handled())
}

// newParked takes a place for a parked signal. One of the runtime's own may come at any instruction, and take the next.
func (t *Thread) newParked(where uintptr) *parkedSignal {
	n := atomic.AddUint32(&t.parked, 1) - 1
	if n >= uint32(len(t.park)) {
		abort("too many signals while in the runtime", where)
	}
	return &t.park[n]
}

// isParked reports whether a signal is parked already: a standard signal that is sent twice before the target goes on comes
// once. Those sent to the thread and those sent to the process are two.
func (t *Thread) isParked(sig int, info *ucontext.Siginfo) bool {
	if sigBit(sig)&ownSignals == 0 || info.Code > 0 {
		return false
	}
	for i := range t.park[:min(t.parked, uint32(len(t.park)))] {
		p := &t.park[i]
		if p.sig == sig && p.info.Code <= 0 && (p.info.Code == siTkill) == (info.Code == siTkill) {
			return true
		}
	}
	return false
}

// parkedSet is the signals that are parked.
func (t *Thread) parkedSet() uint64 {
	set := uint64(0)
	for i := range t.park[:min(t.parked, uint32(len(t.park)))] {
		if sig := t.park[i].sig; sig != 0 {
			set |= sigBit(sig)
		}
	}
	return set
}

// deliverParked runs at deliverTrap: uc is the target's context but for RIP.
func deliverParked(t *Thread, uc *ucontext.Ucontext) {
	m := &uc.Mcontext
	t.halt = 0 // of a tracer that is gone
	t.toTarget(m)
	m.EFlags |= t.regs.Flags & flagTF
	t.deliverAll(uc)
}

// leaveHandler runs at the end of a handler during which a signal was parked: the runtime's own ones are
// never blocked. It delivers it if the context the handler goes back to is the target's, and reports that.
func leaveHandler(t *Thread, uc *ucontext.Ucontext) bool {
	if !t.targetContext(uc) {
		uc.Sigmask |= kernelMask(t.handled())
		return false
	}
	t.deliverAll(uc)
	return true
}

// deliverAll delivers the parked signals in the target's context.
func (t *Thread) deliverAll(uc *ucontext.Ucontext) {
	m := &uc.Mcontext
	done := uint32(0)
	for !atomic.CompareAndSwapUint32(&t.parked, done, 0) { // one of the runtime's own may come meanwhile
		p := &t.park[done]
		done++
		sig := p.sig
		p.sig = 0
		m.Err, m.Trapno, m.CR2 = p.err, p.trapno, p.cr2
		// The call that the thread was in, or the handler of the signal before, may have blocked it.
		if !t.mustWait(sig, &p.info, uc) {
			deliver(t, sig, &p.info, uc)
		}
	}
	t.unblocked(uc)
}

// onFault serves faults that are the runtime's own business and reports whether this
// was one.
func onFault(t *Thread, sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) bool {
	m := &uc.Mcontext
	ip := uintptr(m.IP)
	w := &shared().Windows
	switch {
	case ip == deliverTrapAddr:
		deliverParked(t, uc)
	case w[WindowSafeCopy].has(ip):
		m.IP = uint64(safeCopyFaultAddr)
	case w[WindowSafeString].has(ip):
		m.IP = uint64(safeStringFaultAddr)
	case w[WindowSafeStore].has(ip):
		m.IP = uint64(safeStoreFaultAddr)
	case t.inRuntime(uc):
		if w[WindowExit].has(ip) {
			// The jump to the target's next instruction faulted: it is not mapped
			// or not executable.
			t.completeExit(uc)
			return false
		}
		faulted(t, info, uc)
	default:
		return false
	}
	return true
}

// dying is the signal whose default action is on its way. A tracer has seen it already.
var dying uint64

// defaultAction lets the kernel do what it does without a handler.
func defaultAction(t *Thread, sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	t.unblocked(uc)
	dying = uint64(sig)
	t.sighand.setKernelDefault(sig)
	if info.Code > 0 && info.Code != siKernel && (sig == sigSegv || sig == sigBus) {
		return // the instruction faults again
	}
	changeKernelMask(sigBlock, sigBit(sig)) // until the return to the target's context, which a core file is to show
	sys(sysRtTgsigqueue, uintptr(t.pid), uintptr(t.tid), uintptr(sig), uintptr(unsafe.Pointer(info)), 0, 0)
	uc.Sigmask &^= sigBit(sig)
}

// killBy ends the process by sig as the kernel does with a fault it cannot deliver.
func killBy(t *Thread, sig int, uc *ucontext.Ucontext) {
	dying = uint64(sig)
	t.sighand.setKernelDefault(sig)
	uc.Sigmask = t.mask &^ sigBit(sig)
	changeKernelMask(sigBlock, sigBit(sig))
	sys(sysTgkill, uintptr(t.pid), uintptr(t.tid), uintptr(sig), 0, 0, 0)
}

// forceSegv is force_sigsegv, kernel/signal.c: the frame for sig found no room.
func forceSegv(t *Thread, sig int, uc *ucontext.Ucontext) {
	t.forced = ucontext.Siginfo{Signo: sigSegv, Code: siKernel}
	a := t.sighand.get(sigSegv)
	if sig == sigSegv || a.handler == sigDfl || a.handler == sigIgn || t.mask&sigBit(sigSegv) != 0 {
		killBy(t, sigSegv, uc)
		return
	}
	deliver(t, sigSegv, &t.forced, uc)
}

// blocked is the mask in force: a call like sigsuspend sets one of its own.
func (t *Thread) blocked() uint64 {
	if atomic.LoadUint32(&t.hasTempMask) != 0 {
		return atomic.LoadUint64(&t.tempMask)
	}
	return atomic.LoadUint64(&t.mask)
}
