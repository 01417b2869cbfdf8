// Plain constant data for both sides: the launcher writes a Table, the hook reads it in the target.

package policy

import (
	rt "github.com/trapline/trapline/runtime"
	"github.com/trapline/trapline/tools/syscalls"
)

// Table is the rules as the hook reads them.
type Table struct {
	args     [rt.NumCalls]syscalls.Arguments
	rules    [maxRules]rule
	count    uint32 // of rules
	fallback verdict
	paths    [maxPaths]text
	text     [maxText]byte
}

const (
	maxRules = 128
	maxPaths = 512
	maxText  = 16 << 10
)

// rule is one rule: what becomes of a call, and which calls it fits.
type rule struct {
	calls       syscalls.Set
	verdict     verdict
	first, many uint16 // of paths; none: any file
	onAddress   uint8  // 1: the calls have an address, and it fits
	prefix      uint8  // bits of ip that count
	family      uint16 // 0: any
	low, high   uint16 // ports
	ip          [16]byte
}

// verdict is what becomes of a call.
type verdict struct {
	action action
	errno  uint16
}

type action uint8

const (
	allow action = iota
	deny         // it fails with errno
	kill         // the process ends by SIGKILL
	log          // it is allowed, and reported
)

// text is a part of Table.text.
type text struct {
	at, size uint16
}

// recordVerdict is the kind of the hook's records: number of the call | rule, counted from 0, or -1 | verdict; the arguments; what was
// looked at: kind; bytes.
const recordVerdict = 1

// What a record shows of a call.
const (
	subjectNone = iota
	subjectPath
	subjectAddress
)
