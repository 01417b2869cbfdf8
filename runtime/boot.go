// Runs in the target, on the tool stack, before the program's first instruction.

package runtime

import (
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

// handoff is what bootstrap found in the registers, in the order it pushed them.
type handoff struct {
	ip, sp     uint64
	mask       uint64
	files      uint64
	helper     uint64
	flags      uint64
	processors uint64
}

// boot makes a new program a target. The image's file is mapped as one piece, readable
// and executable; nothing of it can be written yet. What boot returns to is
// exitToTarget, with every register as the kernel left it.
func boot(h *handoff) {
	mapSharedMemory(uintptr(h.files >> 32))
	mapImage()
	begin(h)
}

// begin is the rest of boot, when the image is whole.
func begin(h *handoff) {
	t := (*Thread)(at(SlotBase + slotThread))
	t.files = hiddenFiles{image: int32(uint32(h.files)), shared: int32(h.files >> 32)}
	mapStubs()

	sys(sysMprotect, SlotBase, pageSize, protNone, 0, 0, 0)
	sys(sysMprotect, SlotBase+slotGuard, pageSize, protNone, 0, 0, 0)
	allThreads = t
	t.reset()
	t.state = slotUsed
	t.sighand = &t.ownSighand
	t.ownSighand.refs = 1
	t.pid = int32(sys(sysGetpid, 0, 0, 0, 0, 0, 0))
	t.tid = t.pid
	t.birth = BirthExec
	t.filters = uint32(h.flags>>handoffFilters) & filtersAll
	t.newPIDs = h.flags&HandoffNewPIDs != 0
	t.receive(h.flags)
	t.mask = h.mask
	t.regs.SP, t.regs.Flags, t.allSaved = h.sp, entryFlags, true
	t.targetIP, t.exitIP = uintptr(h.ip), uintptr(h.ip)
	t.site = uintptr(h.ip)
	if r := sys(sysArchPrctl, archSetGS, t.self, 0, 0, 0, 0); failed(r) {
		abortErrno("the thread register cannot be set", r, t.site)
	}
	if h.helper != 0 {
		sys(sysWait4, uintptr(h.helper), 0, wallWait, 0, 0, 0)
		t.dropHelperSignal(int32(h.helper))
	}
	unpin(0, h.processors)
	takeSignals(t, h)
	t.noNewPrivs = h.flags&HandoffNoNewPrivs != 0
	first := h.flags&HandoffFollowed == 0
	if first {
		shared().MainPID, shared().MainParent = t.pid, int32(sys(sysGetppid, 0, 0, 0, 0, 0, 0))
		restoreInherited(t)
	}
	traceOrders = h.flags >> handoffOrders & ordersAll
	t.armProgram(first)
	patchProgram(uintptr(h.sp))
	t.started()
	if h.flags&HandoffHalt != 0 {
		t.halt = 1
		return
	}
	if h.flags&HandoffTraceMe != 0 {
		t.traceExec()
	}
	setKernelMask(t.mask)
}

// dropHelperSignal takes away the SIGCHLD that the end of the helper has sent: its exit signal counts only until its parent
// executes a program (do_notify_parent, kernel/signal.c, 6.18). Every signal is blocked.
func (t *Thread) dropHelperSignal(helper int32) {
	const sigChld = 17
	var info ucontext.Siginfo
	var now [2]int64 // struct timespec
	set := sigBit(sigChld)
	r := sys(sysRtSigtimedwait, addrOf(&set), addrOf(&info), addrOf(&now), sigsetSize, 0, 0)
	if r == sigChld && info.PID() != helper {
		sys(sysRtSigqueueinfo, uintptr(t.pid), sigChld, addrOf(&info), 0, 0, 0)
	}
}

// entryFlags are the flags of a new program: IF and the bit that is always 1
// (start_thread, arch/x86/kernel/process_64.c).
const entryFlags = 0x202

// mapSharedMemory maps the shared memory.
func mapSharedMemory(fd uintptr) {
	const flags = mapShared | mapFixedNoreplace
	r := sys(sysMmap, SharedBase, SharedLimit-SharedBase, protRead|protWrite, flags, fd, 0)
	if r != SharedBase {
		abortEarly()
	}
	if shared().Magic != SharedMagic {
		abortEarly()
	}
}

// mapImage makes the image's data writable, and maps bss behind it. Read-only data stays executable, as the one mapping of the
// file has it: to take that away costs a mapping of its own in every program.
func mapImage() {
	s := shared()
	dataEnd := pageUp(s.DataFileEnd)
	r := sys(sysMprotect, s.DataStart, dataEnd-s.DataStart, protRead|protWrite, 0, 0, 0)
	if failed(r) {
		abortEarly()
	}
	// What is left of the range behind the bss belongs to nobody else.
	const flags = mapPrivate | mapAnonymous | mapFixed | mapNoreserve
	r = sys(sysMmap, dataEnd, StubBase-dataEnd, protRead|protWrite, flags, ^uintptr(0), 0)
	if failed(r) {
		abortEarly()
	}
	s.StartWrites.populate(madvPopulateWrite)
	s.StartReads.populate(madvPopulateRead)
	zero(s.DataFileEnd, min(dataEnd, s.BSSEnd))
}

func pageUp(a uintptr) uintptr { return (a + pageSize - 1) &^ (pageSize - 1) }

// zero clears [start, end).
func zero(start, end uintptr) {
	for ; start < end && start&7 != 0; start++ {
		*(*byte)(at(start)) = 0
	}
	for ; start+8 <= end; start += 8 {
		*(*uint64)(at(start)) = 0
	}
	for ; start < end; start++ {
		*(*byte)(at(start)) = 0
	}
}

// mapStubs maps the range of the stubs.
func mapStubs() {
	const flags = mapPrivate | mapAnonymous | mapNoreserve | mapFixedNoreplace
	r := sys(sysMmap, StubBase, StubLimit-StubBase, protRead|protWrite|protExec, flags, ^uintptr(0), 0)
	if r != StubBase {
		abortErrno("the range for stubs is taken or the kernel refuses writable code", r, 0)
	}
}

// takeSignals makes the runtime the handler of its own signals, on the thread's signal
// stack, and starts the target's view of them.
func takeSignals(t *Thread, h *handoff) {
	t.useSignalStack()
	t.sighand.takeOwnSignals()
	if h.flags&HandoffSysBlocked != 0 {
		t.mask |= sigBit(sigSys)
	}
	if h.flags&HandoffSegvBlock != 0 {
		t.mask |= sigBit(sigSegv)
	}
	if h.flags&HandoffBusBlock != 0 {
		t.mask |= sigBit(sigBus)
	}
	for i, sig := range [...]int{sigSys, sigSegv, sigBus} {
		if h.flags>>(5+uint(i))&1 != 0 {
			info := ucontext.Siginfo{Signo: int32(sig)}
			info.SetSender(t.pid, int32(sys(sysGetuid, 0, 0, 0, 0, 0, 0)))
			t.sighand.held[heldIndex(sig)].put(&info)
		}
	}
	if h.flags&HandoffSysIgnored != 0 {
		t.sighand.set(sigSys, action{handler: sigIgn})
	}
}

// useSignalStack makes the kernel run handlers on the thread's signal stack.
func (t *Thread) useSignalStack() {
	s := ucontext.Stack{SP: t.signalStack(), Size: signalStackSize}
	sys(sysSigaltstack, addrOf(&s), 0, 0, 0, 0, 0)
}

// restoreInherited undoes what the launcher's Go runtime changed in what a program
// inherits.
func restoreInherited(t *Thread) {
	s := shared()
	for fd := uintptr(0); fd < 3; fd++ {
		if s.ClosedFiles>>fd&1 != 0 {
			sys(sysClose, fd, 0, 0, 0, 0, 0)
		}
	}
	for sig := 1; sig <= numSignals; sig++ {
		if s.IgnoredSignals&sigBit(sig) == 0 {
			continue
		}
		a := action{handler: sigIgn}
		if sigBit(sig)&ownSignals != 0 {
			t.sighand.set(sig, a)
			continue
		}
		setKernelAction(sig, &a)
	}
	t.mask, t.noNewPrivs = s.InitialMask, s.NoNewPrivs != 0
}

// installFilter installs the trap filter for this process and all it will start.
func installFilter(t *Thread) {
	s := shared()
	for i := uint32(0); i < s.RangeLos; i++ {
		s.Filter[s.RangeLo[i]].K = uint32(s.TextStart)
	}
	for i := uint32(0); i < s.RangeHis; i++ {
		s.Filter[s.RangeHi[i]].K = StubLimit
	}
	prog := filterArg{uint16(s.FilterLength), uintptr(unsafe.Pointer(&s.Filter))}
	r := sys(sysSeccomp, setModeFilter, 0, addrOf(&prog), 0, 0, 0)
	if failed(r) && -r == eACCES {
		sys(sysPrctl, prSetNoNewPrivs, 1, 0, 0, 0, 0)
		r = sys(sysSeccomp, setModeFilter, 0, addrOf(&prog), 0, 0, 0)
	}
	if failed(r) {
		abortErrno("seccomp: the kernel does not take the filter", r, t.site)
	}
}
