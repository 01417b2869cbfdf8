// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"sync/atomic"
	"unsafe"
)

// Flags of clone, include/uapi/linux/sched.h.
const (
	cloneVM           = 0x100
	cloneFiles        = 0x400
	cloneSighand      = 0x800
	cloneVfork        = 0x4000
	cloneThread       = 0x10000
	cloneUntraced     = 0x800000
	cloneClearSighand = 0x100000000
)

// cloneJob is one fork, vfork, clone or clone3 as doClone makes it.
type cloneJob struct {
	nr     uintptr
	args   [6]uintptr
	thread *Thread // the child's

	flags  uint64
	parent int32           // thread ID of the creator
	stack  uintptr         // RSP of the child, 0: the caller's
	args3  [maxClone3]byte // clone3's structure, the kernel's copy
}

// maxClone3 is more than any kernel's struct clone_args (88 bytes in 6.18). What lies behind must be zero.
const maxClone3 = 256

// clone serves fork, vfork, clone and clone3.
func clone(t *Thread, c *Call) int64 {
	j := &t.clone
	if e := j.decode(c); e != 0 {
		return e
	}
	blockAll()
	if t.parked != 0 {
		return -ENOTRUN
	}
	j.thread = t
	t.births++
	if j.flags&cloneVM != 0 {
		child := newThread()
		if child == nil {
			setKernelMask(t.mask)
			return -int64(eAGAIN)
		}
		t.prepare(child, j)
		j.thread = child
	}
	r := t.cloneLocked(j)
	if child := j.thread; child != t {
		if failed(r) || child.vforked {
			child.disown()
		}
	}
	setKernelMask(t.mask)
	return int64(r)
}

// cloneLocked makes the call at a moment when no other thread patches code, or moves descriptors, that the child gets a
// copy of.
func (t *Thread) cloneLocked(j *cloneJob) uintptr {
	if j.flags&cloneVM == 0 {
		waitPatchLock()
		r := doClone(j)
		unlockPatches()
		return r
	}
	if singleThreaded() {
		registerSyncCores()
	}
	r := doClone(j)
	if failed(r) && j.flags&cloneFiles == 0 {
		unlockPatches()
	}
	return r
}

// decode fills the job from the call's arguments.
func (j *cloneJob) decode(c *Call) int64 {
	j.nr, j.args, j.flags, j.stack, j.parent = uintptr(c.nr), c.args, 0, 0, c.thread.tid
	switch c.nr {
	case sysVfork:
		j.flags = cloneVM | cloneVfork
	case sysClone:
		j.flags, j.stack = uint64(uint32(c.args[0])), c.args[1]
	case sysClone3:
		return j.decode3(c)
	}
	return 0
}

// decode3 copies clone3's structure: the kernel must not be told CLONE_CLEAR_SIGHAND,
// which would take the runtime's handlers away before the child's first instruction.
func (j *cloneJob) decode3(c *Call) int64 {
	const offsetFlags, offsetStack, offsetStackSize, minimum = 0, 40, 48, 64
	size := c.args[1]
	if size < minimum || size > pageSize {
		return 0 // the kernel refuses it
	}
	if size > maxClone3 {
		if e := zeroes(c.args[0]+maxClone3, c.args[0]+size); e != 0 {
			return e
		}
		size, j.args[1] = maxClone3, maxClone3
	}
	if safeCopy(addrOf(&j.args3), c.args[0], size) != size {
		return -int64(eFAULT)
	}
	j.flags = *(*uint64)(unsafe.Pointer(&j.args3[offsetFlags]))
	if stack := *(*uintptr)(unsafe.Pointer(&j.args3[offsetStack])); stack != 0 {
		j.stack = stack + *(*uintptr)(unsafe.Pointer(&j.args3[offsetStackSize]))
	}
	if j.flags&cloneSighand == 0 {
		*(*uint64)(unsafe.Pointer(&j.args3[offsetFlags])) = j.flags &^ cloneClearSighand
	}
	j.args[0] = addrOf(&j.args3)
	return 0
}

// zeroes is check_zeroed_user, lib/usercopy.c, for a structure that is larger than the kernel's own: what it does not know
// has to be zero.
func zeroes(start, end uintptr) int64 {
	for p := start; p < end; {
		var part [64]byte
		n := min(end-p, uintptr(len(part)))
		if safeCopy(addrOf(&part), p, n) != n {
			return -int64(eFAULT)
		}
		for _, b := range part {
			if b != 0 {
				return -int64(e2BIG)
			}
		}
		p += n
	}
	return 0
}

