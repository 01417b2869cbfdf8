package trace

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/launcher"
	rt "github.com/trapline/trapline/runtime"
)

// Printer turns the hook's records into the text of strace. Its methods must be called
// from one goroutine at a time.
//
// A call is printed as it begins and completed when it ends. Where something else has to
// be printed in between, the line is left unfinished and taken up again later:
//
//	open    the thread whose call stands at the end of the output, without a newline
//	held    the text of that call, not written yet: a call that is taken back leaves no trace
type Printer struct {
	Open     func(tid int) (io.Writer, error) // opens the output of one thread, with Options.Separate
	Recorder Recorder                         // takes the calls in place of the text

	*destination              // where the current line goes
	shared       *destination // where all lines go, unless each thread has an output
	opts         Options
	threads      map[int]*thread // by thread ID
	alive        int
	first        int       // process ID of the program that was started
	now          time.Time // of the record that is being printed
	before       time.Time // of the line before
	summary      summary
	err          error
}

// destination is one output and the line that is being written to it.
type destination struct {
	w      *bufio.Writer
	open   *thread
	held   []byte
	column int
}

// thread is one thread of the target.
type thread struct {
	pid, tid int
	name     string
	lastNr   int          // number of its last call
	site     uint64       // where it stood last; 0: not known
	alive    bool         // counts for the prefix of lines
	pending  *call        // begun and not ended
	taken    []*call      // begun and taken back: they come again when the handlers that run now have returned
	marks    uint64       // of the call that begins next
	to       *destination // its own output
}

// NewPrinter returns a Printer that writes to w.
func NewPrinter(w io.Writer, opts Options) *Printer {
	d := &destination{w: bufio.NewWriterSize(w, 64<<10)}
	return &Printer{destination: d, shared: d, opts: opts, threads: map[int]*thread{}, summary: summary{}}
}

// Events prints records in the order in which they come.
func (p *Printer) Events(events []launcher.Event) {
	for i := range events {
		p.event(&events[i])
	}
	for _, d := range p.destinations() {
		p.destination = d
		p.release()
		p.flush()
	}
}

// destinations returns the outputs that are in use.
func (p *Printer) destinations() []*destination {
	list := []*destination{p.shared}
	for _, t := range p.threads {
		if t.to != nil {
			list = append(list, t.to)
		}
	}
	return list
}

// turnTo makes the output of a thread the current one.
func (p *Printer) turnTo(t *thread) {
	p.destination = p.shared
	if p.Open == nil || p.err != nil {
		return
	}
	if t.to == nil {
		w, err := p.Open(t.tid)
		if err != nil {
			p.err = err
			return
		}
		t.to = &destination{w: bufio.NewWriter(w)}
	}
	p.destination = t.to
}

// silent reports whether no text is wanted.
func (p *Printer) silent() bool { return p.Recorder != nil || p.opts.CountOnly }

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
		p.finalLine(t, fmt.Sprintf("killed by %s %s", signalText(int(status.Signal())), core))
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
	for _, d := range p.destinations() {
		p.destination = d
		p.finishOpen()
		p.flush()
	}
	p.destination = p.shared
	if p.Recorder != nil {
		p.fail(p.Recorder.Close())
	}
	if p.opts.Count || p.opts.CountOnly {
		p.fail(p.opts.Layout.Print(p.w, p.summary.table()))
		p.flush()
	}
	return p.err
}

// Lost tells how many records are missing in all.
func (p *Printer) Lost(n uint64) {
	if p.Recorder != nil {
		p.Recorder.lost(&thread{}, n, time.Time{})
	}
}

// lost tells that records of a thread are missing. The call that it is in may have ended.
func (p *Printer) lost(t *thread, records uint64) {
	p.abandon(t)
	t.taken, t.marks = nil, 0
	if p.Recorder != nil {
		p.Recorder.lost(t, records, p.now)
	} else if !p.silent() {
		p.leader(t)
		p.line(fmt.Sprintf("+++ %d records lost +++", records))
	}
}

// fail keeps the first error.
func (p *Printer) fail(err error) {
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("write trace: %w", err)
	}
}

func (p *Printer) flush() {
	p.fail(p.w.Flush())
}

