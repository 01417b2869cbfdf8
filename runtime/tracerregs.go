// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"syscall"
	"unsafe"
)

// Registers of a tracee that stands in its runtime, as a tracer is to see them: those of the target, at the site or
// behind it.

type viewKind uint8

const (
	viewReal   viewKind = iota // the target's own code
	viewStub                   // all is real, but for the place
	viewThread                 // in the Thread
	viewEntry                  // in the Thread, at showEntry
	viewExit                   // in the Thread, at showExit
	viewChild                  // the first stop of a new thread or process
)

const regsSize = unsafe.Sizeof(syscall.PtraceRegs{})

// viewOf finds out where the target's registers are.
func (e *tracee) viewOf() viewKind {
	ip := uintptr(e.regs.Rip)
	w := &shared().Windows
	switch {
	case !e.target || !inRuntime(ip):
		return viewReal
	case inStubs(ip):
		return viewStub
	case isChild(&e.regs) && e.request == 0:
		return viewChild
	case e.regs.Gs_base == 0 || e.onSignalStack():
		return viewReal
	case w[WindowStubEntry].has(ip):
		return viewReal
	}
	return viewThread
}

// isChild reports whether the registers are those of a new thread or process, which a tracer's options may have attached.
func isChild(r *syscall.PtraceRegs) bool {
	return shared().Windows[WindowClone].has(uintptr(r.Rip)) && r.Rax == 0
}

// onSignalStack reports whether the tracee is in the signal handler, where nothing but stops from outside happens.
func (e *tracee) onSignalStack() bool {
	return uintptr(e.regs.Rsp)-(uintptr(e.regs.Gs_base)-slotThread+slotSignalStack) < signalStackSize
}

// shown returns the registers that the tracer sees.
func (e *tracee) shown() syscall.PtraceRegs {
	r := e.regs
	switch e.view {
	case viewStub:
		e.atSite(&r)
	case viewThread, viewEntry, viewExit, viewChild:
		e.fromThread(&r)
	}
	r.Gs_base = 0
	return r
}

// atSite moves the place from the stub to the site.
func (e *tracee) atSite(r *syscall.PtraceRegs) {
	stub := uintptr(r.Rip) &^ (stubSize - 1)
	next := e.peek(stub + stubNext)
	if offset := uintptr(r.Rip) - stub; offset <= stubSyscall || offset == stubInt80 {
		r.Rip = next - callLength
		return
	}
	r.Rip, r.Rcx = next, next
}

// thread returns the address of the Thread that has the registers.
func (e *tracee) thread() uintptr {
	if e.view == viewChild {
		return uintptr(e.regs.R12) // doClone
	}
	return uintptr(e.regs.Gs_base)
}

// fromThread fills r from the Thread.
func (e *tracee) fromThread(r *syscall.PtraceRegs) {
	var g Regs
	t := e.thread()
	for i := uintptr(0); i < unsafe.Sizeof(g); i += 8 {
		*(*uint64)(unsafe.Add(unsafe.Pointer(&g), i)) = e.peek(t + unsafe.Offsetof(Thread{}.regs) + i)
	}
	r.Rbx, r.Rcx, r.Rdx, r.Rsi, r.Rdi, r.Rbp, r.Rsp = g.BX, g.CX, g.DX, g.SI, g.DI, g.BP, g.SP
	r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15 = g.R8, g.R9, g.R10, g.R11, g.R12, g.R13, g.R14, g.R15
	r.Eflags = g.Flags
	view := t + unsafe.Offsetof(Thread{}.view)
	switch e.view {
	case viewEntry, viewExit:
		r.Orig_rax, r.Rax = e.peek(view), e.peek(view+8)
		r.Rip = e.peek(view + 16)
	case viewChild:
		r.Rip = e.peek(t+unsafe.Offsetof(Thread{}.site)) + callLength
		r.Rax = 0
		job := t + unsafe.Offsetof(Thread{}.clone)
		if e.peek(job+unsafe.Offsetof(cloneJob{}.flags))&cloneVM == 0 {
			if sp := e.peek(job + unsafe.Offsetof(cloneJob{}.stack)); sp != 0 {
				r.Rsp = sp
			}
		}
	default:
		e.inCall(r, t, g.AX)
	}
}

// inCall completes registers of a tracee that was interrupted in the runtime: RAX is that of the call it is in, if it is in
// one that is the target's.
func (e *tracee) inCall(r *syscall.PtraceRegs, t uintptr, ax uint64) {
	w := &shared().Windows
	ip := uintptr(e.regs.Rip)
	r.Rip = e.peek(t + unsafe.Offsetof(Thread{}.targetIP))
	if w[WindowExit].has(ip) || int64(e.regs.Orig_rax) < 0 {
		r.Rax = ax
		return
	}
	if !w[WindowDoCall].has(ip) && !w[WindowMakeCall].has(ip) && !w[WindowClone].has(ip) {
		r.Rax = ax
		r.Orig_rax = ^uint64(0)
	}
}