// prepare fills the Thread of a child that shares memory.
func (t *Thread) prepare(child *Thread, j *cloneJob) {
	child.regs, child.vectors, child.allSaved = t.regs, t.vectors, true
	child.regs.AX = 0
	if j.stack != 0 {
		child.regs.SP = uint64(j.stack)
	}
	child.site, child.stub = t.site, t.stub
	child.mask, child.parent, child.birth = t.mask, t.tid, BirthThread
	child.filters = t.filters
	child.vforked = j.flags&cloneVfork != 0
	child.inheritMemory(t)
	child.lineage = t.descendant()
	child.noNewPrivs = t.noNewPrivs
	child.inheritFiles(t, j.flags)
	child.clone.flags = j.flags
	child.pid = 0
	if j.flags&cloneThread != 0 {
		child.pid = t.pid
	}
	if child.vforked {
		child.alt = t.alt
	}
	if j.flags&cloneSighand != 0 {
		child.sighand = t.sighand
		atomic.AddInt32(&t.sighand.refs, 1)
		return
	}
	child.ownSighand.actions, child.ownSighand.held = t.sighand.actions, heldSignals{}
	child.ownSighand.refs = 1
	child.sighand = &child.ownSighand
}

// inheritFiles gives a child that shares memory the numbers of its creator's hidden descriptors. With a table of its own it
// unlocks when it has the copy, since it may be a vfork child, whose creator waits.
func (t *Thread) inheritFiles(creator *Thread, flags uint64) {
	waitPatchLock()
	t.files = creator.files
	if flags&cloneFiles != 0 {
		unlockPatches()
		return
	}
	t.files.own()
}

// childStart is the first thing a new thread or process does, on its own tool stack
// with every signal blocked. What it returns from is exitToTarget.
func childStart(t *Thread) {
	if t.clone.flags&(cloneVM|cloneFiles) == cloneVM {
		unlockPatches()
	}
	t.armThread()
	t.tid = int32(sys(sysGettid, 0, 0, 0, 0, 0, 0))
	if t.clone.flags&cloneVM == 0 {
		t.forked()
	} else {
		t.useSignalStack()
	}
	if t.pid == 0 {
		t.pid = int32(sys(sysGetpid, 0, 0, 0, 0, 0, 0))
	}
	if t.clone.flags&cloneClearSighand != 0 {
		t.sighand.clear()
	}
	t.targetIP, t.tail = t.site+callLength, false
	t.exitIP = t.targetIP
	t.started()
	setKernelMask(t.mask)
}

// forked makes a copy of the parent's memory a process of its own: of all threads only
// this one is left.
func (t *Thread) forked() {
	unlockPatches()
	t.call.nr = -1
	t.birth, t.parent, t.pid = BirthFork, t.clone.parent, 0
	t.regs.AX = 0
	if t.clone.stack != 0 {
		t.regs.SP = uint64(t.clone.stack)
	}
	t.vforked, t.shown = false, false
	if t.sighand != &t.ownSighand {
		t.ownSighand.actions = t.sighand.actions
		t.sighand = &t.ownSighand
	}
	t.newPIDs = false
	t.births, t.lineage = 0, t.descendant()
	for o := allThreads; o != nil; o = o.next {
		o.block = nil
		o.ownSighand.refs = 0
		if o != t {
			o.state, o.owners = slotFree, 0
		}
	}
	t.ownSighand.refs = 1
	t.held, t.sighand.held, heldCount = heldSignals{}, heldSignals{}, 0
	forgetTracees()
	t.state, t.owners = slotUsed, 1
}

// started tells the tool of a new thread.
func (t *Thread) started() {
	if tool := toolOf(); tool != nil {
		if shared().StateSize != 0 {
			t.takeBlock()
		}
		if tool.OnThread != nil {
			if t.birth != BirthExec {
				t.letKill()
			}
			tool.OnThread(t)
		}
	}
}

// exit serves exit: the end of one thread.
func exit(t *Thread, c *Call) int64 {
	status := c.args[0]
	releaseTracees()
	t.endBlock()
	t.leave(sysExit, status)
	return 0
}

// exitGroup serves exit_group: the end of the process.
func exitGroup(t *Thread, c *Call) int64 {
	status := c.args[0]
	releaseTracees()
	t.endBlock()
	t.doomOthers()
	if t.birth == BirthThread && t.clone.flags&cloneThread == 0 {
		t.leave(sysExitGroup, status)
	}
	return int64(doCall(sysExitGroup, status, 0, 0, 0, 0, 0))
}

// leave ends the thread and frees its slot, which a vfork child leaves to its parent.
func (t *Thread) leave(nr, status uintptr) {
	changeKernelMask(sigSetmask, allSignals)
	atomic.StoreUint64(&t.mask, allSignals)
	t.tell() // whoever has sent this thread a token tells nobody else
	for _, sig := range ownOrder {
		t.held.discard(sig)
	}
	state := &t.state
	var kept uint32
	if t.vforked {
		state = &kept
	} else {
		t.dropSighand()
	}
	exitThread(state, nr, status)
}
