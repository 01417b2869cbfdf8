package trace

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/launcher"
	rt "github.com/trapline/trapline/runtime"
)

// Options say how a Printer shows what the hook recorded.
type Options struct {
	MaxString int  // longest part of a string that is shown; file names are shown whole
	ShowPID   bool // name the thread in every line, not only while there are several

	// The program that was started, for the line that its exec would have had.
	Path string
	Args []string
	Env  int // number of its variables
}

// DefaultMaxString is strace's.
const DefaultMaxString = 32

// longestString is the largest MaxString: what fits into a record with the rest of a call.
const longestString = 8192

// Bytes returns the options as the hook reads them.
func (o *Options) Bytes() []byte {
	return le.AppendUint64(nil, uint64(o.limit()))
}

func (o *Options) limit() int { return min(max(o.MaxString, 0), longestString) }

// Printer turns the hook's records into the text of strace. Its methods must be called
// from one goroutine at a time.
//
// A call is printed as it begins and completed when it ends. Where something else has to
// be printed in between, the line is left unfinished and taken up again later:
//
//	open    the thread whose call stands at the end of the output, without a newline
//	held    the text of that call, not written yet: a call that is taken back leaves no trace
type Printer struct {
	w       *bufio.Writer
	opts    Options
	threads map[int]*thread // by thread ID
	alive   int
	open    *thread
	held    []byte
	column  int
	first   int // process ID of the program that was started
	err     error
}

// thread is one thread of the target.
type thread struct {
	pid, tid int
	alive    bool  // counts for the prefix of lines
	pending  *call // begun and not ended
	retry    bool  // pending was taken back and will come again
}

// NewPrinter returns a Printer that writes to w.
func NewPrinter(w io.Writer, opts Options) *Printer {
	return &Printer{w: bufio.NewWriter(w), opts: opts, threads: map[int]*thread{}}
}

// Events prints records in the order in which they come.
func (p *Printer) Events(events []launcher.Event) {
	for i := range events {
		p.event(&events[i])
	}
	p.release()
	p.flush()
}

// Ended tells that a thread is gone. How it ended is printed when that is known.
func (p *Printer) Ended(tid int) {
	if t := p.threads[tid]; t != nil {
		p.leave(t)
	}
}

func (t *thread) inExec() bool {
	return t.pending != nil && (t.pending.nr == unix.SYS_EXECVE || t.pending.nr == unix.SYS_EXECVEAT)
}

// KilledBy tells that a signal ended the program that was started, and prints that.
func (p *Printer) KilledBy(sig unix.Signal) { p.killed(p.first, unix.WaitStatus(sig)) }

// killed prints that a signal ended a process. No hook sees that: its parent does.
func (p *Printer) killed(pid int, status unix.WaitStatus) {
	core := ""
	if status.CoreDump() {
		core = "(core dumped) "
	}
	threads := p.others(pid, nil)
	for _, t := range threads {
		p.abandon(t)
	}
	for _, t := range threads {
		p.leader(t)
		p.line(fmt.Sprintf("+++ killed by %s %s+++", signalText(int(status.Signal())), core))
		p.bury(t)
	}
}

// reaped looks for the death of a process in what its parent learnt of it.
func (p *Printer) reaped(c *call) {
	switch {
	case c.nr == unix.SYS_WAIT4 && c.result > 0:
		if b, ok := c.out.bytes(c.args[1], 4); ok && unix.WaitStatus(le.Uint32(b)).Signaled() {
			p.killed(int(c.result), unix.WaitStatus(le.Uint32(b)))
		}
	case c.nr == unix.SYS_WAITID && c.result == 0:
		if b, ok := c.out.bytes(c.args[2], siginfoSize); ok {
			p.childSignal(b)
		}
	}
}

// childSignal looks for the death of a process in a struct siginfo.
func (p *Printer) childSignal(info []byte) {
	const cldKilled, cldDumped, coreBit = 2, 3, 0x80
	if unix.Signal(le.Uint32(info[siSigno:])) != unix.SIGCHLD {
		return
	}
	status := unix.WaitStatus(le.Uint32(info[siValue:]))
	switch le.Uint32(info[siCode:]) {
	case cldKilled:
		p.killed(int(le.Uint32(info[siUnion:])), status)
	case cldDumped:
		p.killed(int(le.Uint32(info[siUnion:])), status|coreBit)
	}
}

// Close ends the output. It returns the first error of writing to it.
func (p *Printer) Close() error {
	p.finishOpen()
	p.flush()
	return p.err
}

func (p *Printer) flush() {
	if err := p.w.Flush(); err != nil && p.err == nil {
		p.err = fmt.Errorf("write trace: %w", err)
	}
}

func (p *Printer) event(e *launcher.Event) {
	t := p.thread(e.PID, e.TID)
	switch e.Kind {
	case recordEnter:
		if c, ok := parseEnter(e.Data, p.opts.limit()); ok {
			p.enter(t, c)
		}
	case recordExit:
		if t.pending != nil && t.pending.end(e.Data) {
			p.exit(t)
		}
	case recordThread:
		if len(e.Data) >= 16 {
			p.born(t, int(le.Uint64(e.Data)))
		}
	case recordSignal:
		p.signal(t, e.Data)
	}
}

