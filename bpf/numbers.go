package bpf

import (
	"math"
	"slices"

	"golang.org/x/net/bpf"
)

// The number test is a decision tree over runs of numbers, not the list that
// go-seccomp-bpf's Policy.Assemble makes of a group, which has one comparison a number
// and passes them one after the other. For the 32 numbers the runtime cannot do
// without, a subscribed call passes 16.5 comparisons of the list on average and 4.6 of the
// tree; for every second number up to 511, 128.5 and 8.5. That package also knows
// numbers by name alone, so it cannot express one newer than its table. The tests use it
// as the oracle.

// verdict is what the number alone decides.
type verdict int

const (
	pass    verdict = iota // nobody subscribed: ALLOW
	inspect                // subscribed: look at the instruction pointer
	absent                 // not a number of x86-64: ENOSYS
)

// x32Bit is __X32_SYSCALL_BIT (arch/x86/include/uapi/asm/unistd.h). No number of
// x86-64 is that high; the negative ones lie up here too.
const x32Bit = 0x40000000

// maxNumber is the highest number one can subscribe to without asking for All. The
// kernel's table ends below it (arch/x86/entry/syscalls/syscall_64.tbl, Linux 6.18).
const maxNumber = 511

// run is the numbers from first up to the next run's first; they share a verdict.
type run struct {
	first   uint32
	verdict verdict
	weight  int // how many of them are subscribed to
}

// runs divides the 32-bit numbers.
func (t Trap) runs() []run {
	if t.All {
		return []run{{verdict: inspect, weight: 1}, {first: x32Bit, verdict: absent}}
	}
	var out []run
	end := uint32(0)
	for _, nr := range slices.Compact(slices.Sorted(slices.Values(t.Subscribed))) {
		n := uint32(nr)
		if n > end {
			out = append(out, run{first: end, verdict: pass})
		}
		if n > end || n == 0 {
			out = append(out, run{first: n, verdict: inspect})
		}
		out[len(out)-1].weight++
		end = n + 1
	}
	return append(out, run{first: end, verdict: pass}, run{first: x32Bit, verdict: absent})
}

// comparison is how the numbers of some neighbouring runs are told apart: by
// nr >= the first of run k, or, if equal is set, by nr == the only number of run k.
type comparison struct {
	cost  int // comparisons from here on, summed over the subscribed numbers
	k     int
	equal bool
}

// decision finds the tree with the fewest comparisons for a subscribed number, all of
// them being as frequent. Numbers nobody subscribed to count nothing: the kernel's
// bitmap answers for them. It takes time with the cube of the runs, which are
// about twice the numbers if those are few: 0.6 ms for 84 runs, where splitting at
// half the weight takes 0.01 ms and makes every call pay 0.7 comparisons more.
type decision struct {
	runs  []run
	sum   []int        // weight of all runs before
	table []comparison // for each first and last run; k is 0 until it is known
}

func newDecision(runs []run) *decision {
	d := &decision{runs: runs, sum: make([]int, len(runs)+1), table: make([]comparison, len(runs)*len(runs))}
	for i, r := range runs {
		d.sum[i+1] = d.sum[i] + r.weight
	}
	return d
}

// best is the comparison to start with for a number known to be in runs i to j.
func (d *decision) best(i, j int) comparison {
	if i == j {
		return comparison{}
	}
	known := &d.table[i*len(d.runs)+j]
	if known.k > 0 {
		return *known
	}
	c := comparison{cost: math.MaxInt}
	for k := i + 1; k <= j; k++ {
		c = cheaper(c, comparison{cost: d.best(i, k-1).cost + d.best(k, j).cost, k: k})
	}
	if d.lone(i, i+1, j) {
		c = cheaper(c, comparison{cost: d.best(i+2, j).cost, k: i + 1, equal: true})
	}
	if d.lone(i, j-1, j) {
		c = cheaper(c, comparison{cost: d.best(i, j-2).cost, k: j - 1, equal: true})
	}
	c.cost += d.sum[j+1] - d.sum[i]
	*known = c
	return c
}

// lone reports whether run k, inside i to j, is one subscribed number. Its neighbours are
// numbers nobody subscribed to: one test for equality takes it out, and they
// become one run.
func (d *decision) lone(i, k, j int) bool {
	return i < k && k < j && d.runs[k].verdict == inspect && d.runs[k].first+1 == d.runs[k+1].first
}

func cheaper(a, b comparison) comparison {
	if b.cost < a.cost {
		return b
	}
	return a
}

// write emits the tree for runs i to j; leaf gives the place a verdict leads to.
func (d *decision) write(a *assembler, i, j int, leaf func(verdict) label) label {
	if i == j {
		return leaf(d.runs[i].verdict)
	}
	c := d.best(i, j)
	first := d.runs[c.k].first
	if !c.equal {
		yes := d.write(a, c.k, j, leaf)
		no := d.write(a, i, c.k-1, leaf)
		return a.branch(bpf.JumpGreaterOrEqual, first, yes, no)
	}
	// The rest leaves out the run at the edge: it is like the one beyond the lone number.
	if c.k == i+1 {
		i += 2
	} else {
		j -= 2
	}
	yes := leaf(inspect)
	return a.branch(bpf.JumpEqual, first, yes, d.write(a, i, j, leaf))
}
