package bpf

import (
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Branches over every pair of distances around the reach of a conditional jump.
func TestBranchReach(t *testing.T) {
	t.Parallel()
	distances := []int{0, 1, 2, 252, 253, 254, 255, 256, 257, 258, 600}
	for _, toYes := range distances {
		for _, toNo := range distances {
			p := branchOver(t, toYes, toNo)
			run := machine(t, p)
			if got := run(call{nr: 1}); got != uint32(toYes) {
				t.Errorf("distances %d and %d: nr 1 ends at %d", toYes, toNo, got)
			}
			if got := run(call{nr: 2}); got != uint32(toNo) {
				t.Errorf("distances %d and %d: nr 2 ends at %d", toYes, toNo, got)
			}
		}
	}
}

// branchOver tests nr == 1 before many returns, each of which returns its distance.
func branchOver(t *testing.T, toYes, toNo int) Program {
	t.Helper()
	var a assembler
	for distance := 600; distance >= 0; distance-- {
		a.ret(uint32(distance))
	}
	start := a.top()
	a.loadBranch(offsetNr, bpf.JumpEqual, 1, start-label(toYes), start-label(toNo))
	p, err := a.program()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLoadGoesOnAnywhere(t *testing.T) {
	t.Parallel()
	var a assembler
	next := a.branch(bpf.JumpEqual, 7, a.ret(1), a.ret(2))
	a.ret(3)
	a.load(offsetNr, next)
	p, err := a.program()
	if err != nil {
		t.Fatal(err)
	}
	if got := machine(t, p)(call{nr: 7}); got != 1 {
		t.Errorf("a load that goes on behind a return ends at %d, want 1", got)
	}
}

func TestProgramHasALimit(t *testing.T) {
	t.Parallel()
	var a assembler
	for range maxInsns {
		a.ret(unix.SECCOMP_RET_ALLOW)
	}
	if _, err := a.program(); err != nil {
		t.Errorf("%d instructions: %v", maxInsns, err)
	}
	a.ret(unix.SECCOMP_RET_ALLOW)
	if _, err := a.program(); err == nil {
		t.Errorf("%d instructions pass", maxInsns+1)
	}
}
