// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"sync/atomic"
	"syscall"
)

// exec follows a target into a new program. Handlers and mappings do not survive an
// exec, the filter does; so before the new program's first instruction the image
// must be there again. The thread clones a helper, a process of its own that shares its
// memory. The helper:
//
//  1. seizes the thread and says so; the thread then makes the real call;
//  2. at PTRACE_EVENT_EXEC writes a few instructions over the program's first ones, which map the image and trap; they
//     load the number themselves, since RAX still gets the result of the exec;
//  3. puts the bytes back, points the thread at bootstrap and detaches.
//
// If the exec fails the thread kills the helper and waits for it; nothing has
// changed. If it succeeds the helper is still a child of the process, with no
// exit signal, so that only __WALL would show it; bootstrap waits for it.
//
// The helper runs on a stack in the thread's slot, in the memory of the old
// program, which it keeps alive. If that memory is a vfork parent's, parent and helper
// share the slot, and the later one frees it.
//
// Where there can be no helper, and the tracer is no target, the thread maps the new program itself (load.go).

// execJob is one exec, as thread and helper see it.
type execJob struct {
	state  uint32 // futex: execStarting, execSeized, or execFailed
	allow  uint32 // futex: 1 when the helper may seize; only with Yama
	helper int32  // its process ID, noHelper or helperComes
	taken  uint32 // execOffered, execTaken, execLeft; only with a tracer
	block  uint32 // the thread's block, counted from 1; 0: none
	mask   uint64
	flags  uint64 // handoff flags
	// processors is the thread's affinity, 0 if it is not pinned
	processors uint64
	raise      bool // the helper makes CAP_SYS_PTRACE effective
}

const (
	execStarting = 0
	execSeized   = 1
	execFailed   = 2
)

// Flags that one program hands to the next.
const (
	HandoffFollowed   = 1 << 0 // it was executed by a target: what is inherited is as it is to be
	HandoffSysBlocked = 1 << 1 // the target has SIGSYS blocked
	HandoffSysIgnored = 1 << 2 // the target ignores SIGSYS
	HandoffSegvBlock  = 1 << 3
	HandoffBusBlock   = 1 << 4
	HandoffSysPending = 1 << 5 // SIGSYS is blocked and was sent
	HandoffSegvPend   = 1 << 6
	HandoffBusPend    = 1 << 7
	HandoffHalt       = 1 << 8  // boot ends at deliverTrap, for a tracer, with everything blocked
	HandoffTraceMe    = 1 << 9  // boot ends with PTRACE_TRACEME and the SIGTRAP of an exec
	HandoffNewPIDs    = 1 << 10 // its children are born in another PID namespace
	HandoffNoNewPrivs = 1 << 11 // no_new_privs in the target's view
	handoffFilters    = 12      // Thread.filters, 4 bits
	handoffOrders     = 16      // traceOrders, 16 bits
	handoffMemory     = 32      // the Handover with the thread's memory, counted from 1; 0: none
)

// Values of include/uapi/linux/ptrace.h.
const (
	ptraceTraceMe     = 0
	ptracePeek        = 1
	ptracePeekData    = 2
	ptracePeekUser    = 3
	ptracePoke        = 4
	ptracePokeData    = 5
	ptracePokeUser    = 6
	ptraceCont        = 7
	ptraceKill        = 8
	ptraceSingleStep  = 9
	ptraceGetregs     = 12
	ptraceSetregs     = 13
	ptraceAttach      = 16
	ptraceDetach      = 17
	ptraceSyscall     = 24
	ptraceSysemu      = 31
	ptraceSysemuStep  = 32
	ptraceSingleBlock = 33
	ptraceSetOptions  = 0x4200
	ptraceGetEventMsg = 0x4201
	ptraceGetSiginfo  = 0x4202
	ptraceSetSiginfo  = 0x4203
	ptraceGetRegset   = 0x4204
	ptraceSetRegset   = 0x4205
	ptraceSeize       = 0x4206
	ptraceInterrupt   = 0x4207
	ptraceListen      = 0x4208
	ptraceGetsigmask  = 0x420a
	ptraceSetsigmask  = 0x420b
	ptraceGetCallInfo = 0x420e
	ptraceOptExec     = 1 << 4
	ptraceOptSeccomp  = 1 << 7
	ptraceOptExitKill = 1 << 20
	ptraceEventExec   = 4
	ptraceEventFilter = 7 // PTRACE_EVENT_SECCOMP
	ptraceEventStop   = 128
	codeSegment64     = 0x33
)

