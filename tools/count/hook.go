// Runs in the target, on the tool stack; any signal may arrive.

// Package count counts the system calls of a target and the time they take, as strace -c
// does.
package count

import (
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
)

// Tool is the part of count that runs in the target. A thread counts in its own
// memory, which it shares with the launcher alone, so counting never waits.
var Tool = rt.Tool{Name: "count", Hook: hook, Exit: exit, ThreadSize: int(unsafe.Sizeof(state{}))}

// state is what one thread has counted, by number.
type state struct {
	calls [rt.NumCalls]entry
}

type entry struct {
	calls  uint64
	errors uint64
	ticks  uint64
}

// unknown stands for all numbers beyond the table.
const unknown = rt.NumCalls - 1

func hook(c *rt.Call) {
	entryOf(c).calls++ // before the call, which may not return
	c.SetMark(rt.Now())
}

func exit(c *rt.Call) {
	spent := rt.Now() - c.Mark()
	e := entryOf(c)
	switch r := c.Result(); {
	case r == -rt.ENOTRUN:
		e.calls--
		return
	case r < 0 && r >= -4095:
		e.errors++
	}
	e.ticks += spent
}

func entryOf(c *rt.Call) *entry {
	nr := uint(c.Nr())
	if nr >= rt.NumCalls {
		nr = unknown
	}
	return &(*state)(c.Thread().State()).calls[nr]
}
