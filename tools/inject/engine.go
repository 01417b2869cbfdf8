// Runs in the target, on the tool stack; any signal may arrive.

package inject

import (
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
)

// memory is what a thread knows. It is the tool's memory of the thread, which outlives the program.
type memory struct {
	again  again
	length int32 // of path; unknown, or noString
	path   [maxPath]byte
	counts [maxCounters]uint32 // calls that met a rule's conditions
}

// again is a call that was begun and not made, since a signal came first. It comes again when the handler has returned, and
// must neither be counted twice nor met by the rule's first half.
type again struct {
	site, sp uintptr
	nr       int32
	rule     int32 // -1: none
}

const (
	maxPath  = 4096 // PATH_MAX
	unknown  = -1
	noString = -2
)

var _ [rt.MemorySize - unsafe.Sizeof(memory{})]byte

func memoryOf(t *rt.Thread) *memory { return (*memory)(t.Memory()) }

// Decision is what the rules say of a call.
type Decision struct {
	rule  *rule // nil: nothing
	again bool  // its first half is done
	Marks uint64
}

// Marks: what the program will find changed, as strace tells it.
const (
	MarkResult = 1 << iota // the call is not made
	MarkArgs               // memory was changed
	MarkDelay
	MarkValue // of MarkResult: a value, whatever it looks like
)

// Applies reports whether there is anything to do.
func (d *Decision) Applies() bool { return d.rule != nil }

// OnThread begins the life of a thread.
func OnThread(t *rt.Thread) {
	m := memoryOf(t)
	m.again.site = 0
	if t.Birth() == rt.BirthExec {
		return
	}
	for i := range m.counts {
		m.counts[i] = 0
	}
}

// Begin asks the rules about a call, and changes the memory that it is about to read. Every rule counts for itself; the first
// one that applies is the one that counts.
func (tab *Table) Begin(c *rt.Call) (d Decision) {
	nr := c.Nr()
	if uint(nr) >= rt.NumCalls || tab.first[nr] == 0 {
		return d
	}
	m := memoryOf(c.Thread())
	if a := &m.again; a.site != 0 && a.site == c.Site() && a.sp == c.SP() && int(a.nr) == nr {
		a.site = 0
		if a.rule >= 0 {
			d.rule, d.again = &tab.rules[a.rule], true
			d.Marks = d.rule.marks()
		}
		return d
	}
	m.again.site, m.length = 0, unknown
	for u := tab.usesOf(nr); u.rule != lastUse; u = next(u) {
		if r := &tab.rules[u.rule]; tab.counted(c, m, r, u) && d.rule == nil {
			d.rule = r
		}
	}
	if r := d.rule; r != nil {
		d.Marks = r.marks() | tab.poke(c, r.pokeIn, r.pokesIn)
	}
	return d
}

func (tab *Table) usesOf(nr int) *use { return &tab.uses[tab.first[nr]-1] }

func next(u *use) *use { return (*use)(unsafe.Add(unsafe.Pointer(u), unsafe.Sizeof(*u))) }

// counted reports whether a rule applies to a call, which it counts if its conditions hold.
func (tab *Table) counted(c *rt.Call, m *memory, r *rule, u *use) bool {
	if r.condition != 0 && !tab.holds(c, m, r.condition) {
		return false
	}
	if u.counter == 0 {
		return true
	}
	n := &m.counts[u.counter-1]
	*n++
	return r.due(*n) && r.strikes(c, *n)
}

// due reports whether the n-th call is one of when=.
func (r *rule) due(n uint32) bool {
	switch {
	case n < r.first || r.last != 0 && n > r.last:
		return false
	case n == r.first:
		return true
	}
	return r.step != 0 && (n-r.first)%r.step == 0
}

