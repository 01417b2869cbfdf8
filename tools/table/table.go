package table

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Layout says which columns a table has and how it is sorted. The zero Layout is that of strace -c.
type Layout struct {
	sort    string
	columns []string
	precise bool // times with their units, not in seconds
}

// column is one column of the table. time is what it shows if that is a time.
type column struct {
	name, head, rule string
	width            int // negative: to the left
	value            func(c *cells, r *Row) string
	time             func(t *Tally) uint64
	compare          func(a, b *Row) int // the first line is the largest
}

// cells is what the text in a line depends on.
type cells struct {
	table *Table
	all   *Row
}

var tableColumns = []column{
	{"time-percent", "% time", "------", 6, (*cells).percent, nil, byTotal},
	{"total-time", "seconds", "-----------", 11, seconds(total), total, byTotal},
	{"min-time", "shortest", "-----------", 11, seconds(shortest), shortest, by(shortest)},
	{"max-time", "longest", "-----------", 11, seconds(longest), longest, by(longest)},
	{"avg-time", "usecs/call", "-----------", 11, func(c *cells, r *Row) string {
		return fmt.Sprint(c.table.Unit(r.Average()).Microseconds())
	}, (*Tally).Average, by((*Tally).Average)},
	{"p50", "p50", "-----------", 11, seconds(quantile(0.5)), quantile(0.5), by(quantile(0.5))},
	{"p90", "p90", "-----------", 11, seconds(quantile(0.9)), quantile(0.9), by(quantile(0.9))},
	{"p99", "p99", "-----------", 11, seconds(quantile(0.99)), quantile(0.99), by(quantile(0.99))},
	{"calls", "calls", "---------", 9, func(_ *cells, r *Row) string { return fmt.Sprint(r.Calls) },
		nil, by(func(t *Tally) uint64 { return t.Calls })},
	{"errors", "errors", "---------", 9, func(_ *cells, r *Row) string {
		if r.Errors == 0 {
			return ""
		}
		return fmt.Sprint(r.Errors)
	}, nil, by(func(t *Tally) uint64 { return t.Errors })},
	{"name", "syscall", "----------------", -16, func(_ *cells, r *Row) string { return r.Name },
		nil, func(a, b *Row) int { return strings.Compare(a.Name, b.Name) }},
}

func total(t *Tally) uint64    { return t.Total }
func shortest(t *Tally) uint64 { return t.Min }
func longest(t *Tally) uint64  { return t.Max }

func quantile(q float64) func(*Tally) uint64 {
	return func(t *Tally) uint64 { return t.Quantile(q) }
}

func seconds(of func(*Tally) uint64) func(*cells, *Row) string {
	return func(c *cells, r *Row) string { return fmt.Sprintf("%.6f", c.table.Unit(of(&r.Tally)).Seconds()) }
}

func by(of func(*Tally) uint64) func(a, b *Row) int {
	return func(a, b *Row) int { return cmp.Compare(of(&b.Tally), of(&a.Tally)) }
}

// byTotal puts among calls that took no time those first that are more.
func byTotal(a, b *Row) int {
	return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(b.Calls, a.Calls))
}

func (c *cells) percent(r *Row) string {
	switch {
	case r == c.all:
		return "100.00"
	case c.all.Total == 0:
		return "0.00"
	}
	return fmt.Sprintf("%.2f", 100*float64(r.Total)/float64(c.all.Total))
}

// columnNames are the other names that strace has for columns.
var columnNames = map[string]string{
	"time": "time-percent", "time_percent": "time-percent", "time-total": "total-time", "total_time": "total-time",
	"min": "min-time", "shortest": "min-time", "min_time": "min-time", "max": "max-time", "longest": "max-time",
	"max_time": "max-time", "avg": "avg-time", "avg_time": "avg-time", "count": "calls", "error": "errors",
	"syscall": "name", "syscall-name": "name", "syscall_name": "name", "none": "nothing",
}

var (
	defaultColumns = []string{"time-percent", "total-time", "avg-time", "calls", "errors", "name"}
	latencyColumns = []string{"calls", "errors", "min-time", "avg-time", "p50", "p90", "p99", "max-time", "total-time", "name"}
)

