// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

// The image is brought into a tracee that has executed a program when its tracer, this process, lets it go on for the first
// time. It must have left the exec by then, so a tracer that wants to see its exit sees that first.
//
//  1. every signal is blocked, so that none comes in between
//  2. the program maps the image with its own hands, by an instruction written over its first one for the moment
//  3. it runs through boot to deliverTrap (HandoffHalt)
//  4. it gets its registers and its mask, and stands before its first instruction
//
// Until then PTRACE_O_EXITKILL is set, so that it cannot run on unseen without its tracer.

// takeExec accepts an exec that the tracee offers: it stands at the signal that does so.
func (e *tracee) takeExec(info *Siginfo) {
	j := info.Addr()
	e.job.mask = e.peek(j + unsafe.Offsetof(execJob{}.mask))
	e.job.flags = e.peek(j + unsafe.Offsetof(execJob{}.flags))
	e.job.block = uint32(e.peek(j + unsafe.Offsetof(execJob{}.block)))
	files := e.peek(j - unsafe.Offsetof(Thread{}.exec) + unsafe.Offsetof(Thread{}.files))
	e.job.image, e.job.shared = int32(files), int32(files>>32)
	e.awaits = true
	trace(ptraceSetOptions, e.id(), 0, e.options|ptraceOptExitKill)
	e.pokeHalf(j+unsafe.Offsetof(execJob{}.taken), execTaken)
}

// dropExec forgets an exec that has failed.
func (e *tracee) dropExec(info *Siginfo) {
	e.awaits = false
	trace(ptraceSetOptions, e.id(), 0, e.options)
	e.pokeHalf(info.Addr()+unsafe.Offsetof(execJob{}.taken), execTaken)
}

// execed notes that the tracee has executed a program: all but the last thread are gone, and that one has the ID of
// the first.
func execed(tid uintptr) *tracee {
	e := traceeOf(tid)
	var former uint64
	trace(ptraceGetEventMsg, tid, 0, addrOf(&former))
	if former != uint64(tid) {
		if o := traceeOf(uintptr(former)); o != nil {
			forget(tid)
			atomic.StoreInt32(&o.tid, int32(tid))
			e = o
		}
	}
	if e != nil {
		e.atExec, e.target, e.view = true, false, viewReal
		e.hideExit, e.calling = false, false
	}
	return e
}

// bringIn brings the image in. It reports false for a tracee that has ended, or is about to.
func (e *tracee) bringIn(request uintptr) bool {
	everything := ^uint64(0)
	trace(ptraceSetsigmask, e.id(), sigsetSize, addrOf(&everything))
	trace(ptraceSetOptions, e.id(), 0, e.options|ptraceOptExitKill|seizeOptions()&ptraceOptSeccomp)
	e.busy = true
	b := bringing{tracee: e}
	ok := b.leaveExec() && b.mapImage() && b.boot(request)
	e.busy = false
	if !ok {
		return false
	}
	e.awaits, e.hideExit, e.showMark, e.calling = false, false, false, false
	trace(ptraceSetOptions, e.id(), 0, e.options)
	if b.stopped {
		sys(sysTkill, e.id(), sigStop, 0, 0, 0, 0)
	}
	if b.interrupted && request != ptraceDetach {
		trace(ptraceInterrupt, e.id(), 0, 0)
	}
	return true
}

// releaseTracees is called before a tracer ends: those that stand behind an exec go on without it, and with the image.
func releaseTracees() {
	for i := range tracees[:min(traceesUsed, uint32(len(tracees)))] {
		e := &tracees[i]
		if e.tid > 0 && e.awaits && e.options&ptraceOptExitKill == 0 {
			e.release()
		}
	}
}

// release lets the tracee go as the end of its tracer would: it gets the signal that it stands at (exit_ptrace,
// kernel/ptrace.c, 6.18), here that of the exec.
func (e *tracee) release() {
	var info Siginfo
	failed := failed(trace(ptraceGetSiginfo, e.id(), 0, addrOf(&info)))
	if failed || isTarget(e.id()) || !e.bringIn(ptraceDetach) {
		return
	}
	sig := uintptr(0)
	if info.Signo == sigTrap && info.Code == 0 {
		sig = sigTrap
	}
	trace(ptraceDetach, e.id(), 0, sig)
}

// bringing is one image on its way.
type bringing struct {
	*tracee
	saved       syscall.PtraceRegs
	stopped     bool // a SIGSTOP came
	interrupted bool // so did a PTRACE_INTERRUPT
	sig         int  // of the last stop
}

// leaveExec takes the tracee out of the exec. It reports false when nothing is to be brought in.
func (b *bringing) leaveExec() bool {
	if b.atExec && !b.run(ptraceSyscall, 0) {
		return false
	}
	trace(ptraceGetregs, b.id(), 0, addrOf(&b.saved))
	if b.saved.Cs == codeSegment64 {
		return true
	}
	b.awaits = false
	if shared().Guard != 0 {
		warn("exec of a 32-bit program, which cannot run under the guard", b.id())
		sys(sysKill, b.id(), sigKill, 0, 0, 0, 0)
		return false
	}
	warn("is a 32-bit program and runs unintercepted", b.id())
	dropHandover(b.job.flags)
	trace(ptraceSetsigmask, b.id(), sigsetSize, addrOf(&b.job.mask))
	trace(ptraceSetOptions, b.id(), 0, b.options)
	return true
}

