// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"sync/atomic"
	"syscall"
)

// A target that traces others: a debugger, strace, a sandbox. Its tracees are mostly targets too. Natively it would see their
// calls and signals and nothing else, so this runtime stands between:
//
//	wait4, waitid   stops that are about the runtime of the tracee are not shown: it is let go on as the tracer let it
//	                go on last (tracerstop.go)
//	registers       of a tracee in its runtime are shown as those of the site (tracerregs.go)
//	resuming        a tracee that has executed a program gets the image first (tracerexec.go)
//
// Programs that never trace pay for a look at what a wait has returned.

// tracee is a thread that this process traces. Only its tracer, one thread, can do anything with it, and so uses the entry.
type tracee struct {
	tid     int32   // as this process knows it; 0: free
	request uint32  // how the tracer let it go on last
	options uintptr // PTRACE_O_* as the tracer set them
	target  bool    // the runtime is in it
	text    bool    // the tracer may write into its text: it steps, or has written
	busy    bool    // the image is being brought in

	// The stop it stands at, once the tracer has seen it.
	regs   syscall.PtraceRegs // as the kernel has them
	view   viewKind
	atExec bool // PTRACE_EVENT_EXEC: the call has not returned

	// Its system call.
	hideExit  bool // the exit that follows is not shown
	showMark  bool // the exit that follows is that of showExit
	calling   bool // showEntry was shown
	exitShown bool // showExit has nothing left to show

	// A step of it.
	inside  bool // has entered the runtime
	stepDue bool // the step began in the runtime: the instruction is still to come

	// The exec it has offered.
	awaits bool
	job    offeredExec
}

// offeredExec is what the tracer has to know of an exec.
type offeredExec struct {
	mask, flags   uint64
	image, shared int32
	block         uint32
}

// tracees are the tracees of this process. traceesUsed bounds the entries that were ever used.
var (
	tracees     [4096]tracee
	traceesUsed uint32
	lastOptions uintptr // as the tracer set them: a tracee that these attached has those of its creator
)

// traceeOf returns the entry of a tracee, nil if there is none.
func traceeOf(tid uintptr) *tracee {
	n := min(atomic.LoadUint32(&traceesUsed), uint32(len(tracees)))
	for i := range tracees[:n] {
		if atomic.LoadInt32(&tracees[i].tid) == int32(tid) {
			return &tracees[i]
		}
	}
	return nil
}

// newTracee returns the entry of a thread that is traced from now on.
func newTracee(tid, options uintptr) *tracee {
	e := traceeOf(tid)
	for i := 0; e == nil; i++ {
		if i == len(tracees) {
			abort("a tracer with too many tracees", tid)
		}
		if atomic.CompareAndSwapInt32(&tracees[i].tid, 0, -1) {
			raise(&traceesUsed, uint32(i)+1)
			e = &tracees[i]
		}
	}
	*e = tracee{tid: -1, options: options}
	atomic.StoreInt32(&e.tid, int32(tid))
	return e
}

// forget gives up the entry of a tracee that has ended or was let go.
func forget(tid uintptr) {
	if e := traceeOf(tid); e != nil {
		atomic.StoreInt32(&e.tid, 0)
	}
}

// forgetTracees is for the child of a fork, which traces nobody.
func forgetTracees() {
	for i := range tracees[:min(traceesUsed, uint32(len(tracees)))] {
		tracees[i].tid = 0
	}
	traceesUsed, lastOptions = 0, 0
}

// trace makes a ptrace call of the runtime's own.
func trace(request, tid, addr, data uintptr) uintptr {
	return sys(sysPtrace, request, tid, addr, data, 0, 0)
}

func (e *tracee) id() uintptr { return uintptr(e.tid) }

// peek reads a word of the tracee, 0 where there is none.
func (e *tracee) peek(addr uintptr) (word uint64) {
	trace(ptracePeekData, e.id(), addr, addrOf(&word))
	return word
}

func (e *tracee) poke(addr uintptr, word uint64) {
	trace(ptracePokeData, e.id(), addr, uintptr(word))
}

// pokeHalf writes half a word.
func (e *tracee) pokeHalf(addr uintptr, half uint32) {
	shift := addr & 4 * 8
	word := e.peek(addr &^ 7)
	e.poke(addr&^7, word&^(0xffffffff<<shift)|uint64(half)<<shift)
}

