// Runs in the target, on the signal stack with every signal blocked or on the tool stack, with patchLock held.

package runtime

// codeWriter changes the code of one patch, in one of three ways:
//
//   - the process has one thread: in a copy, and then all at once through /proc/self/mem, which leaves the mapping as it
//     is (access_remote_vm with FOLL_FORCE, mm/memory.c)
//   - the code cannot have run yet: the pages are open for writing already
//   - else the pages are opened for writing, they never lose PROT_EXEC, and what is visible to other threads is stored at
//     once
type codeWriter struct {
	mem       uintptr // descriptor of /proc/self/mem
	alone     bool    // no other thread can be there
	opened    bool    // the pages are writable now
	fresh     bool    // somebody else opened them
	low, high uintptr // what is changed
	prot      uintptr
}

// codeBuffer is the copy of [low, high).
var codeBuffer [1024]byte

// memRefused: this kernel does not let /proc/self/mem change code (proc_mem.force_override, 6.12).
var memRefused bool

const cacheLine = 64

// begin makes ready to change [low, high) of a text. It reports false if that cannot be done, now or at all.
func (w *codeWriter) begin(x *text, low, high uintptr) bool {
	w.alone, w.opened, w.prot = w.fresh || singleThreaded(), w.fresh, x.prot
	w.low, w.high = low, high
	if w.fresh {
		return true
	}
	n := high - low
	if w.alone && !memRefused && n <= uintptr(len(codeBuffer)) && w.openMem() {
		if safeCopy(addrOf(&codeBuffer), low, n) == n {
			return true
		}
		w.end()
		return false
	}
	w.opened = openCode(low, high, w.prot)
	return w.opened
}

func (w *codeWriter) openMem() bool {
	w.mem = openFile("/proc/self/mem\x00", oRDWR)
	return !failed(w.mem)
}

// openCode makes the pages of [low, high) writable, closeCode gives them their protection back.
func openCode(low, high, prot uintptr) bool {
	return !failed(protectPages(low, high, prot|protWrite))
}

func closeCode(low, high, prot uintptr) { protectPages(low, high, prot) }

func protectPages(low, high, prot uintptr) uintptr {
	start := low &^ (pageSize - 1)
	return sys(sysMprotect, start, pageUp(high)-start, prot, 0, 0, 0)
}

// write changes n bytes, at most 8, that nobody executes.
func (w *codeWriter) write(addr uintptr, v uint64, n uintptr) bool {
	if !w.opened {
		addr = addrOf(&codeBuffer) + addr - w.low
	}
	return safeCopy(addr, addrOf(&v), n) == n
}

// publish changes the 2 or 5 bytes at addr that lead to everything written before.
func (w *codeWriter) publish(addr uintptr, v uint64, n uintptr) bool {
	switch {
	case !w.opened:
		w.write(addr, v, n)
		size := w.high - w.low
		memRefused = sys(sysPwrite64, w.mem, addrOf(&codeBuffer), size, w.low, 0, 0) != size
		return !memRefused
	case w.alone:
		return w.write(addr, v, n)
	}
	syncCores()
	ok := storeAtOnce(addr, v, n)
	syncCores()
	return ok
}

// end gives the pages their protection back.
func (w *codeWriter) end() {
	switch {
	case w.fresh:
	case w.opened:
		closeCode(w.low, w.high, w.prot)
	default:
		sys(sysClose, w.mem, 0, 0, 0, 0, 0)
	}
}

// storeAtOnce stores 2 or 5 bytes in a way that no other thread sees a part of them.
//
// Precondition: fitsStore.
func storeAtOnce(addr uintptr, v uint64, n uintptr) bool {
	if n == 2 {
		return safeStore(addr, uintptr(v), 2)
	}
	var word uint64
	if safeCopy(addrOf(&word), addr, 8) != 8 {
		return false
	}
	return safeStore(addr, uintptr(word&^(1<<40-1)|v), 8)
}

// fitsStore reports whether there is such a store: within a cache line.
func fitsStore(addr, n uintptr) bool {
	if n > 2 {
		n = 8
	}
	return addr&(cacheLine-1)+n <= cacheLine
}

// singleThreaded reports whether nobody else runs in this memory.
func singleThreaded() bool {
	n := 0
	for t := allThreads; t != nil; t = t.next {
		if t.state == slotUsed {
			n++
		}
	}
	return n == 1
}

// Commands of membarrier, include/uapi/linux/membarrier.h (4.16).
const (
	membarrierSyncCore         = 1 << 5
	membarrierRegisterSyncCore = 1 << 6
)

// syncCores makes every processor that runs a thread of the process look at changed code again. Without a kernel that
// can, x86 processors do so all the same, after some instructions.
func syncCores() {
	if -sys(sysMembarrier, membarrierSyncCore, 0, 0, 0, 0, 0) == ePERM {
		registerSyncCores()
		sys(sysMembarrier, membarrierSyncCore, 0, 0, 0, 0, 0)
	}
}

// registerSyncCores is cheap as long as the process has one thread; later it waits for a grace period of RCU
// (sync_runqueues_membarrier_state, kernel/sched/membarrier.c).
func registerSyncCores() { sys(sysMembarrier, membarrierRegisterSyncCore, 0, 0, 0, 0, 0) }
