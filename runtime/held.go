// Runs in the target, on the tool stack or the signal stack; any signal may arrive.

package runtime

import (
	"sync/atomic"

	"github.com/trapline/trapline/ucontext"
)

// The runtime's own signals are never blocked in the kernel. One that comes while the target blocks it is held: by the
// thread that it was sent to or, if it was sent to the process, by what the threads of a process share. It stays there until
// its thread, or any thread of the process, unblocks it or waits for it.
//
// Who holds one for the process first stores it and then looks at the masks of the others; who changes his mask first stores
// that and then looks at what is held. So one of the two sees the other.

// heldSignal is a place for one held signal. Any thread may put one there and take it out, and be interrupted by
// another one of the runtime's own signals while it does: whoever finds it in between leaves it alone.
type heldSignal struct {
	state uint32
	info  ucontext.Siginfo
}

// States of a heldSignal.
const (
	heldNone     = 0
	heldChanging = 1
	heldFull     = 2
)

// heldSignals are the places for one of each of the runtime's own signals, in the order in which the kernel would deliver
// them.
type heldSignals [len(ownOrder)]heldSignal

var ownOrder = [...]int{sigBus, sigSegv, sigSys}

// heldCount counts the held signals of the whole address space.
var heldCount int32

// put keeps a signal, unless there is one: standard signals do not queue.
func (h *heldSignal) put(info *ucontext.Siginfo) {
	if !atomic.CompareAndSwapUint32(&h.state, heldNone, heldChanging) {
		return
	}
	h.info = *info
	atomic.AddInt32(&heldCount, 1)
	atomic.StoreUint32(&h.state, heldFull)
}

// take takes a signal out and reports whether there was one.
func (h *heldSignal) take(info *ucontext.Siginfo) bool {
	if !atomic.CompareAndSwapUint32(&h.state, heldFull, heldChanging) {
		return false
	}
	*info = h.info
	atomic.AddInt32(&heldCount, -1)
	atomic.StoreUint32(&h.state, heldNone)
	return true
}

// set is the signals that are held.
func (h *heldSignals) set() uint64 {
	set := uint64(0)
	for i := range h {
		if atomic.LoadUint32(&h[i].state) == heldFull {
			set |= sigBit(ownOrder[i])
		}
	}
	return set
}

// discard drops a signal.
func (h *heldSignals) discard(sig int) {
	var info ucontext.Siginfo
	h[heldIndex(sig)].take(&info)
}

func heldIndex(sig int) int {
	switch sig {
	case sigBus:
		return 0
	case sigSegv:
		return 1
	}
	return 2
}

// pending is the held signals that are the thread's to take.
func (t *Thread) pending() uint64 {
	if atomic.LoadInt32(&heldCount) == 0 {
		return 0
	}
	return t.held.set() | t.sighand.held.set()
}

// hold keeps a signal that the target blocks.
func (t *Thread) hold(sig int, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	left := sigBit(sig)
	if info.Code == siTkill {
		t.held[heldIndex(sig)].put(info)
	} else {
		t.sighand.held[heldIndex(sig)].put(info)
		left = t.tell()
	}
	t.lendWaited(uc)
	t.refuseShown(left & t.pending())
}

// takeHeld takes out a held signal of set, the thread's own before the process's, and returns 0 if there is none.
func (t *Thread) takeHeld(set uint64, info *ucontext.Siginfo) int {
	for _, h := range [...]*heldSignals{&t.held, &t.sighand.held} {
		for i, sig := range ownOrder {
			if set&sigBit(sig) != 0 && h[i].take(info) {
				return sig
			}
		}
	}
	return 0
}

// raiseHeld sends the thread one of each held signal of set.
func (t *Thread) raiseHeld(set uint64) {
	var info ucontext.Siginfo
	for sig := t.takeHeld(set, &info); sig != 0; sig = t.takeHeld(set, &info) {
		sys(sysRtTgsigqueue, uintptr(t.pid), uintptr(t.tid), uintptr(sig), addrOf(&info), 0, 0)
		set &^= sigBit(sig)
	}
}

// raisePending sends the thread the held signals that its mask lets through now.
func (t *Thread) raisePending() {
	for ready := t.pending() &^ t.blocked(); ready != 0; ready = t.pending() &^ t.blocked() {
		t.raiseHeld(ready)
	}
}

// lend gives the kernel the held signals of set, blocked, for a call in which the kernel is to find them pending. What it
// has not taken comes back with giveBack, and is held again. Of a signal of the thread and the same one of the process
// the second has to wait: the kernel would keep one.
func (t *Thread) lend(set uint64) uint64 {
	set &= t.pending()
	if set != 0 {
		changeKernelMask(sigBlock, set)
		t.raiseHeld(set)
	}
	return set
}

// lendWaited lends what a thread in rt_sigtimedwait waits for, which may be just about to make the call.
func (t *Thread) lendWaited(uc *ucontext.Ucontext) {
	lent := t.lend(t.waiting)
	t.lent |= lent
	uc.Sigmask |= lent
}

func giveBack(lent uint64) {
	if lent != 0 {
		changeKernelMask(sigUnblock, lent)
	}
}

// sigToken carries all tokens, by which one thread tells another that the process holds a signal for it. It is not SIGSYS:
// as long as one of these is queued for a thread, the kernel drops the one that the trap source sends, and a system
// call would be lost (legacy_queue, kernel/signal.c).
const sigToken = sigBus

// tell sends a token to a thread that takes one of the signals that the process holds, if there is one, and returns those that
// none takes.
func (t *Thread) tell() uint64 {
	held := t.sighand.held.set()
	for o := t.other(allThreads); o != nil && held != 0; o = t.other(o.next) {
		if held&o.takes() == 0 {
			continue
		}
		atomic.StoreUint32(&o.told, 1)
		token := ucontext.Siginfo{Signo: sigToken, Code: siToken}
		token.SetSender(t.pid, 0)
		if !failed(sys(sysRtTgsigqueue, uintptr(o.pid), uintptr(o.tid), sigToken, addrOf(&token), 0, 0)) {
			held &^= o.takes()
		}
	}
	return held
}

// isToken reports whether a signal is a token. At RLIMIT_SIGPENDING the kernel forgets what came with it.
func (t *Thread) isToken(sig int, info *ucontext.Siginfo) bool {
	const siUser = 0
	if sig != sigToken || info.Code != siToken && (info.Code != siUser || info.PID() != 0) {
		return false
	}
	return atomic.SwapUint32(&t.told, 0) != 0 || info.Code == siToken
}

// takes is the signals that the thread does not block or waits for.
func (t *Thread) takes() uint64 { return atomic.LoadUint64(&t.waiting) | ^t.blocked() }

// takeTokens takes the signals that the process holds and the thread does not block or waits for, and tells another thread
// of the others.
//
// A token that comes meanwhile has it done once more, and not on top: two threads that block and unblock a signal all
// the time could else fill their signal stacks.
func (t *Thread) takeTokens(uc *ucontext.Ucontext) {
	tokens := atomic.AddUint32(&t.tokens, 1)
	for !t.telling {
		t.telling = true
		t.raisePending()
		t.lendWaited(uc)
		t.tell()
		t.telling = false
		if last := atomic.LoadUint32(&t.tokens); last != tokens {
			tokens = last
			continue
		}
		return
	}
}
