// Runs in the target, on the tool stack; any signal may arrive.

// Command badtools runs a program under a tool that does what hooks must not do. Each hook fails
// in its own way, at getppid.
package main

import (
	"syscall"
	"unsafe"

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
	{Name: "exit", Hook: ignore, Exit: failingExit},
	{Name: "thread", Hook: ignore, OnThread: failingThread},
	{Name: "signal", Hook: ignore, OnSignal: failingSignal},
	{Name: "illegal", Hook: illegal},
	{Name: "breakpoint", Hook: breakpoint},
	{Name: "lost", Hook: lost},
	{Name: "wild", Hook: wild},
	{Name: "read", Hook: badRead},
	{Name: "calls", Hook: badCalls},
	{Name: "loop", Hook: loop},
	{Name: "threadloop", Hook: ignore, OnThread: loopingThread},
	{Name: "signalloop", Hook: ignore, OnSignal: loopingSignal},
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

func ignore(*rt.Call) {}

func failingExit(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		*nothing = 1
	}
}

func failingThread(t *rt.Thread) { *nothing = t.TID() }

func failingSignal(_ *rt.Thread, sig int, _ *rt.Siginfo) { *nothing = sig }

// enter goes on at an address.
func enter(address uintptr) {
	f := unsafe.Pointer(&address)
	(*(*func())(unsafe.Pointer(&f)))()
}

// undefined and trap fault with their first instruction.
func undefined()
func trap()

func illegal(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		undefined()
	}
}

func breakpoint(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		trap()
	}
}

func lost(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		enter(0x1000)
	}
}

func wild(c *rt.Call) {
	if c.Nr() == syscall.SYS_GETPPID {
		enter(1 << 62)
	}
}

// badRead does nothing wrong: a bad pointer of the target is an error, not a fault.
func badRead(c *rt.Call) {
	var b [8]byte
	if c.Nr() == syscall.SYS_GETPPID && (c.Read(b[:], 8) != 0 || c.Read(b[:], 1<<63) != 0) {
		c.Return(-1)
	}
}

// badCalls does nothing wrong either: with a bad pointer a call fails, and a copy is short.
func badCalls(c *rt.Call) {
	if c.Nr() != syscall.SYS_GETPPID {
		return
	}
	var b [64]byte
	fault := -int64(syscall.EFAULT)
	for _, p := range [...]uintptr{1, 4096, 1 << 47, 1 << 62, ^uintptr(7)} {
		n, end := c.ReadString(b[:], p)
		w := c.Thread().Begin(1, 64)
		w.Target(p, 16)
		w.TargetString(p, 16)
		w.Commit()
		if n != -1 || end || c.Read(b[:], p) != 0 || c.Inject(syscall.SYS_UNAME, p, 0, 0, 0, 0, 0) != fault ||
			c.Inject(syscall.SYS_OPEN, p, 0, 0, 0, 0, 0) != fault {
			return
		}
	}
	if c.Inject(1000, 0, 0, 0, 0, 0, 0) != -int64(syscall.ENOSYS) {
		return
	}
	c.Return(4242) // dash has it as $PPID
}

func loop(c *rt.Call) {
	for c.Nr() == syscall.SYS_UMASK {
	}
}

func loopingThread(t *rt.Thread) {
	for t.Birth() == rt.BirthExec {
	}
}

func loopingSignal(_ *rt.Thread, sig int, _ *rt.Siginfo) {
	for sig == int(syscall.SIGUSR1) {
	}
}
