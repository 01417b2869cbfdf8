package launcher

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// drain takes what the threads of the target leave in the shared memory: records in
// rings, tool state, messages. One goroutine does all of it.
type drain struct {
	mem     *memory
	cfg     *Config
	clock   *clock
	quit    chan struct{}
	done    chan struct{}
	waiting []item            // taken from the rings, not handed over yet
	doomed  map[int]time.Time // blocks of threads being killed, since when
	chunk   []byte            // room for the data of records
	room    []byte            // of the state that is being handed over
	looked  time.Time         // when look did something
}

// item is a record, or the end of a thread with its tool state.
type item struct {
	Event
	ended *Thread
	state []byte
}

const (
	// holdBack is how long a record waits for records of other threads with an older time
	// stamp: a thread may be preempted between taking the time and publishing.
	holdBack = 2 * time.Millisecond
	// idle is how long the drain sleeps when nobody wakes it.
	idle = 20 * time.Millisecond
	// doomedTime is how long a thread that exit_group kills may still write.
	doomedTime = time.Second
)

func newDrain(m *memory, cfg *Config) *drain {
	d := &drain{
		mem: m, cfg: cfg, clock: newClock(),
		quit: make(chan struct{}), done: make(chan struct{}),
		doomed: map[int]time.Time{}, looked: time.Now(),
	}
	go d.run()
	return d
}

// run drains until stop.
func (d *drain) run() {
	defer close(d.done)
	for {
		select {
		case <-d.quit:
			atomic.StoreUint32(&d.mem.shared.Closed, 1)
			d.pass(true)
			d.release(^uint64(0))
			return
		default:
		}
		start := rt.Now()
		busy := d.pass(false)
		d.release(start - min(start, d.clock.ticksAtLeast(holdBack)))
		d.look()
		if !busy {
			d.sleep()
		}
	}
}

// stop takes everything that is left and ends the drain.
func (d *drain) stop() {
	close(d.quit)
	d.wake()
	<-d.done
}

func (d *drain) wake() {
	s := d.mem.shared
	atomic.AddUint32(&s.Wake, 1)
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.Wake)), 1, 1<<30, 0, 0, 0)
}

// sleep waits until a thread's ring fills, or stop wants the end, or a moment.
func (d *drain) sleep() {
	s := d.mem.shared
	seen := atomic.LoadUint32(&s.Wake)
	select {
	case <-d.quit: // and stop's wake may have come before
		return
	default:
	}
	atomic.StoreUint32(&s.Sleeping, 1)
	timeout := unix.NsecToTimespec(int64(idle))
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.Wake)), 0, uintptr(seen), uintptr(unsafe.Pointer(&timeout)), 0, 0)
	atomic.StoreUint32(&s.Sleeping, 0)
}

// pass looks at every block once and reports whether there was much to take.
func (d *drain) pass(last bool) bool {
	s := d.mem.shared
	taken := 0
	for nr := range int(atomic.LoadUint32(&s.BlockHigh)) {
		state := atomic.LoadUint32(&s.Blocks[nr])
		switch state {
		case rt.BlockLive, rt.BlockEnded, rt.BlockExeced, rt.BlockDoomed:
		default:
			continue
		}
		taken += d.take(nr)
		if last || state == rt.BlockEnded || state == rt.BlockExeced || state == rt.BlockDoomed && d.dead(nr) {
			d.harvest(nr, state)
		}
	}
	d.messages()
	if taken > 0 {
		atomic.AddUint32(&s.Drained, 1)
		unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.Drained)), 1, 1<<30, 0, 0, 0)
	}
	return taken > ringSize/4
}

// dead reports whether a doomed block's thread has had the time to die.
func (d *drain) dead(nr int) bool {
	since, ok := d.doomed[nr]
	if !ok {
		d.doomed[nr] = time.Now()
		return false
	}
	return time.Since(since) > doomedTime
}

func (d *drain) block(nr int) (*rt.Block, []byte) {
	raw := d.mem.blocks[nr*d.mem.size:][:d.mem.size]
	return (*rt.Block)(unsafe.Pointer(&raw[0])), raw
}

// take copies the records out of one block's ring and returns how many bytes they were.
func (d *drain) take(nr int) int {
	b, raw := d.block(nr)
	ring := raw[len(raw)-ringSize:]
	head, tail := atomic.LoadUint64(&b.Head), b.Tail
	for at := tail; at < head; {
		rec := ring[at&(ringSize-1):]
		length := binary.LittleEndian.Uint32(rec)
		if length < 8 || uint64(length) > head-at {
			break // the target wrote over its ring
		}
		if kind := binary.LittleEndian.Uint16(rec[4:]); kind != rt.KindPad {
			d.waiting = append(d.waiting, item{Event: Event{
				PID: int(b.PID), TID: int(b.TID), Kind: kind,
				Ticks: binary.LittleEndian.Uint64(rec[8:]),
				Data:  d.keep(rec[rt.RecordHeader:max(length, rt.RecordHeader)]),
			}})
		}
		at += uint64(length)
	}
	atomic.StoreUint64(&b.Tail, head)
	return int(head - tail)
}

