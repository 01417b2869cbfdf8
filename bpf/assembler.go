package bpf

import (
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
)

// Offsets in struct seccomp_data (include/uapi/linux/seccomp.h) on a little-endian machine.
const (
	offsetNr   = 0
	offsetArch = 4
	offsetIPLo = 8
	offsetIPHi = 12
	offsetArgs = 16
)

// maxReach is how far a conditional jump gets: its displacements are bytes.
const maxReach = 255

// label is an instruction, counted from the end of the program.
type label int

// assembler writes a program from its last instruction to its first. Jumps only
// ever lead forward, so every target is known when the jump to it is written.
type assembler struct {
	reversed         []bpf.Instruction
	rangeLo, rangeHi []label
}

func (a *assembler) top() label { return label(len(a.reversed)) - 1 }

func (a *assembler) push(i bpf.Instruction) label {
	a.reversed = append(a.reversed, i)
	return a.top()
}

// skip is the displacement from the next instruction to be written to l.
func (a *assembler) skip(l label) int { return int(a.top() - l) }

func (a *assembler) ret(action uint32) label {
	return a.push(bpf.RetConstant{Val: action})
}

// load reads the word at off and goes on at next.
func (a *assembler) load(off uint32, next label) label {
	if a.skip(next) > 0 {
		a.push(bpf.Jump{Skip: uint32(a.skip(next))})
	}
	return a.push(bpf.LoadAbsolute{Off: off, Size: 4})
}

// branch compares the accumulator with k and goes to yes or no. A target out of reach
// gets a BPF_JA right behind the branch.
func (a *assembler) branch(cond bpf.JumpTest, k uint32, yes, no label) label {
	// One less, because the other target may put its own BPF_JA in between.
	if a.skip(no) > maxReach-1 {
		no = a.push(bpf.Jump{Skip: uint32(a.skip(no))})
	}
	if a.skip(yes) > maxReach {
		yes = a.push(bpf.Jump{Skip: uint32(a.skip(yes))})
	}
	return a.push(bpf.JumpIf{Cond: cond, Val: k, SkipTrue: uint8(a.skip(yes)), SkipFalse: uint8(a.skip(no))})
}

// loadBranch loads the word at off and branches on it.
func (a *assembler) loadBranch(off uint32, cond bpf.JumpTest, k uint32, yes, no label) label {
	return a.load(off, a.branch(cond, k, yes, no))
}

// instructionPointer goes to inside for a call from the reserved range, to outside for any other.
func (a *assembler) instructionPointer(r Layout, inside, outside label) label {
	hi := a.branch(bpf.JumpGreaterThan, r.Hi, outside, inside)
	a.rangeHi = append(a.rangeHi, hi)
	lo := a.branch(bpf.JumpGreaterOrEqual, r.Lo, hi, outside)
	a.rangeLo = append(a.rangeLo, lo)
	return a.loadBranch(offsetIPHi, bpf.JumpEqual, 0, a.load(offsetIPLo, lo), outside)
}

func (a *assembler) program() (Program, error) {
	forward := slices.Clone(a.reversed)
	slices.Reverse(forward)
	if len(forward) > maxInsns {
		return Program{}, fmt.Errorf("program has %d instructions, the kernel takes %d", len(forward), maxInsns)
	}
	raw, err := bpf.Assemble(forward)
	if err != nil {
		return Program{}, err
	}
	return Program{Insns: raw, RangeLo: a.indexes(a.rangeLo), RangeHi: a.indexes(a.rangeHi)}, nil
}

// indexes turns labels, the last of the program first, into rising indexes.
func (a *assembler) indexes(labels []label) []int {
	var out []int
	for _, l := range slices.Backward(labels) {
		out = append(out, int(a.top()-l))
	}
	return out
}
