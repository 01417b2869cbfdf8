// Runs in the target, on any stack of the runtime.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

// AbortStatus is the exit status of a process that the runtime ends.
const AbortStatus = 125

// line is one message under construction.
type line struct {
	n    int
	text [448]byte
}

func (l *line) str(s string) {
	for i := 0; i < len(s) && l.n < len(l.text)-1; i++ {
		l.text[l.n] = s[i]
		l.n++
	}
}

func (l *line) dec(v uint64) {
	var digits [20]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + v%10)
		v /= 10
		if v == 0 || i == 0 {
			break
		}
	}
	l.str(unsafe.String(&digits[i], len(digits)-i))
}

func (l *line) hex(v uint64) {
	const hexDigits = "0123456789abcdef"
	l.str("0x")
	shift := 60
	for shift > 0 && v>>uint(shift) == 0 {
		shift -= 4
	}
	for ; shift >= 0; shift -= 4 {
		d := v >> uint(shift) & 15
		l.str(hexDigits[d : d+1])
	}
}

func (l *line) start(pid uintptr) {
	l.str("trapline: pid ")
	l.dec(uint64(pid))
	l.str(": ")
}

// print sends the line to the launcher, which has the standard error it was started
// with; the target's own may be anything by now. Without a launcher it goes there all the
// same.
func (l *line) print() {
	l.text[l.n] = '\n'
	l.n++
	if m := claimMessage(); m != nil {
		m.Text = l.text
		m.Fault = 0
		m.send(l.n)
		return
	}
	sys(sysWrite, 2, addrOf(&l.text), uintptr(l.n), 0, 0, 0)
}

// claimMessage returns room for a message, nil if nobody would read it.
func claimMessage() *Message {
	if !launcherListens() || !launcherLives() {
		return nil
	}
	s := shared()
	nr := atomic.AddUint32(&s.MessageNr, 1) - 1
	m := &s.Messages[nr%uint32(len(s.Messages))]
	if atomic.LoadUint32(&m.Length) != 0 {
		return nil
	}
	return m
}

func (m *Message) send(length int) {
	s := shared()
	atomic.StoreUint32(&m.Length, uint32(length))
	atomic.AddUint32(&s.Wake, 1)
	sys(sysFutex, addrOf(&s.Wake), futexWake, 1, 0, 0, 0)
}

// abort ends the process because something cannot be served: what, and at which site.
func abort(what string, site uintptr) {
	var l line
	l.start(sys(sysGetpid, 0, 0, 0, 0, 0, 0))
	l.str(what)
	l.finish(site)
}

// abortErrno is abort with the kernel's result r as the reason.
func abortErrno(what string, r, site uintptr) {
	var l line
	l.start(sys(sysGetpid, 0, 0, 0, 0, 0, 0))
	l.str(what)
	l.str(": errno ")
	l.dec(uint64(-r))
	l.finish(site)
}

func (l *line) finish(site uintptr) {
	l.str(" at site ")
	l.hex(uint64(site))
	l.print()
	quit()
}

// quit ends the process.
func quit() {
	for {
		sys(sysExitGroup, AbortStatus, 0, 0, 0, 0, 0)
	}
}

// abortEarly ends a process that has no shared memory yet.
func abortEarly() {
	const text = "trapline: the runtime's address range is taken or its memory cannot be mapped\n"
	sys(sysWrite, 2, uintptr(unsafe.Pointer(unsafe.StringData(text))), uintptr(len(text)), 0, 0, 0)
	quit()
}

// warn says something about a process that goes on.
func warn(what string, pid uintptr) {
	var l line
	l.start(pid)
	l.str(what)
	l.print()
}

// faulted ends the process after a fault in freestanding code: a failure inside the Go
// runtime, which has nothing to stand on here, a bad pointer, or the end of the stack.
// The launcher has the symbols to say which.
func faulted(t *Thread, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	ip, addr := uintptr(uc.Mcontext.IP), info.Addr()
	var l line
	l.start(uintptr(t.pid))
	m := claimMessage()
	if m == nil {
		l.str("failure in freestanding code at ")
		l.hex(uint64(ip))
		l.finish(t.site)
	}
	m.Text, m.Fault, m.Site, m.Call, m.PC, m.Addr = l.text, uint32(info.Signo), t.site, t.callNr(uintptr(uc.Mcontext.SP)), ip, addr
	m.Guard = 0
	if addr-(t.slot()+slotGuard) < pageSize || addr-t.slot() < pageSize {
		m.Guard = 1
	}
	sp := uintptr(uc.Mcontext.SP)
	if s := shared(); ip-s.TextStart >= s.TextEnd-s.TextStart && t.onStack(sp) && t.onStack(sp+8) {
		// A jump to nowhere: who called is on top of the stack.
		m.PC, m.Addr, m.Lost = *(*uintptr)(at(sp)), ip, 1
	} else {
		m.Lost = 0
	}
	t.callers(uintptr(uc.Mcontext.BP), &m.Stack)
	m.send(l.n)
	quit()
}

// callers collects the return addresses from the frame pointer fp on.
func (t *Thread) callers(fp uintptr, out *[32]uintptr) {
	*out = [32]uintptr{}
	for n := 0; n < len(out) && t.onStack(fp) && t.onStack(fp+16); n++ {
		out[n] = *(*uintptr)(at(fp + 8))
		fp = *(*uintptr)(at(fp))
	}
}

// onStack reports whether sp lies in one of the stacks that hooks run on.
func (t *Thread) onStack(sp uintptr) bool {
	return t.onToolStack(sp) || t.onSignalStack(sp)
}

// callNr returns the number of the call that code at sp is about, -1 if it is about none: a thread's first act
// comes before its calls, and signals have a stack of their own.
func (t *Thread) callNr(sp uintptr) int32 {
	if t.onSignalStack(sp) {
		return -1
	}
	return int32(t.call.nr)
}
