// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

// Regs holds the target's general registers while its thread is in the runtime.
type Regs struct {
	AX, BX, CX, DX, SI, DI, BP, SP       uint64
	R8, R9, R10, R11, R12, R13, R14, R15 uint64
	Flags                                uint64
}

// Thread is the runtime's state for one thread of the target; GS points at it.
// The start is fixed by the assembly, which takes the offsets from go_asm.h.
type Thread struct {
	// g stands in for the Go runtime's g: R14 points here while Go code runs.
	// stackguard0 (offset 16) is 0, so no stack check fails: the guard page below
	// the stack catches what a check would. m (offset 48) is not canonical, so
	// whatever enters the Go scheduler or allocator faults at once.
	g        [8]uint64
	self     uintptr
	stackTop uintptr // of the tool stack
	stub     uintptr // the stub through which the thread came; tools/gdb/trapline.py knows where this and regs are
	exitIP   uintptr // where exitToTarget jumps: target, stub or deliverTrap
	targetIP uintptr // where the target goes on
	parked   uint32  // number of parked signals; no blocking call starts while it is not 0
	halt     uint32  // 1: a tracer wants to see the thread on its way out. exitToTarget reads both at once
	regs     Regs
	vectors  [16][2]uint64
	callSP   uintptr // the runtime's own stack and frame while doCall has the target's
	callBP   uintptr

	// From here on the assembly looks at allSaved, call, state and owners only.
	allSaved bool    // vectors has all registers, not just FewVectors
	site     uintptr // address of the system call instruction
	call     Call
	spare    uintptr // the slot's own stub, 0 if it has not needed one
	pid, tid int32
	parent   int32
	birth    int32
	state    uint32  // slotFree, slotUsed
	owners   uint32  // who still needs the slot: the thread or its vfork parent, an exec helper
	next     *Thread // all slots ever made in this address space
	tail     bool    // the call was left to the stub
	stepping bool    // the target has TF set
	shown    bool    // the tracer has seen the call's entry and not its exit
	view     callView
	filters  uint32 // which seccomp filters it has beside the trap filter

	mask        uint64 // the target's view of its signal mask
	tempMask    uint64 // mask that a call like sigsuspend set for its own duration
	hasTempMask uint32
	tokens      uint32      // those that have come
	told        uint32      // 1: a token was sent since one was lost
	telling     bool        // takeTokens is at work
	waiting     uint64      // what rt_sigtimedwait waits for
	lent        uint64      // what a handler has lent the kernel for it
	held        heldSignals // sent to the thread, and blocked
	alt         ucontext.Stack
	sighand     *sighand
	ownSighand  sighand
	park        [16]parkedSignal
	forced      ucontext.Siginfo // of the SIGSEGV for a frame that found no room
	kernelTemp  uint64           // what the kernel reads instead of the target's mask
	sixth       [2]uintptr       // the same behind pselect6's sixth argument
	frame       ucontext.Frame   // rt_sigreturn's copy

	block     *Block
	blockNr   uint32
	blockFrom uintptr // address of the thread's block window

	interrupted uintptr // where the signal came that the tool is told of

	files      hiddenFiles
	noNewPrivs bool // no_new_privs as the target has set it
	exec       execJob
	clone      cloneJob
	vforked    bool    // the parent waits, and frees the slot
	traceMe    bool    // PTRACE_TRACEME is due at the next exec
	newPIDs    bool    // its children are born in another PID namespace
	trapped    uintptr // site whose SIGSYS came and whose hook has not asked for it, for Call.Via
	remembers  bool    // Memory is in use
	births     uint64  // children
	lineage    uint64
}

// States of a thread slot.
const (
	slotFree = 0
	slotUsed = 1
)

// poisonM is not canonical: every access through it raises #GP, a SIGSEGV.
const poisonM = 0xdead000000000000

// Kinds of birth.
const (
	BirthExec   = 0 // main thread of a program just started
	BirthFork   = 1 // first thread of a process with memory of its own
	BirthThread = 2 // shares memory with its creator: a thread, a vfork child
)

// allThreads is the list of all slots of this address space.
var allThreads *Thread

// other returns the first other thread of the process in the list that o begins, nil if there is none. Slots may be those of
// another process: a vfork child's parent.
func (t *Thread) other(o *Thread) *Thread {
	for o != nil && (o == t || o.pid != t.pid || atomic.LoadUint32(&o.state) != slotUsed) {
		o = o.next
	}
	return o
}

// PID returns the process ID in the target's own PID namespace.
func (t *Thread) PID() int { return int(t.pid) }

// TID returns the thread ID in the target's own PID namespace.
func (t *Thread) TID() int { return int(t.tid) }

// Interrupted returns where in the target the signal came that Tool.OnSignal is told of.
func (t *Thread) Interrupted() uintptr { return t.interrupted }

// Parent returns the thread ID of the creator; 0 after exec.
func (t *Thread) Parent() int { return int(t.parent) }

