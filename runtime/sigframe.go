// Runs in the target, on the signal stack with every signal blocked.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

// A resume mark in a frame built for the target says: the interrupted system call had
// been seen by its hook but not started; go on in the stub, not at the site. It sits
// in the sigcontext's reserved words, which the kernel writes as 0 and never reads
// (arch/x86/kernel/signal_64.c, 6.18), and counts only while the frame
// still returns to the site: a handler that changes RIP or longjmps away
// leaves nothing behind.
const (
	resumeMark  = 0x6f70206465707061
	resumeWord  = 6 // index in Sigcontext.Reserved
	resumeStubs = 7 // the stub, and above it the low half of the site
)

func markResume(m *ucontext.Sigcontext, stub, site uintptr) {
	m.Reserved[resumeWord], m.Reserved[resumeStubs] = resumeMark, uint64(site)<<32|uint64(stub)
}

const redZone = 128 // bytes below RSP that belong to the interrupted function

// deliver enters the target's handler for sig: it builds the signal frame that the
// kernel would have built on the target's stack and edits uc, the complete and true
// context of the target, to the handler's first instruction. Steps and order are
// those of setup_rt_frame, arch/x86/kernel/signal_64.c, 6.18.
//
// Preconditions: called from the signal handler; uc is what it returns to.
func deliver(t *Thread, sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	a := t.sighand.get(sig)
	switch a.handler {
	case sigIgn:
		if info.Code > 0 && sigBit(sig)&ownSignals != 0 {
			defaultAction(t, sig, info, uc) // a fault cannot be ignored
			return
		}
		t.unblocked(uc)
		return
	case sigDfl:
		defaultAction(t, sig, info, uc)
		return
	}
	if f := toolOf(); f != nil && f.OnSignal != nil {
		t.letKill()
		t.interrupted = uintptr(uc.Mcontext.IP)
		f.OnSignal(t, sig, info)
	}
	if !t.pushFrame(sig, &a, info, uc) {
		forceSegv(t, sig, uc)
		return
	}
	t.noteDelivery(sig, info)
	mask := t.mask
	if t.hasTempMask != 0 {
		mask, t.hasTempMask = t.tempMask, 0
	}
	mask |= a.mask
	if a.flags&saNodefer == 0 {
		mask |= sigBit(sig)
	}
	t.mask = mask
	t.unblocked(uc)
	if a.flags&saResethand != 0 {
		t.sighand.setDefault(sig)
	}
}

// noteDelivery tells the launcher that the first process has had a signal: one that was sent to the
// process group need not be passed on.
func (t *Thread) noteDelivery(sig int, info *ucontext.Siginfo) {
	s := shared()
	if sig < len(s.Delivered) && t.pid == s.MainPID {
		s.Delivered[sig].Sender = info.PID()
		atomic.StoreUint64(&s.Delivered[sig].Ticks, Now())
	}
}

// unblocked makes the handler's return give the thread the target's mask.
func (t *Thread) unblocked(uc *ucontext.Ucontext) { uc.Sigmask = kernelMask(t.mask) }

