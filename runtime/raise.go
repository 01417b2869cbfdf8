// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import "github.com/trapline/trapline/ucontext"

// A tool's signals come to the target as a tracer's do, which sends them while the thread stands at the entry of a call
// (ptrace_report_syscall, include/linux/ptrace.h, 6.18): with SI_KERNEL, and pending when the kernel begins with the call.
// In here a signal that is not blocked would come before the call, and its handler would run before it.

// raise sends the thread a signal. If it has a handler it is parked.
func (t *Thread) raise(sig int) {
	info := ucontext.Siginfo{Signo: int32(sig), Code: siKernel}
	if sigBit(sig)&(ownSignals|faultSignals) != 0 { // with SI_KERNEL they would be a fault of the hook
		info.Code = siTkill
		info.SetSender(t.pid, 0)
	}
	sys(sysRtTgsigqueue, uintptr(t.pid), uintptr(t.tid), uintptr(sig), addrOf(&info), 0, 0)
	if p := t.parkedAs(sig, siTkill); p != nil && info.Code == siTkill && p.info.PID() == t.pid {
		p.info = ucontext.Siginfo{Signo: int32(sig), Code: siKernel}
	}
}

// doInterrupted makes a call with a signal.
func (t *Thread) doInterrupted(c *Call, sig int) int64 {
	switch c.nr {
	case sysExit, sysExitGroup:
		return c.Do() // nobody would see the signal
	case sysExecve, sysExecveat, sysRtSigreturn:
		blockAll() // it waits for the new program, or the frame's mask
		t.raise(sig)
		return c.Do()
	case sysFork, sysVfork, sysClone, sysClone3:
		t.raise(sig)
		return c.Do() // which the kernel as well puts off until the handler has run (copy_process, kernel/fork.c)
	}
	switch {
	case sig == sigKill || t.blocked()&sigBit(sig) != 0:
		t.raise(sig)
		return c.Do()
	case t.ignores(sig):
		return c.Do()
	}
	return t.doWithTimer(c, sig)
}

// ignores reports whether a signal does nothing.
func (t *Thread) ignores(sig int) bool {
	const sigChld, sigUrg, sigWinch = 17, 23, 28
	switch t.sighand.get(sig).handler {
	case sigIgn:
		return true
	case sigDfl:
		return sig == sigChld || sig == sigCont || sig == sigUrg || sig == sigWinch
	}
	return false
}

// doWithTimer makes a call that a timer's signal interrupts if it sleeps. The timer may be too early, and the signal parked
// before the call has begun: then once more, with more time. Or the call is over before: then the signal comes now.
func (t *Thread) doWithTimer(c *Call, sig int) int64 {
	const first, last = 100e3, 1e9 // ns
	for wait := int64(first); ; wait = min(4*wait, last) {
		timer, ok := t.startTimer(sig, wait)
		r := c.Do()
		if ok {
			sys(sysTimerDelete, timer, 0, 0, 0, 0, 0)
		}
		p := t.parkedAs(sig, siTimer)
		if p != nil && p.info.Value() != uint64(t.self) {
			p = nil // of a timer of the target's own
		}
		if p != nil && r == -ENOTRUN && t.parked == 1 {
			c.done = false
			t.unpark()
			continue
		}
		if p == nil {
			t.raise(sig)
		} else {
			p.info = ucontext.Siginfo{Signo: int32(sig), Code: siKernel}
		}
		return r
	}
}

// startTimer starts a timer that sends the thread a signal. It reports false where the kernel has no room for it.
func (t *Thread) startTimer(sig int, wait int64) (timer uintptr, ok bool) {
	const monotonic, threadID = 1, 4 // CLOCK_MONOTONIC, SIGEV_THREAD_ID
	event := struct {
		value       uintptr
		sig, notify int32
		tid         int32
		_           [11]int32
	}{value: t.self, sig: int32(sig), notify: threadID, tid: t.tid}
	var id int32
	if failed(sys(sysTimerCreate, monotonic, addrOf(&event), addrOf(&id), 0, 0, 0)) {
		return 0, false
	}
	const second = 1e9
	when := [4]int64{0, 0, wait / second, wait % second} // struct itimerspec: once
	sys(sysTimerSettime, uintptr(id), 0, addrOf(&when), 0, 0, 0)
	return uintptr(id), true
}

// parkedAs returns the parked signal of that number and code, nil if there is none.
func (t *Thread) parkedAs(sig int, code int32) *parkedSignal {
	for i := range t.park[:min(t.parked, uint32(len(t.park)))] {
		if p := &t.park[i]; p.sig == sig && p.info.Code == code {
			return p
		}
	}
	return nil
}

// unpark drops the one signal that is parked, and lets others come.
func (t *Thread) unpark() {
	t.park[0].sig = 0
	t.parked, t.hasTempMask = 0, 0
	setKernelMask(t.blocked())
}
