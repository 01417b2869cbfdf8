package report

import (
	"container/heap"
	"time"

	"github.com/trapline/trapline/tools/trace"
)

// timeline is the calls of all threads by time.
type timeline struct {
	lanes []*lane
	long  spans // the longest calls, a heap
	width time.Duration
	cells int // in all lanes
}

// lane is one thread.
type lane struct {
	process *process
	tid     int
	name    string
	began   time.Time
	ended   time.Time // zero: nobody saw its end
	hidden  bool      // there are too many
	cells   map[int64]*cell
}

// cell is what became of the short calls of a thread in one stretch of time. A call that began in it counts in it.
type cell struct {
	calls, errors uint32
	busy          [numClasses]time.Duration
}

// span is one call.
type span struct {
	lane         *lane
	start, spent time.Duration
	name, errno  string
	class        class
	text         string
}

const (
	maxSpans   = 20000
	maxCells   = 40000
	firstWidth = 50 * time.Microsecond
	maxText    = 160 // of a call, in bytes
	longest    = 500 // cells that one call fills
)

// spans is a heap with the shortest call on top.
type spans []*span

func (s spans) Len() int           { return len(s) }
func (s spans) Less(i, j int) bool { return s[i].spent < s[j].spent }
func (s spans) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *spans) Push(x any)        { *s = append(*s, x.(*span)) }
func (s *spans) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// add adds a call.
func (t *timeline) add(l *lane, c *trace.Observation, start, spent time.Duration) {
	s := &span{lane: l, start: start, spent: spent, name: c.Name, errno: c.Errno, class: classOf(c.Number)}
	if len(t.long) == maxSpans && spent <= t.long[0].spent {
		t.fill(s)
		return
	}
	s.text = shorten(c.Text(), maxText)
	if len(t.long) < maxSpans {
		heap.Push(&t.long, s)
		return
	}
	t.fill(t.long[0])
	t.long[0] = s
	heap.Fix(&t.long, 0)
}

// fill puts a call into the cells that it lasts for.
func (t *timeline) fill(s *span) {
	for s.spent/t.width > longest || t.cells >= maxCells {
		t.widen()
	}
	end := s.start + s.spent
	for at := s.start; ; {
		i := int64(at / t.width)
		next := min(time.Duration(i+1)*t.width, end)
		c := t.cell(s.lane, i)
		if at == s.start {
			c.calls++
			if s.errno != "" {
				c.errors++
			}
		}
		c.busy[s.class] += next - at
		if at = next; at >= end {
			return
		}
	}
}

func (t *timeline) cell(l *lane, i int64) *cell {
	c := l.cells[i]
	if c == nil {
		if l.cells == nil {
			l.cells = map[int64]*cell{}
		}
		c = new(cell)
		l.cells[i] = c
		t.cells++
	}
	return c
}

// widen makes one cell of two.
func (t *timeline) widen() {
	t.width *= 2
	t.cells = 0
	for _, l := range t.lanes {
		old := l.cells
		l.cells = nil
		for i, c := range old {
			to := t.cell(l, i/2)
			to.calls, to.errors = to.calls+c.calls, to.errors+c.errors
			for k, d := range c.busy {
				to.busy[k] += d
			}
		}
	}
}
