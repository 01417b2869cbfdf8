package trace

import (
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Observer takes what happened in the launcher's own terms, for tools that make something else of it than text. What a method
// is given is valid while it runs.
type Observer interface {
	Call(c *Observation)
	Born(pid, tid, creator, birth int, name string, at time.Time)
	Ended(pid, tid int, how string, at time.Time)
	Lost(records uint64)
}

// Observation is one call.
type Observation struct {
	PID, TID     int
	Comm         string
	Number       int
	Name         string
	Began, Ended time.Time
	Returned     bool
	Errno        string // "": no error
	call         *call
}

// observing is a Recorder that hands on to an Observer.
type observing struct{ to Observer }

// NewObserving returns a Recorder that tells an Observer.
func NewObserving(to Observer) Recorder { return observing{to} }

func (o observing) call(t *thread, c *call, ended time.Time) {
	seen := Observation{
		PID: t.pid, TID: t.tid, Comm: t.name, Number: c.nr, Name: callName(c.nr),
		Began: c.began, Ended: ended, Returned: c.ended, call: c,
	}
	switch {
	case c.restarts():
		seen.Errno, _, _ = strings.Cut(c.restartCode(), " ")
	case c.failed():
		seen.Errno = errnoName(uint32(-c.result))
	}
	o.to.Call(&seen)
}

func (o observing) born(t *thread, creator, birth int, at time.Time) {
	o.to.Born(t.pid, t.tid, creator, birth, t.name, at)
}
func (o observing) signal(*thread, int, string, time.Time) {}
func (o observing) ended(t *thread, how string, at time.Time) {
	o.to.Ended(t.pid, t.tid, how, at)
}
func (o observing) lost(_ *thread, records uint64, at time.Time) {
	if at.IsZero() {
		o.to.Lost(records)
	}
}
func (o observing) Close() error { return nil }

// Text returns the call as a line of the trace.
func (o *Observation) Text() string {
	c := o.call
	c.all()
	return o.Name + "(" + string(c.text) + ") " + c.resultText()
}

// resultText is what stands behind the parenthesis of a call.
func (c *call) resultText() string {
	if !c.ended {
		return "= ?"
	}
	result, auxiliary, _ := c.outcome(c.result, 0)
	if auxiliary != "" {
		result += " (" + auxiliary + ")"
	}
	return result + c.markText()
}

// Executed returns the arguments of the program that the call has executed, nil if it is no exec that succeeded.
func (o *Observation) Executed() []string {
	at, ok := map[int]int{unix.SYS_EXECVE: 1, unix.SYS_EXECVEAT: 2}[o.Number]
	if c := o.call; ok && c.ended && c.result == 0 {
		return c.strings(c.args[at])
	}
	return nil
}

// strings returns the strings of a vector, as far as they were copied.
func (c *call) strings(addr uint64) []string {
	list := []string{}
	for i := range uint64(maxElements) {
		b, ok := c.in.bytes(addr+8*i, 8)
		if !ok || le.Uint64(b) == 0 {
			break
		}
		p, ok := c.in.string(le.Uint64(b))
		if !ok {
			break
		}
		list = append(list, string(p.data))
	}
	return list
}

// FileUse says what a call did with one file.
type FileUse struct {
	Path          string
	Read, Written uint64 // bytes
}

// transfers says which arguments of a call are the descriptors that it reads from and writes to; -1: none.
var transfers = map[int]struct{ from, to int }{
	unix.SYS_READ: {0, -1}, unix.SYS_PREAD64: {0, -1}, unix.SYS_READV: {0, -1}, unix.SYS_PREADV: {0, -1},
	unix.SYS_PREADV2: {0, -1}, unix.SYS_RECVFROM: {0, -1}, unix.SYS_RECVMSG: {0, -1},
	unix.SYS_WRITE: {-1, 0}, unix.SYS_PWRITE64: {-1, 0}, unix.SYS_WRITEV: {-1, 0}, unix.SYS_PWRITEV: {-1, 0},
	unix.SYS_PWRITEV2: {-1, 0}, unix.SYS_SENDTO: {-1, 0}, unix.SYS_SENDMSG: {-1, 0},
	unix.SYS_SENDFILE: {1, 0}, unix.SYS_COPY_FILE_RANGE: {0, 2}, unix.SYS_SPLICE: {0, 2},
}

// Files returns the files that the call dealt with, each once: those behind its descriptors and those that it names.
func (o *Observation) Files() []FileUse {
	var list []FileUse
	add := func(path string, read, written uint64) {
		for i := range list {
			if f := &list[i]; f.Path == path {
				f.Read, f.Written = f.Read+read, f.Written+written
				return
			}
		}
		if path != "" {
			list = append(list, FileUse{path, read, written})
		}
	}
	c, dir := o.call, ""
	ends, moves := transfers[o.Number]
	for i := range c.count {
		switch a := c.row.args[i]; a.kind() {
		case aFD:
			bytes := uint64(0)
			if moves && c.ended && c.result > 0 {
				bytes = uint64(c.result)
			}
			link := string(c.in.noteOf(linkBit, int32(c.args[i])))
			switch {
			case moves && i == ends.from:
				add(link, bytes, 0)
			case moves && i == ends.to:
				add(link, 0, bytes)
			default:
				add(link, 0, 0)
			}
		case aDirFD:
			dir = string(c.in.noteOf(linkBit, int32(c.args[i])))
		case aPath:
			if !c.opened() {
				add(c.pathAt(dir, c.args[i]), 0, 0)
			}
		}
	}
	if c.opened() {
		add(string(c.out.noteOf(linkBit, int32(c.result))), 0, 0)
	}
	return list
}

// opened reports whether the call has made a descriptor of a path, which is then known better than by its name.
func (c *call) opened() bool {
	return c.ended && c.result >= 0 && c.returnsFD() && c.out.noteOf(linkBit, int32(c.result)) != nil
}

// pathAt returns the path at addr, which may be relative to a directory.
func (c *call) pathAt(dir string, addr uint64) string {
	p, ok := c.in.string(addr)
	switch name := string(p.data); {
	case !ok:
		return ""
	case name == "":
		return dir
	case name[0] != '/' && dir != "":
		return filepath.Join(dir, name)
	default:
		return name
	}
}
