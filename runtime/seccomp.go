// Runs in the target, on the tool stack or the signal stack.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

// Seccomp as the target uses it. Its filters stack on the trap filter, and the kernel asks all of them for every
// call (seccomp_run_filters, kernel/seccomp.c, 6.18). Three kinds of calls come from the image's text:
//
//   - What doCall, makeCall and doClone make is the target's call. Its filters see and judge it, as they do
//     what stubs make.
//   - All else is the runtime's own, and no filter of the target's may touch it: each is extended before the
//     kernel gets it (ownprogram.go).
//   - What the runtime answers without making it is judged first (judge): the same call with the same arguments,
//     from an instruction whose calls the probe filter fails with an error. KILL, TRAP and ERRNO of the target's outrank
//     it or are younger, so they are what happens; the error means that the target's filters have nothing against it.
//
// All this costs a thread something only when it has a filter of the target's, its own or an inherited one: Thread.filters.

// include/uapi/linux/seccomp.h and prctl.h.
const (
	setModeStrict = 0 // SECCOMP_SET_MODE_STRICT
	setModeFilter = 1 // SECCOMP_SET_MODE_FILTER
	seccompStrict = 1 // SECCOMP_MODE_STRICT
	seccompFilter = 2 // SECCOMP_MODE_FILTER
	prGetSeccomp  = 21
	prSetSeccomp  = 22

	flagTsync      = 1 << 0 // SECCOMP_FILTER_FLAG_TSYNC
	flagTsyncEsrch = 1 << 4 // SECCOMP_FILTER_FLAG_TSYNC_ESRCH
)

// What Thread.filters says.
const (
	filtersProbed = 1 << 0 // the probe filter is there
	filtersOwn    = 1 << 1 // the target has a filter
	filtersNotify = 1 << 2 // one that may notify a supervisor
	filtersStrict = 1 << 3 // strict mode
	filtersAll    = 1<<4 - 1
)

// seccomp serves seccomp.
func seccomp(t *Thread, c *Call) int64 {
	a := &c.args
	switch op := uint32(a[0]); {
	case op == setModeStrict && uint32(a[1]) == 0 && a[2] == 0:
		return t.enterStrict()
	case op == setModeFilter:
		return t.addFilter(c, a[1])
	}
	return int64(doCall(sysSeccomp, a[0], a[1], a[2], a[3], a[4], a[5]))
}

// seccompMode is what PR_GET_SECCOMP says natively.
func (t *Thread) seccompMode() int64 {
	if t.filters&filtersOwn != 0 || shared().Filtered != 0 {
		return seccompFilter
	}
	return 0
}

// addFilter makes a seccomp or prctl that adds a filter. Both have the program as their third argument.
func (t *Thread) addFilter(c *Call, flags uintptr) int64 {
	p := mapProgram()
	if p == nil {
		return -int64(eNOMEM)
	}
	r, added := t.installFrom(p, c)
	p.unmap()
	// With TSYNC alone a positive result is a thread that could not be synchronised.
	if failed(uintptr(r)) || r > 0 && flags&(flagTsync|flagTsyncEsrch) == flagTsync {
		return r
	}
	t.filters |= added
	if flags&flagTsync != 0 {
		for o := allThreads; o != nil; o = o.next {
			if o.state == slotUsed && o.pid == t.pid {
				o.filters |= t.filters
				o.noNewPrivs = o.noNewPrivs || t.noNewPrivs
			}
		}
	}
	return r
}

// installFrom has the kernel take the extended program and returns what the thread has more then. What the kernel
// is going to refuse it gets as it is.
func (t *Thread) installFrom(p *program, c *Call) (r int64, added uint32) {
	a := c.args
	var f filterArg
	readable := safeCopy(addrOf(&f), a[2], unsafe.Sizeof(f)) == unsafe.Sizeof(f)
	if !readable || f.length == 0 || f.length > maxInsns {
		return int64(doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5])), 0
	}
	// no_new_privs may be the runtime's, for the trap filter.
	if own := ownCapabilities(); !t.noNewPrivs && own.effective&capSysAdmin == 0 {
		return -int64(eACCES), 0
	}
	if t.addProbe(p) {
		n := uintptr(f.length) * unsafe.Sizeof(FilterInstruction{})
		if safeCopy(addrOf(&p.code), f.filter, n) == n {
			p.n = int(f.length)
			added = filtersOwn | p.extend(t.site)
			f = p.arg()
			a[2] = addrOf(&f)
		}
	}
	return int64(doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5])), added
}

