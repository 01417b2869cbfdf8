// Runs in the target, on the tool stack; any signal may arrive.

// Package emulate is a tool that answers getpid itself: the least that an emulated call costs.
package emulate

import (
	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// Tool is the whole of it. It reports nothing.
var Tool = rt.Tool{Name: "emulate", Hook: hook}

// pid is what the target gets for its process ID.
const pid = 1

func hook(c *rt.Call) {
	if c.Nr() == unix.SYS_GETPID {
		c.Return(pid)
	}
}
