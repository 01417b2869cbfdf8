package runtime

// What trapline_start noted before the launcher's Go runtime started.
var (
	startSeen    uint32
	startClosed  uint32
	startMask    uint64
	startIgnored uint64
	startLimit   [2]uint64 // struct rlimit
	startAction  [4]uint64 // scratch: the kernel's struct sigaction
)

// Start is what the launcher inherited and its target is to inherit from it.
type Start struct {
	ClosedFiles    uint32 // bit i: descriptor i was closed, i = 0, 1, 2
	IgnoredSignals uint64 // bit s-1: signal s was ignored
	Mask           uint64 // blocked signals
	OpenFiles      uint64 // soft limit of open files
}

// Started returns what the launcher inherited. It reports false in a program that was linked
// without the entry point trapline_start.
func Started() (Start, bool) {
	return Start{startClosed, startIgnored, startMask, startLimit[0]}, startSeen != 0
}
