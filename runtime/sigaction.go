// Runs in the target, on the tool stack or the signal stack.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

const (
	sigDfl = 0
	sigIgn = 1

	saNocldstop = 0x1
	saNocldwait = 0x2
	saSiginfo   = 0x4
	saExposeTag = 0x800
	saRestorer  = 0x04000000
	saOnstack   = 0x08000000
	saRestart   = 0x10000000
	saNodefer   = 0x40000000
	saResethand = 0x80000000
	// UAPI_SA_FLAGS, include/linux/signal_types.h: what the kernel keeps (5.11).
	saKnown = saNocldstop | saNocldwait | saSiginfo | saOnstack | saRestart | saNodefer | saResethand | saExposeTag | saRestorer

	ssOnstack    = 1
	ssDisable    = 2
	ssAutodisarm = -1 << 31

	minSigStack = 2048 // MINSIGSTKSZ
	numSignals  = 64
)

// action is the kernel's struct sigaction.
type action struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// sighand is the target's view of its signal dispositions. Threads share one; a
// process that shares memory but not CLONE_SIGHAND has its own. For a signal without a
// handler the kernel's own disposition counts and the entry stays zero, but for
// ownSignals, whose kernel disposition is always the runtime's.
type sighand struct {
	refs    int32
	actions [numSignals + 1]action
	seq     [numSignals + 1]uint32 // odd while the entry changes
	held    heldSignals            // sent to the process, and blocked
}

// get returns the disposition of sig in one piece.
func (s *sighand) get(sig int) action {
	for {
		before := atomic.LoadUint32(&s.seq[sig])
		a := s.actions[sig]
		if before&1 == 0 && atomic.LoadUint32(&s.seq[sig]) == before {
			return a
		}
	}
}

// set replaces the disposition of sig and returns the old one.
//
// A writer holds the entry for a few instructions; a signal that comes in
// between is parked, so a thread never waits for itself.
func (s *sighand) set(sig int, a action) action {
	for {
		seq := atomic.LoadUint32(&s.seq[sig])
		if seq&1 == 0 && atomic.CompareAndSwapUint32(&s.seq[sig], seq, seq+1) {
			old := s.actions[sig]
			s.actions[sig] = a
			atomic.StoreUint32(&s.seq[sig], seq+2)
			return old
		}
	}
}

// setDefault is SA_RESETHAND.
func (s *sighand) setDefault(sig int) {
	a := s.get(sig)
	a.handler = sigDfl
	s.set(sig, a)
	if sigBit(sig)&ownSignals == 0 {
		k := kernelAction(sig, action{flags: a.flags & saKernel, restorer: a.restorer})
		setKernelAction(sig, &k)
	}
}

// setKernelDefault takes even an own signal from the runtime: its process ends.
func (s *sighand) setKernelDefault(sig int) { setKernelAction(sig, &action{}) }

// saKernel are the flags that the kernel itself acts on.
const saKernel = saNocldstop | saNocldwait | saRestart

func setKernelAction(sig int, a *action) uintptr {
	return sys(sysRtSigaction, uintptr(sig), addrOf(a), 0, sigsetSize, 0, 0)
}

// runtimeAction is what the kernel is told for a signal that the target handles.
func runtimeAction(flags uint64) action {
	return action{
		handler:  signalEntryAddr,
		flags:    flags&saKernel | saSiginfo | saOnstack | saRestorer,
		restorer: signalRestorerAddr,
		mask:     kernelMask(allSignals),
	}
}

// kernelAction is what the kernel is told when the target wants a disposition.
func kernelAction(sig int, want action) action {
	switch {
	case want.handler == sigIgn, want.handler == sigDfl && sigBit(sig)&coreSignals == 0:
		return want
	case want.handler == sigDfl:
		return runtimeAction(saRestart)
	}
	return runtimeAction(want.flags)
}

// rtSigaction serves rt_sigaction.
func rtSigaction(t *Thread, c *Call) int64 {
	sig := int(int32(c.args[0]))
	newp, oldp := c.args[1], c.args[2]
	if c.args[3] != sigsetSize {
		return int64(doCall(sysRtSigaction, c.args[0], newp, oldp, c.args[3], 0, 0))
	}
	var want action
	if newp != 0 && safeCopy(addrOf(&want), newp, unsafe.Sizeof(want)) != unsafe.Sizeof(want) {
		return -int64(eFAULT)
	}
	if sig < 1 || sig > numSignals || newp != 0 && sigBit(sig)&unblockable != 0 {
		return -int64(eINVAL)
	}
	var old action
	if newp == 0 {
		old = t.sighand.current(sig)
	} else {
		want.flags &= saKnown
		want.mask &^= unblockable
		old = t.sighand.change(sig, want)
	}
	if oldp != 0 && safeCopy(oldp, addrOf(&old), unsafe.Sizeof(old)) != unsafe.Sizeof(old) {
		return -int64(eFAULT)
	}
	return 0
}

