// Runs in the target, on any stack: it only reads what it is given.

package patch

// Lengths in bytes.
const (
	SiteLength = 2 // of syscall and of a short jump
	JumpLength = 5
	shortReach = 128
	maxDetour  = 40 // of the instructions that a detour copies
	MaxHops    = 4
	maxPieces  = 64
)

// What compilers align.
const (
	alignFunction = 16
	alignBlock    = 8
)

const int3 = 0xcc

// Tactic is a way to patch a site.
type Tactic uint8

const (
	Forward Tactic = iota
	Backward
	Chain
	Detour
	NumTactics
)

func (t Tactic) String() string {
	return [NumTactics]string{"forward", "backward", "chain", "detour"}[t%NumTactics]
}

// Reason says why a site is not patched.
type Reason uint8

const (
	Patchable     Reason = iota
	NoPadding            // none of the tactics works
	NotCode              // there is no syscall instruction any more
	UnknownText          // the mapping cannot be found out
	SharedText           // a patch would change the file
	WritableText         // the program may write code there
	AnonymousText        // the program has written the code
	NoBridge             // no memory for bridges in reach
	CannotWrite          // the kernel does not let code be changed
	Threads              // other threads run, and no store of theirs would be whole
	SignalReturn         // unwinders and debuggers know signal frames by these bytes
	NumReasons
)

func (r Reason) String() string {
	return [NumReasons]string{
		"patchable", "no padding in reach", "not a syscall instruction", "unknown mapping", "shared mapping", "writable mapping",
		"anonymous mapping", "no room for a bridge", "code cannot be written", "other threads run", "signal return",
	}[r%NumReasons]
}

// Lasting reports whether a site stays refused as long as its mapping stays what it is.
func (r Reason) Lasting() bool {
	switch r {
	case UnknownText, CannotWrite, Threads, NotCode:
		return false
	}
	return true
}

// Plan says how to patch one site.
type Plan struct {
	Tactic Tactic
	Reason Reason // Patchable, or there is no plan
	Hops   uint8
	// Hop is where the jumps go, in bytes from the site: short jumps, and last the one of five bytes. Of a detour it is the
	// instruction that the jump replaces.
	Hop [MaxHops]int16
	// Low and High bound the bytes that the plan rests on, in bytes from the site.
	Low, High int16
}

// HopLength is how many bytes hop i takes.
func (p *Plan) HopLength(i int) uintptr {
	if i == int(p.Hops)-1 {
		return JumpLength
	}
	return SiteLength
}

// Copied is how many bytes of instructions before the site a detour copies.
func (p *Plan) Copied() int {
	if p.Tactic != Detour {
		return 0
	}
	return -int(p.Hop[0])
}

// Plan finds out how the site at an address of the text can be patched.
func (t *Text) Plan(site uintptr) Plan {
	at := int(site - t.Base)
	if at < 0 || at+SiteLength > t.N || t.Code[at] != 0x0f || t.Code[at+1] != 0x05 {
		return Plan{Reason: NotCode}
	}
	if t.signalReturn(at) {
		return Plan{Reason: SignalReturn}
	}
	t.taken.set(at)
	t.taken.set(at + 1)
	for _, f := range t.Functions[:t.FunctionCount] {
		if f.Start >= t.Base && f.Start < t.Base+uintptr(t.N) {
			t.explore(int(f.Start - t.Base))
		}
	}
	t.explore(at + SiteLength)
	t.search.n = 0
	t.search.collect(t)
	t.search.collectMore(t)
	p, ok := t.search.find(at)
	if !ok {
		p, ok = t.detour(at)
	}
	if !ok {
		return Plan{Reason: NoPadding}
	}
	p.bound()
	return p
}

// signalReturn reports whether before the site stands what libgcc, gdb and libunwind look for where a frame has no unwind
// information: mov $15,%rax.
func (t *Text) signalReturn(site int) bool {
	const code = "\x48\xc7\xc0\x0f\x00\x00\x00"
	return site >= len(code) && string(t.Code[site-len(code):site]) == code
}

// bound fills Low and High.
func (p *Plan) bound() {
	p.Low, p.High = 0, SiteLength
	for i := range p.Hop[:p.Hops] {
		p.Low = min(p.Low, p.Hop[i])
		p.High = max(p.High, p.Hop[i]+int16(p.HopLength(i)))
	}
}

// search is the search for a way through padding.
type search struct {
	piece [maxPieces]piece
	n     int
}

// piece is padding nobody has taken yet: [start, end).
type piece struct {
	start, end int
	reached    bool
	at         int // where the jump to it leads
	from       int // the piece before it, -1: the site
	hops       int // jumps to get there
}

// collect finds the padding that is proven.
func (s *search) collect(t *Text) {
	for at := 0; at < t.N; at++ {
		if t.ends.has(at) {
			end := t.padding(at)
			s.split(t, at, end)
			t.noteBegin(at, end)
		}
	}
}

// collectMore finds further int3. Where functions are not known, another one begins where int3 end, or nothing is between,
// at an address that functions are aligned to. If that were data it would be decoded to nonsense; so here padding is long
// enough for a jump and fills up to the next such address.
func (s *search) collectMore(t *Text) {
	clear(t.ends[:])
	for at := 0; at < t.N; at++ {
		if t.ends.has(at) {
			end := t.padding(at)
			if end-at >= JumpLength && t.Code[at] == int3 && t.aligned(end, alignFunction) {
				s.split(t, at, end)
			}
			t.noteBegin(at, end)
		}
		if t.begins.has(at) {
			t.explore(at)
		}
	}
}

