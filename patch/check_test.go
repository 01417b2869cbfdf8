package patch

import (
	"encoding/binary"
	"fmt"
)

// model is a text with what tests know of it: an independent, slow and simple view of what may be patched.
type model struct {
	code      []byte
	base      uintptr
	functions []Function
	taken     map[int]bool

	reached map[int]Inst // instructions, by offset
	covered map[int]bool // their bytes
	targets map[int]bool // where their branches lead
	data    map[int]bool // what they read, or take the address of
}

// text makes the text that the model is of.
func (m *model) text() *Text {
	t := &Text{}
	t.Reset(m.base, len(m.code))
	copy(t.Code[:], m.code)
	for _, f := range m.functions {
		t.AddFunction(f)
	}
	for at := range m.taken {
		t.Take(m.base+uintptr(at), m.base+uintptr(at)+1)
	}
	return t
}

// explore reaches all that branches and straight lines lead to: from the starts of functions within all functions, and
// from behind the site, if that is in no function there forward. A straight line ends with its function.
func (m *model) explore(site int) {
	m.reached, m.covered, m.targets, m.data = map[int]Inst{}, map[int]bool{}, map[int]bool{}, map[int]bool{}
	_, inside := m.functionAt(site + SiteLength)
	todo := []int{site + SiteLength}
	for _, f := range m.functions {
		todo = append(todo, int(f.Start)-int(m.base))
	}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, seen := m.reached[at]; seen || at < 0 || at >= len(m.code) {
			continue
		}
		f, known := m.functionAt(at)
		if !known && (inside || at < site+SiteLength) {
			continue
		}
		i, ok := Decode(m.code[at:])
		if !ok {
			continue
		}
		m.enter(at, i)
		next := at + i.Len
		if i.Flow == Branch || i.Flow == Call || i.Flow == Jump {
			m.targets[next+i.Rel] = true
			todo = append(todo, next+i.Rel)
		}
		if (i.Flow == Next || i.Flow == Branch || i.Flow == Call) && (!known || m.base+uintptr(next) < f.End) {
			todo = append(todo, next)
		}
	}
}

func (m *model) enter(at int, i Inst) {
	m.reached[at] = i
	for b := at; b < at+i.Len; b++ {
		m.covered[b] = true
	}
	if i.Disp != 0 {
		m.data[at+i.Len+int(int32(binary.LittleEndian.Uint32(m.code[at+i.Disp:])))] = true
	}
}

func (m *model) functionAt(at int) (Function, bool) {
	for _, f := range m.functions {
		if a := m.base + uintptr(at); a >= f.Start && a < f.End {
			return f, true
		}
	}
	return Function{}, false
}

// check returns what is wrong with a plan for the site at an offset.
func (m *model) check(site int, p Plan) error {
	if p.Reason != Patchable {
		return nil
	}
	m.explore(site)
	if p.Hops < 1 || p.Hops > MaxHops || p.Tactic >= NumTactics {
		return fmt.Errorf("%d hops, tactic %d", p.Hops, p.Tactic)
	}
	if err := p.checkBounds(); err != nil {
		return err
	}
	if p.Tactic == Detour {
		return m.checkDetour(site, p)
	}
	return m.checkHops(site, p)
}

func (p *Plan) checkBounds() error {
	for i := range int(p.Hops) {
		if p.Hop[i] < p.Low || int(p.Hop[i])+int(p.HopLength(i)) > int(p.High) {
			return fmt.Errorf("hop %d lies outside of [%d, %d)", i, p.Low, p.High)
		}
	}
	if p.Low > 0 || p.High < SiteLength {
		return fmt.Errorf("the site lies outside of [%d, %d)", p.Low, p.High)
	}
	return nil
}

func (m *model) checkHops(site int, p Plan) error {
	used := map[int]bool{site: true, site + 1: true}
	from := site
	for i := range int(p.Hops) {
		at := site + int(p.Hop[i])
		if d := at - from - SiteLength; d != int(int8(d)) {
			return fmt.Errorf("hop %d: displacement %d", i, d)
		}
		end := at + int(p.HopLength(i))
		for b := at; b < end; b++ {
			switch {
			case b < 0 || b >= len(m.code):
				return fmt.Errorf("hop %d: byte %d is outside", i, b)
			case used[b] || m.taken[b]:
				return fmt.Errorf("hop %d: byte %d is taken", i, b)
			case m.covered[b] || m.targets[b] || m.data[b]:
				return fmt.Errorf("hop %d: byte %d is code", i, b)
			}
			used[b] = true
		}
		if !m.padding(at, end) {
			return fmt.Errorf("hop %d: [%d, %d) is not padding", i, at, end)
		}
		from = at
	}
	return nil
}

// padding reports whether bytes belong to instructions of one kind that do nothing, which follow an unconditional
// transfer.
func (m *model) padding(at, end int) bool {
	for start := at; start > 0 && at-start < 256; start-- {
		if m.filled(start, end) && m.transferBefore(start) {
			return true
		}
	}
	return false
}

func (m *model) filled(at, end int) bool {
	for kind := NoPad; at < end; {
		i, ok := Decode(m.code[at:])
		if !ok || i.Pad == NoPad || kind != NoPad && i.Pad != kind {
			return false
		}
		kind = i.Pad
		at += i.Len
	}
	return true
}

func (m *model) transferBefore(at int) bool {
	for n := 1; n <= min(maxLen, at); n++ {
		i, ok := Decode(m.code[at-n : at])
		if ok && i.Len == n && (i.Flow == Jump || i.Flow == Leave || i.Flow == Computed) {
			return true
		}
	}
	return false
}

func (m *model) checkDetour(site int, p Plan) error {
	at := site + int(p.Hop[0])
	if p.Hops != 1 || at < 0 || p.Copied() != site-at {
		return fmt.Errorf("%d hops, %d bytes copied, %d before the site", p.Hops, p.Copied(), site-at)
	}
	for first := true; at < site; first = false {
		i, ok := m.reached[at]
		if !ok || !i.Movable || first && i.Len < JumpLength {
			return fmt.Errorf("byte %d: %+v", at, i)
		}
		for b := at; b < at+i.Len; b++ {
			if m.taken[b] || first && b > at && m.targets[b] {
				return fmt.Errorf("byte %d is taken, or a branch leads there", b)
			}
		}
		at += i.Len
	}
	if at != site {
		return fmt.Errorf("the instructions end %d bytes behind the site", at-site)
	}
	return nil
}
