// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import "unsafe"

// Results of Call.Do that are not the kernel's error numbers for the target.
const (
	// ERESTARTSYS: a signal interrupted the call, its handler runs next, and the call is
	// made again after it. The number is the kernel's own, include/linux/errno.h.
	ERESTARTSYS = 512
	// ENOTRUN: a signal came before the call could start. Nothing happened in the kernel;
	// the hook is called again for the same call when the handler has returned.
	ENOTRUN = 530
)

// Tool is a tool's part in the target: static data of the image, with no initialiser
// that would have to run.
type Tool struct {
	Name string
	// Hook is called for every hooked system call.
	Hook func(c *Call)
	// Exit is called for a hooked call that Hook has neither made nor suppressed, when it has been made, with its Result. It
	// is cheaper than Call.Do in Hook. Like Do it sees -ENOTRUN and -ERESTARTSYS, and no call that does not return. It may
	// change the result by Return.
	Exit func(c *Call)
	// OnThread is the first act of a thread: one of a program just started, the first of a
	// new process, or one that shares memory with its creator (Thread.Birth).
	OnThread func(t *Thread)
	// OnSignal is called before the target's handler for a signal is entered, on the
	// signal stack.
	OnSignal func(t *Thread, sig int, info *Siginfo)
	// ThreadSize is the size of Thread.State in bytes, at most 128 KiB.
	ThreadSize int
}

// Call is one system call of the target as a hook sees it. It is valid while the hook
// runs.
type Call struct {
	thread *Thread
	nr     int
	args   [6]uintptr
	result int64
	done   bool   // the result is known: the call was made or suppressed
	mark   uint64 // for the tool
	edited bool   // SetArg was used
}

// Nr returns the number of the system call as the kernel takes it: the low 32 bits of
// RAX, signed (do_syscall_64, arch/x86/entry/syscall_64.c, 6.18).
func (c *Call) Nr() int { return c.nr }

// Arg returns argument i, 0 to 5.
func (c *Call) Arg(i int) uintptr { return c.args[i] }

// SetArg changes argument i for the kernel. The target's registers stay as they are.
func (c *Call) SetArg(i int, v uintptr) { c.args[i], c.edited = v, true }

// Return suppresses the call, or replaces its result if it was made: the target sees v,
// a negative error number for an error.
func (c *Call) Return(v int64) { c.result, c.done = v, true }

// Do makes the call now and returns its result, a negative error number for an error,
// or one of -ERESTARTSYS and -ENOTRUN. A second Do returns the same result. It does
// not return from calls that do not return: exit, a successful exec, rt_sigreturn. In the
// child of a fork or clone it does not return either: the child starts with OnThread.
func (c *Call) Do() int64 {
	if c.done {
		return c.result
	}
	if a := &c.args; !owned(c.nr) {
		c.result = int64(doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5]))
	} else {
		c.result = performOwned(c)
	}
	c.done = true
	return c.result
}

// Done reports whether the result is known: the call was made or suppressed.
func (c *Call) Done() bool { return c.done }

// Result returns the result of a call that was made or suppressed.
func (c *Call) Result() int64 { return c.result }

// SetMark keeps a word for Exit, Mark returns it.
func (c *Call) SetMark(v uint64) { c.mark = v }
func (c *Call) Mark() uint64     { return c.mark }

// Raise sends the thread a signal, as if it had come during the call: a handler runs when the call is over. A signal without
// a handler acts at once.
func (c *Call) Raise(sig int) { c.thread.raise(sig) }

// DoInterrupted is Do with a signal that comes just as the call begins: one that would sleep is interrupted, any other is
// made, and the handler runs behind it.
func (c *Call) DoInterrupted(sig int) int64 { return c.thread.doInterrupted(c, sig) }

// Inject makes another system call on the target's thread and returns its result. No
// hook sees it. It should not block: a signal for the target would wait for it.
func (c *Call) Inject(nr int, a0, a1, a2, a3, a4, a5 uintptr) int64 {
	return int64(sys(uintptr(nr), a0, a1, a2, a3, a4, a5))
}