// Birth returns how the thread came to be: BirthExec, BirthFork or BirthThread.
func (t *Thread) Birth() int { return int(t.birth) }

// Lineage returns a number that tells the thread from others, and is the same in every run in which each thread creates its
// children in the same order.
func (t *Thread) Lineage() uint64 { return t.lineage }

// Name returns the name of the calling thread, which t has to be, up to its NUL.
func (t *Thread) Name() (name [16]byte) {
	sys(sysPrctl, prGetName, addrOf(&name), 0, 0, 0, 0)
	return name
}

// slot returns the address of the slot that holds t.
func (t *Thread) slot() uintptr { return t.self - slotThread }

// signalStack returns the lowest address of the thread's signal stack.
func (t *Thread) signalStack() uintptr { return t.slot() + slotSignalStack }

// onSignalStack reports whether sp lies in the thread's signal stack.
func (t *Thread) onSignalStack(sp uintptr) bool { return sp-t.signalStack() <= signalStackSize }

// onToolStack reports whether sp lies in the thread's tool stack.
func (t *Thread) onToolStack(sp uintptr) bool {
	return sp-(t.slot()+slotToolStack) <= toolStackSize
}

// newThread returns a slot for a thread about to be born, nil if memory is out.
// The signal mask must block everything.
func newThread() *Thread {
	for t := allThreads; t != nil; t = t.next {
		free := atomic.LoadUint32(&t.state) == slotFree && atomic.LoadInt32(&t.ownSighand.refs) == 0
		if free && atomic.CompareAndSwapUint32(&t.state, slotFree, slotUsed) {
			t.reset()
			return t
		}
	}
	t := mapSlot(0)
	if t == nil {
		return nil
	}
	t.state = slotUsed
	t.reset()
	for {
		head := (*Thread)(atomic.LoadPointer((*unsafe.Pointer)(unsafe.Pointer(&allThreads))))
		t.next = head
		if atomic.CompareAndSwapPointer((*unsafe.Pointer)(unsafe.Pointer(&allThreads)), unsafe.Pointer(head), unsafe.Pointer(t)) {
			return t
		}
	}
}

// lowSlots counts the slots tried in the range reserved for them.
var lowSlots uint32

// mapSlot maps memory for a slot: at addr, or where there is room if addr is 0.
func mapSlot(addr uintptr) *Thread {
	const flags = mapPrivate | mapAnonymous | mapNoreserve
	base := addr
	if addr == 0 {
		n := uintptr(atomic.AddUint32(&lowSlots, 1))
		base = SlotBase + n*SlotSize
		if base+SlotSize > SlotLimit {
			base = 0
		}
	}
	r := sys(sysMmap, base, SlotSize, protRead|protWrite, flags|fixedIf(base != 0), ^uintptr(0), 0)
	if failed(r) && addr == 0 && base != 0 {
		r = sys(sysMmap, 0, SlotSize, protRead|protWrite, flags, ^uintptr(0), 0)
	}
	if failed(r) {
		return nil
	}
	sys(sysMprotect, r, pageSize, protNone, 0, 0, 0)
	sys(sysMprotect, r+slotGuard, pageSize, protNone, 0, 0, 0)
	return (*Thread)(at(r + slotThread))
}

func fixedIf(yes bool) uintptr {
	if yes {
		return mapFixedNoreplace
	}
	return 0
}

// reset makes a slot that was used before, or never, ready for a new thread.
func (t *Thread) reset() {
	self := uintptr(unsafe.Pointer(t))
	t.g = [8]uint64{}
	t.g[6] = poisonM // a literal with it would be read from a page of its own
	t.self = self
	t.stackTop = self
	t.parked, t.halt, t.shown, t.traceMe, t.trapped = 0, 0, false, false, 0
	t.call.thread, t.call.nr = t, -1
	t.mask, t.tempMask, t.hasTempMask, t.waiting, t.lent = 0, 0, 0, 0, 0
	t.held, t.telling = heldSignals{}, false
	t.alt = ucontext.Stack{Flags: ssDisable}
	t.sighand = nil
	t.block = nil
	t.blockFrom = self - slotThread + slotBlock
	t.exec.state, t.exec.helper = 0, noHelper
	t.filters, t.stepping = 0, false
	t.newPIDs = false
	t.births, t.lineage = 0, 0
	t.owners = 1
	t.forget()
}

// disown gives up the share of a thread, or of its vfork parent, in the slot. Whoever is
// last frees it: a vfork child's exec helper may still run in it.
func (t *Thread) disown() {
	if atomic.AddUint32(&t.owners, ^uint32(0)) != 0 {
		return
	}
	t.dropSighand()
	atomic.StoreUint32(&t.state, slotFree)
}

// dropSighand gives up the thread's share of its signal dispositions.
func (t *Thread) dropSighand() {
	if s := t.sighand; s != nil {
		t.sighand = nil
		atomic.AddInt32(&s.refs, -1)
	}
}
