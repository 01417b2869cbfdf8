package count

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
	"unsafe"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/syscalls"
)

// Summary adds up what the threads of a target counted.
type Summary struct {
	processes []*process // in the order in which their first thread ended
	byPID     map[int]*process
}

type process struct {
	pid   int
	name  string
	total state
}

// NewSummary returns an empty summary.
func NewSummary() *Summary { return &Summary{byPID: map[int]*process{}} }

// Harvest adds one thread's counters; it serves as launcher.Config.Harvest.
func (s *Summary) Harvest(th launcher.Thread, raw []byte) {
	p := s.byPID[th.PID]
	if p == nil {
		p = &process{pid: th.PID}
		s.byPID[th.PID] = p
		s.processes = append(s.processes, p)
	}
	p.name = th.Comm
	p.total.add((*state)(unsafe.Pointer(&raw[0])))
}

func (s *state) add(o *state) {
	for i := range s.calls {
		s.calls[i].calls += o.calls[i].calls
		s.calls[i].errors += o.calls[i].errors
		s.calls[i].ticks += o.calls[i].ticks
	}
}

// Print writes the table of all processes together; with each set, a table for every process
// before it.
func (s *Summary) Print(w io.Writer, each bool) error {
	var all state
	for _, p := range s.processes {
		all.add(&p.total)
		if !each {
			continue
		}
		if _, err := fmt.Fprintf(w, "process %d (%s)\n", p.pid, p.name); err != nil {
			return err
		}
		if err := p.total.print(w); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	return all.print(w)
}

// row is one line of the table.
type row struct {
	name string
	entry
	time time.Duration
}

func (s *state) rows() (rows []row, total row) {
	total.name = "total"
	for nr, e := range s.calls {
		if e.calls == 0 {
			continue
		}
		name := syscalls.Name(nr)
		if nr == unknown {
			name = "(unknown)"
		}
		r := row{name, e, launcher.TicksToDuration(e.ticks)}
		rows = append(rows, r)
		total.calls += r.calls
		total.errors += r.errors
		total.time += r.time
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.time, a.time), cmp.Compare(b.calls, a.calls), cmp.Compare(a.name, b.name))
	})
	return rows, total
}

// print writes the table in the layout of strace -c.
func (s *state) print(w io.Writer) error {
	const line = "------ ----------- ----------- --------- --------- ----------------\n"
	rows, total := s.rows()
	fmt.Fprint(w, "% time     seconds  usecs/call     calls    errors syscall\n", line)
	for _, r := range rows {
		r.print(w, total.time)
	}
	fmt.Fprint(w, line)
	return total.print(w, total.time)
}

func (r *row) print(w io.Writer, all time.Duration) error {
	share, each, errors := 100.0, int64(0), ""
	if all > 0 {
		share = 100 * float64(r.time) / float64(all)
	}
	if r.calls > 0 {
		each = r.time.Microseconds() / int64(r.calls)
	}
	if r.errors > 0 {
		errors = fmt.Sprint(r.errors)
	}
	_, err := fmt.Fprintf(w, "%6.2f %11.6f %11d %9d %9s %s\n", share, r.time.Seconds(), each, r.calls, errors, r.name)
	return err
}