// current returns the target's view of the disposition of sig.
func (s *sighand) current(sig int) action {
	if sigBit(sig)&ownSignals != 0 {
		return s.get(sig)
	}
	var k action
	sys(sysRtSigaction, uintptr(sig), 0, addrOf(&k), sigsetSize, 0, 0)
	if k.handler == signalEntryAddr {
		return s.get(sig)
	}
	return k
}

// change sets a disposition in the target's view and in the kernel and returns the
// target's old one.
func (s *sighand) change(sig int, want action) action {
	own := sigBit(sig)&ownSignals != 0
	if own {
		if want.handler == sigIgn {
			s.discard(sig)
		}
		return s.set(sig, want)
	}
	k, old := kernelAction(sig, want), action{}
	before := s.set(sig, want)
	sys(sysRtSigaction, uintptr(sig), addrOf(&k), addrOf(&old), sigsetSize, 0, 0)
	if old.handler == signalEntryAddr {
		return before
	}
	return old
}

// discard drops a held signal from every thread: to ignore a signal is to lose what is pending.
func (s *sighand) discard(sig int) {
	s.held.discard(sig)
	for t := allThreads; t != nil; t = t.next {
		if t.sighand == s {
			t.held.discard(sig)
		}
	}
}

// clear does CLONE_CLEAR_SIGHAND: handlers become SIG_DFL, ignored signals stay.
func (s *sighand) clear() {
	for sig := 1; sig <= numSignals; sig++ {
		if sigBit(sig)&unblockable != 0 {
			continue
		}
		if a := s.current(sig); a.handler != sigDfl && a.handler != sigIgn {
			s.change(sig, action{})
		}
	}
}

// takeOwnSignals installs the runtime's handler for ownSignals and coreSignals in a new program and
// notes what the target inherited for them.
func (s *sighand) takeOwnSignals() {
	for sig := 1; sig <= numSignals; sig++ {
		k := runtimeAction(saRestart) // endRestart
		switch bit := sigBit(sig); {
		case bit&ownSignals != 0:
			sys(sysRtSigaction, uintptr(sig), addrOf(&k), addrOf(&s.actions[sig]), sigsetSize, 0, 0)
		case bit&coreSignals != 0 && s.current(sig).handler == sigDfl:
			setKernelAction(sig, &k)
		}
	}
}

// restoreIgnored gives the kernel back the ignored own signals before an exec, which
// keeps SIG_IGN; take undoes it. SIGSYS stays: the new program's view of it travels by handoff.
func (s *sighand) restoreIgnored(take bool) {
	for _, sig := range [...]int{sigSegv, sigBus} {
		if s.get(sig).handler != sigIgn {
			continue
		}
		k := action{handler: sigIgn}
		if take {
			k = runtimeAction(saRestart)
		}
		setKernelAction(sig, &k)
	}
}

// onAlt reports whether sp lies on the target's alternate stack, as the kernel's
// on_sig_stack: with SS_AUTODISARM never.
func (t *Thread) onAlt(sp uintptr) bool { return t.alt.Flags&ssAutodisarm == 0 && t.inAlt(sp) }

// inAlt is the kernel's __on_sig_stack.
func (t *Thread) inAlt(sp uintptr) bool { return sp > t.alt.SP && sp-t.alt.SP <= t.alt.Size }

// sigaltstack serves sigaltstack on the target's view; the kernel's alternate stack is
// the thread's signal stack. Rules of do_sigaltstack, kernel/signal.c, 6.18.
func sigaltstack(t *Thread, c *Call) int64 {
	var want ucontext.Stack
	newp, oldp := c.args[0], c.args[1]
	if newp != 0 && safeCopy(addrOf(&want), newp, unsafe.Sizeof(want)) != unsafe.Sizeof(want) {
		return -int64(eFAULT)
	}
	old := t.alt
	old.Flags &= ssAutodisarm
	sp := uintptr(t.regs.SP)
	if old.Size == 0 {
		old.Flags |= ssDisable
	} else if t.onAlt(sp) {
		old.Flags |= ssOnstack
	}
	if newp != 0 {
		if e := t.setAlt(&want, sp); e != 0 {
			return e
		}
	}
	if oldp != 0 && safeCopy(oldp, addrOf(&old), unsafe.Sizeof(old)) != unsafe.Sizeof(old) {
		return -int64(eFAULT)
	}
	return 0
}

func (t *Thread) setAlt(want *ucontext.Stack, sp uintptr) int64 {
	if t.onAlt(sp) {
		return -int64(ePERM)
	}
	mode := want.Flags &^ ssAutodisarm
	if mode != ssDisable && mode != ssOnstack && mode != 0 {
		return -int64(eINVAL)
	}
	if mode == ssDisable {
		t.alt = ucontext.Stack{Flags: want.Flags}
		return 0
	}
	if want.Size < minSigStack {
		return -int64(eNOMEM)
	}
	t.alt = ucontext.Stack{SP: want.SP, Flags: want.Flags, Size: want.Size}
	return 0
}