// strikes reports whether the n-th call is one of prob=.
func (r *rule) strikes(c *rt.Call, n uint32) bool {
	if r.chance == 0 {
		return true
	}
	return rt.Mix(rt.Mix(r.seed^c.Thread().Lineage())^uint64(c.Nr())<<32^uint64(n)) < r.chance
}

func (r *rule) marks() uint64 {
	marks := uint64(0)
	if r.flags&replaces != 0 {
		marks |= MarkResult
	}
	if r.flags&isValue != 0 {
		marks |= MarkValue
	}
	if r.waitIn != 0 || r.waitOut != 0 {
		marks |= MarkDelay
	}
	return marks
}

// poke writes over what the call's arguments point at. Memory that cannot be written stays as it is.
func (tab *Table) poke(c *rt.Call, first, count uint16) (marks uint64) {
	for i := range count {
		p := &tab.pokes[first+i]
		data := unsafe.Slice(&tab.text[p.at], int(p.size))
		if p.arg < uint16(tab.args[c.Nr()].Count) && c.Write(c.Arg(int(p.arg)), data) {
			marks |= MarkArgs
		}
	}
	return marks
}

// Run makes the call as the rule wants it, or lets it be. It returns what Begin could not know. A signal that keeps the call from
// starting makes it come again.
func (tab *Table) Run(c *rt.Call, d *Decision) (marks uint64) {
	r := d.rule
	if !d.again {
		sleep(c, r.waitIn)
	}
	switch {
	case r.flags&replaces != 0:
		r.replace(c)
	case r.signal != 0 && !d.again:
		c.DoInterrupted(int(r.signal))
	default:
		c.Do()
	}
	if c.Result() == -rt.ENOTRUN && r.flags&replaces == 0 {
		tab.comesAgain(c, d)
		return 0
	}
	marks = tab.poke(c, r.pokeOut, r.pokesOut)
	sleep(c, r.waitOut)
	return marks
}

// replace gives the call the rule's result.
func (r *rule) replace(c *rt.Call) {
	if r.instead >= 0 {
		c.Inject(int(r.instead), c.Arg(0), c.Arg(1), c.Arg(2), c.Arg(3), c.Arg(4), c.Arg(5))
	}
	c.Return(r.result)
	if r.signal != 0 {
		c.Raise(int(r.signal))
	}
}

// NotRun tells of a call that no rule applied to and a signal kept from starting.
func (tab *Table) NotRun(c *rt.Call) { tab.comesAgain(c, &Decision{}) }

func (tab *Table) comesAgain(c *rt.Call, d *Decision) {
	if nr := c.Nr(); uint(nr) >= rt.NumCalls || tab.first[nr] == 0 {
		return
	}
	rule := int32(-1)
	if d.rule != nil {
		rule = int32((uintptr(unsafe.Pointer(d.rule)) - uintptr(unsafe.Pointer(&tab.rules))) / unsafe.Sizeof(*d.rule))
	}
	a := &memoryOf(c.Thread()).again
	a.site, a.sp, a.nr, a.rule = c.Site(), c.SP(), int32(c.Nr()), rule
}

// sleep waits, whatever signals come meanwhile: their handlers run when the hook is done.
func sleep(c *rt.Call, ns int64) {
	const (
		sysGettime, sysNanosleep = 228, 230 // clock_gettime, clock_nanosleep
		monotonic, absolute      = 1, 1     // CLOCK_MONOTONIC, TIMER_ABSTIME
		interrupted              = -4       // EINTR
		second                   = 1e9
	)
	if ns == 0 {
		return
	}
	var until [2]int64 // struct timespec
	at := uintptr(unsafe.Pointer(&until))
	c.Inject(sysGettime, monotonic, at, 0, 0, 0, 0)
	until[0] += ns / second
	if until[1] += ns % second; until[1] >= second {
		until[0], until[1] = until[0]+1, until[1]-second
	}
	for c.Inject(sysNanosleep, monotonic, absolute, at, 0, 0, 0) == interrupted {
	}
}