// change gives the tracee the registers that the tracer wants it to have.
func (e *tracee) change(want *syscall.PtraceRegs) {
	old := e.shown()
	switch e.view {
	case viewReal, viewStub:
		r := *want
		r.Gs_base = e.regs.Gs_base
		if want.Rip == old.Rip && e.view == viewStub {
			r.Rip = e.regs.Rip
		} else {
			e.view = viewReal
		}
		trace(ptraceSetregs, e.id(), 0, addrOf(&r))
		e.regs = r
		return
	}
	t := e.thread()
	g := Regs{
		BX: want.Rbx, CX: want.Rcx, DX: want.Rdx, SI: want.Rsi, DI: want.Rdi, BP: want.Rbp, SP: want.Rsp,
		R8: want.R8, R9: want.R9, R10: want.R10, R11: want.R11, R12: want.R12, R13: want.R13, R14: want.R14, R15: want.R15,
		Flags: want.Eflags,
	}
	for i := unsafe.Offsetof(g.BX); i < unsafe.Sizeof(g); i += 8 {
		e.poke(t+unsafe.Offsetof(Thread{}.regs)+i, *(*uint64)(unsafe.Add(unsafe.Pointer(&g), i)))
	}
	if e.view == viewEntry || e.view == viewExit {
		view := t + unsafe.Offsetof(Thread{}.view)
		e.poke(view, want.Orig_rax)
		e.poke(view+8, want.Rax)
		e.poke(view+16, want.Rip)
		e.poke(view+24, 1)
		return
	}
	if want.Rax != old.Rax {
		e.poke(t+unsafe.Offsetof(Thread{}.regs), want.Rax)
	}
	if want.Rip != old.Rip {
		e.poke(t+unsafe.Offsetof(Thread{}.targetIP), want.Rip)
	}
}

// registers serves the requests about registers and mask.
func (e *tracee) registers(a *[6]uintptr) (r int64, served bool) {
	if failed(trace(ptraceGetregs, a[1], 0, addrOf(&e.regs))) {
		return 0, false
	}
	switch a[0] {
	case ptraceGetregs:
		regs := e.shown()
		return copied(a[3], addrOf(&regs), regsSize), true
	case ptraceSetregs:
		var regs syscall.PtraceRegs
		if safeCopy(addrOf(&regs), a[3], regsSize) != regsSize {
			return -int64(eFAULT), true
		}
		e.change(&regs)
		return 0, true
	case ptraceGetRegset, ptraceSetRegset:
		return e.regset(a)
	case ptracePeekUser:
		if a[2] >= regsSize || a[2]&7 != 0 {
			return 0, false
		}
		regs := e.shown()
		return copied(a[3], addrOf(&regs)+a[2], 8), true
	case ptracePokeUser:
		if a[2] >= regsSize || a[2]&7 != 0 {
			return 0, false
		}
		regs := e.shown()
		*(*uintptr)(unsafe.Add(unsafe.Pointer(&regs), a[2])) = a[3]
		e.change(&regs)
		return 0, true
	case ptraceGetCallInfo:
		return e.callInfo(a)
	}
	return e.mask(a)
}

// copied copies to the target.
func copied(dst, src, n uintptr) int64 {
	if safeCopy(dst, src, n) != n {
		return -int64(eFAULT)
	}
	return 0
}

// regset serves PTRACE_GETREGSET and PTRACE_SETREGSET of the general registers.
func (e *tracee) regset(a *[6]uintptr) (int64, bool) {
	const prstatus = 1 // NT_PRSTATUS
	var v struct{ base, length uintptr }
	size := unsafe.Sizeof(v)
	if a[2] != prstatus || safeCopy(addrOf(&v), a[3], size) != size || v.length&7 != 0 {
		return 0, false
	}
	v.length = min(v.length, regsSize)
	regs := e.shown()
	if a[0] == ptraceGetRegset {
		if safeCopy(v.base, addrOf(&regs), v.length) != v.length {
			return -int64(eFAULT), true
		}
	} else {
		if safeCopy(addrOf(&regs), v.base, v.length) != v.length {
			return -int64(eFAULT), true
		}
		e.change(&regs)
	}
	return copied(a[3], addrOf(&v), size), true
}

// mask serves PTRACE_GETSIGMASK and PTRACE_SETSIGMASK: the kernel's mask is the runtime's.
func (e *tracee) mask(a *[6]uintptr) (int64, bool) {
	if a[2] != sigsetSize || e.regs.Gs_base == 0 {
		return 0, false
	}
	addr := uintptr(e.regs.Gs_base) + unsafe.Offsetof(Thread{}.mask)
	if a[0] == ptraceGetsigmask {
		mask := e.peek(addr)
		return copied(a[3], addrOf(&mask), sigsetSize), true
	}
	var mask uint64
	if safeCopy(addrOf(&mask), a[3], sigsetSize) != sigsetSize {
		return -int64(eFAULT), true
	}
	mask &^= unblockable
	e.poke(addr, mask)
	mask = kernelMask(mask)
	return int64(trace(ptraceSetsigmask, a[1], sigsetSize, addrOf(&mask))), true
}

// callInfo serves PTRACE_GET_SYSCALL_INFO (struct ptrace_syscall_info, include/uapi/linux/ptrace.h).
func (e *tracee) callInfo(a *[6]uintptr) (int64, bool) {
	const entry, exit, filter, offsetIP, offsetNr = 1, 2, 3, 8, 24
	var info [88]byte
	n := trace(ptraceGetCallInfo, a[1], unsafe.Sizeof(info), addrOf(&info))
	if failed(n) || e.view == viewReal {
		return 0, false
	}
	r := e.shown()
	words := (*[11]uint64)(unsafe.Pointer(&info))
	words[offsetIP/8], words[offsetIP/8+1] = r.Rip, r.Rsp
	at := words[offsetNr/8:]
	switch info[0] {
	case entry, filter:
		at[0], at[1], at[2], at[3] = r.Orig_rax, r.Rdi, r.Rsi, r.Rdx
		at[4], at[5], at[6] = r.R10, r.R8, r.R9
	case exit:
		at[0], at[1] = r.Rax, 0
		if failed(uintptr(r.Rax)) {
			at[1] = 1
		}
	}
	length := min(n, a[2])
	if safeCopy(a[3], addrOf(&info), length) != length {
		return -int64(eFAULT), true
	}
	return int64(n), true
}