// thread returns the thread with that ID, a new one if it was not known.
func (p *Printer) thread(pid, tid int) *thread {
	t := p.threads[tid]
	if t == nil {
		t = &thread{pid: pid, tid: tid}
		p.threads[tid] = t
	}
	if t.pid != pid {
		*t = thread{pid: pid, tid: tid, alive: t.alive}
	}
	return t
}

func (p *Printer) revive(t *thread) {
	if !t.alive {
		t.alive = true
		p.alive++
	}
}

// leave counts a thread as gone.
func (p *Printer) leave(t *thread) {
	if t.alive {
		t.alive = false
		p.alive--
	}
}

// bury forgets a thread whose end has been printed.
func (p *Printer) bury(t *thread) {
	p.leave(t)
	if p.open == t {
		p.finishOpen()
	}
	if p.threads[t.tid] == t {
		delete(p.threads, t.tid)
	}
}

// others returns the threads of a process but one, by number, the main thread last.
func (p *Printer) others(pid int, but *thread) []*thread {
	var list []*thread
	for _, t := range p.threads {
		if t.pid == pid && t != but {
			list = append(list, t)
		}
	}
	key := func(t *thread) int {
		if t.tid == pid {
			return int(^uint(0) >> 1)
		}
		return t.tid
	}
	slices.SortFunc(list, func(a, b *thread) int { return key(a) - key(b) })
	return list
}

// born handles the first record of a thread.
func (p *Printer) born(t *thread, birth int) {
	if birth != rt.BirthExec {
		t.pending = nil
		p.revive(t)
		return
	}
	caller := p.execCaller(t)
	if caller != nil {
		p.execKills(t, caller)
	}
	p.revive(t)
	switch {
	case caller == nil && p.first == 0:
		p.startLine(t)
	case caller == t:
		p.resume(t)
		p.result(t, 0)
	case caller != nil:
		p.supersede(t, caller)
	}
	if p.first == 0 {
		p.first = t.pid
	}
}

// execCaller returns the thread of t's process that called exec.
func (p *Printer) execCaller(t *thread) *thread {
	for _, o := range append(p.others(t.pid, t), t) {
		if o.inExec() {
			return o
		}
	}
	return nil
}

// execKills ends the other threads of a process that has called exec.
func (p *Printer) execKills(main, caller *thread) {
	others := p.others(main.pid, caller)
	for _, t := range others {
		p.abandon(t)
	}
	for _, t := range others {
		if t != main {
			p.end(t, 0)
		}
	}
}

// supersede prints what happens when a thread that is not the main one calls exec: it
// takes the main thread's place.
func (p *Printer) supersede(main, caller *thread) {
	c := caller.pending
	p.finishOpen()
	p.bury(caller)
	p.leader(main)
	p.line(fmt.Sprintf("+++ superseded by execve in pid %d +++", caller.tid))
	main.pending, main.retry = c, false
	p.resume(main)
	p.result(main, 0)
}

// startLine prints the exec that started the program, which no hook sees.
func (p *Printer) startLine(t *thread) {
	if p.opts.Path == "" {
		return
	}
	c := &call{limit: p.opts.limit()}
	c.add("execve(")
	c.quote([]byte(p.opts.Path))
	sep := ", ["
	for i, a := range p.opts.Args {
		c.add(sep)
		sep = ", "
		if i >= min(c.limit, maxElements) {
			c.add("...")
			break
		}
		c.quote([]byte(a[:min(len(a), c.limit)]))
		if len(a) > c.limit {
			c.add("...")
		}
	}
	plural := "s"
	if p.opts.Env == 1 {
		plural = ""
	}
	c.addf("], [/* %d var%s */]", p.opts.Env, plural)
	p.leader(t)
	p.write(c.text)
	p.finish("= 0", "")
}

// enter prints what is known of a call as it begins.
func (p *Printer) enter(t *thread, c *call) {
	p.revive(t)
	if t.retry && t.pending.nr == c.nr && t.pending.args == c.args {
		c.next = t.pending.next
		t.pending, t.retry = c, false
		return
	}
	t.pending, t.retry = c, false
	c.begin()
	p.leader(t)
	p.hold(callName(c.nr) + "(")
	p.hold(string(c.text))
	p.open = t
	if c.row.result == rNone && c.nr != unix.SYS_RT_SIGRETURN {
		p.exited(t)
	} else if c.row.result == rNone {
		p.result(t, 0)
	}
}

// exit completes a call that has ended.
func (p *Printer) exit(t *thread) {
	c := t.pending
	if c.result == -rt.ENOTRUN {
		p.takeBack(t)
		return
	}
	p.adopt(c)
	p.reaped(c)
	p.resume(t)
	c.complete()
	p.write(c.text)
	p.result(t, c.result)
}