// noteBegin notes that a function begins behind the padding [start, end), if it looks so and nothing better is known.
func (t *Text) noteBegin(start, end int) {
	_, known := t.functionAt(start - 1)
	if !known && t.aligned(end, alignFunction) && (end == start || t.Code[start] == int3) {
		t.begins.set(end)
	}
}

// split adds what of [start, end) is not taken.
func (s *search) split(t *Text, start, end int) {
	for at := start; at < end; at++ {
		if t.taken.has(at) {
			s.add(start, at)
			start = at + 1
		}
	}
	s.add(start, end)
}

func (s *search) add(start, end int) {
	if end-start >= SiteLength && s.n < maxPieces {
		s.piece[s.n] = piece{start: start, end: end}
		s.n++
	}
}

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
	if kind == NopPad && (end > limit || single > 1 || !t.aligned(end, alignBlock) || t.maybeCode(start, end)) {
		return start
	}
	return end
}

// known reports whether any of [start, end) is an instruction that has been decoded, or where one leads.
func (t *Text) known(start, end int) bool {
	for at := start; at < end; at++ {
		if t.covered.has(at) || t.targets.has(at) {
			return true
		}
	}
	return false
}

// aligned reports whether the address of an offset is a multiple of n.
func (t *Text) aligned(at, n int) bool { return (t.Base+uintptr(at))%uintptr(n) == 0 }

// maybeCode reports whether nops may be what a block of code begins with, which a branch that has not been seen leads to.
// Behind the end of a function that cannot be.
func (t *Text) maybeCode(start, end int) bool {
	f, known := t.functionAt(start - 1)
	if !known {
		return t.maybeTarget(start, end, 0, t.N)
	}
	low, high := t.offset(f.Start), t.offset(f.End)
	if start >= high {
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
		if begin := t.offset(f.Start); begin >= start && f.Start >= t.Base {
			limit = min(limit, begin)
		}
		if next := t.offset(f.Next); next >= start && f.Next != 0 {
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

// find finds the shortest way from the site at an offset to padding that a jump of five bytes fits in; of two, the
// forward one.
func (s *search) find(site int) (Plan, bool) {
	s.reach(site, -1, 0)
	for hops := 1; hops <= MaxHops; hops++ {
		best := -1
		for i := range s.piece[:s.n] {
			if p := &s.piece[i]; p.reached && p.hops == hops && s.fits(i, site) && (best < 0 || p.at > site && s.piece[best].at < site) {
				best = i
			}
		}
		if best >= 0 {
			return s.plan(best, site), true
		}
		for i := range s.piece[:s.n] {
			if p := &s.piece[i]; p.reached && p.hops == hops {
				s.reach(p.at, i, hops)
			}
		}
	}
	return Plan{}, false
}

// reach notes the pieces that a short jump at an offset reaches.
func (s *search) reach(at, from, hops int) {
	low, high := at+SiteLength-shortReach, at+SiteLength+shortReach-1
	for i := range s.piece[:s.n] {
		p := &s.piece[i]
		if p.reached || i == from {
			continue
		}
		first, last := max(p.start, low), min(p.end-SiteLength, high)
		if first > last {
			continue
		}
		p.reached, p.from, p.hops = true, from, hops+1
		// Backwards the far end leads further, but the near one has room behind it.
		p.at = first
	}
}

// fits reports whether a piece has room for the long jump where it is reached, or a little before.
func (s *search) fits(i, site int) bool {
	p := &s.piece[i]
	if p.end-p.start < JumpLength {
		return false
	}
	if p.at+JumpLength <= p.end {
		return true
	}
	origin := site
	if p.from >= 0 {
		origin = s.piece[p.from].at
	}
	at := p.end - JumpLength
	if at < origin+SiteLength-shortReach {
		return false
	}
	p.at = at
	return true
}

// plan writes the way to a piece down.
func (s *search) plan(last, site int) Plan {
	p := Plan{Hops: uint8(s.piece[last].hops)}
	for i, n := last, int(p.Hops); n > 0; n-- {
		p.Hop[n-1] = int16(s.piece[i].at - site)
		i = s.piece[i].from
	}
	switch {
	case p.Hops > 1:
		p.Tactic = Chain
	case p.Hop[0] < 0:
		p.Tactic = Backward
	}
	return p
}

// detour looks for an instruction before the site that a jump of five bytes fits in, from which straight, movable code leads to the site. Only
// decoding from a known function proves where instructions begin.
func (t *Text) detour(site int) (Plan, bool) {
	for at := site - JumpLength; at >= 0 && at >= site-maxDetour; at-- {
		if t.starts.has(at) && t.straight(at, site) {
			return Plan{Tactic: Detour, Hops: 1, Hop: [MaxHops]int16{int16(at - site)}}, true
		}
	}
	return Plan{}, false
}

// straight reports whether movable instructions lead from an offset to the site, the first with room for a jump.
func (t *Text) straight(at, site int) bool {
	for first := true; at < site; first = false {
		i, ok := Decode(t.Code[at:t.N])
		if !ok || !i.Movable || !t.starts.has(at) || first && i.Len < JumpLength {
			return false
		}
		for b := at; b < at+i.Len; b++ {
			if t.taken.has(b) || first && b > at && t.targets.has(b) {
				return false
			}
		}
		at += i.Len
	}
	return at == site
}
