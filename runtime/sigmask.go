// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import "unsafe"

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
		k := kernelMask(mask)
		if r := int64(doCall(sysRtSigprocmask, sigSetmask, addrOf(&k), 0, sigsetSize, 0, 0)); r != 0 {
			return r
		}
		t.mask = mask
		t.adopt(^mask)
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
	if r != 0 || t.pending == 0 || c.args[1] > ^uintptr(8) {
		return r
	}
	var set uint64
	n := c.args[1]
	if n > sigsetSize {
		n = sigsetSize
	}
	safeCopy(addrOf(&set), c.args[0], n)
	set |= t.pending
	safeCopy(c.args[0], addrOf(&set), n)
	return r
}

// rtSigtimedwait serves rt_sigtimedwait, for which held signals are pending too.
func rtSigtimedwait(t *Thread, c *Call) int64 {
	var set uint64
	if c.args[3] == sigsetSize && safeCopy(addrOf(&set), c.args[0], sigsetSize) == sigsetSize {
		t.waiting = set
		t.adopt(set)
		if sig := t.takeHeld(set, c.args[1]); sig != 0 {
			t.waiting = 0
			return sig
		}
	}
	r := int64(doCall(sysRtSigtimedwait, c.args[0], c.args[1], c.args[2], c.args[3], 0, 0))
	t.waiting = 0
	if r == -int64(eINTR) || r > 0 && r <= numSignals && sigBit(int(r))&ownSignals&t.pending != 0 {
		if sig := t.takeHeld(set, c.args[1]); sig != 0 {
			return sig
		}
	}
	return r
}

// takeHeld takes a held signal of set out and gives its siginfo to the target.
func (t *Thread) takeHeld(set uint64, infop uintptr) int64 {
	for _, sig := range [...]int{sigBus, sigSegv, sigSys} {
		if t.pending&set&sigBit(sig) == 0 {
			continue
		}
		t.unkeep(sig)
		if infop != 0 {
			safeCopy(infop, addrOf(&t.held[heldIndex(sig)]), unsafe.Sizeof(t.held[0]))
		}
		return int64(sig)
	}
	return 0
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
	t.tempMask, t.hasTempMask = mask&^unblockable, true
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
	if t.hasTempMask && t.pending&^t.tempMask != 0 {
		t.raisePending() // as if it had come during the call
		return -int64(eINTR)
	}
	r := doCall(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	if t.parked == 0 {
		t.hasTempMask = false
		t.raisePending()
	}
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