// addProbe installs the probe filter if the thread has none. It reports false if the kernel does not take it.
func (t *Thread) addProbe(p *program) bool {
	if t.filters&filtersProbed != 0 {
		return true
	}
	p.probe()
	f := p.arg()
	if failed(sys(sysSeccomp, setModeFilter, 0, addrOf(&f), 0, 0, 0)) {
		return false
	}
	t.filters |= filtersProbed
	return true
}

// judge asks the target's filters about a call that the runtime has a part in. It reports true if they have decided, with
// the result of the call.
func (t *Thread) judge(c *Call) (int64, bool) {
	a := &c.args
	nr := uintptr(c.nr)
	if r := judgeCall(nr, a[0], a[1], a[2], a[3], a[4], a[5]); int64(r) != -judgedFine {
		return int64(r), true
	}
	if t.filters&filtersNotify == 0 || !answered(c) {
		return 0, false
	}
	if int64(judgeNotice(nr, a[0], a[1], a[2], a[3], a[4], a[5])) == -judgedNotify {
		abort("a filter of the program asks a supervisor about a call that the runtime answers itself", t.site)
	}
	return 0, false
}

// Errors that the probe filter, and what extends the target's, give to calls that are judged.
const (
	judgedFine   = 4095 // MAX_ERRNO, the highest that a filter can give
	judgedNotify = 4094
)

// answered reports whether a call is not made, or made from the runtime's own instructions with other arguments, so that
// no supervisor would hear of it.
func answered(c *Call) bool {
	switch c.nr {
	case sysRtSigaction, sysRtSigprocmask, sysRtSigreturn, sysSigaltstack, sysCloseRange, sysExit:
		return true
	case sysClose, sysDup, sysFcntl, sysFstat, sysNewfstatat:
		return c.thread.files.has(c.args[0])
	}
	return false
}

// enterStrict does what SECCOMP_SET_MODE_STRICT does, by a filter. Where there is one already the kernel
// refuses (seccomp_may_assign_mode, kernel/seccomp.c, 6.18).
func (t *Thread) enterStrict() int64 {
	if t.seccompMode() != 0 {
		return -int64(eINVAL)
	}
	p := mapProgram()
	if p == nil {
		return -int64(eNOMEM)
	}
	t.addStrict(p)
	p.unmap()
	return 0
}

func (t *Thread) addStrict(p *program) {
	// Unlike a filter strict mode is open to everybody. No program that could gain privileges is executed in it.
	sys(sysPrctl, prSetNoNewPrivs, 1, 0, 0, 0, 0)
	ok := t.addProbe(p)
	p.strict()
	p.extend(t.site)
	f := p.arg()
	r := sys(sysSeccomp, setModeFilter, 0, addrOf(&f), 0, 0, 0)
	if !ok || failed(r) {
		abortErrno("strict seccomp mode: the kernel does not take the filter", r, t.site)
	}
	t.filters |= filtersOwn | filtersStrict
}

// dieStrict ends the thread as do_exit(SIGKILL) does: the others live on, but a process with one thread is killed.
func (t *Thread) dieStrict() {
	if singleThreaded() {
		sys(sysKill, uintptr(t.pid), sigKill, 0, 0, 0, 0)
	}
	t.endBlock()
	t.leave(sysExit, 128+sigKill)
}

// onForeignTrap serves the SIGSYS of a filter that the target itself installed: the runtime's own
// filter lets its range through. The target's handler finds everything as if the call had been made at
// the site.
func onForeignTrap(t *Thread, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	w := &shared().Windows
	ip := uintptr(uc.Mcontext.IP)
	atomic.StoreUint32(&t.hasTempMask, 0) // the call that would have set it is not made
	switch {
	case t.filters&filtersStrict != 0:
		t.dieStrict()
	case t.mask&sigBit(sigSys) != 0:
		killBy(t, sigSys, uc) // as the kernel does with a forced signal that is blocked
	case inStubs(ip):
		leaveStub(t, uc)
		info.SetCallAddr(uintptr(uc.Mcontext.IP))
		deliver(t, sigSys, info, uc)
	case w[WindowDoCall].has(ip), w[WindowMakeCall].has(ip), w[WindowJudgeCall].has(ip):
		info.SetCallAddr(t.site + callLength)
		t.parkSignal(sigSys, info, uc)
	default:
		abort("a filter of the program traps a call of the runtime", t.site)
	}
}
