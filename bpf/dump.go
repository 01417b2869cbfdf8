package bpf

import (
	"fmt"
	"io"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Operation codes of the instructions the filters are made of (include/uapi/linux/bpf_common.h).
const (
	opLoad = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	opJump = unix.BPF_JMP | unix.BPF_JA
	opJeq  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	opJgt  = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	opJge  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	opRet  = unix.BPF_RET | unix.BPF_K
)

// noField is what the accumulator holds before the first load, and where paths meet that loaded
// different fields.
const noField = ^uint32(0)

// Dump writes p as text, one instruction a line:
//
//	index  mnemonic operand [, line if true, line if false]  ; what it means
//
// name gives the name of a system call number.
func Dump(w io.Writer, p Program, name func(nr int) string) error {
	l := listing{Program: p, name: name, holds: accumulator(p.Insns)}
	for i := range p.Insns {
		text, comment, err := l.line(i)
		if err != nil {
			return fmt.Errorf("dump filter: %w", err)
		}
		if _, err := fmt.Fprintf(w, "%4d  %-27s ; %s\n", i, text, comment); err != nil {
			return fmt.Errorf("dump filter: %w", err)
		}
	}
	return nil
}

type listing struct {
	Program
	name  func(int) string
	holds []uint32 // offset of the field in the accumulator before each instruction
}

func (l *listing) line(i int) (text, comment string, err error) {
	in := l.Insns[i]
	yes, no := targets(in, i)
	switch in.Op {
	case opLoad:
		return fmt.Sprintf("ld  [%d]", in.K), field(in.K), nil
	case opJump:
		return fmt.Sprintf("ja  %d", yes), "too far for the jump above", nil
	case opRet:
		return fmt.Sprintf("ret #%#08x", in.K), action(in.K), nil
	case opJeq:
		return fmt.Sprintf("jeq #%#x, %d, %d", in.K, yes, no), l.condition(i, "=="), nil
	case opJgt:
		return fmt.Sprintf("jgt #%#x, %d, %d", in.K, yes, no), l.condition(i, ">"), nil
	case opJge:
		return fmt.Sprintf("jge #%#x, %d, %d", in.K, yes, no), l.condition(i, ">="), nil
	}
	return "", "", fmt.Errorf("instruction %d: operation %#x is in no filter of this package", i, in.Op)
}

// condition says what the jump at i tests.
func (l *listing) condition(i int, operator string) string {
	return fmt.Sprintf("%s %s %s", field(l.holds[i]), operator, l.constant(i))
}

func (l *listing) constant(i int) string {
	k := l.Insns[i].K
	switch {
	case slices.Contains(l.RangeLo, i):
		return "range lo"
	case slices.Contains(l.RangeHi, i):
		return "range hi"
	case l.holds[i] == offsetNr && k <= maxNumber:
		return fmt.Sprintf("%d (%s)", k, l.name(int(k)))
	case l.holds[i] == offsetNr && k == x32Bit:
		return "__X32_SYSCALL_BIT"
	case l.holds[i] == offsetArch && k == unix.AUDIT_ARCH_X86_64:
		return "AUDIT_ARCH_X86_64"
	case l.holds[i] == offsetArch && k == unix.AUDIT_ARCH_I386:
		return "AUDIT_ARCH_I386"
	}
	return fmt.Sprintf("%#x", k)
}

// accumulator follows the loads forward; no jump leads back.
func accumulator(insns []bpf.RawInstruction) []uint32 {
	holds := make([]uint32, len(insns))
	reached := make([]bool, len(insns))
	flow := func(to int, value uint32) {
		if to >= len(insns) {
			return
		}
		if reached[to] && holds[to] != value {
			value = noField
		}
		holds[to], reached[to] = value, true
	}
	flow(0, noField)
	for i, in := range insns {
		switch in.Op {
		case opLoad:
			flow(i+1, in.K)
		case opRet:
		default:
			yes, no := targets(in, i)
			flow(yes, holds[i])
			flow(no, holds[i])
		}
	}
	return holds
}

// targets is where the jump at i goes.
func targets(in bpf.RawInstruction, i int) (yes, no int) {
	if in.Op == opJump {
		return i + 1 + int(in.K), i + 1 + int(in.K)
	}
	return i + 1 + int(in.Jt), i + 1 + int(in.Jf)
}

func field(off uint32) string {
	switch off {
	case offsetNr:
		return "nr"
	case offsetArch:
		return "arch"
	case offsetIPLo:
		return "ip.lo"
	case offsetIPHi:
		return "ip.hi"
	case noField:
		return "?"
	}
	half := "lo"
	if off%8 != 0 {
		half = "hi"
	}
	return fmt.Sprintf("args[%d].%s", (off-offsetArgs)/8, half)
}

var actions = map[uint32]string{
	unix.SECCOMP_RET_KILL_PROCESS: "SECCOMP_RET_KILL_PROCESS",
	unix.SECCOMP_RET_TRAP:         "SECCOMP_RET_TRAP",
	unix.SECCOMP_RET_ERRNO:        "SECCOMP_RET_ERRNO",
	unix.SECCOMP_RET_TRACE:        "SECCOMP_RET_TRACE",
	unix.SECCOMP_RET_ALLOW:        "SECCOMP_RET_ALLOW",
}

func action(k uint32) string {
	text, ok := actions[k&unix.SECCOMP_RET_ACTION_FULL]
	switch {
	case !ok:
		return fmt.Sprintf("action %#x", k)
	case k&unix.SECCOMP_RET_ACTION_FULL == unix.SECCOMP_RET_ERRNO:
		return fmt.Sprintf("%s(%s)", text, unix.ErrnoName(unix.Errno(k&unix.SECCOMP_RET_DATA)))
	}
	return text
}
