// Runs in the target, on the tool stack; any signal may arrive.

// Command badtools runs a program under a tool that does what hooks must not do. Each hook fails
// in its own way, at getppid.
package main

import (
	"syscall"

	rt "github.com/trapline/trapline/runtime"
)

var (
	table   [4]int
	nothing *int
	zero    int
	deep    [64]byte
	sink    *int
)

var tools = [...]rt.Tool{
	{Name: "index", Hook: index},
	{Name: "nil", Hook: nilPointer},
	{Name: "divide", Hook: divide},
	{Name: "overflow", Hook: overflow},
	{Name: "allocate", Hook: allocate},
	{Name: "panic", Hook: explicit},
	{Name: "read", Hook: badRead},
}

func index(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		table[c.Nr()]++
	}
}

func nilPointer(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		*nothing = 1
	}
}

func divide(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		table[0] = 1 / zero
	}
}

func overflow(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		deep[0] = recurse(c.TID())
	}
}

//go:noinline
func recurse(n int) byte {
	var frame [256]byte
	frame[n&255] = byte(n)
	if n == -1 {
		return 0
	}
	return recurse(n+1) + frame[(n+1)&255]
}

func allocate(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		n := c.Nr()
		sink = &n
	}
}

func explicit(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		panic("no")
	}
}

// badRead does nothing wrong: a bad pointer of the target is an error, not a fault.
func badRead(c *rt.Call) {
	var b [8]byte
	if c.Nr() == syscall.SYS_GETPPID && (c.Read(b[:], 8) != 0 || c.Read(b[:], 1<<63) != 0) {
		c.Return(-1)
	}
}