// execve's file, as newfstatat and faccessat2 take it.
type execFile struct {
	dir, path, flags uintptr
}

// exec serves execve and execveat.
func exec(t *Thread, c *Call) int64 {
	f := execFile{atFDCWD, c.args[0], 0}
	if c.nr == sysExecveat {
		if a := &c.args; uint32(a[4])&^(atEmptyPath|atSymlinkNofollow) != 0 {
			// AT_EXECVE_CHECK (6.14), or an error: nothing is executed.
			return int64(doCall(sysExecveat, a[0], a[1], a[2], a[3], a[4], 0))
		}
		f = execFile{c.args[0], c.args[1], c.args[4] & (atEmptyPath | atSymlinkNofollow)}
	}
	if e := f.check(t, c); e != 0 && t.filters&filtersNotify == 0 {
		return e // a supervisor would want to hear of the call first
	}
	blockAll()
	if t.parked != 0 {
		return -ENOTRUN
	}
	t.files.protect()
	j := &t.exec
	j.mask, j.flags = t.mask, t.handoffFlags()|t.handOver()
	way := t.prepareExec()
	if way == byItself {
		r := t.loadProgram(c, &f)
		dropHandover(j.flags)
		setKernelMask(t.mask)
		return r
	}
	t.sighand.restoreIgnored(false)
	a := &c.args
	r := doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5])
	t.sighand.restoreIgnored(true)
	dropHandover(j.flags)
	if way == byHelper {
		t.dropHelper()
		unpin(0, j.processors)
	} else {
		t.withdrawExec()
	}
	setKernelMask(t.mask)
	return int64(r)
}

// Who brings the image into the new program.
type execWay int

const (
	byHelper execWay = iota // a helper
	byTracer                // the tracer, a target
	byItself                // nobody: loadProgram
)

// prepareExec finds somebody who brings the image into the new program: the tracer that the thread has, or a helper.
func (t *Thread) prepareExec() execWay {
	if traceOrders&orderTraced != 0 && t.offerExec() {
		return byTracer
	}
	if t.seizeSelf() {
		return byHelper
	}
	if t.offerExec() {
		return byTracer
	}
	return byItself
}

// check finds out what can be known before the call: a file that is not there, which a
// search along PATH asks for often, and files that cannot be followed.
func (f *execFile) check(t *Thread, c *Call) int64 {
	var st syscall.Stat_t
	if r := sys(sysNewfstatat, f.dir, f.path, addrOf(&st), f.flags, 0, 0); failed(r) {
		return int64(r)
	}
	if isExe(&st) {
		*f = execFile{atFDCWD, addrOf(&exeLink.path), 0}
		if c.nr == sysExecveat {
			c.args[0], c.args[1], c.args[4] = f.dir, f.path, f.flags
		} else {
			c.args[0] = f.path
		}
		return f.check(t, c)
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
	case syscall.S_IFLNK:
		return -int64(syscall.ELOOP)
	default:
		return -int64(eACCES)
	}
	own := ownCapabilities()
	t.exec.raise = own.permitted&^own.effective&capSysPtrace != 0
	if !t.noNewPrivs && f.withheld(&st, &own) {
		abort("exec of a program with rights of its own (set-user-ID, set-group-ID, capabilities): it would run without them",
			t.site)
	}
	const read, execute = 4, 1
	if !f.may(read|execute) && f.may(execute) {
		abort("exec of a program that may not be read", t.site)
	}
	return 0
}

// may reports whether the file allows all of mode, R_OK and X_OK.
func (f *execFile) may(mode uintptr) bool {
	return sys(sysFaccessat2, f.dir, f.path, mode, atEaccess|f.flags, 0, 0) == 0
}

