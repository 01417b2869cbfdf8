// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import "github.com/trapline/trapline/ucontext"

// Siginfo is the kernel's description of a signal.
type Siginfo = ucontext.Siginfo

// toolOf returns the tool, nil if there is none.
func toolOf() *Tool {
	if addr := shared().Tool; addr != 0 {
		return (*Tool)(at(addr))
	}
	return nil
}

// dispatch serves one system call: the hook, what the runtime itself has to do for the
// number, and where the thread goes on. stubEntry calls it with the target's registers in
// t.regs. It reports true for a call that makeCall is to make.
func dispatch(t *Thread) bool {
	site := stubSite(t.stub)
	r := &t.regs
	t.site, t.targetIP, t.tail, t.shown = site, site+callLength, false, false
	if t.stepping {
		r.Flags |= flagTF
	}
	r.CX, r.R11 = uint64(site)+callLength, r.Flags
	if t.parked != 0 {
		t.stepping = false
		t.again()
		return false
	}
	c := &t.call
	c.nr = int(int32(r.AX))
	c.args = [6]uintptr{uintptr(r.DI), uintptr(r.SI), uintptr(r.DX), uintptr(r.R10), uintptr(r.R8), uintptr(r.R9)}
	c.done, c.edited = false, false
	if traceOrders&orderShow != 0 {
		t.showEntry(c)
	}
	if uint32(c.nr) >= x32Bit {
		c.Return(-int64(eNOSYS)) // where the filter traps, it answers these itself
	}
	s := shared()
	if c.done || !hooked(s, c.nr) {
		t.finish(c)
		return false
	}
	tool := (*Tool)(at(s.Tool))
	tool.Hook(c)
	if tool.Exit == nil || c.done {
		t.finish(c)
		return false
	}
	if owned(c.nr) {
		c.Do()
		tool.Exit(c)
		t.finish(c)
		return false
	}
	return true
}

func hooked(s *Shared, nr int) bool {
	if uint(nr) < uint(len(s.Calls)) {
		return s.Calls[nr]&CallHooked != 0
	}
	return s.HookOut != 0
}

// callMade goes on with the result of makeCall.
func callMade(t *Thread, result int64) {
	c := &t.call
	c.Return(result)
	toolOf().Exit(c)
	t.finish(c)
}

// finish makes the call if the hook has not, or leaves it to the stub, and sets where
// the thread goes on.
func (t *Thread) finish(c *Call) {
	if !c.done && !c.edited && !owned(c.nr) && !t.stepping && !t.shown {
		t.tail = true
		t.regs.CX = 0 // tells a call not started from one to be restarted, in leaveStub
		t.exitIP = t.stub + stubSyscall
		return
	}
	result := c.Do()
	t.stepping = false
	if t.shown {
		result = t.showExit(result)
	}
	switch result {
	case -ENOTRUN, -ERESTARTSYS:
		t.again()
	default:
		t.regs.AX = uint64(result)
		t.exitIP = t.targetIP
	}
}

// again sends the thread back to the site, where the call is made once more after the
// parked signal's handler.
func (t *Thread) again() {
	t.targetIP = t.site
	t.exitIP = t.site
}

// owned reports whether the runtime has a part of its own in a call, which it then makes
// itself.
func owned(nr int) bool { return uint(nr) < NumCalls && ownedCalls[nr] }

// Subscribed reports whether the runtime must see a call whatever the tool hooks.
func Subscribed(nr int) bool { return owned(nr) }

var ownedCalls = [NumCalls]bool{
	sysRtSigaction: true, sysRtSigprocmask: true, sysRtSigreturn: true, sysRtSigpending: true,
	sysRtSigtimedwait: true, sysRtSigsuspend: true, sysSigaltstack: true, sysSignalfd: true, sysSignalfd4: true,
	sysPpoll: true, sysPselect6: true, sysEpollPwait: true, sysEpollPwait2: true,
	sysIoPgetevents: true, sysIoUringEnter: true,
	sysFork: true, sysVfork: true, sysClone: true, sysClone3: true,
	sysExecve: true, sysExecveat: true, sysExit: true, sysExitGroup: true,
	sysClose: true, sysDup: true, sysFcntl: true, sysFstat: true, sysNewfstatat: true, sysDup2: true, sysDup3: true, sysCloseRange: true,
	sysGetdents: true, sysGetdents64: true,
	sysMmap: true, sysMunmap: true, sysMremap: true, sysMprotect: true, sysPkeyMprotect: true,
	sysMadvise: true, sysShmat: true, sysRemapFilePages: true,
	sysPrctl: true, sysArchPrctl: true, sysSeccomp: true, sysPtrace: true, sysWait4: true, sysWaitid: true, sysUnshare: true,
	sysSetns:    true,
	sysReadlink: true, sysReadlinkat: true,
}

// performOwned is perform for code that keeps to FewVectors.
//
//go:noinline
func performOwned(c *Call) int64 {
	saveVectors()
	return perform(c.thread, c)
}

// perform makes a call that the runtime has a part of its own in.
func perform(t *Thread, c *Call) int64 {
	a := &c.args
	if t.filters&filtersOwn != 0 {
		if r, decided := t.judge(c); decided {
			return r
		}
	}
	switch c.nr {
	case sysRtSigaction:
		return rtSigaction(t, c)
	case sysRtSigprocmask:
		return rtSigprocmask(t, c)
	case sysRtSigreturn:
		return sigreturn(t)
	case sysRtSigpending:
		return rtSigpending(t, c)
	case sysRtSigtimedwait:
		return rtSigtimedwait(t, c)
	case sysRtSigsuspend:
		return withMask(t, c, 0, a[1])
	case sysSigaltstack:
		return sigaltstack(t, c)
	case sysSignalfd, sysSignalfd4:
		return signalfd(t, c)
	case sysPpoll:
		return withMask(t, c, 3, a[4])
	case sysEpollPwait, sysEpollPwait2:
		return withMask(t, c, 4, a[5])
	case sysPselect6, sysIoPgetevents:
		return withSixthMask(t, c)
	case sysIoUringEnter:
		return ioUringEnter(t, c)
	case sysFork, sysVfork, sysClone, sysClone3:
		return clone(t, c)
	case sysExecve, sysExecveat:
		return exec(t, c)
	case sysExit:
		return exit(t, c)
	case sysExitGroup:
		return exitGroup(t, c)
	case sysClose, sysDup, sysDup2, sysDup3, sysCloseRange, sysFcntl, sysFstat, sysNewfstatat:
		return descriptors(t, c)
	case sysUnshare:
		return unshare(t, c)
	case sysGetdents, sysGetdents64:
		return getdents(t, c)
	case sysMmap, sysMunmap, sysMremap, sysMprotect, sysPkeyMprotect, sysMadvise, sysShmat, sysRemapFilePages:
		return mapping(t, c)
	case sysPrctl:
		return prctl(t, c)
	case sysArchPrctl:
		return archPrctl(t, c)
	case sysSeccomp:
		return seccomp(t, c)
	case sysPtrace:
		return ptrace(t, c)
	case sysWait4:
		return wait4(t, c)
	case sysWaitid:
		return waitid(t, c)
	case sysReadlink, sysReadlinkat:
		return readlink(t, c)
	case sysSetns:
		return setns(t, c)
	}
	return int64(doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5]))
}
