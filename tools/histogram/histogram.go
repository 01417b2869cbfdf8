package histogram

import "math"

// Histogram counts values. The zero Histogram is empty.
type Histogram struct {
	octaves [Octaves]*[Sub]uint64
	count   uint64
}

// Add counts a value.
func (h *Histogram) Add(v uint64) {
	octave, sub := Bucket(v)
	h.octave(octave)[sub]++
	h.count++
}

// AddOctave adds what was counted in the buckets of one octave.
func (h *Histogram) AddOctave(octave uint, counts *[Sub]uint64) {
	own := h.octave(octave)
	for i, n := range counts {
		own[i] += n
		h.count += n
	}
}

// Merge adds all that another one has counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, counts := range o.octaves {
		if counts != nil {
			h.AddOctave(uint(i), counts)
		}
	}
}

func (h *Histogram) octave(i uint) *[Sub]uint64 {
	if h.octaves[i] == nil {
		h.octaves[i] = new([Sub]uint64)
	}
	return h.octaves[i]
}

// Count returns how many values were counted.
func (h *Histogram) Count() uint64 { return h.count }

// Each calls f for every bucket that has counted something, in order. A bucket counts from low up to, not including, high.
func (h *Histogram) Each(f func(low, high, count uint64)) {
	for i, counts := range h.octaves {
		if counts == nil {
			continue
		}
		for j, n := range counts {
			if n > 0 {
				low, high := bounds(i, j)
				f(low, high, n)
			}
		}
	}
}

func bounds(octave, sub int) (low, high uint64) {
	if octave == 0 {
		return uint64(sub) << lowBits, uint64(sub+1) << lowBits
	}
	shift := octave - 1 + lowBits
	return uint64(Sub+sub) << shift, uint64(Sub+sub+1) << shift
}

// Quantile returns the value that a share q of all does not exceed, as far as the buckets tell: within one they are taken for
// spread evenly.
func (h *Histogram) Quantile(q float64) uint64 {
	rank := max(uint64(math.Ceil(q*float64(h.count))), 1)
	before, value := uint64(0), uint64(0)
	h.Each(func(low, high, count uint64) {
		if before < rank {
			share := (float64(min(rank-before, count)) - 0.5) / float64(count)
			value = low + uint64(share*float64(high-low))
		}
		before += count
	})
	return value
}