// handoffFlags is what the new program's runtime must know of the target's view.
func (t *Thread) handoffFlags() uint64 {
	flags := HandoffFollowed | uint64(t.filters)<<handoffFilters
	if t.noNewPrivs {
		flags |= HandoffNoNewPrivs
	}
	if t.mask&sigBit(sigSys) != 0 {
		flags |= HandoffSysBlocked
	}
	if t.mask&sigBit(sigSegv) != 0 {
		flags |= HandoffSegvBlock
	}
	if t.mask&sigBit(sigBus) != 0 {
		flags |= HandoffBusBlock
	}
	if t.sighand.get(sigSys).handler == sigIgn {
		flags |= HandoffSysIgnored
	}
	pending := t.pending()
	if pending&sigBit(sigSys) != 0 {
		flags |= HandoffSysPending
	}
	if pending&sigBit(sigSegv) != 0 {
		flags |= HandoffSegvPend
	}
	if pending&sigBit(sigBus) != 0 {
		flags |= HandoffBusPend
	}
	if t.traceMe {
		flags |= HandoffTraceMe
	}
	if t.newPIDs {
		flags |= HandoffNewPIDs
	}
	return flags
}

// seizeSelf starts the helper and waits until it has seized this thread. It reports false where that is impossible, and then
// there is no helper.
func (t *Thread) seizeSelf() bool {
	if shared().NoHelper != 0 || t.newPIDs {
		return false
	}
	const prGetDumpable, prSetDumpable = 3, 4
	j := &t.exec
	j.state, j.allow = execStarting, 0
	if t.vforked {
		atomic.AddUint32(&t.owners, 1)
	}
	dumpable := sys(sysPrctl, prGetDumpable, 0, 0, 0, 0, 0)
	if dumpable != 1 {
		sys(sysPrctl, prSetDumpable, 1, 0, 0, 0, 0)
	}
	j.processors = pinSelf()
	atomic.StoreInt32(&j.helper, helperComes)
	atomic.AddUint32(&helpers, 1)
	r := t.cloneHelper()
	if failed(r) {
		r = noHelper
	}
	atomic.StoreInt32(&j.helper, int32(r))
	seized := r != noHelper && t.awaitSeize()
	// Also when nothing was changed here: a helper that changes its user changes this (commit_creds,
	// kernel/cred.c).
	sys(sysPrctl, prSetDumpable, dumpable, 0, 0, 0, 0)
	if !seized {
		t.dropHelper()
		unpin(0, j.processors)
	}
	return seized
}

// awaitSeize waits until the helper has seized this thread, or cannot. A filter of the target's own may end the helper at its
// first call.
func (t *Thread) awaitSeize() bool {
	const prSetPtracer, wnohang = 0x59616d61, 1
	j := &t.exec
	helper := uintptr(j.helper)
	if shared().Yama != 0 {
		sys(sysPrctl, prSetPtracer, helper, 0, 0, 0, 0)
		atomic.StoreUint32(&j.allow, 1)
		sys(sysFutex, addrOf(&j.allow), futexWake, 1, 0, 0, 0)
	}
	wait := [2]uint64{0, 20e6} // struct timespec
	for atomic.LoadUint32(&j.state) == execStarting {
		r := sys(sysFutex, addrOf(&j.state), futexWait, execStarting, addrOf(&wait), 0, 0)
		if -r != eTIMEDOUT {
			continue
		}
		sys(sysKill, helper, sigCont, 0, 0, 0, 0) // it may have been stopped before it left the group
		if sys(sysWait4, helper, 0, wallWait|wnohang, 0, 0, 0) == helper {
			atomic.StoreInt32(&j.helper, noHelper)
			return false
		}
	}
	return j.state == execSeized
}

// cloneArgs is struct clone_args, include/uapi/linux/sched.h, up to set_tid_size (5.5).
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal uint64
	stack, stackSize, tls, setTID, setTIDSize     uint64
}

