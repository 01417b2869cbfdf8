package trace

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// summary is the table of strace -c.
type summary struct {
	calls map[int]*tally
}

// tally is what one call adds up to.
type tally struct {
	name             string
	calls, errors    uint64
	total, min, most time.Duration
}

func (s *summary) add(c *call, spent time.Duration) {
	if s.calls == nil {
		s.calls = map[int]*tally{}
	}
	t := s.calls[c.nr]
	if t == nil {
		t = &tally{name: callName(c.nr), min: spent}
		s.calls[c.nr] = t
	}
	t.count(spent, c.failed() || c.restarts())
}

func (t *tally) count(spent time.Duration, failed bool) {
	t.calls++
	if failed {
		t.errors++
	}
	t.total += spent
	t.min, t.most = min(t.min, spent), max(t.most, spent)
}

// column is one column of the table.
type column struct {
	name, head, rule string
	width            int // negative: to the left
	value            func(t, all *tally) string
	compare          func(a, b *tally) int // the first line is the largest
}

var tableColumns = []column{
	{"time-percent", "% time", "------", 6, func(t, all *tally) string {
		if all.total == 0 {
			return "0.00"
		}
		return fmt.Sprintf("%.2f", 100*float64(t.total)/float64(all.total))
	}, byTotal},
	{"total-time", "seconds", "-----------", 11, func(t, _ *tally) string { return fmt.Sprintf("%.6f", t.total.Seconds()) }, byTotal},
	{"min-time", "shortest", "-----------", 11, func(t, _ *tally) string { return fmt.Sprintf("%.6f", t.min.Seconds()) },
		func(a, b *tally) int { return cmp.Compare(b.min, a.min) }},
	{"max-time", "longest", "-----------", 11, func(t, _ *tally) string { return fmt.Sprintf("%.6f", t.most.Seconds()) },
		func(a, b *tally) int { return cmp.Compare(b.most, a.most) }},
	{"avg-time", "usecs/call", "-----------", 11, func(t, _ *tally) string {
		return fmt.Sprint(t.average().Microseconds())
	}, func(a, b *tally) int { return cmp.Compare(b.average(), a.average()) }},
	{"calls", "calls", "---------", 9, func(t, _ *tally) string { return fmt.Sprint(t.calls) },
		func(a, b *tally) int { return cmp.Compare(b.calls, a.calls) }},
	{"errors", "errors", "---------", 9, func(t, _ *tally) string {
		if t.errors == 0 {
			return ""
		}
		return fmt.Sprint(t.errors)
	}, func(a, b *tally) int { return cmp.Compare(b.errors, a.errors) }},
	{"name", "syscall", "----------------", -16, func(t, _ *tally) string { return t.name },
		func(a, b *tally) int { return strings.Compare(a.name, b.name) }},
}

func byTotal(a, b *tally) int { return cmp.Compare(b.total, a.total) }

func (t *tally) average() time.Duration { return t.total / time.Duration(max(t.calls, 1)) }

// columnNames are the other names that strace has for columns.
var columnNames = map[string]string{
	"time": "time-percent", "time_percent": "time-percent", "time-total": "total-time", "total_time": "total-time",
	"min": "min-time", "shortest": "min-time", "min_time": "min-time", "max": "max-time", "longest": "max-time",
	"max_time": "max-time", "avg": "avg-time", "avg_time": "avg-time", "count": "calls", "error": "errors",
	"syscall": "name", "syscall-name": "name", "syscall_name": "name", "none": "nothing",
}

// tableColumn returns the column that a word stands for.
func tableColumn(word string) (string, bool) {
	if name, ok := columnNames[word]; ok {
		word = name
	}
	return word, word == "nothing" || slices.ContainsFunc(tableColumns, func(c column) bool { return c.name == word })
}

func columnOf(name string) *column {
	return &tableColumns[slices.IndexFunc(tableColumns, func(c column) bool { return c.name == name })]
}

// print writes the table.
func (s *summary) print(w io.Writer, opts *Options) error {
	var rows []*tally
	all := &tally{name: "total"}
	for _, t := range s.calls {
		if len(rows) == 0 {
			all.min = t.min
		}
		rows = append(rows, t)
		all.calls, all.errors, all.total = all.calls+t.calls, all.errors+t.errors, all.total+t.total
		all.min, all.most = min(all.min, t.min), max(all.most, t.most)
	}
	order := byTotal
	switch opts.sort {
	case "":
	case "nothing":
		order = func(a, b *tally) int { return 0 }
	default:
		order = columnOf(opts.sort).compare
	}
	slices.SortFunc(rows, func(a, b *tally) int { return cmp.Or(order(a, b), strings.Compare(a.name, b.name)) })
	return writeTable(w, opts.columns, rows, all)
}

var defaultColumns = []string{"time-percent", "total-time", "avg-time", "calls", "errors", "name"}

func writeTable(w io.Writer, names []string, rows []*tally, all *tally) error {
	if names == nil {
		names = defaultColumns
	}
	var columns []*column
	for _, n := range names {
		columns = append(columns, columnOf(n))
	}
	line := func(text func(c *column) string) error {
		var cells []string
		for _, c := range columns {
			cells = append(cells, fmt.Sprintf("%*s", c.width, text(c)))
		}
		if columns[len(columns)-1].name == "name" {
			cells[len(cells)-1] = strings.TrimRight(cells[len(cells)-1], " ")
		}
		_, err := fmt.Fprintln(w, strings.Join(cells, " "))
		return err
	}
	rule := func(c *column) string { return c.rule }
	line(func(c *column) string { return c.head })
	line(rule)
	for _, r := range rows {
		line(func(c *column) string { return c.value(r, all) })
	}
	line(rule)
	return line(func(c *column) string {
		if c.name == "time-percent" {
			return "100.00"
		}
		return c.value(all, all)
	})
}
