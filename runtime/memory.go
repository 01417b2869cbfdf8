// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"sync/atomic"
	"unsafe"
)

// Memory returns MemorySize bytes that belong to the tool in this thread, whether or not the launcher listens. They are zero
// at first. A new thread or process begins with a copy of its creator's, and a program with those of the one before, so
// that a tool may treat a thread and the programs it executes as one.
func (t *Thread) Memory() unsafe.Pointer {
	t.remembers = true
	return at(t.memory())
}

func (t *Thread) memory() uintptr { return t.slot() + slotMemory }

// forget makes the memory of a slot that was used before zero.
func (t *Thread) forget() {
	if t.remembers {
		zero(t.memory(), t.memory()+MemorySize)
		t.remembers = false
	}
}

// inheritMemory copies the creator's memory.
func (t *Thread) inheritMemory(creator *Thread) {
	if creator.remembers {
		copyWords(t.memory(), creator.memory(), MemorySize)
		t.remembers = true
	}
}

// copyWords copies n bytes, a multiple of 8.
func copyWords(dst, src, n uintptr) {
	for i := uintptr(0); i < n; i += 8 {
		*(*uint64)(at(dst + i)) = *(*uint64)(at(src + i))
	}
}

// Handover is a thread's memory on its way into another program, where nothing of the old one is left but what the kernel
// hands on: the program finds the number of the Handover in its flags.
type Handover struct {
	Taken           uint64 // 1: in use
	Births, Lineage uint64
	Memory          [MemorySize]byte
}

// handOver writes the thread's memory to a free Handover and returns the flags that lead to it.
func (t *Thread) handOver() uint64 {
	if !t.remembers {
		return 0
	}
	s := shared()
	for i := range s.Handovers {
		if h := &s.Handovers[i]; atomic.LoadUint64(&h.Taken) == 0 && atomic.CompareAndSwapUint64(&h.Taken, 0, 1) {
			copyWords(addrOf(&h.Memory), t.memory(), MemorySize)
			h.Births, h.Lineage = t.births, t.lineage
			return uint64(i+1) << handoffMemory
		}
	}
	abort("more programs are being executed at once than the tool's memory can be handed on to", t.site)
	return 0
}

// handoverOf returns what the flags lead to, nil if there is nothing.
func handoverOf(flags uint64) *Handover {
	s := shared()
	if i := flags >> handoffMemory; i != 0 && i <= uint64(len(s.Handovers)) {
		return &s.Handovers[i-1]
	}
	return nil
}

// dropHandover makes room again after an exec that failed, or one of a program that is not followed.
func dropHandover(flags uint64) {
	if h := handoverOf(flags); h != nil {
		atomic.StoreUint64(&h.Taken, 0)
	}
}

// receive takes over the memory that the program before has handed on.
func (t *Thread) receive(flags uint64) {
	h := handoverOf(flags)
	if h == nil {
		return
	}
	copyWords(t.memory(), addrOf(&h.Memory), MemorySize)
	t.births, t.lineage, t.remembers = h.Births, h.Lineage, true
	dropHandover(flags)
}

// descendant is the Lineage of the child that the thread creates now.
func (t *Thread) descendant() uint64 { return Mix(t.lineage ^ t.births) }

// Mix returns a number in which every bit depends on every bit of v: the finalizer of SplitMix64 (Steele, Lea and Flood,
// "Fast splittable pseudorandom number generators", 2014).
func Mix(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}