// Read copies memory of the target to dst and returns how many bytes it copied before a
// fault, len(dst) if there was none.
func (c *Call) Read(dst []byte, addr uintptr) int {
	if len(dst) == 0 {
		return 0
	}
	return int(safeCopy(uintptr(unsafe.Pointer(&dst[0])), addr, uintptr(len(dst))))
}

// Write copies src to the target's memory, also to what the target itself may only read, as a tracer does, and reports whether
// all of it was copied.
func (c *Call) Write(addr uintptr, src []byte) bool {
	n := uintptr(len(src))
	if n == 0 {
		return true
	}
	from := uintptr(unsafe.Pointer(&src[0]))
	if safeCopy(addr, from, n) == n {
		return true
	}
	mem := openFile("/proc/self/mem\x00", oRDWR)
	if failed(mem) {
		return false
	}
	r := sys(sysPwrite64, mem, from, n, addr, 0, 0)
	sys(sysClose, mem, 0, 0, 0, 0, 0)
	return r == n
}

// ReadString copies a string of the target to dst, without its NUL. n is the number of
// bytes copied, -1 if the first one faults; end reports whether the NUL was seen.
func (c *Call) ReadString(dst []byte, addr uintptr) (n int, end bool) {
	if len(dst) == 0 {
		return 0, false
	}
	r, how := safeString(uintptr(unsafe.Pointer(&dst[0])), addr, uintptr(len(dst)))
	if how == CopyFault && r == 0 {
		return -1, false
	}
	return int(r), how == CopyNUL
}

// ReadLink copies to dst where a descriptor leads to, AT_FDCWD for the current directory, as /proc shows it. It returns the number of
// bytes, negative for an error.
func (c *Call) ReadLink(dst []byte, fd int32) int {
	var name [40]byte
	if fd == -100 {
		putText(&name, "/proc/thread-self/cwd\x00")
	} else {
		putNumber(&name, putText(&name, "/proc/thread-self/fd/"), uint32(fd))
	}
	return int(sys(sysReadlink, addrOf(&name), uintptr(unsafe.Pointer(&dst[0])), uintptr(len(dst)), 0, 0, 0))
}

// putText writes s to the start of b and returns its length. copy would use vector registers that a hooked call does not
// save (launcher/vectors.go).
func putText(b *[40]byte, s string) int {
	for i := range len(s) {
		b[i] = s[i]
	}
	return len(s)
}

// putNumber writes v at an index, with a NUL behind it.
func putNumber(b *[40]byte, at int, v uint32) {
	digits := 1
	for u := v; u >= 10; u /= 10 {
		digits++
	}
	for i := at + digits - 1; i >= at; i-- {
		b[i], v = byte('0'+v%10), v/10
	}
	b[at+digits] = 0
}

// How a copy of a string ended.
const (
	CopyFull  = 0 // at the limit
	CopyFault = 1 // at memory that cannot be read
	CopyNUL   = 2 // at the NUL
)

// Site returns the address of the system call instruction.
func (c *Call) Site() uintptr { return c.thread.site }

// Ways in which a call comes to its hook.
const (
	ViaPatch = 0 // the site is a jump
	ViaTrap  = 1 // the site raised SIGSYS
	ViaVDSO  = 2 // the site is in the vDSO; either way
)

// Via returns how the call came. Only the first of several answers for one call is right.
func (c *Call) Via() int {
	t := c.thread
	trapped := t.trapped == t.site
	if trapped {
		t.trapped = 0
	}
	switch {
	case vdsoText.has(t.site):
		return ViaVDSO
	case trapped:
		return ViaTrap
	}
	return ViaPatch
}

// SP returns the stack pointer at the call.
func (c *Call) SP() uintptr { return uintptr(c.thread.regs.SP) }

// Thread returns the calling thread.
func (c *Call) Thread() *Thread { return c.thread }

// PID returns the process ID in the target's own PID namespace.
func (c *Call) PID() int { return c.thread.PID() }

// TID returns the thread ID in the target's own PID namespace.
func (c *Call) TID() int { return c.thread.TID() }

// Options returns what the launcher passed to the tool.
func Options() unsafe.Pointer { return unsafe.Pointer(&shared().Options) }

// Global returns 64 KiB of memory that all processes of the target share, zero at the
// start.
func Global() unsafe.Pointer { return unsafe.Pointer(&shared().Global) }
