// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"syscall"
	"unsafe"
)

// What a tracer waits for, without what is only about the runtime of its tracees:
//
//   - the SIGSYS of the trap source, tokens, faults in copies and at deliverTrap
//   - entry and exit of a call that traps, of the runtime's own calls, and of its sigreturns
//   - steps through the runtime
//   - the signal that offers an exec

// Siginfo codes of SIGCHLD and SIGTRAP, include/uapi/asm-generic/siginfo.h.
const (
	cldTrapped = 4
	cldStopped = 5
	trapBranch = 1 // TRAP_BRKPT, also behind a call that was stepped over
)

// callStop is the bit that PTRACE_O_TRACESYSGOOD sets in the signal of a stop at a call.
const callStop = 0x80

// What PTRACE_GETEVENTMSG says at such a stop, include/uapi/linux/ptrace.h (5.3).
const (
	messageEntry = 1
	messageExit  = 2
)

// hideChange is hideStop for what waitid has returned.
func hideChange(info *Siginfo) bool {
	status := uint32(info.Status())
	if info.Code == cldTrapped || info.Code == cldStopped {
		status = status<<8 | 0x7f
	}
	if hideStop(uintptr(info.PID()), &status) {
		return true
	}
	if info.Code == cldTrapped {
		info.SetStatus(int32(status >> 8))
	}
	return false
}

// hideStop reports whether what a wait has returned is not for the tracer. The tracee goes on then.
func hideStop(tid uintptr, status *uint32) bool {
	if *status&0xff != 0x7f {
		if *status != 0xffff { // WIFCONTINUED
			forget(tid)
		}
		return false
	}
	e := traceeOf(tid)
	if e != nil && e.busy {
		return true
	}
	var regs syscall.PtraceRegs
	if failed(trace(ptraceGetregs, tid, 0, addrOf(&regs))) {
		return false // another thread's tracee, or no tracee at all
	}
	sig, event := int(*status>>8&0xff), *status>>16
	if event == ptraceEventExec {
		e = execed(tid)
	}
	if e == nil {
		options := uintptr(0)
		if isChild(&regs) {
			options = lastOptions
		}
		e = newTracee(tid, options)
	}
	e.regs, e.view = regs, viewReal
	if e.awaits || !e.target {
		e.target = isTarget(tid)
	}
	if event == ptraceEventFilter && e.target && inImage(uintptr(regs.Rip)) {
		return e.hidesFilter()
	}
	if event != 0 {
		e.view = e.viewOf()
		return false
	}
	return e.hides(sig, status)
}

// stop is what a tracee stands at.
type stop struct {
	sig  int
	info Siginfo
}

// hides lets the tracee go on if its stop is about the runtime.
func (e *tracee) hides(sig int, status *uint32) bool {
	s := stop{sig: sig &^ callStop}
	if failed(trace(ptraceGetSiginfo, e.id(), 0, addrOf(&s.info))) {
		e.view = e.viewOf()
		return false // a group stop
	}
	if s.sig == sigTrap && s.info.Code&^callStop == sigTrap {
		var message uint64
		trace(ptraceGetEventMsg, e.id(), 0, addrOf(&message))
		switch message {
		case messageEntry:
			return e.hidesEntry()
		case messageExit:
			return e.hidesExit()
		}
	}
	if !e.target {
		return false
	}
	if s.sig == sigTrap && e.steps() {
		return e.hidesStep(&s)
	}
	if e.ownSignal(&s, status) || e.delays(&s) {
		return true
	}
	e.view = e.viewOf()
	return false
}

// steps reports whether the tracer had the tracee execute one instruction.
func (e *tracee) steps() bool { return e.request == ptraceSingleStep || e.request == ptraceSingleBlock }

// again lets a tracee go on as its tracer let it go on last.
func (e *tracee) again(sig int) bool {
	request := uintptr(e.request)
	if request != ptraceSyscall && !e.steps() {
		request = ptraceCont
	}
	return e.goOn(request, sig)
}

func (e *tracee) goOn(request uintptr, sig int) bool {
	trace(request, e.id(), 0, uintptr(sig))
	return true
}

