package bpf

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"
)

// Layout is the reserved range. A call comes from inside when Lo <= IP <= Hi, where
// IP is seccomp_data.instruction_pointer: the address after the system call
// instruction. The range lies below 4 GiB, so the high half of such an IP is 0.
type Layout struct {
	Lo, Hi uint32
}

// Program is an assembled filter. The instructions have the layout of the
// kernel's struct sock_filter (include/uapi/linux/filter.h).
type Program struct {
	Insns []bpf.RawInstruction
	// RangeLo and RangeHi are the indexes of the instructions whose K is Layout.Lo
	// and Layout.Hi, in rising order. A large program tests the range in several places.
	RangeLo, RangeHi []int
}

// maxInsns is BPF_MAXINSNS of include/uapi/linux/bpf_common.h.
const maxInsns = 4096

var errEmptyRange = errors.New("reserved range is empty")

func (r Layout) check() error {
	if r.Lo > r.Hi {
		return fmt.Errorf("%w: %#x to %#x", errEmptyRange, r.Lo, r.Hi)
	}
	return nil
}
