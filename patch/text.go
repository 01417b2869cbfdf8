// Runs in the target, on any stack: it only reads what it is given.

package patch

import "math/bits"

// WindowSize is how many bytes of code are looked at, at most.
const WindowSize = 8192

// MaxFunctions is how many functions around a site are looked at, at most.
const MaxFunctions = 16

// Text is a window of code around a site and what is known of it. Offsets are those in Code. One is some 16 KiB: it is
// kept, and filled anew for each site.
type Text struct {
	Code [WindowSize]byte // as it was before any patch
	N    int              // bytes of it
	Base uintptr          // address of the first
	// Functions are proven ones, in the order of addresses. They lead to more padding, and to all branches of the code
	// around the site. The first of them need not start in the window, nor the last one end there.
	Functions     [MaxFunctions]Function
	FunctionCount int

	taken    bitmap // bytes that patches have taken
	starts   bitmap // instructions begin here
	covered  bitmap // bytes of instructions
	targets  bitmap // branches lead here
	data     bitmap // something here is read, or its address is taken
	ends     bitmap // an unconditional transfer ends before this
	computed bitmap // a jump to where nothing tells ends before this
	begins   bitmap // a function seems to begin here
	search   search
}

// Function is one function of the unwind table: [Start, End), and no other one begins before Next.
type Function struct{ Start, End, Next uintptr }

type bitmap [WindowSize/64 + 1]uint64

func (b *bitmap) has(i int) bool { return b[uint(i)>>6%uint(len(b))]>>(uint(i)&63)&1 != 0 }
func (b *bitmap) set(i int)      { b[uint(i)>>6%uint(len(b))] |= 1 << (uint(i) & 63) }

// next returns the first element in [from, limit), limit if there is none.
func (b *bitmap) next(from, limit int) int {
	for at := from; at < limit; at = at&^63 + 64 {
		if w := b[uint(at)>>6%uint(len(b))] >> (uint(at) & 63); w != 0 {
			return min(at+bits.TrailingZeros64(w), limit)
		}
	}
	return limit
}

// Reset makes the text ready for another window: N bytes at Base.
func (t *Text) Reset(base uintptr, n int) {
	t.Base, t.N, t.FunctionCount = base, min(max(n, 0), WindowSize), 0
	words := t.N>>6 + 1
	for _, b := range [...]*bitmap{&t.taken, &t.starts, &t.covered, &t.targets, &t.data, &t.ends, &t.computed, &t.begins} {
		clear(b[:words])
	}
}

// Take notes that patches have taken [start, end).
func (t *Text) Take(start, end uintptr) {
	for a := max(start, t.Base); a < min(end, t.Base+uintptr(t.N)); a++ {
		t.taken.set(int(a - t.Base))
	}
}

// AddFunction adds a function behind those that are there. It reports false if there is no room.
func (t *Text) AddFunction(f Function) bool {
	if t.FunctionCount == MaxFunctions {
		return false
	}
	t.Functions[t.FunctionCount] = f
	t.FunctionCount++
	return true
}

// functionAt returns the function that holds an offset.
func (t *Text) functionAt(at int) (Function, bool) {
	addr := t.Base + uintptr(at)
	for _, f := range t.Functions[:t.FunctionCount] {
		if addr >= f.Start && addr < f.End {
			return f, true
		}
	}
	return Function{}, false
}

// offset turns an address into an offset within [0, N].
func (t *Text) offset(addr uintptr) int {
	return int(min(max(addr, t.Base), t.Base+uintptr(t.N)) - t.Base)
}

// exploreAll decodes what is reached from all known boundaries: the functions, and start. It reports whether that was
// anything new; functions may lead to each other.
func (t *Text) exploreAll(start int) bool {
	found := t.explore(start)
	for _, f := range t.Functions[:t.FunctionCount] {
		if f.Start >= t.Base && f.Start < t.Base+uintptr(t.N) && t.explore(int(f.Start-t.Base)) {
			found = true
		}
	}
	return found
}

// explore decodes what is reached from a known instruction boundary within a function, or without one within the
// window. It reports whether that was anything new.
func (t *Text) explore(start int) bool {
	low, high := start, t.N
	if f, ok := t.functionAt(start); ok {
		low, high = t.offset(f.Start), t.offset(f.End)
	}
	found := t.follow(start, high)
	for {
		at, ok := t.unseen(low, high)
		if !ok {
			return found
		}
		t.follow(at, high)
		found = true
	}
}

// unseen finds a branch target in [low, high) that has not been decoded.
func (t *Text) unseen(low, high int) (int, bool) {
	for w := low >> 6; w<<6 < high; w++ {
		m := t.targets[w%len(t.targets)] &^ t.starts[w%len(t.starts)]
		for ; m != 0; m &= m - 1 {
			if at := w<<6 + bits.TrailingZeros64(m); at >= low && at < high {
				return at, true
			}
		}
	}
	return 0, false
}

// follow decodes a straight line. It reports whether that was anything new.
func (t *Text) follow(at, high int) bool {
	first := at
	for at < high && !t.starts.has(at) {
		i, ok := Decode(t.Code[at:t.N])
		if !ok {
			t.starts.set(at) // once is enough
			break
		}
		t.starts.set(at)
		for b := at; b < at+i.Len; b++ {
			t.covered.set(b)
		}
		if i.Disp != 0 { // a constant
			t.aim(&t.data, at+i.Len+t.rel32(at+i.Disp))
		}
		at += i.Len
		if i.Flow == Branch || i.Flow == Call || i.Flow == Jump {
			t.aim(&t.targets, at+i.Rel)
		}
		switch i.Flow {
		case Computed:
			t.computed.set(at)
			t.ends.set(at)
			return true
		case Jump, Leave:
			t.ends.set(at)
			return true
		case Stop:
			return true
		}
	}
	return at > first
}

// aim notes an offset that something refers to.
func (t *Text) aim(b *bitmap, to int) {
	if to >= 0 && to < t.N {
		b.set(to)
	}
}

// Restore gives n bytes at an address, at most 8, the values that they had before a patch, and takes them.
func (t *Text) Restore(addr uintptr, old uint64, n uintptr) {
	for i := uintptr(0); i < n; i++ {
		if at := addr + i - t.Base; at < uintptr(t.N) {
			t.Code[at%WindowSize] = byte(old >> (8 * i))
		}
	}
	t.Take(addr, addr+n)
}
