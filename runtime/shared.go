package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/patch"
)

// Shared is the memory that the launcher and every process of the target have in
// common, mapped at SharedBase everywhere. The launcher fills the first part
// before it starts the target; nobody changes it afterwards.
type Shared struct {
	Magic     uint64 // SharedMagic
	SlotFirst uint64 // address of the first slot, a check that both sides agree

	// What the start of every program reads comes first: it lies in one page.
	Tool                   uintptr // *Tool in the image, 0: none
	HookOut                uint8   // 1: Tool.Hook runs for numbers beyond Calls
	PIDMax                 uint32  // kernel.pid_max; 0: unknown
	Guard                  uint8   // 1: a guard filter is there too
	Yama                   uint8   // 1: who may trace is restricted (Documentation/admin-guide/LSM/Yama.rst)
	Source                 uint32  // SourceSeccomp, SourceSUD
	NoPatch                uint8   // 1: sites stay as they are
	NoHelper               uint8   // 1: programs are executed without a helper
	RandomBase, RandomHeap uint8   // bits of randomness in the addresses of a program and its heap, in pages
	TrapAll                uint8   // 1: the trap filter traps every number
	Filtered               uint8   // 1: the launcher runs under a seccomp filter
	Drop                   uint8   // 1: no thread waits for room, records are dropped
	Vectors                uint8   // 1: stubSaved saves all vector registers, 0: those of FewVectors

	// The linked layout of the image, from its program headers.
	TextStart, TextEnd     uintptr // executable segment
	DataStart, DataFileEnd uintptr // writable segment, as far as the file has it
	BSSEnd                 uintptr
	ImageLength            uintptr // bytes of the one file mapping that brings the image in

	StartWrites, StartReads PageRanges

	// Code ranges that the signal handler tells apart by RIP, and single addresses.
	Windows [NumWindows]Range

	Calls   [1 << 16]uint8 // by number: CallHooked, CallOwned; 0: stubs make the call without a detour
	Options [64 << 10]byte // for Options

	// The trap filter.
	FilterLength uint32
	RangeLo      [64]uint32 // indexes of instructions that hold the range's lower bound
	RangeHi      [64]uint32
	RangeLos     uint32 // how many of them are used
	RangeHis     uint32
	Filter       [4096]FilterInstruction

	// What the launcher's own Go runtime changed and the first program must find as it was.
	ClosedFiles    uint32 // bit i: descriptor i was closed
	IgnoredSignals uint64 // bit s-1: signal s was ignored
	InitialMask    uint64
	NoNewPrivs     uint8 // 1: no_new_privs was set

	// Everything below changes while the target runs.
	_          [64]byte
	Closed     uint32       // 1: the launcher takes no more events
	Sleeping   uint32       // 1: the launcher sleeps on Wake
	Wake       uint32       // futex: a ring is filling or a message is waiting
	Drained    uint32       // futex: counts drains, for writers that wait for room
	BlockSize  uint32       // bytes, header and ring included
	BlockLimit uint32       // blocks at most
	StateSize  uint32       // bytes of tool state behind a block's header
	BlockHigh  uint32       // no block at or above this index was ever used
	BlockHint  uint32       // where to look for a free one
	Lost       uint64       // records dropped: no block was free, or no room
	MainPID    int32        // of the first process
	MainParent int32        // its parent's, as it was at first
	Delivered  [16]Delivery // by signal: the last one that entered a handler of the first process
	Blocks     [MaxBlocks]uint32
	Sites      SiteCounts
	Cache      SiteCache
	Messages   [64]Message
	MessageNr  uint32

	Global    [64 << 10]byte // for tools: state shared by all processes
	Handovers [256]Handover  // threads' memory on its way into another program
}

// SiteCounts says how the sites of all processes have fared.
type SiteCounts struct {
	Traps   uint64                   // calls that took the trap path
	Ahead   uint32                   // of Patched: before they were first hit
	Patched [patch.NumTactics]uint32 // by patch.Tactic
	Refused [patch.NumReasons]uint32 // by patch.Reason
}

// What Shared.Calls says of a number.
const (
	CallHooked = 1 << 0 // Tool.Hook runs
	CallOwned  = 1 << 1 // the runtime has a part of its own in it
)

// Delivery says when a signal entered a handler, and who had sent it.
type Delivery struct {
	Ticks  uint64
	Sender int32
}

// Message is one line for the launcher's standard error.
type Message struct {
	Length uint32 // of Text; written last; 0: not ready
	Fault  uint32 // signal of a fault: the launcher adds what PC and Stack tell; 0: Text is all
	Text   [448]byte
	Site   uintptr
	Call   int32       // number of the call in progress, -1: none
	Lost   uint32      // 1: code jumped to Addr, where none of the image's is; PC is behind the call
	PC     uintptr     // where freestanding code failed
	Addr   uintptr     // the address it wanted
	Stack  [32]uintptr // return addresses, innermost first
	Guard  uint32      // 1: Addr is in a guard page
}

// FilterInstruction is struct sock_filter.
type FilterInstruction struct {
	Op     uint16
	JT, JF uint8
	K      uint32
}

// Range is [Start, End).
type Range struct{ Start, End uintptr }

func (r *Range) has(pc uintptr) bool { return pc-r.Start < r.End-r.Start }

const (
	SharedMagic = 0x656e696c70617274 // "trapline"
	MaxBlocks   = 65536

	// BlockOffset is where the blocks start in the shared file, in bytes.
	BlockOffset = SharedLimit - SharedBase
)

// States of a block.
const (
	BlockFree   = 0
	BlockLive   = 1 // its thread writes
	BlockEnded  = 2 // its thread is gone: the launcher takes what is left and frees it
	BlockExeced = 5 // its thread goes on in another program, with another block
	BlockDoomed = 4 // its thread is about to be killed by exit_group
)

// Block is what one thread of the target shares with the launcher: who it is, the
// tool's state for it, and a ring of records. The thread is the only writer of
// everything but Tail.
type Block struct {
	PID, TID, Parent int32
	Birth            int32
	Comm             [16]byte
	Started          uint64 // ticks
	Head             uint64 // bytes ever written; published with a store-release
	Dropped          uint64 // records since the last one that told how many
	Tail             uint64 // bytes ever drained
	_                [56]byte
}

// BlockHeader is the size of a Block without state and ring, in bytes.
const BlockHeader = 128

var _ [BlockHeader - unsafe.Sizeof(Block{})]byte

// shared is the shared memory as this process sees it.
func shared() *Shared { return (*Shared)(at(SharedBase)) }

// at turns an address into a pointer. No garbage collector ever looks at it.
func at(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// launcherListens reports whether the launcher still takes messages and events.
func launcherListens() bool { return atomic.LoadUint32(&shared().Closed) == 0 }
