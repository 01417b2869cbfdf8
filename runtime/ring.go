// Runs in the target, on the tool stack or the signal stack.

package runtime

import (
	"sync/atomic"
	"unsafe"
)

// Records travel to the launcher through a ring in the thread's Block: the thread
// writes them behind Head, the launcher takes them from Tail. A record does
// not wrap; what is left at the ring's end is skipped by a record of kind KindPad. What
// is committed survives the thread's death.
//
//	Block | state of the tool | ring (a power of two)

// RecordHeader is the size of a record's head in bytes: length of the whole record,
// kind, a word of zero, ticks.
const RecordHeader = 16

const (
	// KindPad marks the unused end of a ring.
	KindPad = 0xffff
	// KindLost says how many records of the thread are missing here, in a word.
	KindLost = 0xfffe
)

// State returns the tool's state for the thread: Tool.ThreadSize bytes, zero at birth,
// which the launcher reads when the thread has ended.
func (t *Thread) State() unsafe.Pointer {
	if t.block == nil && !t.takeBlock() {
		return unsafe.Pointer(&lostState)
	}
	return unsafe.Add(unsafe.Pointer(t.block), BlockHeader)
}

// lostState takes what the launcher no longer wants.
var lostState [128 << 10]byte

// takeBlock gives the thread a free block. It reports false when the launcher has gone or
// no block is free.
//
//go:noinline
func (t *Thread) takeBlock() bool {
	saveVectors()
	s := shared()
	if !launcherListens() {
		return false
	}
	nr, ok := s.claimBlock()
	if !ok {
		atomic.AddUint64(&s.Lost, 1)
		return false
	}
	const flags = mapShared | mapFixed
	offset := BlockOffset + uintptr(nr)*uintptr(s.BlockSize)
	r := sys(sysMmap, t.blockFrom, uintptr(s.BlockSize), protRead|protWrite, flags, uintptr(t.files.shared), offset)
	if failed(r) {
		abortErrno("no memory for events", r, t.site)
	}
	b := (*Block)(at(r))
	b.PID, b.TID, b.Parent, b.Birth = t.pid, t.tid, t.parent, t.birth
	sys(sysPrctl, prGetName, addrOf(&b.Comm), 0, 0, 0, 0)
	b.Started = Now()
	t.block, t.blockNr = b, nr
	atomic.StoreUint32(&s.Blocks[nr], BlockLive)
	return true
}

// claimBlock finds a free block and marks it taken. Its memory is zero.
func (s *Shared) claimBlock() (uint32, bool) {
	start := atomic.AddUint32(&s.BlockHint, 1)
	for i := uint32(0); i < s.BlockLimit; i++ {
		nr := (start + i) % s.BlockLimit
		if atomic.LoadUint32(&s.Blocks[nr]) == BlockFree && atomic.CompareAndSwapUint32(&s.Blocks[nr], BlockFree, blockTaken) {
			raise(&s.BlockHigh, nr+1)
			return nr, true
		}
	}
	return 0, false
}

// blockTaken is a block whose header is being written.
const blockTaken = 3

// raise makes *p at least v.
func raise(p *uint32, v uint32) {
	for old := atomic.LoadUint32(p); old < v; old = atomic.LoadUint32(p) {
		if atomic.CompareAndSwapUint32(p, old, v) {
			return
		}
	}
}

// endBlock tells the launcher that the thread writes nothing more.
func (t *Thread) endBlock() { t.leaveBlock(BlockEnded) }

func (t *Thread) leaveBlock(state uint32) {
	if t.block == nil {
		return
	}
	t.block = nil
	s := shared()
	atomic.StoreUint32(&s.Blocks[t.blockNr], state)
	s.wake()
}

// endProcess ends the blocks of all threads of a process that has called exec, when
// none of them is left.
func (t *Thread) endProcess() {
	t.leaveBlock(BlockExeced)
	if t.birth == BirthThread && t.clone.flags&cloneThread == 0 {
		return
	}
	for o := allThreads; o != nil; o = o.next {
		o.endBlock()
	}
}

// doomOthers marks the blocks of the threads that exit_group is about to kill. They may
// still write for a moment.
func (t *Thread) doomOthers() {
	for o := allThreads; o != nil; o = o.next {
		if o != t && o.pid == t.pid && o.block != nil {
			atomic.StoreUint32(&shared().Blocks[o.blockNr], BlockDoomed)
		}
	}
}

// wake wakes the launcher if it sleeps.
func (s *Shared) wake() {
	if atomic.LoadUint32(&s.Sleeping) == 0 {
		return
	}
	atomic.AddUint32(&s.Wake, 1)
	sys(sysFutex, addrOf(&s.Wake), futexWake, 1, 0, 0, 0)
}

// Writer writes one record. The zero Writer writes nothing.
type Writer struct {
	block *Block
	start uintptr // of the record
	at    uintptr
	end   uintptr
}

// Begin starts a record of at most max bytes of payload (16 KiB at most). While the ring
// is full it waits for the launcher; without a launcher the record is dropped, and so it is if the launcher wants no thread to
// wait. What was dropped is told by a record as soon as there is room.
func (t *Thread) Begin(kind uint16, max int) Writer {
	if t.block == nil && !t.takeBlock() {
		return Writer{}
	}
	if t.block.Dropped != 0 && !t.tellDropped() {
		return Writer{}
	}
	return t.begin(kind, max)
}

