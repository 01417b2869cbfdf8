// Runs in the target, on any stack: it only reads what it is given.

package patch

// What compilers align.
const (
	alignFunction = 16
	alignBlock    = 8
)

const int3 = 0xcc

// padding returns the end of the padding that starts at an offset, behind an unconditional transfer.
func (t *Text) padding(start int) int {
	limit := t.paddingLimit(start)
	end, kind, single := start, NoPad, 0
	for end < limit {
		i, ok := Decode(t.Code[end:t.N])
		if !ok || i.Pad == NoPad || kind != NoPad && i.Pad != kind || t.known(end, end+i.Len) {
			break
		}
		kind = i.Pad
		if i.Len == 1 {
			single++
		}
		end += i.Len
	}
	if kind == NopPad && (end > limit || single > 1 || !t.aligned(end, alignBlock)) || t.maybeCode(start, end, kind) {
		return start
	}
	return end
}

// known reports whether any of [start, end) is code that has been decoded, or what some refers to.
func (t *Text) known(start, end int) bool {
	for at := start; at < end; at++ {
		if t.covered.has(at) || t.starts.has(at) || t.targets.has(at) || t.data.has(at) {
			return true
		}
	}
	return false
}

// aligned reports whether the address of an offset is a multiple of n.
func (t *Text) aligned(at, n int) bool { return (t.Base+uintptr(at))%uintptr(n) == 0 }

// maybeCode reports whether padding may be what a block of code begins with, which a branch that has not been seen
// leads to. Behind the end of a function that cannot be, nor for int3 in a known one, nor for those that fill up to
// where functions are aligned.
func (t *Text) maybeCode(start, end int, kind Pad) bool {
	f, known := t.functionAt(start - 1)
	if !known {
		fills := kind == TrapPad && t.aligned(end, alignFunction)
		return !fills && t.maybeTarget(start, end, 0, t.N)
	}
	low, high := t.offset(f.Start), t.offset(f.End)
	if start >= high || kind == TrapPad {
		return false
	}
	if f.Start < t.Base || f.End > t.Base+uintptr(t.N) {
		return true
	}
	for at := low; at <= high; at++ {
		if t.computed.has(at) {
			return true
		}
	}
	return t.maybeTarget(start, end, low, high)
}

// paddingLimit bounds padding: a function may begin with a nop. Where the functions are not known it ends at the first
// address that one would be aligned to.
func (t *Text) paddingLimit(start int) int {
	limit := t.N
	for _, f := range t.Functions[:t.FunctionCount] {
		if next := t.offset(f.Next); f.Next != 0 && next >= start {
			limit = min(limit, next)
		}
	}
	_, known := t.functionAt(start - 1)
	if !known && t.Code[start] != int3 {
		addr := t.Base + uintptr(start)
		limit = min(limit, t.offset((addr+alignFunction-1)&^(alignFunction-1)))
	}
	return limit
}

// maybeTarget reports whether bytes of [low, high) that have not been decoded look like a branch into [start, end).
func (t *Text) maybeTarget(start, end, low, high int) bool {
	into := func(to int) bool { return to >= start && to < end }
	for at := low; at < high && at+1 < t.N; at++ {
		if t.covered.has(at) || at >= start && at < end {
			continue
		}
		b := t.Code[at]
		switch {
		case b>>4 == 7, b == 0xeb, b >= 0xe0 && b <= 0xe3:
			if into(at + 2 + int(int8(t.Code[at+1]))) {
				return true
			}
		case b == 0xe8, b == 0xe9:
			if into(at + 5 + t.rel32(at+1)) {
				return true
			}
		case b == 0x0f && t.Code[at+1]>>4 == 8:
			if into(at + 6 + t.rel32(at+2)) {
				return true
			}
		}
	}
	return false
}

// rel32 is the 4 bytes at an offset.
func (t *Text) rel32(at int) int {
	if at+4 > t.N {
		return 0
	}
	c := t.Code[at : at+4]
	return int(int32(uint32(c[0]) | uint32(c[1])<<8 | uint32(c[2])<<16 | uint32(c[3])<<24))
}