// takeBack forgets a call that did not run. What was written of it already is completed
// when it comes again.
func (p *Printer) takeBack(t *thread) {
	if p.open == t && p.held != nil {
		p.open, p.held, p.column, t.pending = nil, nil, 0, nil
		return
	}
	t.retry = true
}

// adopt counts the child of a successful fork before it has left a record of its own.
func (p *Printer) adopt(c *call) {
	switch c.nr {
	case unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CLONE, unix.SYS_CLONE3:
		if c.result > 0 && p.threads[int(c.result)] == nil {
			p.revive(p.thread(int(c.result), int(c.result)))
		}
	}
}

// exited prints the end of a thread, or of a whole process.
func (p *Printer) exited(t *thread) {
	c := t.pending
	status := int(c.args[0] & 0xff)
	p.result(t, 0)
	if c.nr == unix.SYS_EXIT_GROUP {
		for _, o := range p.others(t.pid, t) {
			p.abandon(o)
			p.end(o, status)
		}
	}
	p.end(t, status)
}

// abandon completes the call of a thread that another one's exit has ended.
func (p *Printer) abandon(t *thread) {
	c := t.pending
	if c == nil {
		return
	}
	p.resume(t)
	if c.next < c.count && special[c.nr] == nil {
		p.write([]byte(" <unfinished ...>"))
	}
	p.finish("= ?", "")
	t.pending = nil
}

func (p *Printer) end(t *thread, status int) {
	p.leader(t)
	p.line(fmt.Sprintf("+++ exited with %d +++", status))
	p.bury(t)
}

func (p *Printer) signal(t *thread, data []byte) {
	if len(data) < 8+8+siginfoSize {
		return
	}
	info := data[16 : 16+siginfoSize]
	p.childSignal(info)
	var c call
	c.siginfo(info)
	p.revive(t)
	p.leader(t)
	p.line(fmt.Sprintf("--- %s %s ---", signalText(int(le.Uint64(data))), c.text))
}

// result completes the line of a call.
func (p *Printer) result(t *thread, v int64) {
	c := t.pending
	t.pending, t.retry = nil, false
	p.release()
	switch {
	case c.row.result == rNone:
		p.finish("= ?", "")
	case v == -rt.ERESTARTSYS || v == -eintr && c.restartCode() != "":
		p.finish("= ? "+c.restartCode(), "")
	case v < 0 && v >= -4095:
		p.finish("= -1 "+errnoText(uint32(-v)), c.auxiliary())
	case c.row.result == rOctal:
		p.finish("= "+octal(uint64(v)), "")
	case c.row.result == rHex || c.hexResult():
		p.finish("= "+hexResult(v), c.auxiliary())
	default:
		p.finish(fmt.Sprintf("= %d", v), c.auxiliary())
	}
}

// hexResult returns a result in hexadecimal, 0 as 0.
func hexResult(v int64) string {
	if v == 0 {
		return "0"
	}
	return hexIf(uint64(v))
}

// resultColumn is where results stand if there is room.
const resultColumn = 40

// finish closes the parenthesis of a call and prints what stands behind it.
func (p *Printer) finish(result, auxiliary string) {
	p.write([]byte(") "))
	if p.column < resultColumn {
		p.write([]byte(strings.Repeat(" ", resultColumn-p.column)))
	}
	if auxiliary != "" {
		result += " (" + auxiliary + ")"
	}
	p.line(result)
}

// resume goes on with the line of a call, on a new line if something else was printed.
func (p *Printer) resume(t *thread) {
	if p.open == t {
		p.release()
		return
	}
	p.leader(t)
	p.write([]byte("<... " + callName(t.pending.nr) + " resumed>"))
	p.open = t
}

// leader starts a line for a thread.
func (p *Printer) leader(t *thread) {
	p.finishOpen()
	p.column = 0
	switch {
	case p.opts.ShowPID:
		p.hold(fmt.Sprintf("%-5d ", t.tid))
	case p.alive > 1:
		p.hold(fmt.Sprintf("[pid %5d] ", t.tid))
	}
}

// finishOpen leaves the open line unfinished.
func (p *Printer) finishOpen() {
	if p.open == nil {
		return
	}
	p.release()
	p.write([]byte(" <unfinished ...>\n"))
	p.open, p.column = nil, 0
}

// hold adds text to the line that can still be taken back.
func (p *Printer) hold(s string) { p.held = append(p.held, s...) }

// release writes what was held.
func (p *Printer) release() {
	if p.held != nil {
		held := p.held
		p.held = nil
		p.write(held)
	}
}

func (p *Printer) write(b []byte) {
	p.release()
	if _, err := p.w.Write(b); err != nil && p.err == nil {
		p.err = fmt.Errorf("write trace: %w", err)
	}
	p.column += len(b)
}

// line writes the rest of a line.
func (p *Printer) line(s string) {
	p.write([]byte(s + "\n"))
	p.open, p.column = nil, 0
}
