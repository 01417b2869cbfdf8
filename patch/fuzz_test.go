package patch

import (
	"math/rand/v2"
	"testing"
)

// pieces are what fuzzed programs are made of: code that is seen around sites.
var pieces = []string{
	"\x0f\x05", "\xc3", "\xcc", "\xcc\xcc\xcc\xcc\xcc", "\x90", "\x66\x90", "\x0f\x1f\x00", "\x0f\x1f\x44\x00\x00",
	"\x0f\x1f\x84\x00\x00\x00\x00\x00", "\x66\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00", "\xb8\x27\x00\x00\x00",
	"\xb8\x00\x0f\x05\x00", "\x48\x89\xfe", "\x8b\x7c\x24\x08", "\x48\x8d\x3d\x00\x10\x00\x00", "\xff\xe0", "\xf4",
	"\xe8\x00\x00\x00\x00", "\xff\x25\x00\x00\x00\x00", "\xc5\xf8\x77", "\xc7\xf8\x01\x00\x00\x00",
	"\x8b\x15\x01\x00\x00\x00",
}

// assemble makes code of bytes: a piece for each, or a branch with the next byte for its displacement, or padding up to
// an aligned address.
func assemble(data []byte) []byte {
	const maxCode = 2048
	var code []byte
	for i := 0; i < len(data) && len(code) < maxCode; i++ {
		b := data[i]
		var arg byte
		if i+1 < len(data) {
			arg = data[i+1]
		}
		switch {
		case b < 0x80:
			code = append(code, pieces[int(b)%len(pieces)]...)
		case b < 0xa0:
			code = append(code, 0x70|b&15, arg)
			i++
		case b < 0xb0:
			code = append(code, 0xeb, arg)
			i++
		case b < 0xc0:
			code = append(code, 0xe9, arg, 0, 0, 0)
			i++
		case b < 0xd0:
			for len(code)%16 != 0 {
				code = append(code, int3)
			}
		default:
			code = fill(code)
		}
	}
	return code
}

// fill appends nops as assemblers do.
func fill(code []byte) []byte {
	nops := []string{
		"\x90", "\x66\x90", "\x0f\x1f\x00", "\x0f\x1f\x40\x00", "\x0f\x1f\x44\x00\x00", "\x66\x0f\x1f\x44\x00\x00",
		"\x0f\x1f\x80\x00\x00\x00\x00", "\x0f\x1f\x84\x00\x00\x00\x00\x00",
	}
	for n := -len(code) & 15; n > 0; n = -len(code) & 15 {
		code = append(code, nops[min(n, len(nops))-1]...)
	}
	return code
}

// FuzzPlan plans every site of a window one after the other and checks each plan against the model. Functions are
// pairs of bytes: the distance from the end of the last one, and the length, both in units of 8 bytes.
func FuzzPlan(f *testing.F) {
	f.Add([]byte{0x0a, 0x00, 0x01, 0xd0, 0x0a, 0x00, 0x90, 0xf8, 0x01, 0x03}, []byte{0, 4}, byte(0), true)
	f.Add([]byte{0x0a, 0x00, 0x01, 0x02, 0x0c, 0x00, 0xa0, 0xf0, 0xc0, 0x0a, 0x01, 0xc0}, []byte{}, byte(5), true)
	f.Add([]byte("\xb8\x27\x00\x00\x00\x0f\x05\xc3\x0f\x1f\x84\x00\x00\x00\x00\x00"), []byte{0, 1, 0, 1}, byte(0), false)
	f.Add([]byte("\x74\x03\x0f\x05\xc3\x66\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00\xc3"), []byte{}, byte(1), false)
	f.Fuzz(func(t *testing.T, data, functions []byte, base byte, program bool) {
		code := data
		if program {
			code = assemble(data)
		}
		m := &model{code: code[:min(len(code), WindowSize)], base: windowBase + uintptr(base), taken: map[int]bool{}}
		m.addFunctions(functions)
		m.planAll(t, new([NumTactics]int))
	})
}

func (m *model) addFunctions(pairs []byte) {
	addr := m.base
	for i := 0; i+1 < len(pairs) && len(m.functions) < MaxFunctions; i += 2 {
		start := addr + 8*uintptr(pairs[i])
		addr = start + 8*uintptr(pairs[i+1]) + 1
		if n := len(m.functions); n > 0 {
			m.functions[n-1].Next = start
		}
		m.functions = append(m.functions, Function{Start: start, End: addr})
	}
}

// planAll plans every site one after the other and checks the plans. It counts them by tactic.
func (m *model) planAll(t *testing.T, found *[NumTactics]int) {
	t.Helper()
	for at := 0; at+1 < len(m.code); at++ {
		if m.code[at] != 0x0f || m.code[at+1] != 0x05 {
			continue
		}
		p := m.text().Plan(m.base + uintptr(at))
		if err := m.check(at, p); err != nil {
			t.Fatalf("site %d: %v: %+v\n% x\n%+v", at, err, p, m.code, m.functions)
		}
		m.take(at, p)
		if p.Reason == Patchable {
			found[p.Tactic]++
		}
	}
}

// take notes what a plan takes.
func (m *model) take(site int, p Plan) {
	if p.Reason != Patchable {
		return
	}
	m.taken[site], m.taken[site+1] = true, true
	for i := range int(p.Hops) {
		for b := range int(p.HopLength(i)) {
			m.taken[site+int(p.Hop[i])+b] = true
		}
	}
}

// TestPlanRandomPrograms does what FuzzPlan does with programs of its own, and sees that all tactics come up.
func TestPlanRandomPrograms(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var found [NumTactics]int
	for range 5000 {
		data := make([]byte, 20+random.IntN(400))
		for i := range data {
			data[i] = byte(random.IntN(256))
		}
		m := &model{code: assemble(data), base: windowBase + uintptr(random.IntN(32)), taken: map[int]bool{}}
		if random.IntN(4) > 0 {
			m.addFunctions([]byte{0, byte(random.IntN(256)), byte(random.IntN(8)), byte(random.IntN(256))})
		}
		m.planAll(t, &found)
	}
	t.Logf("%v", found)
	for tactic, n := range found {
		if n < 10 {
			t.Errorf("%v: only %d plans", Tactic(tactic), n)
		}
	}
}
