package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	rt "github.com/trapline/trapline/runtime"
)

// Recorder takes what happened for machines, in place of the Printer's text. Close writes what is left.
type Recorder interface {
	born(t *thread, creator, birth int, at time.Time)
	call(t *thread, c *call, ended time.Time)
	signal(t *thread, sig int, info string, at time.Time)
	ended(t *thread, how string, at time.Time)
	lost(t *thread, records uint64, at time.Time) // at is zero for those of all threads together
	Close() error
}

// jsonLines writes one JSON object a line. Numbers of 64 bits are strings: most readers have doubles.
type jsonLines struct {
	w *bufio.Writer
	e *json.Encoder
}

// NewJSON returns a Recorder that writes JSON lines.
func NewJSON(w io.Writer) Recorder {
	b := bufio.NewWriterSize(w, 64<<10)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	return &jsonLines{b, e}
}

// jsonCall is one call. Result is missing if the call did not return.
type jsonCall struct {
	Type     string   `json:"type"`
	PID      int      `json:"pid"`
	TID      int      `json:"tid"`
	Start    string   `json:"start_ns"`
	Duration string   `json:"duration_ns"`
	Number   int      `json:"nr"`
	Name     string   `json:"name"`
	Via      string   `json:"via"`
	Raw      []string `json:"raw"`
	Args     []string `json:"args"`
	Result   string   `json:"result,omitempty"`
	Errno    string   `json:"errno,omitempty"`
	Restart  string   `json:"restart,omitempty"`
	Note     string   `json:"note,omitempty"`
	Changed  string   `json:"changed,omitempty"`
}

// jsonEvent is the start of a thread or of a program in it, a signal, the end of a thread, or a loss.
type jsonEvent struct {
	Type    string `json:"type"`
	PID     int    `json:"pid,omitempty"`
	TID     int    `json:"tid,omitempty"`
	Time    string `json:"time_ns,omitempty"`
	Birth   string `json:"birth,omitempty"`
	Creator int    `json:"creator,omitempty"`
	Name    string `json:"name,omitempty"`
	Signal  string `json:"signal,omitempty"`
	Info    string `json:"info,omitempty"`
	How     string `json:"how,omitempty"`
	Records string `json:"records,omitempty"`
}