// cloneHelper clones the helper. Where the process may choose, the helper gets a process ID from
// the top of the range, so that the program's children have the IDs they have natively.
func (t *Thread) cloneHelper() uintptr {
	const tries = 4
	a := cloneArgs{
		flags: cloneVM | cloneUntraced,
		stack: uint64(t.slot() + slotHelper), stackSize: helperStackSize,
	}
	top := shared().PIDMax
	for i := uint32(1); i <= tries && top != 0; i++ {
		pid := top - (uint32(t.tid)*tries+i)%(top/8)
		a.setTID, a.setTIDSize = uint64(addrOf(&pid)), 1
		r := startHelper(t, &a)
		if !failed(r) {
			return r
		}
		if -r == ePERM {
			break
		}
	}
	a.setTID, a.setTIDSize = 0, 0
	return startHelper(t, &a)
}

// dropHelper ends the helper, if there is one, of an exec that failed.
func (t *Thread) dropHelper() {
	j := &t.exec
	if pid := uintptr(j.helper); pid != noHelper {
		sys(sysKill, pid, sigKill, 0, 0, 0, 0)
		r := sys(sysWait4, pid, 0, wallWait, 0, 0, 0)
		// Another thread may have waited for it, and has to find out whom it met; not so who met it through an io_uring.
		for i := 0; r != pid && i < 5000 && atomic.LoadInt32(&j.helper) != noHelper; i++ {
			sys(sysSchedYield, 0, 0, 0, 0, 0, 0)
		}
		atomic.StoreInt32(&j.helper, noHelper)
	}
	if t.vforked {
		atomic.AddUint32(&t.owners, ^uint32(0))
	}
}

// execHelper is the helper. It reports whether it is to free the slot: whether the exec
// succeeded.
func execHelper(t *Thread) bool {
	j := &t.exec
	if t.other(allThreads) == nil {
		leaveGroup()
	}
	for shared().Yama != 0 && atomic.LoadUint32(&j.allow) == 0 {
		sys(sysFutex, addrOf(&j.allow), futexWait, 0, 0, 0, 0)
	}
	if j.raise {
		// A process whose users are not all the same cannot be traced by a mere copy of itself (__ptrace_may_access,
		// kernel/ptrace.c), and one that gains rights must not.
		raiseCapabilities()
	}
	r := sys(sysPtrace, ptraceSeize, uintptr(t.tid), 0, seizeOptions(), 0, 0)
	state := uint32(execSeized)
	if failed(r) {
		state = execFailed
	}
	atomic.StoreUint32(&j.state, state)
	sys(sysFutex, addrOf(&j.state), futexWake, 1, 0, 0, 0)
	if state == execFailed {
		return false
	}
	if pid := awaitExec(); pid != 0 {
		leaveGroup()
		inject(t, pid)
		t.endProcess()
		t.dropSighand()
		return true
	}
	return false
}

// leaveGroup takes the helper out of the process group: what stops that would stop the helper, too, while the thread waits for
// it in a stop that its parent cannot see. Another thread that waits for children of the group must not lose one so: nobody
// would wake it (child_wait_callback, kernel/exit.c, 6.18).
func leaveGroup() { sys(sysSetpgid, 0, 0, 0, 0, 0, 0) }

// seizeOptions: the mapping of the image stops at a guard filter, which fails it without a tracer.
func seizeOptions() uintptr {
	if shared().Guard != 0 {
		return ptraceOptExec | ptraceOptSeccomp
	}
	return ptraceOptExec
}

// awaitExec waits for the exec and returns the process that stands at it, 0 if it
// has ended instead.
func awaitExec() uintptr {
	for {
		pid, status := waitAny()
		if pid == 0 || status&0xff != 0x7f {
			return 0
		}
		if status>>16 == ptraceEventExec {
			return pid
		}
		passStop(pid, status)
	}
}

// passStop lets a thread go on from a stop that is none of the helper's business, as it would without a tracer.
func passStop(pid uintptr, status uint32) {
	sig, event := status>>8&0xff, status>>16
	switch {
	case event == ptraceEventStop && sig != sigTrap:
		sys(sysPtrace, ptraceListen, pid, 0, 0, 0, 0) // a job control stop goes on
	case event != 0: // SIGCONT makes a seized thread report, and so does the guard filter
		sys(sysPtrace, ptraceCont, pid, 0, 0, 0, 0)
	default:
		sys(sysPtrace, ptraceCont, pid, 0, uintptr(sig), 0, 0)
	}
}