// latencyHeads are the heads of columns whose times have units.
var latencyHeads = map[string]string{"min-time": "min", "avg-time": "avg", "max-time": "max", "total-time": "total"}

// columnName returns the column that a word stands for.
func columnName(word string) (string, bool) {
	if name, ok := columnNames[word]; ok {
		word = name
	}
	return word, word == "nothing" || slices.ContainsFunc(tableColumns, func(c column) bool { return c.name == word })
}

func columnOf(name string) *column {
	return &tableColumns[slices.IndexFunc(tableColumns, func(c column) bool { return c.name == name })]
}

// Spread reports whether a column or the order needs quantiles.
func (l *Layout) Spread() bool {
	return slices.ContainsFunc(append(slices.Clone(l.names()), l.sort), func(name string) bool {
		return name == "p50" || name == "p90" || name == "p99"
	})
}

// SetSort parses the argument of -S.
func (l *Layout) SetSort(name string) error {
	name, ok := columnName(name)
	if !ok {
		return errors.New("no such column")
	}
	l.sort = name
	return nil
}

// SetColumns parses the argument of -U.
func (l *Layout) SetColumns(list string) error {
	l.columns = nil
	for part := range strings.SplitSeq(list, ",") {
		name, ok := columnName(part)
		if !ok || name == "nothing" || slices.Contains(l.columns, name) {
			return fmt.Errorf("column %q is not there, or there twice", part)
		}
		l.columns = append(l.columns, name)
	}
	if !slices.Contains(l.columns, "name") {
		l.columns = append(l.columns, "name")
	}
	return nil
}

// SetLatency makes times have units, and asks for all columns that show how they are spread unless others are asked for.
func (l *Layout) SetLatency() { l.precise = true }

// Sort sorts the rows of a table.
func (l *Layout) Sort(t *Table) {
	order := byTotal
	switch l.sort {
	case "":
	case "nothing":
		order = func(a, b *Row) int { return 0 }
	default:
		order = columnOf(l.sort).compare
	}
	slices.SortFunc(t.Rows, func(a, b *Row) int { return cmp.Or(order(a, b), strings.Compare(a.Name, b.Name)) })
}

// Print sorts and writes a table.
func (l *Layout) Print(w io.Writer, t *Table) error {
	l.Sort(t)
	var columns []*column
	for _, n := range l.names() {
		columns = append(columns, columnOf(n))
	}
	c := &cells{table: t, all: t.Total()}
	rule := func(c *column) string { return c.rule }
	writeLine(w, columns, l.head)
	writeLine(w, columns, rule)
	for _, r := range append(t.Rows, c.all) {
		if r == c.all {
			writeLine(w, columns, rule)
		}
		if err := writeLine(w, columns, func(k *column) string { return l.cell(k, c, r) }); err != nil {
			return err
		}
	}
	return nil
}

func (l *Layout) names() []string {
	switch {
	case l.columns != nil:
		return l.columns
	case l.precise:
		return latencyColumns
	}
	return defaultColumns
}

func (l *Layout) head(k *column) string {
	if head, ok := latencyHeads[k.name]; ok && l.precise {
		return head
	}
	return k.head
}

func (l *Layout) cell(k *column, c *cells, r *Row) string {
	if l.precise && k.time != nil {
		return shortTime(c.table.Unit(k.time(&r.Tally)))
	}
	return k.value(c, r)
}

// shortTime shows a time with three digits.
func shortTime(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%dns", d.Nanoseconds())
	case d < time.Millisecond:
		return threeDigits(float64(d)/1e3) + "us"
	case d < time.Second:
		return threeDigits(float64(d)/1e6) + "ms"
	}
	return threeDigits(d.Seconds()) + "s"
}

func threeDigits(v float64) string {
	switch {
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func writeLine(w io.Writer, columns []*column, text func(c *column) string) error {
	var line []string
	for _, c := range columns {
		line = append(line, fmt.Sprintf("%*s", c.width, text(c)))
	}
	if last := len(line) - 1; columns[last].name == "name" {
		line[last] = strings.TrimRight(line[last], " ")
	}
	_, err := fmt.Fprintln(w, strings.Join(line, " "))
	return err
}
