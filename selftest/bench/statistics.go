package bench

import (
	"fmt"
	"slices"
)

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// A comparison says how a value compares to another one.
type comparison func(v, base float64) string

func difference(v, base float64) string { return fmt.Sprintf("%+.0f", v-base) }

func times(v, base float64) string { return fmt.Sprintf("%.2fx", v/base) }

// share is for figures of which more is better.
func share(v, base float64) string { return fmt.Sprintf("%.1f%%", 100*v/base) }
