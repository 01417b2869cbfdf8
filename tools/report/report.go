// Package report makes one self-contained page of what a target did: its processes and threads on a line of time, how long
// calls took, the files and the errors. It is an Observer of the trace and keeps only what the page shows, in bounded memory:
//
//	calls ──┬── tally for each call, count for each error
//	        ├── files, the least used of which become one when there are too many
//	        └── timeline: the longest calls one by one, the others as cells of equal width for each thread; when there are
//	            too many of these two become one
package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/trapline/trapline/tools/table"
	"github.com/trapline/trapline/tools/trace"
)

// Report adds up what a target does. Its methods must be called from one goroutine at a time.
type Report struct {
	argv      []string
	started   time.Time // of the first record
	last      time.Time
	calls     map[int]*table.Row
	errors    map[errorKey]uint64
	files     files
	timeline  timeline
	processes []*process
	running   map[int]*process // by process ID
	threads   map[int]*lane    // by thread ID
	lost      uint64
	unlisted  int // processes that are not kept
}

type errorKey struct {
	call, errno string
}

// process is one process, in the order in which they were born.
type process struct {
	pid           int
	index, parent int // in the list, -1: none
	comm          string
	programs      []program
	began         time.Time
	ended         time.Time
	how           string // "": nobody saw its end
	calls         uint64
}

// program is one that a process has executed.
type program struct {
	at   time.Time
	argv []string
}

// Limits of what is kept.
const (
	maxProcesses = 5000
	maxLanes     = 5000
	maxPrograms  = 20 // of one process
)

// New returns an empty report of a command.
func New(argv []string) *Report {
	return &Report{
		argv: argv, calls: map[int]*table.Row{}, errors: map[errorKey]uint64{}, files: files{byPath: map[string]*file{}},
		timeline: timeline{width: firstWidth}, running: map[int]*process{}, threads: map[int]*lane{},
	}
}

// Call adds one call; the methods serve as trace.Observer.
func (r *Report) Call(c *trace.Observation) {
	r.begin(c.Began)
	r.last = later(r.last, c.Ended)
	spent := c.Ended.Sub(c.Began)
	row := r.calls[c.Number]
	if row == nil {
		row = &table.Row{Name: c.Name}
		r.calls[c.Number] = row
	}
	if c.Returned {
		row.Add(uint64(max(spent, 0)), c.Errno != "")
	} else {
		row.Calls++
	}
	if c.Errno != "" {
		r.errors[errorKey{c.Name, c.Errno}]++
	}
	r.files.add(c, spent)
	l := r.lane(c.PID, c.TID, c.Comm, c.Began)
	l.process.calls++
	if argv := c.Executed(); argv != nil {
		l.process.execute(c.Ended, argv)
	}
	if !l.hidden {
		r.timeline.add(l, c, r.since(c.Began), max(spent, 0))
	}
}

// Born adds a thread, or notes that one has executed a program.
func (r *Report) Born(pid, tid, creator, _ int, name string, at time.Time) {
	r.begin(at)
	if l := r.threads[tid]; l != nil && (!l.ended.IsZero() || l.process.pid != pid) {
		delete(r.threads, tid) // the number was given out again
	}
	if p := r.running[pid]; p != nil && !p.ended.IsZero() && pid == tid {
		delete(r.running, pid)
	}
	if r.running[pid] == nil {
		p := r.newProcess(pid, at)
		if l := r.threads[creator]; l != nil {
			p.parent = l.process.index
		}
	}
	l := r.lane(pid, tid, name, at)
	l.name = name
	if pid == tid {
		l.process.comm = name
	}
}

// Ended notes how a thread ended. That of its last one is how a process ends.
func (r *Report) Ended(pid, tid int, how string, at time.Time) {
	r.last = later(r.last, at)
	l := r.lane(pid, tid, "", at)
	l.ended, l.process.ended, l.process.how = at, at, how
	if l.hidden {
		delete(r.threads, tid)
	}
}

// Lost notes that records were dropped.
func (r *Report) Lost(records uint64) { r.lost = records }

func (r *Report) begin(at time.Time) {
	if r.started.IsZero() {
		r.started, r.last = at, at
	}
}

// since returns a time from the start on. Records of different threads may be out of order by a moment.
func (r *Report) since(at time.Time) time.Duration { return max(at.Sub(r.started), 0) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// newProcess adds a process. The first one is the command.
func (r *Report) newProcess(pid int, at time.Time) *process {
	p := &process{pid: pid, index: -1, parent: -1, began: at}
	r.running[pid] = p
	if len(r.processes) == 0 {
		p.execute(at, r.argv)
	}
	if len(r.processes) < maxProcesses {
		r.processes = append(r.processes, p)
		p.index = len(r.processes) - 1
	} else {
		r.unlisted++
	}
	return p
}

func (p *process) execute(at time.Time, argv []string) {
	if len(p.programs) < maxPrograms {
		p.programs = append(p.programs, program{at, argv})
	}
}

// lane returns the lane of a thread.
func (r *Report) lane(pid, tid int, name string, at time.Time) *lane {
	if l := r.threads[tid]; l != nil {
		return l
	}
	p := r.running[pid]
	if p == nil {
		p = r.newProcess(pid, at)
	}
	l := &lane{process: p, tid: tid, name: name, began: at}
	r.threads[tid] = l
	if l.hidden = len(r.timeline.lanes) >= maxLanes; !l.hidden {
		r.timeline.lanes = append(r.timeline.lanes, l)
	}
	return l
}

// commandLine returns arguments as a shell would take them.
func commandLine(argv []string) string {
	var words []string
	for _, a := range argv {
		if a == "" || strings.ContainsAny(a, " \t\n\"'\\$`|&;<>()*?[]{}#~!") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return shorten(strings.Join(words, " "), 2000)
}

// shorten cuts a text that is longer than n bytes.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// sortedErrors returns the errors, the most frequent one first.
func (r *Report) sortedErrors() []errorCount {
	var list []errorCount
	for k, n := range r.errors {
		list = append(list, errorCount{k.call, k.errno, n})
	}
	slices.SortFunc(list, func(a, b errorCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Call, b.Call), strings.Compare(a.Errno, b.Errno))
	})
	return list
}

// status is how a process ended, for people.
func (p *process) status() string {
	if p.how == "" {
		return "not seen to end"
	}
	return p.how
}