func nanoseconds(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// vias are the words for how a call came.
var vias = map[int]string{rt.ViaPatch: "patch", rt.ViaTrap: "trap", rt.ViaVDSO: "vdso"}

// births are the words for how a thread comes to be.
var births = map[int]string{rt.BirthExec: "exec", rt.BirthFork: "fork", rt.BirthThread: "thread"}

func (j *jsonLines) born(t *thread, creator, birth int, at time.Time) {
	j.e.Encode(jsonEvent{
		Type: "thread", PID: t.pid, TID: t.tid, Time: nanoseconds(at), Birth: births[birth], Creator: creator, Name: t.name,
	})
}

func (j *jsonLines) call(t *thread, c *call, ended time.Time) {
	c.all()
	r := jsonCall{
		Type: "call", PID: t.pid, TID: t.tid, Start: nanoseconds(c.began), Duration: strconv.FormatInt(int64(ended.Sub(c.began)), 10),
		Number: c.nr, Name: callName(c.nr), Via: vias[c.via], Raw: []string{}, Args: splitArguments(string(c.text)),
	}
	for _, a := range c.args[:c.count] {
		r.Raw = append(r.Raw, "0x"+strconv.FormatUint(a, 16))
	}
	switch {
	case !c.ended:
	case c.restarts():
		r.Restart, _, _ = strings.Cut(c.restartCode(), " ")
	case c.failed():
		r.Result, r.Errno = "-1", errnoName(uint32(-c.result))
	default:
		r.Result, r.Note = strconv.FormatInt(c.result, 10), c.auxiliary()
	}
	r.Changed = strings.TrimSpace(c.markText())
	j.e.Encode(r)
}

func (j *jsonLines) signal(t *thread, sig int, info string, at time.Time) {
	j.e.Encode(jsonEvent{Type: "signal", PID: t.pid, TID: t.tid, Time: nanoseconds(at), Signal: signalText(sig), Info: info})
}

func (j *jsonLines) ended(t *thread, how string, at time.Time) {
	j.e.Encode(jsonEvent{Type: "end", PID: t.pid, TID: t.tid, Time: nanoseconds(at), How: how})
}

func (j *jsonLines) lost(t *thread, records uint64, at time.Time) {
	e := jsonEvent{Type: "lost", PID: t.pid, TID: t.tid, Records: strconv.FormatUint(records, 10)}
	if !at.IsZero() {
		e.Time = nanoseconds(at)
	}
	j.e.Encode(e)
}

func (j *jsonLines) Close() error { return j.w.Flush() }

// recorders are several at once.
type recorders []Recorder

// NewRecorders returns a Recorder that is all of a list.
func NewRecorders(list ...Recorder) Recorder { return recorders(list) }

func (l recorders) born(t *thread, creator, birth int, at time.Time) {
	for _, r := range l {
		r.born(t, creator, birth, at)
	}
}

func (l recorders) call(t *thread, c *call, ended time.Time) {
	for _, r := range l {
		r.call(t, c, ended)
	}
}

func (l recorders) signal(t *thread, sig int, info string, at time.Time) {
	for _, r := range l {
		r.signal(t, sig, info, at)
	}
}

func (l recorders) ended(t *thread, how string, at time.Time) {
	for _, r := range l {
		r.ended(t, how, at)
	}
}

func (l recorders) lost(t *thread, records uint64, at time.Time) {
	for _, r := range l {
		r.lost(t, records, at)
	}
}

func (l recorders) Close() error {
	var errs []error
	for _, r := range l {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// splitArguments splits the text of a call's arguments at the commas between them.
func splitArguments(text string) []string {
	list := []string{}
	depth, start, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case quoted && ch == '\\':
			i++
		case ch == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(text[i:], "/*"):
			i += max(strings.Index(text[i:], "*/"), 0)
		case quoted:
		case ch == '(' || ch == '[' || ch == '{':
			depth++
		case ch == ')' || ch == ']' || ch == '}':
			depth--
		case ch == ',' && depth == 0:
			list = append(list, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(text[start:]); last != "" || len(list) > 0 {
		list = append(list, last)
	}
	return list
}

// perfetto writes Chrome trace events (the format of ui.perfetto.dev and chrome://tracing) as they come.
type perfetto struct {
	w     *bufio.Writer
	first bool
	names map[int]string
	err   error
}

// NewPerfetto returns a Recorder that writes Chrome trace events.
func NewPerfetto(w io.Writer) Recorder {
	p := &perfetto{w: bufio.NewWriterSize(w, 64<<10), first: true, names: map[int]string{}}
	p.w.WriteString("{\"traceEvents\":[\n")
	return p
}

// traceEvent is one event of the format; times are in microseconds.
type traceEvent struct {
	Name  string            `json:"name"`
	Phase string            `json:"ph"`
	Time  json.Number       `json:"ts"`
	Spent json.Number       `json:"dur,omitempty"`
	PID   int               `json:"pid"`
	TID   int               `json:"tid"`
	Scope string            `json:"s,omitempty"`
	Args  map[string]string `json:"args,omitempty"`
}

// microseconds returns a time in microseconds with all its digits: a float64 has too few since 1970.
func microseconds(nano int64) json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", nano/1000, nano%1000))
}

func (p *perfetto) event(e traceEvent) {
	b, err := json.Marshal(e)
	if err != nil && p.err == nil {
		p.err = err
	}
	if !p.first {
		p.w.WriteString(",\n")
	}
	p.first = false
	p.w.Write(b)
}

// name tells the name of a thread when it is known and new.
func (p *perfetto) name(t *thread) {
	if t.name == "" || p.names[t.tid] == t.name {
		return
	}
	p.names[t.tid] = t.name
	args := map[string]string{"name": t.name}
	if t.pid == t.tid {
		p.event(traceEvent{Name: "process_name", Phase: "M", PID: t.pid, TID: t.tid, Args: args})
	}
	p.event(traceEvent{Name: "thread_name", Phase: "M", PID: t.pid, TID: t.tid, Args: args})
}

func (p *perfetto) born(t *thread, _, _ int, _ time.Time) { p.name(t) }

func (p *perfetto) call(t *thread, c *call, ended time.Time) {
	p.name(t)
	c.all()
	args := map[string]string{"args": string(c.text)}
	if c.ended {
		args["result"] = strings.TrimPrefix(c.resultText(), "= ")
	}
	p.event(traceEvent{Name: callName(c.nr), Phase: "X", Time: microseconds(c.began.UnixNano()),
		Spent: microseconds(int64(ended.Sub(c.began))), PID: t.pid, TID: t.tid, Args: args})
}

func (p *perfetto) signal(t *thread, sig int, info string, at time.Time) {
	p.name(t)
	p.event(traceEvent{
		Name: signalText(sig), Phase: "i", Time: microseconds(at.UnixNano()), PID: t.pid, TID: t.tid, Scope: "t", Args: map[string]string{"info": info},
	})
}

func (p *perfetto) ended(t *thread, how string, at time.Time) {
	p.event(traceEvent{Name: how, Phase: "i", Time: microseconds(at.UnixNano()), PID: t.pid, TID: t.tid, Scope: "t"})
}

func (p *perfetto) lost(t *thread, records uint64, at time.Time) {
	e := traceEvent{Name: fmt.Sprintf("%d records lost", records), Phase: "i", Time: "0", Scope: "g"}
	if !at.IsZero() {
		e.Time, e.Scope, e.PID, e.TID = microseconds(at.UnixNano()), "t", t.pid, t.tid
	}
	p.event(e)
}

func (p *perfetto) Close() error {
	p.w.WriteString("\n]}\n")
	if err := p.w.Flush(); err != nil {
		return err
	}
	return p.err
}
