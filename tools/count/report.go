package count

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
	"unsafe"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/syscalls"
	"github.com/trapline/trapline/tools/table"
)

// Options say what is counted and how it is shown.
type Options struct {
	table.Layout
	By     By
	CPU    bool // time is that of the processor, not of the wall
	Format Format
	headed bool // the head of the CSV lines is written
}

// By says for what a table is printed before the one of everything.
type By uint8

const (
	ByNothing By = iota
	ByProcess
	ByThread
)

// SetBy parses the argument of --by.
func (o *Options) SetBy(word string) error {
	by, ok := map[string]By{"process": ByProcess, "thread": ByThread}[word]
	if !ok {
		return fmt.Errorf("neither process nor thread: %q", word)
	}
	o.By = by
	return nil
}

// Bytes returns the options as the hook reads them.
func (o *Options) Bytes() []byte {
	t := targetOptions{}
	if o.CPU {
		t.cpu = 1
	}
	if o.Spread() || o.Format != FormatTable {
		t.spread = 1
	}
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, t.cpu), t.spread)
}

func (o *Options) unit() func(uint64) time.Duration {
	if o.CPU {
		return table.Nanoseconds
	}
	return launcher.TicksToDuration
}

// Summary adds up what the threads of a target counted.
type Summary struct {
	opts   *Options
	groups []*group // in the order in which their first thread was seen
	byID   map[groupID]*group
	all    group
	beyond uint64
}

// group is a process or a thread. What followed it under the same number belongs to it.
type group struct {
	groupID
	name  string
	calls map[int]*table.Row
}

type groupID struct{ pid, tid int }

// NewSummary returns an empty summary.
func NewSummary(opts *Options) *Summary {
	return &Summary{opts: opts, byID: map[groupID]*group{}, all: group{calls: map[int]*table.Row{}}}
}

// Harvest adds one thread's counters; it serves as launcher.Config.Harvest.
func (s *Summary) Harvest(th launcher.Thread, raw []byte) {
	st := (*state)(unsafe.Pointer(&raw[0]))
	g := s.groupOf(th)
	for nr := range st.calls {
		if st.calls[nr].calls == 0 {
			continue
		}
		t := st.tally(nr)
		s.all.add(nr, &t)
		if g != nil {
			g.add(nr, &t)
		}
	}
	s.beyond += st.beyond
}

// groupOf returns the group that a thread belongs to, nil if all are one.
func (s *Summary) groupOf(th launcher.Thread) *group {
	id := groupID{pid: th.PID}
	switch s.opts.By {
	case ByNothing:
		return nil
	case ByThread:
		id.tid = th.TID
	}
	g := s.byID[id]
	if g == nil {
		g = &group{groupID: id, calls: map[int]*table.Row{}}
		s.byID[id] = g
		s.groups = append(s.groups, g)
	}
	if s.opts.By == ByThread || th.TID == th.PID || g.name == "" {
		g.name = th.Comm
	}
	return g
}

// tally returns what a thread has counted of one call.
func (s *state) tally(nr int) table.Tally {
	e := &s.calls[nr]
	t := table.Tally{Calls: e.calls, Errors: e.errors, Total: e.spent, Max: e.longest, Min: ^e.leastInverted}
	for octave, place := range s.index[nr] {
		if place > 0 && place <= maxOctaves {
			t.Times.AddOctave(uint(octave), &s.octaves[place-1])
		}
	}
	if e.leastInverted == 0 {
		t.Min = 0
	}
	return t
}

func (g *group) add(nr int, t *table.Tally) {
	r := g.calls[nr]
	if r == nil {
		r = &table.Row{Name: nameOf(nr)}
		g.calls[nr] = r
	}
	r.Merge(t)
}

func nameOf(nr int) string {
	if nr == unknown {
		return "(unknown)"
	}
	return syscalls.Name(nr)
}

// with returns a summary that has the threads as well.
func (s *Summary) with(live []launcher.ThreadState) *Summary {
	sum := NewSummary(s.opts)
	sum.beyond = s.beyond
	sum.all.merge(&s.all)
	for _, g := range s.groups {
		own := sum.groupOf(launcher.Thread{PID: g.pid, TID: g.tid, Comm: g.name})
		own.merge(g)
	}
	for _, l := range live {
		sum.Harvest(l.Thread, l.State)
	}
	return sum
}

func (g *group) merge(o *group) {
	for nr, r := range o.calls {
		g.add(nr, &r.Tally)
	}
}

// Print writes the table of everything, and before it those of the groups.
func (s *Summary) Print(w io.Writer) error {
	for _, g := range s.groups {
		if _, err := fmt.Fprintln(w, g.title()); err != nil {
			return err
		}
		if err := s.opts.Print(w, s.table(g)); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	err := s.opts.Print(w, s.table(&s.all))
	if s.beyond > 0 {
		_, err = fmt.Fprintf(w, "%d calls are not in p50, p90 and p99: their threads made too many different ones\n", s.beyond)
	}
	return err
}

func (g *group) title() string {
	if g.tid != 0 {
		return fmt.Sprintf("process %d thread %d (%s)", g.pid, g.tid, g.name)
	}
	return fmt.Sprintf("process %d (%s)", g.pid, g.name)
}

// table returns the rows of a group by number.
func (s *Summary) table(g *group) *table.Table {
	t := &table.Table{Unit: s.opts.unit()}
	for _, nr := range slices.SortedFunc(maps.Keys(g.calls), cmp.Compare) {
		t.Rows = append(t.Rows, g.calls[nr])
	}
	return t
}

// Calls returns how many calls were counted.
func (s *Summary) Calls() uint64 { return s.table(&s.all).Total().Calls }
