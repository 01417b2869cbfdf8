package report

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/trapline/trapline/tools/table"
)

// page is the page; its script draws what Data says.
//
//go:embed page.html
var page string

var pageTemplate = template.Must(template.New("page").Parse(page))

// Data is what the page shows. Times are nanoseconds since the start; they stay below 2^53.
type Data struct {
	Command   string        `json:"command"`
	Started   string        `json:"started"`
	Duration  int64         `json:"duration"`
	Lost      uint64        `json:"lost"`
	Unlisted  int           `json:"unlisted"` // processes
	Total     Call          `json:"total"`
	Calls     []Call        `json:"calls"`
	Errors    []errorCount  `json:"errors"`
	Files     []fileUse     `json:"files"`
	RestFiles *fileUse      `json:"rest,omitempty"`
	Others    int           `json:"others"` // files that are in RestFiles
	Processes []ProcessData `json:"processes"`
	Lanes     []LaneData    `json:"lanes"`
	Width     int64         `json:"width"` // of a cell
	Classes   []string      `json:"classes"`
	Names     []string      `json:"names"` // of calls, for spans
}

// Call is what is said of one system call.
type Call struct {
	Name      string      `json:"name"`
	Calls     uint64      `json:"calls"`
	Errors    uint64      `json:"errors"`
	Total     uint64      `json:"ns"`
	Min       uint64      `json:"min"`
	Avg       uint64      `json:"avg"`
	P50       uint64      `json:"p50"`
	P90       uint64      `json:"p90"`
	P99       uint64      `json:"p99"`
	Max       uint64      `json:"max"`
	Histogram [][3]uint64 `json:"hist"` // from, to, calls
}

type errorCount struct {
	Call  string `json:"call"`
	Errno string `json:"errno"`
	Count uint64 `json:"count"`
}

// ProcessData is one process. Parent is an index, -1: none. Ended is -1 if nobody saw it.
type ProcessData struct {
	PID      int       `json:"pid"`
	Parent   int       `json:"parent"`
	Comm     string    `json:"comm"`
	Programs []Program `json:"programs"`
	Began    int64     `json:"began"`
	Ended    int64     `json:"ended"`
	How      string    `json:"how"`
	Calls    uint64    `json:"calls"`
}

// Program is a program that a process has executed.
type Program struct {
	At   int64  `json:"at"`
	Line string `json:"line"`
}

// LaneData is one thread. A span is start, duration, name, class, errno, text; a cell is its number, calls, errors, then pairs
// of a class and the time spent in it.
type LaneData struct {
	Process int       `json:"process"`
	TID     int       `json:"tid"`
	Name    string    `json:"name"`
	Began   int64     `json:"began"`
	Ended   int64     `json:"ended"`
	Spans   [][6]any  `json:"spans"`
	Cells   [][]int64 `json:"cells"`
}

// Write writes the page.
func (r *Report) Write(w io.Writer) error {
	b, err := json.Marshal(r.Data()) // escapes what HTML would take for its own
	if err != nil {
		return err
	}
	return pageTemplate.Execute(w, map[string]any{"Title": shorten(commandLine(r.argv), 80), "Data": template.JS(b)})
}

// Data returns what the page shows.
func (r *Report) Data() *Data {
	d := &Data{
		Command: commandLine(r.argv), Started: r.started.Format(time.RFC3339), Duration: int64(r.since(r.last)),
		Lost: r.lost, Unlisted: r.unlisted, Errors: r.sortedErrors(), Width: int64(r.timeline.width), Classes: classNames[:],
	}
	r.addCalls(d)
	r.addFiles(d)
	r.addProcesses(d)
	r.addLanes(d)
	return d
}

func (r *Report) addCalls(d *Data) {
	t := &table.Table{Rows: slices.Collect(maps.Values(r.calls)), Unit: table.Nanoseconds}
	new(table.Layout).Sort(t)
	for _, row := range t.Rows {
		d.Calls = append(d.Calls, callData(row))
	}
	d.Total = callData(t.Total())
}

func callData(r *table.Row) Call {
	c := Call{
		Name: r.Name, Calls: r.Calls, Errors: r.Errors, Total: r.Total, Min: r.Min, Avg: r.Average(),
		P50: r.Quantile(0.5), P90: r.Quantile(0.9), P99: r.Quantile(0.99), Max: r.Max, Histogram: [][3]uint64{},
	}
	r.Times.Each(func(low, high, count uint64) { c.Histogram = append(c.Histogram, [3]uint64{low, high, count}) })
	return c
}

func (r *Report) addFiles(d *Data) {
	r.files.keep(shownFiles)
	d.Files, d.Others = r.files.sorted(), r.files.others
	if d.Others > 0 {
		rest := r.files.rest.use("")
		d.RestFiles = &rest
	}
}

func (r *Report) addProcesses(d *Data) {
	for _, p := range r.processes {
		data := ProcessData{
			PID: p.pid, Parent: p.parent, Comm: p.comm, Began: int64(r.since(p.began)), Ended: r.end(p.ended), How: p.status(), Calls: p.calls,
		}
		for _, prog := range p.programs {
			data.Programs = append(data.Programs, Program{int64(r.since(prog.at)), commandLine(prog.argv)})
		}
		d.Processes = append(d.Processes, data)
	}
}

// end returns the time of an end, -1 if nobody saw it.
func (r *Report) end(at time.Time) int64 {
	if at.IsZero() {
		return -1
	}
	return int64(r.since(at))
}

func (r *Report) addLanes(d *Data) {
	numbers, names := map[*lane]int{}, map[string]int{}
	for i, l := range r.timeline.lanes {
		numbers[l] = i
		d.Lanes = append(d.Lanes, LaneData{
			Process: l.process.index, TID: l.tid, Name: l.name, Began: int64(r.since(l.began)), Ended: r.end(l.ended),
			Spans: [][6]any{}, Cells: l.cellData(),
		})
	}
	spans := slices.Clone(r.timeline.long)
	slices.SortFunc(spans, func(a, b *span) int { return int(a.start - b.start) })
	for _, s := range spans {
		name, ok := names[s.name]
		if !ok {
			name = len(names)
			names[s.name] = name
			d.Names = append(d.Names, s.name)
		}
		l := &d.Lanes[numbers[s.lane]]
		l.Spans = append(l.Spans, [6]any{int64(s.start), int64(s.spent), name, s.class, s.errno, s.text})
	}
}

func (l *lane) cellData() [][]int64 {
	list := [][]int64{}
	for _, i := range slices.Sorted(maps.Keys(l.cells)) {
		c := l.cells[i]
		data := []int64{i, int64(c.calls), int64(c.errors)}
		for k, busy := range c.busy {
			if busy > 0 {
				data = append(data, int64(k), int64(busy))
			}
		}
		list = append(list, data)
	}
	return list
}
