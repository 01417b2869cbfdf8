// Package table adds up what system calls cost and prints it in the layout of strace -c.
package table

import (
	"time"

	"github.com/trapline/trapline/tools/histogram"
)

// Tally is what the calls of one kind add up to. The unit of time is the caller's. Calls that did not return have no time.
type Tally struct {
	Calls, Errors   uint64
	Total, Min, Max uint64
	Times           histogram.Histogram
}

// Add counts one call.
func (t *Tally) Add(spent uint64, failed bool) {
	one := Tally{Calls: 1, Total: spent, Min: spent, Max: spent}
	if failed {
		one.Errors = 1
	}
	one.Times.Add(spent)
	t.Merge(&one)
}

// Merge adds another tally.
func (t *Tally) Merge(o *Tally) {
	if o.Times.Count() > 0 && (t.Times.Count() == 0 || o.Min < t.Min) {
		t.Min = o.Min
	}
	t.Max = max(t.Max, o.Max)
	t.Calls, t.Errors, t.Total = t.Calls+o.Calls, t.Errors+o.Errors, t.Total+o.Total
	t.Times.Merge(&o.Times)
}

// Average returns the time of a call.
func (t *Tally) Average() uint64 { return t.Total / max(t.Calls, 1) }

// Quantile returns the time that a share q of the calls does not exceed.
func (t *Tally) Quantile(q float64) uint64 { return min(max(t.Times.Quantile(q), t.Min), t.Max) }

// Row is one line of the table.
type Row struct {
	Name string
	Tally
}

// Table is a number of rows whose times have one unit.
type Table struct {
	Rows []*Row
	Unit func(uint64) time.Duration
}

// Nanoseconds is the Unit of times in nanoseconds.
func Nanoseconds(n uint64) time.Duration { return time.Duration(n) }

// Total returns the sum of all rows.
func (t *Table) Total() *Row {
	all := &Row{Name: "total"}
	for _, r := range t.Rows {
		all.Merge(&r.Tally)
	}
	return all
}