// ptrace serves ptrace.
func ptrace(t *Thread, c *Call) int64 {
	a := &c.args
	if a[0] == ptraceTraceMe && (t.vforked || t.childOfLauncher()) {
		return t.traceLater()
	}
	if e := traceeOf(a[1]); e != nil {
		if r, served := e.serve(t, a); served {
			return r
		}
	}
	r := int64(doCall(sysPtrace, a[0], a[1], a[2], a[3], a[4], a[5]))
	if r < 0 {
		return r
	}
	switch a[0] {
	case ptraceTraceMe:
		traceOrders |= orderTraced
	case ptraceAttach:
		newTracee(a[1], 0)
	case ptraceSeize:
		newTracee(a[1], a[3])
		lastOptions = a[3]
	case ptraceSetOptions:
		lastOptions = a[3]
	}
	return r
}

// serve answers what is different for a tracee that is a target.
func (e *tracee) serve(t *Thread, a *[6]uintptr) (r int64, served bool) {
	switch a[0] {
	case ptraceCont, ptraceSyscall, ptraceSingleStep, ptraceSingleBlock, ptraceDetach, ptraceListen:
		return e.resume(t, a), true
	case ptraceSysemu, ptraceSysemuStep:
		if e.target || e.awaits {
			abort("ptrace(PTRACE_SYSEMU): a target's calls are trapline's", t.site)
		}
	case ptraceSetOptions:
		r = int64(doCall(sysPtrace, a[0], a[1], a[2], a[3], 0, 0))
		if r == 0 {
			e.options = a[3]
			lastOptions = a[3]
			if e.awaits {
				trace(ptraceSetOptions, a[1], 0, a[3]|ptraceOptExitKill)
			}
		}
		return r, true
	case ptracePoke, ptracePokeData:
		e.text = true
	}
	if !e.target {
		return 0, false
	}
	switch a[0] {
	case ptraceGetregs, ptraceSetregs, ptraceGetRegset, ptraceSetRegset, ptracePeekUser, ptracePokeUser,
		ptraceGetsigmask, ptraceSetsigmask, ptraceGetCallInfo:
		return e.registers(a)
	case ptraceSetDispatch, ptraceGetDispatch:
		return e.dispatching(t, a)
	}
	return 0, false
}

// dispatching serves the requests about Syscall User Dispatch: a tracer of a target finds and leaves it switched off.
func (e *tracee) dispatching(t *Thread, a *[6]uintptr) (int64, bool) {
	var d dispatchConfig
	const size = 32 // struct ptrace_sud_config
	if a[0] == ptraceSetDispatch {
		if a[2] != size || safeCopy(addrOf(&d), a[3], size) != size {
			return 0, false
		}
		return d.set("ptrace(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG)", t.site), true
	}
	r := int64(doCall(sysPtrace, a[0], a[1], a[2], a[3], 0, 0))
	if r == 0 {
		safeCopy(a[3], addrOf(&d), size)
	}
	return r, true
}

// resume serves the requests that let a tracee go on.
func (e *tracee) resume(t *Thread, a *[6]uintptr) int64 {
	request := a[0]
	if failed(trace(ptraceGetregs, a[1], 0, addrOf(&e.regs))) {
		return int64(doCall(sysPtrace, a[0], a[1], a[2], a[3], 0, 0)) // it runs, or is not ours
	}
	if request != ptraceSyscall && request != ptraceListen {
		e.text = true
	}
	if e.awaits && !isTarget(a[1]) && request != ptraceListen && !(e.atExec && request == ptraceSyscall) {
		if !e.bringIn(request) {
			return 0 // it has ended, or ends
		}
	}
	if e.target {
		e.order(request)
	}
	if request == ptraceSingleStep || request == ptraceSingleBlock {
		e.inside = e.target && inRuntime(uintptr(e.regs.Rip))
		e.stepDue = e.inside
	} else {
		e.inside, e.stepDue = false, false
	}
	e.request, e.atExec, e.view = uint32(request), false, viewReal
	r := int64(doCall(sysPtrace, a[0], a[1], a[2], a[3], 0, 0))
	if r == 0 && request == ptraceDetach {
		forget(a[1])
	}
	return r
}

// order tells the tracee what its tracer wants.
func (e *tracee) order(request uintptr) {
	addr := addrOf(&traceOrders)
	word := e.peek(addr)
	want := word&orderShow | orderTraced
	switch {
	case request == ptraceDetach:
		want = 0
	case e.wantsCalls(request):
		want |= orderShow
	}
	if e.text && want != 0 {
		want |= orderText
	}
	if word != want {
		e.poke(addr, want)
	}
}

// wantsCalls reports whether the tracer sees calls of a tracee that it lets go on with request.
func (e *tracee) wantsCalls(request uintptr) bool {
	return request == ptraceSyscall || e.options&ptraceOptSeccomp != 0
}
