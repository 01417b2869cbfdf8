// Runs in the target, on the signal stack with every signal blocked.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

// Signal numbers and codes that the runtime itself has to do with.
const (
	sigTrap = 5
	sigBus  = 7
	sigKill = 9
	sigSegv = 11
	sigStop = 19
	sigSys  = 31

	siTkill   = -6      // SI_TKILL
	siToken   = -0x746c // one thread tells another that it holds a signal now; no code of the kernel's
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
	switch {
	case sig == sigSys && isTrap(info, uc):
		onTrap(t, info, uc)
		return
	case sig == sigToken && info.Code == siToken:
		t.takeTokens()
		return
	case (sig == sigSegv || sig == sigBus) && info.Code > 0:
		if onFault(t, sig, info, uc) {
			return
		}
	}
	if sig != sigSys && t.mask&sigBit(sig)&ownSignals != 0 && info.Code > 0 {
		// A fault with the signal blocked in the target's view: the kernel
		// would have killed.
		killBy(t, sig, uc)
		return
	}
	if t.blocked()&sigBit(sig)&ownSignals != 0 {
		t.hold(sig, info)
		return
	}
	if t.pending&sigBit(sig) != 0 {
		*info = t.held[heldIndex(sig)]
		t.unkeep(sig)
	}
	ip := uintptr(uc.Mcontext.IP)
	if to := patchTarget(ip); to != 0 {
		if stepped(sig, info) && stepThrough(t, ip, to, uc) {
			return
		}
		ip = to
		uc.Mcontext.IP = uint64(to)
	}
	switch {
	case inStubs(ip):
		leaveStub(t, uc)
	case ip-ImageBase < ImageLimit-ImageBase, t.onToolStack(uintptr(uc.Mcontext.SP)):
		if !leaveRuntime(t, sig, info, uc) {
			return
		}
	}
	deliver(t, sig, info, uc)
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

// leaveRuntime handles a thread interrupted in the runtime's own code. It reports true
// if uc is the target's context now; otherwise the signal is parked.
func leaveRuntime(t *Thread, sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) bool {
	m := &uc.Mcontext
	ip := uintptr(m.IP)
	w := &shared().Windows
	switch {
	case w[WindowStubEntry].has(ip):
		if t.onToolStack(uintptr(m.SP)) {
			m.SP = t.regs.SP
		}
		site := stubSite(uintptr(m.R11))
		m.IP = uint64(site)
		m.CX = uint64(site) + callLength
		m.R11 = m.EFlags
		return true
	case w[WindowExit].has(ip):
		t.completeExit(uc)
		if sig == sigTrap && info.Code == trapTrace {
			info.SetAddr(uintptr(m.IP))
		}
		return true
	case w[WindowDoCall].has(ip):
		parkCall(w[WindowDoCall], m, doCallRefusedAddr, doCallRestartedAddr)
	case w[WindowMakeCall].has(ip):
		parkCall(w[WindowMakeCall], m, makeCallRefusedAddr, makeCallRestartedAddr)
	case w[WindowSigreturn].has(ip):
		m.IP = uint64(doSigreturnRefusedAddr)
	case w[WindowSignalExit].has(ip):
		m.IP = uint64(signalExitCheckedAddr)
	}
	t.parkSignal(sig, info, uc)
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

// parkSignal keeps the signal and has everything else wait in the kernel until the
// thread has left the runtime.
func (t *Thread) parkSignal(sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	if t.parked == uint64(len(t.park)) {
		abort("too many signals while in the runtime", uintptr(uc.Mcontext.IP))
	}
	p := &t.park[t.parked]
	p.sig, p.info = sig, *info
	p.err, p.trapno, p.cr2 = uc.Mcontext.Err, uc.Mcontext.Trapno, uc.Mcontext.CR2
	t.parked++
	uc.Sigmask = kernelMask(allSignals)
}

// deliverParked runs at deliverTrap: uc is the target's context but for RIP.
func deliverParked(t *Thread, uc *ucontext.Ucontext) {
	m := &uc.Mcontext
	t.toTarget(m)
	t.deliverAll(uc)
}

// leaveHandler runs at the end of a handler during which a signal was parked: the runtime's own ones are
// never blocked. It delivers it if the context the handler goes back to is the target's, and reports that.
func leaveHandler(t *Thread, uc *ucontext.Ucontext) bool {
	ip := uintptr(uc.Mcontext.IP)
	switch {
	case inStubs(ip):
		leaveStub(t, uc)
	case ip-ImageBase < ImageLimit-ImageBase, t.onToolStack(uintptr(uc.Mcontext.SP)):
		return false
	}
	t.deliverAll(uc)
	return true
}

// deliverAll delivers the parked signals in the target's context.
func (t *Thread) deliverAll(uc *ucontext.Ucontext) {
	m := &uc.Mcontext
	done := uint64(0)
	for !atomic.CompareAndSwapUint64(&t.parked, done, 0) { // one of the runtime's own may come meanwhile
		p := &t.park[done]
		done++
		m.Err, m.Trapno, m.CR2 = p.err, p.trapno, p.cr2
		if p.info.Code > 0 && t.mask&sigBit(p.sig)&ownSignals != 0 {
			killBy(t, p.sig, uc) // forced by the kernel, and blocked
			t.parked = 0
			return
		}
		deliver(t, p.sig, &p.info, uc)
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
	case ip-ImageBase < ImageLimit-ImageBase || t.onToolStack(uintptr(m.SP)):
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

// defaultAction lets the kernel do what it does without a handler.
func defaultAction(t *Thread, sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	t.unblocked(uc)
	t.sighand.setKernelDefault(sig)
	if info.Code > 0 && info.Code != siKernel && (sig == sigSegv || sig == sigBus) {
		return // the instruction faults again
	}
	sys(sysRtTgsigqueue, uintptr(t.pid), uintptr(t.tid), uintptr(sig), uintptr(unsafe.Pointer(info)), 0, 0)
	uc.Sigmask &^= sigBit(sig)
}

// killBy ends the process by sig as the kernel does with a fault it cannot deliver.
func killBy(t *Thread, sig int, uc *ucontext.Ucontext) {
	t.sighand.setKernelDefault(sig)
	uc.Sigmask = t.mask &^ sigBit(sig)
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
	if t.hasTempMask {
		return t.tempMask
	}
	return t.mask
}

// hold keeps one of the runtime's own signals while the target has it blocked, or passes it on to
// a thread that takes it.
//
// The other one may have blocked it by then and pass it back at once, on top of this handler: that one only
// keeps it, or two threads could fill their signal stacks.
func (t *Thread) hold(sig int, info *ucontext.Siginfo) {
	t.keep(sig, info)
	t.passAll()
}

// passAll gives held signals away as long as there is somebody to take one.
func (t *Thread) passAll() {
	for !t.passing {
		t.passing = true
		passed := t.passOn(sigSys) || t.passOn(sigSegv) || t.passOn(sigBus)
		left := atomic.LoadUint64(&t.pending)
		t.passing = false
		if !passed && atomic.LoadUint64(&t.pending) == left {
			return
		}
	}
}

// passOn gives a held signal to a thread that takes it, if there is one.
func (t *Thread) passOn(sig int) bool {
	info := t.held[heldIndex(sig)]
	if atomic.LoadUint64(&t.pending)&sigBit(sig) == 0 {
		return false
	}
	o := t.taker(sig, &info)
	if o == nil || !t.unkeep(sig) {
		return false
	}
	// Only a thread itself may queue a signal with any siginfo (do_rt_tgsigqueueinfo,
	// kernel/signal.c): the other one finds it held when the token comes.
	atomic.OrUint64(&o.tokens, sigBit(sig))
	o.keep(sig, &info)
	token := ucontext.Siginfo{Signo: sigToken, Code: siToken}
	token.SetSender(t.pid, 0)
	sys(sysRtTgsigqueue, uintptr(o.pid), uintptr(o.tid), sigToken, addrOf(&token), 0, 0)
	return true
}

// sigToken carries all tokens. It is not SIGSYS: as long as one of these is queued for a thread, the kernel drops the one
// that the trap source sends, and a system call would be lost (legacy_queue, kernel/signal.c). One token
// stands for all that are on their way.
const sigToken = sigBus

// takeTokens raises the signals that other threads have passed on, or passes on what is blocked again.
func (t *Thread) takeTokens() {
	atomic.StoreUint64(&t.tokens, 0)
	t.raisePending()
	t.passAll()
}

// adopt takes over held signals of set that were sent to the process, not to the thread that holds
// them.
func (t *Thread) adopt(set uint64) {
	if atomic.LoadInt32(&heldSignals) == 0 {
		return
	}
	for o := allThreads; o != nil; o = o.next {
		if o == t || o.state != slotUsed || o.pid != t.pid {
			continue
		}
		for _, sig := range [...]int{sigBus, sigSegv, sigSys} {
			info := o.held[heldIndex(sig)]
			if set&sigBit(sig) != 0 && info.Code != siTkill && o.unkeep(sig) {
				t.keep(sig, &info)
			}
		}
	}
}

// heldSignals counts the held signals of all threads.
var heldSignals int32

// keep makes a signal pending in the thread, unless it is already.
func (t *Thread) keep(sig int, info *ucontext.Siginfo) {
	if atomic.LoadUint64(&t.pending)&sigBit(sig) != 0 {
		return
	}
	t.held[heldIndex(sig)] = *info
	if atomic.OrUint64(&t.pending, sigBit(sig))&sigBit(sig) == 0 {
		atomic.AddInt32(&heldSignals, 1)
	}
}

// unkeep takes a pending signal out and reports whether it was there.
func (t *Thread) unkeep(sig int) bool {
	if atomic.AndUint64(&t.pending, ^sigBit(sig))&sigBit(sig) == 0 {
		return false
	}
	atomic.AddInt32(&heldSignals, -1)
	return true
}

// taker returns another thread of the process that waits for a signal or does not block it, nil
// if there is none or the signal is for this thread alone.
func (t *Thread) taker(sig int, info *ucontext.Siginfo) *Thread {
	if info.Code == siTkill || t.waiting&sigBit(sig) != 0 {
		return nil
	}
	for o := allThreads; o != nil; o = o.next {
		if o == t || o.state != slotUsed || o.pid != t.pid {
			continue
		}
		if o.waiting&sigBit(sig) != 0 || o.blocked()&sigBit(sig) == 0 {
			return o
		}
	}
	return nil
}

func heldIndex(sig int) int {
	switch sig {
	case sigSys:
		return 0
	case sigSegv:
		return 1
	}
	return 2
}

// ready is the held signals that the mask lets through and no token is on its way for.
func (t *Thread) ready() uint64 {
	return atomic.LoadUint64(&t.pending) &^ t.blocked() &^ atomic.LoadUint64(&t.tokens)
}

// raisePending sends the thread the held signals that its mask lets through now.
func (t *Thread) raisePending() {
	for ready := t.ready(); ready != 0; ready = t.ready() {
		sig := sigSys
		switch {
		case ready&sigBit(sigBus) != 0:
			sig = sigBus
		case ready&sigBit(sigSegv) != 0:
			sig = sigSegv
		}
		info := t.held[heldIndex(sig)]
		t.unkeep(sig)
		sys(sysRtTgsigqueue, uintptr(t.pid), uintptr(t.tid), uintptr(sig), addrOf(&info), 0, 0)
	}
}
