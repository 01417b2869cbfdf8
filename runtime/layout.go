package runtime

import "unsafe"

// The address space that trapline takes in every target (docs/architecture.md has
// the picture). Everything lies below 2 GiB: one 32-bit compare in the filter,
// absolute 32-bit addressing from anywhere, and inside the low application memory
// of the sanitizers.
const (
	ImageBase   = 0x70000000 // text, rodata, data, bss: the launcher's own ELF file
	ImageLimit  = 0x74000000
	StubBase    = 0x74000000 // executable, one stub a site
	StubLimit   = 0x75000000
	SharedBase  = 0x78000000 // the Shared structure, the same memory in every process
	SharedLimit = 0x79000000
	SlotBase    = 0x79000000 // thread slots, as many as fit; more are placed by the kernel
	SlotLimit   = 0x7f000000
)

func inImage(ip uintptr) bool { return ip-ImageBase < ImageLimit-ImageBase }

// inRuntime reports whether ip lies in the reserved range: image or stubs.
func inRuntime(ip uintptr) bool { return ip-ImageBase < StubLimit-ImageBase }

const (
	pageSize = 4096

	// NumCalls bounds the per-number tables. The highest number of Linux 6.18 is 470.
	NumCalls = 512
)

// Offsets inside a thread slot. A guard page lies below each stack.
const (
	slotSignalStack = pageSize // the kernel's alternate stack
	signalStackSize = 64 << 10 // four handlers at a time; an AMX frame takes 11 KiB
	slotGuard       = slotSignalStack + signalStackSize
	slotToolStack   = slotGuard + pageSize // hooks run here
	toolStackSize   = 64 << 10
	slotThread      = slotToolStack + toolStackSize // the Thread structure
	threadSize      = 12 << 10
	slotHelper      = slotThread + threadSize // stack of the exec helper, or the loading
	helperStackSize = 16 << 10
	slotMemory      = slotHelper + helperStackSize // Thread.Memory
	slotBlock       = slotMemory + MemorySize      // window on the thread's Block
	SlotSize        = slotBlock + MaxBlockSize
)

// MemorySize is the size of Thread.Memory, in bytes.
const MemorySize = 12 << 10

// MaxBlockSize bounds a thread's Block, in bytes.
const MaxBlockSize = 256 << 10

// What lies in a slot must fit its place.
var (
	_ [threadSize - unsafe.Sizeof(Thread{})]byte
	_ [helperStackSize - unsafe.Sizeof(loading{})]byte
)
