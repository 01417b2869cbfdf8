// Runs in the target, on the tool stack; any signal may arrive.

package runtime

// mapping serves the calls that change the address space. The runtime's own ranges are
// not the target's to change: what would take them away ends the process with a message,
// since it could not go on.
func mapping(t *Thread, c *Call) int64 {
	a := &c.args
	switch c.nr {
	case sysMmap:
		if a[3]&mapFixed != 0 {
			t.keepOff(a[0], a[1])
		}
	case sysMunmap, sysMprotect, sysPkeyMprotect, sysMadvise, sysRemapFilePages:
		t.keepOff(a[0], a[1])
	case sysMremap:
		const fixed = 2 // MREMAP_FIXED
		t.keepOff(a[0], a[1])
		if a[3]&fixed != 0 {
			t.keepOff(a[4], a[2])
		}
	case sysShmat:
		const remap = 0x4000 // SHM_REMAP
		if a[2]&remap != 0 {
			t.keepOff(a[1], 1)
		}
	}
	return int64(doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5]))
}

// keepOff ends the process if [start, start+length) meets memory of the runtime. A length that
// wraps is the kernel's to refuse.
func (t *Thread) keepOff(start, length uintptr) {
	end := start + length
	if start >= end {
		return
	}
	if meets(start, end, ImageBase, StubLimit) || meets(start, end, SharedBase, SharedLimit) {
		abort("the program changes the address range of the runtime", t.site)
	}
	if start >= SlotLimit && lowSlots < lowSlotCount {
		return
	}
	for o := allThreads; o != nil; o = o.next {
		if meets(start, end, o.slot(), o.slot()+SlotSize) {
			abort("the program changes the address range of the runtime", t.site)
		}
	}
}

// meets reports whether two ranges have an address in common.
func meets(start, end, from, to uintptr) bool { return start < to && end > from }

// lowSlotCount is how many slots fit below SlotLimit; further ones lie where the kernel puts them.
const lowSlotCount = (SlotLimit - SlotBase) / SlotSize