// mapImage has the program map the image.
func (b *bringing) mapImage() bool {
	if !b.awaits {
		return true
	}
	ip := uintptr(b.saved.Rip)
	word := b.peek(ip)
	e := trace(ptracePoke, b.id(), ip, uintptr(word&^0xffff|callBytes))
	r := b.saved
	r.Rax, r.Orig_rax = sysMmap, ^uint64(0)
	r.Rdi, r.Rsi, r.Rdx = ImageBase, uint64(shared().ImageLength), protRead|protExec
	r.R10, r.R8, r.R9 = ImageMmapFlags, uint64(b.job.image), 0
	trace(ptraceSetregs, b.id(), 0, addrOf(&r))
	if !b.run(ptraceSyscall, 0) || !b.run(ptraceSyscall, 0) {
		return false
	}
	trace(ptraceGetregs, b.id(), 0, addrOf(&r))
	if failed(e) || r.Rax != ImageBase {
		warn("the runtime does not fit into the new program: its address range is taken or its image cannot be mapped", b.id())
		sys(sysKill, b.id(), sigKill, 0, 0, 0, 0)
		return false
	}
	trace(ptracePoke, b.id(), ip, uintptr(word))
	return true
}

// boot runs the tracee through boot.
func (b *bringing) boot(request uintptr) bool {
	if !b.awaits {
		return true
	}
	if b.job.block != 0 {
		atomic.StoreUint32(&shared().Blocks[b.job.block-1], BlockExeced)
		shared().wake()
	}
	orders := uint64(orderTraced)
	if b.text {
		orders |= orderText
	}
	if b.wantsCalls(request) {
		orders |= orderShow
	}
	r := b.saved
	r.R8, r.R9 = b.saved.Rip, b.job.mask
	r.R10 = uint64(uint32(b.job.image)) | uint64(b.job.shared)<<32
	r.R12, r.R13 = 0, b.job.flags|HandoffHalt|orders<<handoffOrders
	r.Rbp, r.Rip, r.Orig_rax = 0, uint64(bootstrapAddr), ^uint64(0)
	trace(ptraceSetregs, b.id(), 0, addrOf(&r))
	mask := kernelMask(allSignals) // a blocked fault would take the runtime's handler away
	trace(ptraceSetsigmask, b.id(), sigsetSize, addrOf(&mask))
	for b.sig = 0; uintptr(r.Rip) != deliverTrapAddr; trace(ptraceGetregs, b.id(), 0, addrOf(&r)) {
		if !b.run(ptraceCont, b.sig) {
			return false
		}
	}
	t := uintptr(r.Gs_base)
	b.pokeHalf(t+unsafe.Offsetof(Thread{}.halt), 0)
	mask = kernelMask(b.peek(t + unsafe.Offsetof(Thread{}.mask)))
	trace(ptraceSetsigmask, b.id(), sigsetSize, addrOf(&mask))
	gs := r.Gs_base
	r = b.saved
	r.Gs_base, r.Orig_rax = gs, ^uint64(0)
	trace(ptraceSetregs, b.id(), 0, addrOf(&r))
	b.target, b.regs = true, r
	return true
}

// run lets the tracee run to its next stop that is about the bringing in. It reports false when it has ended, which the
// tracer is left to find out.
func (b *bringing) run(request uintptr, deliver int) bool {
	for {
		trace(request, b.id(), 0, uintptr(deliver))
		deliver = 0
		sig, event, ok := b.await()
		switch {
		case !ok:
			return false
		case event == ptraceEventStop:
			b.interrupted = b.interrupted || sig == sigTrap
			b.stopped = b.stopped || sig == sigStop
		case event != 0:
			// The guard's, or one that the tracer's options bring for what boot does.
		case sig == sigStop:
			b.stopped = true
		default:
			b.sig = sig
			return true
		}
	}
}

// await waits for the next stop and does not take it away from the tracer's own waits, in which it is hidden.
func (b *bringing) await() (sig, event int, ok bool) {
	const byID, nohang, exited, stopped, nowait = 1, 1, 4, 2, 0x1000000
	options := uintptr(exited | stopped | nowait | wallWait)
	if !singleThreaded() {
		options |= nohang // another thread may have taken it away
	}
	for b.tid != 0 {
		var info, last Siginfo
		r := sys(sysWaitid, byID, b.id(), addrOf(&info), options, 0, 0)
		switch {
		case r == 0 && info.PID() != 0 && info.Code != cldTrapped:
			return 0, 0, false
		case r == 0 && info.PID() != 0:
			status := int(info.Status())
			return status & 0x7f, status >> 8, true
		case failed(r) && -r != eINTR:
			return 0, 0, false
		case !failed(trace(ptraceGetSiginfo, b.id(), 0, addrOf(&last))):
			return int(last.Signo), int(last.Code) >> 8, true
		}
		nap := [2]int64{0, 20e3} // struct timespec
		sys(sysNanosleep, addrOf(&nap), 0, 0, 0, 0, 0)
	}
	return 0, 0, false
}
