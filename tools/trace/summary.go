package trace

import (
	"time"

	"github.com/trapline/trapline/tools/table"
)

// summary is what the table of strace -c is made of, by number.
type summary map[int]*table.Row

func (s summary) add(c *call, spent time.Duration) {
	r := s[c.nr]
	if r == nil {
		r = &table.Row{Name: callName(c.nr)}
		s[c.nr] = r
	}
	r.Add(uint64(max(spent, 0)), c.failed() || c.restarts())
}

func (s summary) table() *table.Table {
	t := &table.Table{Unit: table.Nanoseconds}
	for _, r := range s {
		t.Rows = append(t.Rows, r)
	}
	return t
}
