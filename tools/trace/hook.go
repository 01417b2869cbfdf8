// Runs in the target, on the tool stack; any signal may arrive.

package trace

import (
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
	"github.com/trapline/trapline/tools/inject"
	"github.com/trapline/trapline/ucontext"
)

// Tool is the part of trace that runs in the target.
//
// A call leaves two records, so that the launcher sees a call that blocks before it
// ends. Both carry copies of the target's memory, each with the address it was found at:
// together they are a sparse picture of what the kernel read and wrote, and the printer
// decodes it with no more knowledge than the table of rows.
var Tool = rt.Tool{Name: "trace", Hook: enter, Exit: exit, OnThread: onThread, OnSignal: onSignal,
	ThreadSize: int(unsafe.Sizeof(state{}))}

// Kinds of records.
const (
	recordEnter     = 1 + iota // way<<viaShift | number of arguments<<32 | number; arguments; copies
	recordExit                 // result; copies
	recordThread               // kind of birth; creator; name
	recordSignal               // signal; head of struct siginfo; where it came
	recordMarks                // what a rule changes of the call that begins next: inject.Mark...
	recordLateMarks            // the same, of the call that was begun
)

// A copy of memory in a record: its address, then the length, flags and bytes of
// rt.Writer.Target.
const (
	copyHead    = 16
	commSize    = 16 // TASK_COMM_LEN
	copyFault   = 1
	copyNUL     = 2
	maxRecord   = 16384 // rt.Thread.Begin's limit
	maxPath     = 4096  // PATH_MAX
	maxElements = 64    // of an array that are copied
	viaShift    = 40
	noteBit     = 1 << 63 // in a copy's address: not memory, but what the hook found out about it
	nextNote    = 8       // address of the note about where the thread goes on behind the call
	callLength  = 2       // of the instruction syscall
)

// targetOptions is what the launcher tells the hook.
type targetOptions struct {
	maxString uint64 // longest part of a string that is shown
	paths     uint64 // 1: the paths of descriptors, 2: sockets and devices too
	verbose   uint64 // 1: structures whole
	site      uint64 // 1: where calls come from
	injects   uint64 // 1: rules is in use
	rules     inject.Table
}

func options() *targetOptions { return (*targetOptions)(rt.Options()) }

const sysSigreturn = 15

// unknownRow stands for every call without a row.
var unknownRow = row{args: [6]arg{aHex, aHex, aHex, aHex, aHex, aHex}}

// rowOf returns a call's row and its number of arguments.
func rowOf(c *rt.Call) (*row, int) {
	r := resolve(c.Nr(), uint64(c.Arg(0)), uint64(c.Arg(1)))
	return r, r.count()
}

// count returns the number of arguments.
func (r *row) count() int {
	n := 0
	for n < 6 && r.args[n] > aEnd {
		n++
	}
	return n
}

func enter(c *rt.Call) {
	o := options()
	if o.injects == 0 {
		recordCall(c)
		return
	}
	d := o.rules.Begin(c)
	mark(c, recordMarks, d.Marks)
	recordCall(c)
	if d.Applies() {
		change(c, &o.rules, &d)
	}
}

// change makes a call as a rule wants it.
func change(c *rt.Call, rules *inject.Table, d *inject.Decision) {
	late := rules.Run(c, d)
	mark(c, recordLateMarks, late&^d.Marks)
	recordResult(c)
}

func mark(c *rt.Call, kind uint16, marks uint64) {
	if marks == 0 {
		return
	}
	w := c.Thread().Begin(kind, 8)
	w.U64(marks)
	w.Commit()
}

func recordCall(c *rt.Call) {
	r, n := rowOf(c)
	limit := 8 + 8*n + linkRoom() + 3*copySpace(8)
	for i := range n {
		limit += enterLimit(r.args[i])
	}
	w := c.Thread().Begin(recordEnter, min(limit, maxRecord))
	w.U64(uint64(c.Via())<<viaShift | uint64(n)<<32 | uint64(uint32(c.Nr())))
	for i := range n {
		w.U64(uint64(c.Arg(i)))
	}
	for i := range n {
		if a := r.args[i]; a.kind() >= firstMemory {
			captureIn(&w, c, a, i)
		}
	}
	captureLinks(&w, c, r, n)
	if options().site != 0 {
		note(&w, nextNote, uint64(c.Site()+callLength))
	}
	if c.Nr() == sysSigreturn {
		captureFrame(&w, c)
	}
	w.Commit()
}

func exit(c *rt.Call) {
	if o := options(); o.injects != 0 && c.Result() == -rt.ENOTRUN {
		o.rules.NotRun(c)
	}
	recordResult(c)
}

func recordResult(c *rt.Call) {
	r, n := rowOf(c)
	result := c.Result()
	limit := 8 + linkRoom()
	for i := range n {
		limit += exitLimit(r.args[i])
	}
	w := c.Thread().Begin(recordExit, min(limit, maxRecord))
	w.U64(uint64(result))
	for i := range n {
		if a := r.args[i]; a.kind() >= firstMemory {
			captureOut(&w, c, a, i, result)
		}
	}
	captureNewLinks(&w, c, r, n, result)
	w.Commit()
}

func onThread(t *rt.Thread) {
	if options().injects != 0 {
		inject.OnThread(t)
	}
	w := t.Begin(recordThread, 16+8+commSize)
	w.U64(uint64(t.Birth()))
	w.U64(uint64(t.Parent()))
	name := t.Name()
	w.Bytes(name[:])
	w.Commit()
}

func onSignal(t *rt.Thread, sig int, info *ucontext.Siginfo) {
	w := t.Begin(recordSignal, 8+8+siginfoSize+8)
	w.U64(uint64(sig))
	w.Bytes(unsafe.Slice((*byte)(unsafe.Pointer(info)), siginfoSize))
	w.U64(uint64(t.Interrupted()))
	w.Commit()
}
