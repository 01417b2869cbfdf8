// Command bench compares what programs cost natively, under trapline and under strace.
//
//	go run ./selftest/bench          from the repository's root, after make; make bench does both
//
// It needs gcc and strace. All ways to run a program take turns, round after round, so that whatever else the
// machine does falls on all of them; the table has the medians, and the ratios to the first row.
// The command under test is bin/trapline, or $TRAPLINE.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
)

func main() {
	rounds := flag.Int("rounds", 7, "how often every program runs in every way")
	flag.Parse()
	if err := bench(max(*rounds, 1)); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func bench(rounds int) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	trapline := cmp.Or(os.Getenv("TRAPLINE"), "bin/trapline")
	ws, err := workloads(dir)
	if err != nil {
		return err
	}
	if err := describe(trapline); err != nil {
		return err
	}
	for _, w := range ws {
		ms := modes(trapline)
		if err := w.measure(ms, rounds); err != nil {
			return err
		}
		w.print(ms, rounds)
	}
	return nil
}

// A mode is one way to run a program.
type mode struct {
	name   string
	prefix []string
	values []float64 // what the rounds gave
}

func modes(trapline string) []*mode {
	return []*mode{
		{name: "native"},
		{name: "trapline run", prefix: []string{trapline, "run", "--"}},
		{name: "trapline count", prefix: []string{trapline, "count", "-o", "/dev/null", "--"}},
		{name: "trapline trace", prefix: []string{trapline, "trace", "-o", "/dev/null", "--"}},
		{name: "trapline trace -e trace=openat", prefix: []string{trapline, "trace", "-e", "trace=openat", "-o", "/dev/null", "--"}},
		{name: "strace -f", prefix: []string{"strace", "-f", "-o", "/dev/null"}},
		{name: "strace -f --seccomp-bpf -e trace=openat", prefix: []string{"strace", "-f", "--seccomp-bpf", "-e", "trace=openat", "-o", "/dev/null"}},
	}
}

// measure runs the workload in every mode, one after the other, rounds times.
func (w *workload) measure(ms []*mode, rounds int) error {
	for range rounds {
		for _, m := range ms {
			v, err := w.run(m.prefix)
			if err != nil {
				return fmt.Errorf("%s under %s: %w", w.name, m.name, err)
			}
			m.values = append(m.values, v)
		}
	}
	return nil
}

func (w *workload) print(ms []*mode, rounds int) {
	fmt.Printf("\n%s: %s, median of %d\n", w.name, w.unit, rounds)
	base := median(ms[0].values)
	for _, m := range ms {
		v := median(m.values)
		fmt.Printf("  %-40s %10.*f %8.1fx\n", m.name, w.digits, v, v/base)
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
