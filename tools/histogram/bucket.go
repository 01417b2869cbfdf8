// Runs in the target, on the tool stack; any signal may arrive. And in the launcher.

// Package histogram counts durations in buckets whose width grows with the value, as HDR histograms do: eight of equal width
// from each power of two to the next, so a bucket is at most an eighth of what it counts wide. The unit is the caller's.
package histogram

import "math/bits"

const (
	Octaves = 40 // what is beyond counts in the last bucket: 2^45 units, three hours of a counter of 3 GHz
	Sub     = 8  // buckets of an octave

	lowBits = 3 // values below 64 are counted in eights
	subBits = 3
)

// Bucket returns where a value is counted.
func Bucket(v uint64) (octave, sub uint) {
	u := v >> lowBits
	if u < Sub {
		return 0, uint(u)
	}
	length := uint(bits.Len64(u))
	if octave = length - subBits; octave >= Octaves {
		return Octaves - 1, Sub - 1
	}
	return octave, uint(u>>((length-subBits-1)&63)) & (Sub - 1)
}