func waitAny() (pid uintptr, status uint32) {
	r := sys(sysWait4, ^uintptr(0), addrOf(&status), wallWait, 0, 0, 0)
	if failed(r) {
		return 0, 0
	}
	return r, status
}

// inject brings the image into the program that stands at its exec stop.
func inject(t *Thread, pid uintptr) {
	j, files := &t.exec, &t.files
	var saved, r syscall.PtraceRegs
	if failed(sys(sysPtrace, ptraceGetregs, pid, 0, addrOf(&saved), 0, 0)) {
		return // killed meanwhile
	}
	saved.Rax, saved.Orig_rax = 0, ^uint64(0)
	if saved.Cs != codeSegment64 && shared().Guard != 0 {
		warn("exec of a 32-bit program, which cannot run under the guard", pid)
		sys(sysKill, pid, sigKill, 0, 0, 0, 0)
		return
	}
	if saved.Cs != codeSegment64 {
		warn("is a 32-bit program and runs unintercepted", pid)
		dropHandover(j.flags)
		unpin(pid, j.processors)
		sys(sysPtrace, ptraceSetsigmask, pid, sigsetSize, addrOf(&j.mask), 0, 0)
		sys(sysPtrace, ptraceDetach, pid, 0, 0, 0, 0)
		return
	}
	var word uintptr
	sys(sysPtrace, ptracePeek, pid, uintptr(saved.Rip), addrOf(&word), 0, 0)
	e := sys(sysPtrace, ptracePoke, pid, uintptr(saved.Rip), word&^mapCodeMask|mapCode, 0, 0)
	r = saved
	r.Rdi, r.Rsi, r.Rdx = ImageBase, uint64(shared().ImageLength), protRead|protExec
	r.R10, r.R8, r.R9 = ImageMmapFlags, uint64(files.image), 0
	sys(sysPtrace, ptraceSetregs, pid, 0, addrOf(&r), 0, 0)
	if !runToTrap(pid) {
		return
	}
	if failed(sys(sysPtrace, ptraceGetregs, pid, 0, addrOf(&r), 0, 0)) {
		return
	}
	if failed(e) || r.Rax != ImageBase {
		warn("the runtime does not fit into the new program: its address range is taken or its image cannot be mapped", pid)
		sys(sysKill, pid, sigKill, 0, 0, 0, 0)
		return
	}
	sys(sysPtrace, ptracePoke, pid, uintptr(saved.Rip), word, 0, 0)
	r = saved
	r.R8, r.R9 = saved.Rip, j.mask
	r.R10 = uint64(files.image) | uint64(files.shared)<<32
	r.R12, r.R13 = uint64(sys(sysGetpid, 0, 0, 0, 0, 0, 0)), j.flags
	r.Rbp = j.processors
	r.Rip = uint64(bootstrapAddr)
	sys(sysPtrace, ptraceSetregs, pid, 0, addrOf(&r), 0, 0)
	sys(sysPtrace, ptraceDetach, pid, 0, 0, 0, 0)
}

// ImageMmapFlags are the flags of the one mapping that the filter lets through from
// anywhere.
const ImageMmapFlags = mapPrivate | mapFixedNoreplace

// mapCode is mov $9 (mmap), %al; syscall; int3. RAX is 0 behind an exec.
const (
	mapCode     = 0xcc<<32 | 0x050f<<16 | sysMmap<<8 | 0xb0
	mapCodeMask = 1<<40 - 1
)

// runToTrap lets the process run to its int3.
func runToTrap(pid uintptr) bool {
	sys(sysPtrace, ptraceCont, pid, 0, 0, 0, 0)
	for {
		got, status := waitAny()
		if got == 0 || status&0xff != 0x7f {
			return false
		}
		if status>>8 == sigTrap {
			return true
		}
		passStop(pid, status)
	}
}