// ownSignal serves signals that are the runtime's.
func (e *tracee) ownSignal(s *stop, status *uint32) bool {
	ip := uintptr(e.regs.Rip)
	w := &shared().Windows
	fault := s.info.Code > 0
	switch {
	case s.sig == sigSys && e.trapped(&s.info):
		return e.again(sigSys)
	case s.sig == sigBus && s.info.Code == siToken:
		return e.again(sigBus)
	case s.sig == sigBus && s.info.Code == siExec:
		e.takeExec(&s.info)
		return e.again(0)
	case s.sig == sigBus && s.info.Code == siExecFailed:
		e.dropExec(&s.info)
		return e.again(0)
	case s.sig == sigSegv && fault && ip == deliverTrapAddr:
		return e.leaves(status)
	case (s.sig == sigSegv || s.sig == sigBus) && fault:
		if w[WindowSafeCopy].has(ip) || w[WindowSafeString].has(ip) || w[WindowSafeStore].has(ip) {
			return e.again(s.sig)
		}
	}
	if e.peek(addrOf(&dying)) == uint64(s.sig) {
		return e.again(s.sig) // the tracer has seen it
	}
	return false
}

// delays keeps a signal back that came when the call that the tracer has seen begin was over: natively its exit comes first.
func (e *tracee) delays(s *stop) bool {
	w := &shared().Windows
	ip := uintptr(e.regs.Rip)
	over := w[WindowDoCall].has(ip) && ip > callIn(w[WindowDoCall]) || w[WindowMakeCall].has(ip) && ip > callIn(w[WindowMakeCall])
	if !e.calling || e.exitShown || !over || int64(e.regs.Orig_rax) < 0 || s.sig == sigStop {
		return false
	}
	view := uintptr(e.regs.Gs_base) + unsafe.Offsetof(Thread{}.view)
	if e.peek(view+unsafe.Offsetof(callView{}.delayed)) != 0 {
		return false
	}
	for i := uintptr(0); i < unsafe.Sizeof(s.info); i += 8 {
		e.poke(view+unsafe.Offsetof(callView{}.signal)+i, *(*uint64)(unsafe.Add(unsafe.Pointer(&s.info), i)))
	}
	e.poke(view+unsafe.Offsetof(callView{}.delayed), 1)
	return e.again(0)
}

// trapped reports whether a SIGSYS is the trap source's.
func (e *tracee) trapped(info *Siginfo) bool {
	if inRuntime(info.CallAddr()) {
		return false // a filter of the target's own
	}
	return info.Code == sysSeccompCode && !usesSUD() || info.Code == sysDispatchCode && usesSUD()
}

// hidesEntry serves the stop at the entry of a call.
func (e *tracee) hidesEntry() bool {
	r := &e.regs
	ip := uintptr(r.Rip)
	w := &shared().Windows
	e.hideExit, e.showMark = false, false
	switch {
	case !e.target:
		return false
	case e.inside && (w[WindowSignalExit].has(ip) || w[WindowSigreturn].has(ip)):
		return e.goOn(ptraceSingleStep, 0)
	case e.inside:
		return e.goOn(ptraceSyscall, 0)
	case inImage(ip) && r.Orig_rax == showCall && r.Rdi == showEntryMark:
		e.view, e.calling, e.hideExit, e.exitShown = viewEntry, true, true, false
		return false
	case inImage(ip) && r.Orig_rax == showCall && r.Rdi == showExitMark:
		e.showMark = !e.exitShown && e.calling
		e.calling = false
	case inImage(ip):
		if w[WindowSigreturn].has(ip) && e.calling {
			e.calling = false
			return e.again(0) // its exit is that of the target's rt_sigreturn
		}
	case inStubs(ip):
		e.view = viewStub
		return false
	case !e.traps():
		return false
	}
	e.hideExit = true
	return e.again(0)
}

