package bpf

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// call is a struct seccomp_data.
type call struct {
	nr, arch uint32
	ip       uint64
	args     [6]uint64
}

// words is c as the 32-bit words a filter loads.
func (c call) words() [16]uint32 {
	w := [16]uint32{c.nr, c.arch, uint32(c.ip), uint32(c.ip >> 32)}
	for i, a := range c.args {
		w[4+2*i], w[5+2*i] = uint32(a), uint32(a>>32)
	}
	return w
}

// machine runs p in the VM of x/net/bpf, which checks the jumps as well.
func machine(t testing.TB, p Program) func(call) uint32 {
	t.Helper()
	insns, ok := bpf.Disassemble(p.Insns)
	if !ok {
		t.Fatal("an instruction has no disassembly")
	}
	vm, err := bpf.NewVM(insns)
	if err != nil {
		t.Fatal(err)
	}
	return func(c call) uint32 {
		var packet []byte
		for _, w := range c.words() {
			packet = binary.BigEndian.AppendUint32(packet, w) // the VM's order; a packet has it too
		}
		k, err := vm.Run(packet)
		if err != nil {
			t.Fatal(err)
		}
		return uint32(k)
	}
}

// steps counts the instructions that c executes.
func steps(t testing.TB, p Program, c call) int {
	t.Helper()
	words := c.words()
	n, acc := 0, uint32(0)
	for pc := 0; ; n++ {
		in := p.Insns[pc]
		switch in.Op {
		case opLoad:
			acc = words[in.K/4]
			pc++
		case opRet:
			return n + 1
		default:
			pc = next(t, in, pc, acc)
		}
	}
}

// next is where a jump leads.
func next(t testing.TB, in bpf.RawInstruction, pc int, acc uint32) int {
	t.Helper()
	yes, no := targets(in, pc)
	var taken bool
	switch in.Op {
	case opJump:
		taken = true
	case opJeq:
		taken = acc == in.K
	case opJgt:
		taken = acc > in.K
	case opJge:
		taken = acc >= in.K
	default:
		t.Fatalf("instruction %d: operation %#x", pc, in.Op)
	}
	if taken {
		return yes
	}
	return no
}

// constAllow is seccomp_is_const_allow of kernel/seccomp.c, Linux 6.18: whether nr gets a
// bit in the bitmap of calls that are allowed without running the filter.
func constAllow(t testing.TB, p Program, nr, arch uint32) bool {
	t.Helper()
	acc := uint32(0)
	for pc := 0; ; {
		in := p.Insns[pc]
		switch {
		case in.Op == opLoad && in.K == offsetNr:
			acc = nr
			pc++
		case in.Op == opLoad && in.K == offsetArch:
			acc = arch
			pc++
		case in.Op == opLoad:
			return false
		case in.Op == opRet:
			return in.K == unix.SECCOMP_RET_ALLOW
		default:
			pc = next(t, in, pc, acc)
		}
	}
}
