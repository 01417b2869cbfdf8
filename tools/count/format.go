package count

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/trapline/trapline/tools/table"
)

// Format says how a summary is written.
type Format uint8

const (
	FormatTable Format = iota
	FormatJSON         // one object a line
	FormatCSV
)

// Write writes the summary. elapsed is how long the target has run.
func (s *Summary) Write(w io.Writer, elapsed time.Duration) error {
	switch s.opts.Format {
	case FormatJSON:
		return s.writeJSON(w, elapsed)
	case FormatCSV:
		return s.writeCSV(w, elapsed)
	}
	return s.Print(w)
}

// jsonSummary is the object of --json. Times are in nanoseconds, and strings: most readers have doubles.
type jsonSummary struct {
	Type    string      `json:"type"`
	Clock   string      `json:"clock"`
	Elapsed string      `json:"elapsed_ns"`
	Calls   []jsonRow   `json:"calls"`
	Total   jsonRow     `json:"total"`
	Groups  []jsonGroup `json:"groups,omitempty"`
	Beyond  string      `json:"not_in_histograms,omitempty"`
}

// jsonGroup is a process or a thread.
type jsonGroup struct {
	PID   int       `json:"pid"`
	TID   int       `json:"tid,omitempty"`
	Comm  string    `json:"comm"`
	Calls []jsonRow `json:"calls"`
	Total jsonRow   `json:"total"`
}

type jsonRow struct {
	Name    string       `json:"name"`
	Calls   string       `json:"calls"`
	Errors  string       `json:"errors"`
	Total   string       `json:"total_ns"`
	Min     string       `json:"min_ns"`
	Avg     string       `json:"avg_ns"`
	P50     string       `json:"p50_ns"`
	P90     string       `json:"p90_ns"`
	P99     string       `json:"p99_ns"`
	Max     string       `json:"max_ns"`
	Buckets []jsonBucket `json:"histogram,omitempty"`
}

// jsonBucket says how many calls took less than a time, and not less than the one of the bucket before.
type jsonBucket struct {
	Below string `json:"below_ns"`
	Calls string `json:"calls"`
}

func (s *Summary) writeJSON(w io.Writer, elapsed time.Duration) error {
	o := jsonSummary{Type: "count", Clock: "wall", Elapsed: decimal(elapsed)}
	if s.opts.CPU {
		o.Clock = "cpu"
	}
	if s.beyond > 0 {
		o.Beyond = strconv.FormatUint(s.beyond, 10)
	}
	o.Calls, o.Total = s.jsonRows(&s.all)
	for _, g := range s.groups {
		j := jsonGroup{PID: g.pid, TID: g.tid, Comm: g.name}
		j.Calls, j.Total = s.jsonRows(g)
		o.Groups = append(o.Groups, j)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(o)
}

func (s *Summary) jsonRows(g *group) (rows []jsonRow, total jsonRow) {
	t := s.table(g)
	s.opts.Sort(t)
	rows = []jsonRow{}
	for _, r := range t.Rows {
		rows = append(rows, toJSON(r, t.Unit))
	}
	total = toJSON(t.Total(), t.Unit)
	total.Buckets = nil
	return rows, total
}

func toJSON(r *table.Row, unit func(uint64) time.Duration) jsonRow {
	f := fields(r, unit)
	j := jsonRow{
		Name: f[0], Calls: f[1], Errors: f[2], Total: f[3], Min: f[4], Avg: f[5], P50: f[6], P90: f[7], P99: f[8], Max: f[9],
	}
	r.Times.Each(func(_, high, count uint64) {
		j.Buckets = append(j.Buckets, jsonBucket{decimal(unit(high)), strconv.FormatUint(count, 10)})
	})
	return j
}

// fields is a row in numbers, times in nanoseconds.
func fields(r *table.Row, unit func(uint64) time.Duration) []string {
	time := func(v uint64) string { return decimal(unit(v)) }
	return []string{
		r.Name, strconv.FormatUint(r.Calls, 10), strconv.FormatUint(r.Errors, 10), time(r.Total), time(r.Min),
		time(r.Average()), time(r.Quantile(0.5)), time(r.Quantile(0.9)), time(r.Quantile(0.99)), time(r.Max),
	}
}

func decimal(d time.Duration) string { return strconv.FormatInt(d.Nanoseconds(), 10) }

var csvHead = []string{
	"elapsed_ns", "pid", "tid", "comm", "name", "calls", "errors", "total_ns", "min_ns", "avg_ns", "p50_ns", "p90_ns", "p99_ns", "max_ns",
}

// writeCSV writes a line for each call of each group, and of all of them together with PID and TID empty. The head is in
// front of the first summary.
func (s *Summary) writeCSV(w io.Writer, elapsed time.Duration) error {
	c := csv.NewWriter(w)
	if !s.opts.headed {
		s.opts.headed = true
		c.Write(csvHead)
	}
	write := func(g *group, id ...string) {
		t := s.table(g)
		s.opts.Sort(t)
		for _, r := range t.Rows {
			c.Write(append(append([]string{decimal(elapsed)}, id...), fields(r, t.Unit)...))
		}
	}
	for _, g := range s.groups {
		tid := ""
		if g.tid != 0 {
			tid = fmt.Sprint(g.tid)
		}
		write(g, fmt.Sprint(g.pid), tid, g.name)
	}
	write(&s.all, "", "", "")
	c.Flush()
	return c.Error()
}
