// Runs in the target, on any stack: it only reads what it is given.

package patch

// Lengths in bytes.
const (
	SiteLength = 2 // of syscall and of a short jump
	JumpLength = 5
	shortReach = 128
	maxDetour  = 40 // of the instructions that a detour copies
	MaxHops    = 4
)

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
		"patchable", "no padding in reach", "not a syscall instruction", "unknown mapping", "shared mapping",
		"writable mapping", "anonymous mapping", "no room for a bridge", "code cannot be written", "other threads run",
		"signal return",
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
	// Hop is where the jumps go, in bytes from the site: short jumps, and last the one of five bytes. Of a detour it is
	// the instruction that the jump replaces.
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
	for t.exploreAll(at + SiteLength) {
	}
	t.search.n = 0
	t.search.collect(t)
	p, ok := t.search.find(at)
	if !ok {
		p, ok = t.detour(at)
	}
	if !ok { // last: from here on not all that counts as code is proven
		t.search.collectMore(t)
		p, ok = t.search.find(at)
	}
	if !ok {
		return Plan{Reason: NoPadding}
	}
	p.bound()
	return p
}

// signalReturn reports whether before the site stands what libgcc, gdb and libunwind look for where a frame has no
// unwind information: mov $15,%rax.
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

// detour looks for an instruction before the site that a jump of five bytes fits in, from which straight, movable code
// leads to the site. Only decoding from a known function proves where instructions begin.
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
