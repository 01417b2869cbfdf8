// Runs in the target as well, on the tool stack; any signal may arrive.

package syscalls

// setWords is the size of a Set: numbers up to 511, past the last one in use.
const setWords = 8

// Set is a set of system call numbers below 512. It is plain data: a tool may hand it
// to its hooks in the option bytes.
type Set struct {
	bits [setWords]uint64
}

// Has reports whether nr is in the set.
func (s *Set) Has(nr int) bool {
	return uint(nr) < setWords*64 && s.bits[uint(nr)/64]>>(uint(nr)%64)&1 != 0
}

// Add puts nr into the set. A number the set has no room for is left out.
func (s *Set) Add(nr int) {
	if uint(nr) < setWords*64 {
		s.bits[uint(nr)/64] |= 1 << (uint(nr) % 64)
	}
}