// keep copies the data of a record. Many share one allocation.
func (d *drain) keep(data []byte) []byte {
	const size = 64 << 10
	if cap(d.chunk)-len(d.chunk) < len(data) {
		d.chunk = make([]byte, 0, max(size, len(data)))
	}
	start := len(d.chunk)
	d.chunk = append(d.chunk, data...)
	return d.chunk[start:len(d.chunk):len(d.chunk)]
}

// release hands over what is older than limit, oldest first.
func (d *drain) release(limit uint64) {
	slices.SortStableFunc(d.waiting, func(a, b item) int { return cmp.Compare(a.Ticks, b.Ticks) })
	var batch []Event
	n := 0
	for ; n < len(d.waiting) && d.waiting[n].Ticks <= limit; n++ {
		it := &d.waiting[n]
		if it.ended == nil {
			it.Time = d.clock.time(it.Ticks)
			batch = append(batch, it.Event)
			continue
		}
		d.events(batch)
		batch = batch[:0]
		if d.cfg.Harvest != nil {
			d.cfg.Harvest(*it.ended, it.state)
		}
	}
	d.events(batch)
	d.waiting = append(d.waiting[:0], d.waiting[n:]...)
}

func (d *drain) events(batch []Event) {
	if len(batch) > 0 && d.cfg.Events != nil {
		d.cfg.Events(batch)
	}
}

// harvest takes the tool state of a thread that has ended and frees its block.
func (d *drain) harvest(nr int, how uint32) {
	b, raw := d.block(nr)
	if b.Dropped != 0 { // and the thread has found no room any more to say so
		d.waiting = append(d.waiting, item{Event: Event{
			PID: int(b.PID), TID: int(b.TID), Kind: rt.KindLost, Ticks: rt.Now(), Data: binary.LittleEndian.AppendUint64(nil, b.Dropped),
		}})
	}
	th := threadOf(b)
	th.Exec, th.Alive = how == rt.BlockExeced, how == rt.BlockLive
	if d.cfg.Events == nil && d.cfg.Harvest != nil { // nothing to wait for, and there may be many
		d.room = d.state(nr, d.room)
		d.cfg.Harvest(th, d.room)
	} else {
		d.waiting = append(d.waiting, item{Event: Event{Ticks: rt.Now()}, ended: &th, state: d.state(nr, nil)})
	}
	delete(d.doomed, nr)
	// The memory goes back, too: blocks are taken in turn, so this one's would lie idle until all others were used.
	if unix.Madvise(raw, unix.MADV_REMOVE) != nil {
		clear(raw)
	}
	atomic.StoreUint32(&d.mem.shared.Blocks[nr], rt.BlockFree)
}

// threadOf returns the thread that a block belongs to.
func threadOf(b *rt.Block) Thread {
	comm, _, _ := bytes.Cut(b.Comm[:], []byte{0})
	return Thread{PID: int(b.PID), TID: int(b.TID), Parent: int(b.Parent), Birth: int(b.Birth), Comm: string(comm)}
}

// state copies the tool state out of a block to room, or to new memory if that is nil. It is read from the file: memory that the thread has never touched stays out
// of it.
func (d *drain) state(nr int, room []byte) []byte {
	if d.cfg.Tool == nil || d.cfg.Tool.ThreadSize == 0 {
		return nil
	}
	state := room
	if state == nil {
		state = make([]byte, d.cfg.Tool.ThreadSize)
	}
	at := int64(rt.BlockOffset) + int64(nr)*int64(d.mem.size) + rt.BlockHeader
	if n, err := unix.Pread(d.mem.file, state, at); err != nil || n < len(state) {
		_, raw := d.block(nr)
		copy(state, raw[rt.BlockHeader:])
	}
	return state
}

// look shows the state of all threads, if that is due.
func (d *drain) look() {
	if d.cfg.Interval == 0 || time.Since(d.looked) < d.cfg.Interval {
		return
	}
	d.looked = time.Now()
	var threads []ThreadState
	for nr := range int(atomic.LoadUint32(&d.mem.shared.BlockHigh)) {
		switch atomic.LoadUint32(&d.mem.shared.Blocks[nr]) {
		case rt.BlockLive, rt.BlockEnded, rt.BlockExeced, rt.BlockDoomed:
			b, _ := d.block(nr)
			threads = append(threads, ThreadState{threadOf(b), d.state(nr, nil)})
		}
	}
	for _, it := range d.waiting {
		if it.ended != nil {
			threads = append(threads, ThreadState{*it.ended, it.state})
		}
	}
	d.cfg.Look(threads)
}
