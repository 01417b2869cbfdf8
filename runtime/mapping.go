// Runs in the target, on the tool stack; any signal may arrive.

package runtime

// change is what a call does to a part of the address space, [start, end).
type change struct {
	Range
	effect effect
}

type effect uint8

const (
	replaced effect = iota // what is there now is gone
	exposed                // the target will see or move what is there: patches have to go first
	kept                   // nothing that matters to code
)

// Arguments of the calls, include/uapi/asm-generic/mman-common.h.
const (
	madvDontneed       = 4
	madvFree           = 8
	madvRemove         = 9
	madvDontfork       = 10
	madvWipeonfork     = 18
	madvDontneedLocked = 24
	madvHwpoison       = 100
	madvGuardInstall   = 102

	mremapFixed = 2
	shmRemap    = 0x4000
)

// mapping serves the calls that change the address space. The runtime's own ranges are
// not the target's to change: what would take them away ends the process with a message,
// since it could not go on. Patches in memory that changes are put back before.
func mapping(t *Thread, c *Call) int64 {
	changes := changesOf(c)
	locked := false
	for i := range changes {
		ch := &changes[i]
		if ch.Start >= ch.End {
			continue // no such change, or one that the kernel refuses
		}
		t.keepOff(ch.Start, ch.End)
		if ch.effect != kept && meetsText(ch.Start, ch.End) {
			if !locked {
				waitPatchLock()
				locked = true
			}
			unpatchRange(ch.Start, ch.End, ch.effect == exposed)
			forgetTexts(ch.Start, ch.End)
		}
	}
	a := &c.args
	r := doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5])
	if locked {
		unlockPatches()
	}
	if c.nr == sysMmap && !failed(r) {
		codeMapped(c, r)
	}
	return int64(r)
}

// changesOf returns what a call changes; of most only the first one.
func changesOf(c *Call) (changes [2]change) {
	a := &c.args
	ch := &changes[0]
	ch.Range = Range{a[0], a[0] + a[1]}
	switch c.nr {
	case sysMmap:
		if a[3]&mapFixed == 0 {
			ch.Range = Range{}
		}
	case sysMprotect, sysPkeyMprotect:
		if a[2]&(protWrite|protExec) != protExec {
			ch.effect = exposed
		}
	case sysMadvise:
		switch uint32(a[2]) {
		case madvDontneed, madvDontneedLocked, madvFree, madvRemove, madvHwpoison, madvGuardInstall:
		case madvDontfork, madvWipeonfork:
			ch.effect = kept
		default:
			ch.Range = Range{} // advice alone: the whole address space may be given it
		}
	case sysRemapFilePages:
		ch.effect = exposed
	case sysMremap:
		ch.effect = exposed
		if a[3]&mremapFixed != 0 {
			changes[1].Range = Range{a[4], a[4] + a[2]}
		}
	case sysShmat:
		ch.Range = Range{}
		if a[2]&shmRemap != 0 {
			ch.Range = Range{a[1], a[1] + segmentSize(a[0])}
		}
	}
	ch.End = pageUp(ch.End)
	return changes
}

// segmentSize returns the size of a shared memory segment in bytes, 0 if there is none.
func segmentSize(id uintptr) uintptr {
	const (
		ipcStat    = 2
		offsetSize = 48 // struct shmid64_ds, include/uapi/asm-generic/shmbuf.h
	)
	var ds [32]uintptr
	if failed(sys(sysShmctl, id, ipcStat, addrOf(&ds), 0, 0, 0)) {
		return 0
	}
	return ds[offsetSize/8]
}

// codeMapped notes the text of a file that the target has just mapped at an address, and patches the sites in it that are
// known from earlier.
func codeMapped(c *Call, addr uintptr) {
	a := &c.args
	const kinds = 0xf // MAP_TYPE
	if a[2]&(protExec|protWrite) != protExec || a[3]&kinds != mapPrivate || a[3]&mapAnonymous != 0 || a[5] > addr {
		return
	}
	x := text{
		Range:  Range{addr, addr + pageUp(a[1])},
		offset: uint64(a[5]), header: addr - a[5], prot: a[2] & (protRead | protExec),
	}
	waitPatchLock()
	if x.identify(); x.key == 0 {
		x.header = 0
	}
	if known := addText(&x); known != nil {
		patchAhead(known)
	}
	unlockPatches()
}

// keepOff ends the process if [start, end) meets memory of the runtime.
func (t *Thread) keepOff(start, end uintptr) {
	if meets(start, end, ImageBase, StubLimit) || meets(start, end, SharedBase, SharedLimit) || meetsBridges(start, end) {
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
