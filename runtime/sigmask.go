// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

// Calls that carry a signal mask. The kernel gets it without ownSignals; the target
// finds it again as it set it.

// How rt_sigprocmask changes a mask.
const (
	sigBlock   = 0
	sigUnblock = 1
	sigSetmask = 2
)

// rtSigprocmask serves rt_sigprocmask.
func rtSigprocmask(t *Thread, c *Call) int64 {
	how, setp, oldp := int32(c.args[0]), c.args[1], c.args[2]
	if c.args[3] != sigsetSize {
		return -int64(eINVAL)
	}
	old, mask := t.mask, t.mask
	if setp != 0 {
		var set uint64
		if safeCopy(addrOf(&set), setp, sigsetSize) != sigsetSize {
			return -int64(eFAULT)
		}
		set &^= unblockable
		switch how {
		case sigBlock:
			mask |= set
		case sigUnblock:
			mask &^= set
		case sigSetmask:
			mask = set
		default:
			return -int64(eINVAL)
		}
		k := kernelMask(set) // a filter of the target's may look at how
		if r := int64(doCall(sysRtSigprocmask, uintptr(how), addrOf(&k), 0, sigsetSize, 0, 0)); r != 0 {
			return r
		}
		atomic.StoreUint64(&t.mask, mask)
		t.raisePending()
	}
	if oldp != 0 && safeCopy(oldp, addrOf(&old), sigsetSize) != sigsetSize {
		return -int64(eFAULT)
	}
	return 0
}

// setKernelMask makes the kernel block what mask says for the target.
func setKernelMask(mask uint64) { changeKernelMask(sigSetmask, kernelMask(mask)) }

func changeKernelMask(how uintptr, set uint64) {
	sys(sysRtSigprocmask, how, addrOf(&set), 0, sigsetSize, 0, 0)
}

// blockAll keeps every signal but ownSignals away.
func blockAll() { setKernelMask(allSignals) }

// rtSigpending serves rt_sigpending: the kernel's answer and the held signals.
func rtSigpending(t *Thread, c *Call) int64 {
	r := int64(doCall(sysRtSigpending, c.args[0], c.args[1], 0, 0, 0, 0))
	pending := t.pending()
	if r != 0 || pending == 0 || c.args[1] > ^uintptr(8) {
		return r
	}
	var set uint64
	n := c.args[1]
	if n > sigsetSize {
		n = sigsetSize
	}
	safeCopy(addrOf(&set), c.args[0], n)
	set |= pending
	safeCopy(c.args[0], addrOf(&set), n)
	return r
}

// rtSigtimedwait serves rt_sigtimedwait, for which held signals are pending too.
func rtSigtimedwait(t *Thread, c *Call) int64 {
	var set uint64
	a := c.args
	if a[3] != sigsetSize || safeCopy(addrOf(&set), a[0], sigsetSize) != sigsetSize || set&ownSignals == 0 {
		return int64(doCall(sysRtSigtimedwait, a[0], a[1], a[2], a[3], 0, 0))
	}
	var info ucontext.Siginfo
	for {
		atomic.StoreUint64(&t.waiting, set)
		lent := t.lend(set)
		r := int64(doCall(sysRtSigtimedwait, a[0], addrOf(&info), a[2], a[3], 0, 0))
		atomic.StoreUint64(&t.waiting, 0)
		giveBack(lent | t.lent)
		t.lent = 0
		switch {
		case r > 0 && t.isToken(int(r), &info), r == -int64(eINTR) && t.parked == 0:
			continue // a token; what it told of is lent to the kernel now, or somebody else has it
		case r > 0 && a[1] != 0 && safeCopy(a[1], addrOf(&info), unsafe.Sizeof(info)) != unsafe.Sizeof(info):
			return -int64(eFAULT)
		}
		return r
	}
}

// withMask makes a call that sets a mask for its own duration. maskArg is the argument
// that points at the mask; size its length as the target gave it.
func withMask(t *Thread, c *Call, maskArg int, size uintptr) int64 {
	a := c.args
	var mask uint64
	if a[maskArg] != 0 && size == sigsetSize {
		if safeCopy(addrOf(&mask), a[maskArg], sigsetSize) != sigsetSize {
			return -int64(eFAULT)
		}
		a[maskArg] = t.useTempMask(mask)
	}
	return t.maskedCall(uintptr(c.nr), &a)
}

// useTempMask notes the mask for a signal that comes during the call and returns the
// address of what the kernel is to use.
func (t *Thread) useTempMask(mask uint64) uintptr {
	atomic.StoreUint64(&t.tempMask, mask&^unblockable)
	atomic.StoreUint32(&t.hasTempMask, 1)
	t.kernelTemp = kernelMask(mask)
	return addrOf(&t.kernelTemp)
}

// withSixthMask makes a call whose sixth argument points at the address and size of a
// mask: pselect6, and io_pgetevents (struct __aio_sigset, include/uapi/linux/aio_abi.h).
func withSixthMask(t *Thread, c *Call) int64 {
	a := c.args
	var arg [2]uintptr
	if a[5] != 0 && safeCopy(addrOf(&arg), a[5], unsafe.Sizeof(arg)) != unsafe.Sizeof(arg) {
		return -int64(eFAULT)
	}
	if arg[0] != 0 && arg[1] == sigsetSize {
		var mask uint64
		if safeCopy(addrOf(&mask), arg[0], sigsetSize) != sigsetSize {
			return -int64(eFAULT)
		}
		t.sixth = [2]uintptr{t.useTempMask(mask), sigsetSize}
		a[5] = addrOf(&t.sixth)
	}
	return t.maskedCall(uintptr(c.nr), &a)
}

// maskedCall makes the call; a temporary mask is forgotten unless a signal waits for it.
func (t *Thread) maskedCall(nr uintptr, a *[6]uintptr) int64 {
	lent := uint64(0)
	if t.hasTempMask != 0 {
		lent = t.lend(^t.tempMask)
	}
	r := doCall(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	switch {
	case t.parked == 0:
		atomic.StoreUint32(&t.hasTempMask, 0)
	case int64(r) == -ENOTRUN && t.parkedSet()&t.mask != 0:
		r = ^eINTR + 1 // it came just before the call, but only the call's mask lets it through
	}
	giveBack(lent)
	t.raisePending()
	return int64(r)
}

// ioUringEnter serves io_uring_enter: the fifth argument is a mask, or with
// IORING_ENTER_EXT_ARG (5.11) a struct that starts with the mask's address and size.
func ioUringEnter(t *Thread, c *Call) int64 {
	const extArg = 1 << 3
	a := c.args
	if a[3]&extArg == 0 {
		return withMask(t, c, 4, a[5])
	}
	var arg [3]uint64 // sigmask, sigmask_sz | pad, ts
	if a[4] == 0 || a[5] != unsafe.Sizeof(arg) || a[3]&(1<<6) != 0 {
		return withMask(t, c, 4, 0)
	}
	if safeCopy(addrOf(&arg), a[4], unsafe.Sizeof(arg)) != unsafe.Sizeof(arg) {
		return -int64(eFAULT)
	}
	if arg[0] != 0 && uint32(arg[1]) == sigsetSize {
		var mask uint64
		if safeCopy(addrOf(&mask), uintptr(arg[0]), sigsetSize) != sigsetSize {
			return -int64(eFAULT)
		}
		arg[0] = uint64(t.useTempMask(mask))
		a[4] = addrOf(&arg)
	}
	return t.maskedCall(sysIoUringEnter, &a)
}