// hidesFilter serves the stop of a filter of the target's own at a call in the image. The calls of the number that the target
// makes are shown as its own.
func (e *tracee) hidesFilter() bool {
	r := &e.regs
	nr := e.peek(uintptr(r.Gs_base) + unsafe.Offsetof(Thread{}.call) + unsafe.Offsetof(Call{}.nr))
	if nr != r.Orig_rax || r.Rdi == showEntryMark || r.Rdi == showExitMark {
		return e.again(0)
	}
	e.view, e.calling, e.hideExit, e.exitShown = viewEntry, true, true, false
	return false
}

// traps reports whether the call that the tracee enters, in code of its own, will be a SIGSYS. SUD has no stop then.
func (e *tracee) traps() bool {
	s := shared()
	nr := uint32(e.regs.Orig_rax)
	switch {
	case usesSUD() || nr >= x32Bit:
		return false
	case s.TrapAll != 0:
		return true
	}
	return nr < uint32(len(s.Calls)) && s.Calls[nr] != 0
}

// hidesExit serves the stop at the exit of a call.
func (e *tracee) hidesExit() bool {
	r := &e.regs
	ip := uintptr(r.Rip)
	result := int64(r.Rax)
	w := &shared().Windows
	switch {
	case !e.target:
		e.atExec = false
		return false
	case e.inside:
		return e.goOn(ptraceSyscall, 0)
	case e.showMark:
		e.showMark, e.view = false, viewExit
		return false
	case inImage(ip) && e.calling && result <= -ERESTARTSYS && result >= -516:
		// The signal that interrupts the call comes next.
		e.exitShown, e.view = true, viewThread
		return false
	case e.hideExit, inImage(ip) && !w[WindowDoCall].has(ip) && !w[WindowMakeCall].has(ip):
		e.hideExit = false
		return e.again(0)
	}
	e.view = e.viewOf()
	return false
}

// hidesStep serves the trap behind an instruction.
func (e *tracee) hidesStep(s *stop) bool {
	ip := uintptr(e.regs.Rip)
	switch {
	case ip == signalEntryAddr:
		e.inside = true
		return e.goOn(ptraceSyscall, 0)
	case inImage(ip):
		e.inside = true
		if t := uintptr(e.regs.Gs_base); t != 0 {
			e.pokeHalf(t+unsafe.Offsetof(Thread{}.halt), 1)
		}
		return e.goOn(ptraceSyscall, 0)
	case inStubs(ip):
		e.inside = true
		return e.goOn(ptraceSingleStep, 0)
	case e.inside:
		e.inside = false
		e.stepDone()
	}
	return false
}

// leaves serves deliverTrap: the tracee is on its way out of the runtime with its registers complete.
func (e *tracee) leaves(status *uint32) bool {
	t := uintptr(e.regs.Gs_base)
	both := e.peek(t + unsafe.Offsetof(Thread{}.parked))
	if uint32(both) != 0 {
		e.poke(t+unsafe.Offsetof(Thread{}.parked), uint64(uint32(both)))
		return e.again(sigSegv)
	}
	e.poke(t+unsafe.Offsetof(Thread{}.parked), 0)
	e.regs.Rip = e.peek(t + unsafe.Offsetof(Thread{}.targetIP))
	tail := e.peek(t+unsafe.Offsetof(Thread{}.tail)&^7)>>(unsafe.Offsetof(Thread{}.tail)&7*8)&0xff != 0
	if tail {
		e.regs.Rip = e.peek(t+unsafe.Offsetof(Thread{}.stub)) + stubSyscall
	}
	trace(ptraceSetregs, e.id(), 0, addrOf(&e.regs))
	if !e.steps() || tail || e.stepDue {
		e.stepDue = false
		return e.again(0)
	}
	e.inside = false
	e.stepDone()
	*status = sigTrap<<8 | 0x7f
	return false
}

// stepDone makes the stop what it is behind a call that was stepped over (report_single_step, kernel/entry/common.c).
func (e *tracee) stepDone() {
	info := Siginfo{Signo: sigTrap, Code: trapBranch}
	info.SetAddr(uintptr(e.regs.Rip))
	trace(ptraceSetSiginfo, e.id(), 0, addrOf(&info))
}