// tellDropped writes the record about what was dropped. It reports false, and counts one more, while there is no room for it.
func (t *Thread) tellDropped() bool {
	b := t.block
	n := b.Dropped
	w := t.begin(KindLost, 8)
	if w.block == nil {
		return false
	}
	w.U64(n)
	w.Commit()
	b.Dropped = 0
	return true
}

func (t *Thread) begin(kind uint16, max int) Writer {
	b := t.block
	s := shared()
	first := uintptr(unsafe.Pointer(b)) + BlockHeader + uintptr(s.StateSize)
	size := uint64(uintptr(s.BlockSize) - BlockHeader - uintptr(s.StateSize))
	need := uint64(max+7)&^7 + RecordHeader
	rest := size - b.Head&(size-1)
	pad := uint64(0)
	if rest < need {
		pad = rest
	}
	for b.Head+pad+need-atomic.LoadUint64(&b.Tail) > size {
		if s.Drop != 0 || !s.waitForRoom() {
			b.Dropped++
			atomic.AddUint64(&s.Lost, 1)
			return Writer{}
		}
	}
	if pad != 0 {
		p := first + uintptr(b.Head&(size-1))
		*(*uint32)(at(p)) = uint32(pad)
		*(*uint32)(at(p + 4)) = KindPad
		atomic.StoreUint64(&b.Head, b.Head+pad)
	}
	w := Writer{block: b, start: first + uintptr(b.Head&(size-1))}
	w.at, w.end = w.start+RecordHeader, w.start+uintptr(need)
	*(*uint32)(at(w.start + 4)) = uint32(kind)
	*(*uint64)(at(w.start + 8)) = Now()
	return w
}

// waitForRoom sleeps until the launcher has drained, or a moment. It reports false when
// there is no launcher any more.
func (s *Shared) waitForRoom() bool {
	if !launcherListens() {
		return false
	}
	if !launcherLives() {
		atomic.StoreUint32(&s.Closed, 1) // nobody has to ask again
		return false
	}
	seen := atomic.LoadUint32(&s.Drained)
	atomic.AddUint32(&s.Wake, 1)
	sys(sysFutex, addrOf(&s.Wake), futexWake, 1, 0, 0, 0)
	timeout := [2]int64{0, 20e6}
	sys(sysFutex, addrOf(&s.Drained), futexWait, uintptr(seen), addrOf(&timeout), 0, 0)
	return true
}

// launcherLives asks the kernel for the lock that the launcher holds on the shared file
// as long as it lives.
func launcherLives() bool {
	const getlk, unlocked = 5, 2
	lock := struct {
		kind, whence int16
		start, len   int64
		pid          int32
	}{kind: 1}
	r := sys(sysFcntl, uintptr(currentThread().files.shared), getlk, addrOf(&lock), 0, 0, 0)
	return failed(r) || lock.kind != unlocked
}

// Room returns how many bytes of payload still fit.
func (w *Writer) Room() int { return int(w.end - w.at) }

// U64 appends a word.
func (w *Writer) U64(v uint64) {
	if w.at+8 <= w.end {
		*(*uint64)(at(w.at)) = v
		w.at += 8
	}
}

// Bytes appends b: its length, a word of zero, the bytes, padded to 8.
func (w *Writer) Bytes(b []byte) {
	var from uintptr
	if len(b) > 0 {
		from = uintptr(unsafe.Pointer(&b[0]))
	}
	w.Target(from, len(b))
}

// Target appends n bytes of the target's memory at addr: the number of bytes that could be
// read, a word with CopyFault if that is fewer, the bytes, padded to 8.
func (w *Writer) Target(addr uintptr, n int) {
	if w.at+8 > w.end {
		return
	}
	if room := int(w.end - w.at - 8); n > room {
		n = room
	}
	if n < 0 {
		n = 0
	}
	got := safeCopy(w.at+8, addr, uintptr(n))
	how := uint64(CopyFull)
	if got != uintptr(n) {
		how = CopyFault
	}
	w.piece(got, how)
}

// TargetString appends a string of the target at addr, of at most max bytes: its length
// without the NUL, how the copy ended, the bytes, padded to 8.
func (w *Writer) TargetString(addr uintptr, max int) {
	if w.at+8 > w.end {
		return
	}
	if room := int(w.end - w.at - 8); max > room {
		max = room
	}
	got, how := safeString(w.at+8, addr, uintptr(max))
	w.piece(got, uint64(how))
}

func (w *Writer) piece(n uintptr, how uint64) {
	*(*uint64)(at(w.at)) = uint64(n) | how<<32
	w.at += 8 + (n+7)&^7
}

// Commit publishes the record.
func (w *Writer) Commit() {
	if w.block == nil {
		return
	}
	length := w.at - w.start
	*(*uint32)(at(w.start)) = uint32(length)
	b := w.block
	head := b.Head + uint64(length)
	atomic.StoreUint64(&b.Head, head)
	if s := shared(); head-b.Tail > uint64(s.BlockSize)/4 {
		s.wake()
	}
}