func (p *Printer) event(e *launcher.Event) {
	t := p.thread(e.PID, e.TID)
	p.now = e.Time
	switch e.Kind {
	case recordEnter:
		if c, ok := parseEnter(e.Data, p.opts.limit()); ok {
			c.opts, c.began = &p.opts, p.now
			p.enter(t, c)
		}
	case recordExit:
		if t.pending != nil && t.pending.end(e.Data) {
			p.exit(t)
		}
	case recordThread:
		if len(e.Data) >= 16 {
			t.name = threadName(e.Data[16:])
			birth := int(le.Uint64(e.Data))
			p.born(t, birth)
			if p.Recorder != nil {
				p.Recorder.born(t, int(le.Uint64(e.Data[8:])), birth, p.now)
			}
		}
	case recordSignal:
		p.signal(t, e.Data)
	case rt.KindLost:
		if len(e.Data) >= 8 {
			p.lost(t, le.Uint64(e.Data))
		}
	case recordMarks:
		if len(e.Data) >= 8 {
			t.marks = le.Uint64(e.Data)
		}
	case recordLateMarks:
		if t.pending != nil && len(e.Data) >= 8 {
			t.pending.marks |= le.Uint64(e.Data)
		}
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
		*t = thread{pid: pid, tid: tid, alive: t.alive, to: t.to}
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
	if t.to != nil {
		p.destination = t.to
		p.flush()
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
		t.pending, t.taken = nil, nil
		p.attach(t)
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
		p.returned(t)
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
	if !p.opts.quietExec && !p.silent() {
		p.leader(main)
		p.line(fmt.Sprintf("+++ superseded by execve in pid %d +++", caller.tid))
	}
	main.pending, main.taken = c, nil
	p.returned(main)
}

// returned completes an exec that has succeeded.
func (p *Printer) returned(t *thread) {
	t.pending.ended = true
	if !p.printsLate(t.pending) {
		p.resume(t)
	}
	p.result(t, 0)
}

// startLine prints the exec that started the program, which no hook sees.
func (p *Printer) startLine(t *thread) {
	if p.opts.Path == "" || p.silent() || p.opts.status&^successful != 0 || len(p.opts.paths) > 0 {
		return
	}
	c := &call{limit: p.opts.limit(), opts: &p.opts, nr: unix.SYS_EXECVE, row: &rows[unix.SYS_EXECVE]}
	t.lastNr = unix.SYS_EXECVE
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
	c.add("], [")
	switch plural := "s"; {
	case p.opts.Verbose:
		for i, v := range p.opts.Env {
			if i > 0 {
				c.add(", ")
			}
			c.quote([]byte(v)[:min(len(v), c.limit)])
			if len(v) > c.limit {
				c.add("...")
			}
		}
	default:
		if len(p.opts.Env) == 1 {
			plural = ""
		}
		c.addf("/* %d var%s */", len(p.opts.Env), plural)
	}
	c.add("]")
	p.leader(t)
	p.write(c.text)
	p.finish("= 0", "", "", 0)
}

// enter prints what is known of a call as it begins.
func (p *Printer) enter(t *thread, c *call) {
	p.revive(t)
	t.lastNr, t.site = c.nr, c.site()
	c.marks, t.marks = t.marks, 0
	c.hidden = len(p.opts.paths) > 0 && !c.dealsWith(p.opts.paths)
	if old := t.takenBefore(c); old != nil {
		c.next, c.began = old.next, old.began
		t.pending = c
		return
	}
	t.pending = c
	if !p.printsLate(c) {
		c.begin()
		p.leader(t)
		p.hold(callName(c.nr) + "(")
		p.hold(string(c.text))
		p.open = t
	}
	switch {
	case c.row.result != rNone || c.replaced():
	case c.nr == unix.SYS_RT_SIGRETURN:
		p.restored(t)
	default:
		p.exited(t)
	}
}

// restored completes rt_sigreturn, which leaves no other record.
func (p *Printer) restored(t *thread) {
	c := t.pending
	ax, ok := c.in.note(frameAX)
	c.result, c.ended = int64(ax), ok
	p.result(t, c.result)
}

// exit completes a call that has ended.
func (p *Printer) exit(t *thread) {
	c := t.pending
	if c.result == -rt.ENOTRUN {
		p.takeBack(t)
		return
	}
	p.adopt(t, c)
	p.reaped(c)
	if name, ok := c.in.string(c.args[1]); ok && c.nr == unix.SYS_PRCTL && c.args[0] == unix.PR_SET_NAME && c.result == 0 {
		t.name = string(name.data[:min(len(name.data), commSize-1)])
	}
	if !p.printsLate(c) {
		p.resume(t)
		c.complete()
		p.write(c.text)
	}
	p.result(t, c.result)
}

// printsLate reports whether a call is printed, or recorded, only when it has ended.
func (p *Printer) printsLate(c *call) bool { return p.silent() || p.opts.whole() || c.hidden }

// takenBefore returns the call that was taken back and now comes again. Those above it on the stack will not: their handlers
// did not return.
func (t *thread) takenBefore(c *call) *call {
	for i := len(t.taken) - 1; i >= 0; i-- {
		if old := t.taken[i]; old.nr == c.nr && old.args == c.args {
			t.taken = t.taken[:i]
			return old
		}
	}
	return nil
}

// takeBack forgets a call that did not run. What was written of it already is completed
// when it comes again.
func (p *Printer) takeBack(t *thread) {
	c := t.pending
	t.pending = nil
	p.turnTo(t)
	switch {
	case p.printsLate(c):
	case p.open == t && p.held != nil:
		p.open, p.held, p.column = nil, nil, 0
	default:
		t.taken = append(t.taken, c)
	}
}

// adopt counts the child of a successful fork before it has left a record of its own.
func (p *Printer) adopt(t *thread, c *call) {
	switch c.nr {
	case unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CLONE, unix.SYS_CLONE3:
		if c.result > 0 && p.threads[int(c.result)] == nil {
			p.attach(p.thread(int(c.result), int(c.result)))
		}
	}
}

// attach counts a thread that is new, and says so as strace does when it attaches to one.
func (p *Printer) attach(t *thread) {
	if !t.alive && p.first != 0 && p.opts.Quiet == 0 && !p.opts.QuietAttach && !p.silent() {
		p.turnTo(t)
		p.finishOpen()
		p.line(fmt.Sprintf("strace: Process %d attached", t.tid))
	}
	p.revive(t)
}

// exited prints the end of a thread, or of a whole process.
func (p *Printer) exited(t *thread) {
	c := t.pending
	status := int(c.args[0] & 0xff)
	if !p.printsLate(c) {
		p.resume(t)
	}
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
	t.pending = nil
	switch {
	case !p.printsLate(c):
		t.pending = c
		p.resume(t)
		t.pending = nil
		if c.next < c.count && special[c.nr] == nil {
			p.write([]byte(" <unfinished ...>"))
		}
		p.finish("= ?", "", "", 0)
	case c.hidden || !p.shows(unavailable):
	case p.Recorder != nil:
		p.Recorder.call(t, c, p.now)
	case !p.silent():
		p.wholeLine(t, c)
		p.finish("= ?", "", "", 0)
	}
}

func (p *Printer) end(t *thread, status int) {
	p.finalLine(t, fmt.Sprintf("exited with %d ", status))
	p.bury(t)
}

// finalLine prints how a thread ended.
func (p *Printer) finalLine(t *thread, how string) {
	switch {
	case p.Recorder != nil:
		p.Recorder.ended(t, strings.TrimSpace(how), p.now)
	case p.opts.Quiet < 2 && !p.silent():
		t.site = 0
		p.leader(t)
		p.line("+++ " + how + "+++")
	}
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
	if len(data) >= 16+siginfoSize+8 {
		t.site = le.Uint64(data[16+siginfoSize:])
	}
	sig := int(le.Uint64(data))
	switch {
	case !p.opts.showsSignal(sig):
	case p.Recorder != nil:
		p.Recorder.signal(t, sig, string(c.text), p.now)
	case !p.silent():
		p.leader(t)
		p.line(fmt.Sprintf("--- %s %s ---", signalText(sig), c.text))
	}
}

// result completes the line of a call.
func (p *Printer) result(t *thread, v int64) {
	c := t.pending
	t.pending = nil
	spent := p.now.Sub(c.began)
	if c.hidden || !p.shows(c.status()) {
		return
	}
	if c.row.result != rNone && (p.opts.Count || p.opts.CountOnly) {
		p.summary.add(c, spent)
	}
	if p.Recorder != nil {
		p.Recorder.call(t, c, p.now)
	}
	if p.silent() {
		return
	}
	if p.printsLate(c) {
		p.wholeLine(t, c)
	}
	result, auxiliary, spent := c.outcome(v, spent)
	p.finish(result, auxiliary, c.markText(), spent)
}

// wholeLine prints a call that has ended, but for its result. The time is that of its beginning.
func (p *Printer) wholeLine(t *thread, c *call) {
	now := p.now
	p.now = c.began
	t.site = c.site()
	p.leader(t)
	p.now = now
	c.all()
	p.write([]byte(callName(c.nr) + "("))
	p.write(c.text)
}

// shows reports whether calls that ended so are printed.
func (p *Printer) shows(s status) bool { return p.opts.status == 0 || p.opts.status&s != 0 }

// status says how a call ended.
func (c *call) status() status {
	switch {
	case !c.ended && c.row.result == rNone:
		return unfinished
	case c.failed() || c.restarts():
		return failed
	}
	return successful
}

// outcome returns what stands behind the parenthesis of a call.
func (c *call) outcome(v int64, spent time.Duration) (result, auxiliary string, time time.Duration) {
	switch {
	case !c.ended && c.row.result == rNone:
		return "= ?", "", 0
	case v == -rt.ERESTARTSYS || v == -eintr && c.restartCode() != "" && !c.replaced():
		return "= ? " + c.restartCode(), "", spent
	case c.isValue() && v < 0:
		return fmt.Sprintf("= %d", uint64(v)), "", spent
	case v < 0 && v >= -4095:
		return "= -1 " + errnoText(uint32(-v)), c.auxiliary(), spent
	case c.raw():
		return "= " + hexResult(v), "", spent
	case c.row.result == rOctal:
		return "= " + octal(uint64(v)), "", spent
	case c.row.result == rHex || c.hexResult():
		return "= " + hexResult(v), c.auxiliary(), spent
	case c.returnsFD():
		return "= " + c.newDescriptor(int32(v)), c.auxiliary(), spent
	}
	return fmt.Sprintf("= %d", v), c.auxiliary(), spent
}

// hexResult returns a result in hexadecimal, 0 as 0.
func hexResult(v int64) string {
	if v == 0 {
		return "0"
	}
	return hexIf(uint64(v))
}

// finish closes the parenthesis of a call and prints what stands behind it.
func (p *Printer) finish(result, auxiliary, marks string, spent time.Duration) {
	p.write([]byte(") "))
	if p.column < p.opts.Column {
		p.write([]byte(strings.Repeat(" ", p.opts.Column-p.column)))
	}
	if auxiliary != "" {
		result += " (" + auxiliary + ")"
	}
	result += marks
	if p.opts.Spent && result != "= ?" {
		result += fmt.Sprintf(" <%.6f>", spent.Seconds())
	}
	p.line(result)
}

// resume goes on with the line of a call, on a new line if something else was printed.
func (p *Printer) resume(t *thread) {
	p.turnTo(t)
	if p.open == t {
		p.release()
		return
	}
	t.site = t.pending.site()
	p.leader(t)
	p.write([]byte("<... " + callName(t.pending.nr) + " resumed>"))
	p.open = t
}

// leader starts a line for a thread.
func (p *Printer) leader(t *thread) {
	p.turnTo(t)
	p.finishOpen()
	p.column = 0
	name := ""
	if p.opts.Names {
		name = "<" + t.name + ">"
	}
	switch {
	case p.opts.Separate:
	case p.opts.ShowPID:
		p.hold(fmt.Sprintf("%-5s ", fmt.Sprint(t.tid)+name))
	case p.alive > 1:
		p.hold(fmt.Sprintf("[pid %5d%s] ", t.tid, name))
	}
	p.timeOf()
	if p.opts.Numbers {
		p.hold(fmt.Sprintf("[%4d] ", t.lastNr))
	}
	switch {
	case !p.opts.Site:
	case t.site == 0:
		p.hold("[????????????????] ")
	default:
		p.hold(fmt.Sprintf("[%016x] ", t.site))
	}
}

// timeOf prints the time of the current record.
func (p *Printer) timeOf() {
	o := &p.opts
	if o.Clock == 0 && !o.Relative {
		return
	}
	if p.before.IsZero() {
		p.before = p.now
	}
	micro := p.now.Nanosecond() / 1000
	switch o.Clock {
	case 1:
		p.hold(p.now.Format("15:04:05 "))
	case 2:
		p.hold(p.now.Format("15:04:05.000000 "))
	case 3:
		p.hold(fmt.Sprintf("%d.%06d ", p.now.Unix(), micro))
	}
	if o.Relative {
		d := p.now.Truncate(time.Microsecond).Sub(p.before.Truncate(time.Microsecond))
		text := fmt.Sprintf("%6d.%06d", d/time.Second, d%time.Second/time.Microsecond)
		if o.Clock != 0 {
			text = "(+" + text + ")"
		}
		p.hold(text + " ")
	}
	p.before = p.now
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
	_, err := p.w.Write(b)
	p.fail(err)
	p.column += len(b)
}

// line writes the rest of a line.
func (p *Printer) line(s string) {
	p.write([]byte(s + "\n"))
	p.open, p.column = nil, 0
}