// pushFrame writes the frame and turns uc to the handler. It reports whether the
// target's stack could take the frame.
func (t *Thread) pushFrame(sig int, a *action, info *ucontext.Siginfo, uc *ucontext.Ucontext) bool {
	m := &uc.Mcontext
	fp, size := m.Fpstate, uintptr(0)
	if fp != 0 {
		size = ucontext.FpstateSize(fp)
	}
	sp := uintptr(m.SP) - redZone
	onAlt := t.onAlt(uintptr(m.SP))
	if a.flags&saOnstack != 0 && t.alt.Size != 0 && !t.onAlt(sp) {
		sp, onAlt = t.alt.SP+t.alt.Size, true
	}
	fpTarget := (sp - size) &^ 63
	sp = (fpTarget-ucontext.FrameSize)&^15 - 8
	if onAlt && !t.inAlt(sp) {
		return false // the kernel refuses to overflow the alternate stack
	}

	var f ucontext.Frame
	f.Pretcode = a.restorer
	f.Uc = *uc
	f.Uc.Link = 0
	f.Uc.Stack = t.alt
	f.Uc.Sigmask = t.mask
	f.Uc.Mcontext.Fpstate = fpTarget
	f.Info = *info
	if fp == 0 {
		f.Uc.Mcontext.Fpstate = 0
	}
	if safeCopy(fpTarget, fp, size) != size {
		return false
	}
	if safeCopy(sp, uintptr(unsafe.Pointer(&f)), ucontext.FrameSize) != ucontext.FrameSize {
		return false
	}
	if a.flags&saRestorer == 0 {
		return false // x86-64 handlers return through a restorer or not at all
	}
	if t.alt.Flags&ssAutodisarm != 0 {
		t.alt = ucontext.Stack{Flags: ssDisable}
	}
	m.Reserved[resumeWord], m.Reserved[resumeStubs] = 0, 0
	m.DI = uint64(sig)
	m.SI = uint64(sp + unsafe.Offsetof(f.Info))
	m.DX = uint64(sp + unsafe.Offsetof(f.Uc))
	m.AX = 0
	m.SP = uint64(sp)
	m.IP = uint64(a.handler)
	m.EFlags &^= flagDF | flagRF | flagTF
	if fp != 0 {
		ucontext.ResetFpstate(fp)
	}
	return true
}

const (
	flagTF = 1 << 8
	flagDF = 1 << 10
	flagRF = 1 << 16
)

// sigreturn does rt_sigreturn for the target: it takes the context the target's RSP
// points at, keeps the target's view of mask and alternate stack, and gives
// the kernel a copy with the runtime's. It returns only if a signal came first, or the
// frame cannot be read.
func sigreturn(t *Thread) int64 {
	f := (*ucontext.Frame)(unsafe.Pointer(&t.frame))
	sp := uintptr(t.regs.SP)
	if safeCopy(addrOf(&f.Uc), sp, ucontext.UcontextSize) != ucontext.UcontextSize { // the kernel reads no more
		return badFrame(t)
	}
	mask, alt := t.mask, t.alt
	m := &f.Uc.Mcontext
	if m.Reserved[resumeWord] == resumeMark {
		resume(t, m)
	}
	t.setAlt(&f.Uc.Stack, sp) // its errors count for nothing: restore_altstack, kernel/signal.c; since 6.12 before m.SP counts
	atomic.StoreUint64(&t.mask, f.Uc.Sigmask&^unblockable)
	f.Uc.Sigmask = kernelMask(t.mask)
	f.Uc.Stack = ucontext.Stack{SP: t.signalStack(), Size: signalStackSize}
	lent := t.lend(^t.mask) // they come when the kernel has taken the frame, and not before
	t.stepping = false      // what goes on has the flag or not
	doSigreturn(addrOf(f))
	t.mask, t.alt = mask, alt
	giveBack(lent)
	return -ENOTRUN
}

// resume sends a frame with a resume mark to the stub's system call instruction if
// the frame still returns to the site.
func resume(t *Thread, m *ucontext.Sigcontext) {
	stub, site := uintptr(uint32(m.Reserved[resumeStubs])), uintptr(m.IP)
	if !inStubs(stub) || uint32(m.Reserved[resumeStubs]>>32) != uint32(site) {
		return
	}
	if stub == t.spare {
		writeStub(stub, site) // it may have served others meanwhile
	}
	if stubSite(stub) != site {
		return
	}
	m.IP = uint64(stub + stubSyscall)
	m.CX = 0
}

// badFrame does what the kernel does with a frame it cannot read: SIGSEGV, on the way out. A signal that came before the
// call has its handler before it.
func badFrame(t *Thread) int64 {
	blockAll()
	if t.parked != 0 {
		return -ENOTRUN
	}
	*t.newParked(t.site) = parkedSignal{sig: sigSegv, info: ucontext.Siginfo{Signo: sigSegv, Code: siKernel}}
	return 0
}
