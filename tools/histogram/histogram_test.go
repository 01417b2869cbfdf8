package histogram

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBuckets: each value lies in its bucket, buckets follow one another without a gap, and none is wider than an eighth.
func TestBuckets(t *testing.T) {
	t.Parallel()
	next := uint64(0)
	for octave := range Octaves {
		for sub := range Sub {
			low, high := bounds(octave, sub)
			if low != next || high <= low || octave > 0 && (high-low)*8 > low {
				t.Fatalf("bucket %d, %d: from %d to %d behind %d", octave, sub, low, high, next)
			}
			for _, v := range []uint64{low, low + (high-low)/2, high - 1} {
				o, s := Bucket(v)
				if diff := cmp.Diff([]uint{uint(octave), uint(sub)}, []uint{o, s}); diff != "" {
					t.Fatalf("bucket of %d (-want +got):\n%s", v, diff)
				}
			}
			next = high
		}
	}
	for _, v := range []uint64{next, next + 1, 1 << 63, ^uint64(0)} {
		o, s := Bucket(v)
		if diff := cmp.Diff([]uint{Octaves - 1, Sub - 1}, []uint{o, s}); diff != "" {
			t.Fatalf("bucket of %d (-want +got):\n%s", v, diff)
		}
	}
}

// TestQuantiles: a quantile is no further from the true one than a bucket is wide, also of histograms put together.
func TestQuantiles(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var all Histogram
	var values []uint64
	for range 10 {
		var h Histogram
		for range 1000 {
			v := uint64(rnd.ExpFloat64() * 5000)
			values = append(values, v)
			h.Add(v)
		}
		all.Merge(&h)
	}
	slices.Sort(values)
	for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
		want, got := float64(values[max(int(q*float64(len(values)))-1, 0)]), float64(all.Quantile(q))
		if got < want*7/8-8 || got > want*9/8+8 {
			t.Errorf("quantile %v: got %v, want %v or so", q, got, want)
		}
	}
	if diff := cmp.Diff(uint64(len(values)), all.Count()); diff != "" {
		t.Errorf("count (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(uint64(0), new(Histogram).Quantile(0.5)); diff != "" {
		t.Errorf("quantile of nothing (-want +got):\n%s", diff)
	}
}
