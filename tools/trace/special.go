package trace

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/tools/syscalls"
)

func numArgs(nr int) int { return syscalls.NumArgs(nr) }

// special are the calls whose arguments the table cannot describe. Their printers are
// called twice: for what is known as the call begins, then for the rest.
var special = map[int]func(c *call){
	unix.SYS_CLONE:           (*call).clone,
	unix.SYS_CLONE3:          (*call).clone3,
	unix.SYS_SENDFILE:        (*call).sendfile,
	unix.SYS_KCMP:            (*call).kcmp,
	unix.SYS_MOUNT:           (*call).mount,
	unix.SYS_RT_SIGRETURN:    (*call).sigreturn,
	unix.SYS_RESTART_SYSCALL: (*call).restart,
}

func (c *call) clone() {
	flags := c.args[0] &^ 0xff
	if !c.ended {
		c.add("child_stack=")
		c.addr(c.args[1])
		c.add(", flags=")
		if flags != 0 {
			c.flags(xClone, flags)
		}
		sig := int(c.args[0] & 0xff)
		if flags != 0 && sig != 0 {
			c.add("|")
		}
		if flags == 0 || sig != 0 {
			c.signal(sig)
		}
		return
	}
	if flags&(unix.CLONE_PARENT_SETTID|unix.CLONE_PIDFD) != 0 {
		c.add(", parent_tid=")
		c.parentTID(c.args[2], flags)
	}
	if flags&unix.CLONE_SETTLS != 0 {
		c.add(", tls=")
		c.addr(c.args[4])
	}
	if flags&(unix.CLONE_CHILD_SETTID|unix.CLONE_CHILD_CLEARTID) != 0 {
		c.add(", child_tidptr=")
		c.addr(c.args[3])
	}
}

// Offsets in struct clone_args (include/uapi/linux/sched.h).
const (
	cloneFlags      = 0
	clonePidfdAt    = 8
	cloneChildTID   = 16
	cloneParentTID  = 24
	cloneExitSignal = 32
	cloneStack      = 40
	cloneStackSize  = 48
	cloneTLS        = 56
	cloneSetTID     = 64
	cloneSetTIDSize = 72
	cloneCgroup     = 80
	cloneArgsMin    = 64
)

func (c *call) clone3() {
	b, ok := c.in.bytes(c.args[0], min(c.args[1], cloneArgsSize))
	if c.args[1] < cloneArgsMin || !ok {
		if !c.ended {
			c.addr(c.args[0])
			c.addf(", %d", c.args[1])
		}
		return
	}
	a := make([]byte, cloneArgsSize)
	copy(a, b)
	flags := le.Uint64(a[cloneFlags:])
	late := flags&(unix.CLONE_PIDFD|unix.CLONE_PARENT_SETTID) != 0
	if !c.ended {
		c.cloneArgs(a, flags)
	}
	if c.ended && late && !c.failed() {
		c.cloneIDs(a, flags)
	}
	if c.ended == late {
		c.addf(", %d", c.args[1])
	}
}

// cloneArgs prints struct clone_args as clone3 got it.
func (c *call) cloneArgs(a []byte, flags uint64) {
	c.add("{flags=")
	c.flags(xClone, flags)
	if flags&unix.CLONE_PIDFD != 0 {
		c.addf(", pidfd=%s", address(le.Uint64(a[clonePidfdAt:])))
	}
	if flags&(unix.CLONE_CHILD_SETTID|unix.CLONE_CHILD_CLEARTID) != 0 {
		c.addf(", child_tid=%s", address(le.Uint64(a[cloneChildTID:])))
	}
	if flags&unix.CLONE_PARENT_SETTID != 0 {
		c.addf(", parent_tid=%s", address(le.Uint64(a[cloneParentTID:])))
	}
	c.add(", exit_signal=")
	c.signal(int(le.Uint64(a[cloneExitSignal:])))
	c.addf(", stack=%s, stack_size=", address(le.Uint64(a[cloneStack:])))
	c.hex(le.Uint64(a[cloneStackSize:]))
	if flags&unix.CLONE_SETTLS != 0 {
		c.addf(", tls=%s", address(le.Uint64(a[cloneTLS:])))
	}
	if n := le.Uint64(a[cloneSetTIDSize:]); n != 0 || le.Uint64(a[cloneSetTID:]) != 0 {
		c.addf(", set_tid=%s, set_tid_size=%d", address(le.Uint64(a[cloneSetTID:])), n)
	}
	if fd := le.Uint64(a[cloneCgroup:]); fd != 0 || flags&unix.CLONE_INTO_CGROUP != 0 {
		c.addf(", cgroup=%d", fd)
	}
	c.add("}")
}

// cloneIDs prints what clone3 left behind the pointers in its arguments.
func (c *call) cloneIDs(a []byte, flags uint64) {
	c.add(" => {")
	if flags&unix.CLONE_PIDFD != 0 {
		c.add("pidfd=")
		c.intAt(le.Uint64(a[clonePidfdAt:]), c.out)
	}
	if flags&(unix.CLONE_PIDFD|unix.CLONE_PARENT_SETTID) == unix.CLONE_PIDFD|unix.CLONE_PARENT_SETTID {
		c.add(", ")
	}
	if flags&unix.CLONE_PARENT_SETTID != 0 {
		c.add("parent_tid=")
		c.parentTID(le.Uint64(a[cloneParentTID:]), flags)
	}
	c.add("}")
}

// parentTID prints what the kernel has written at addr: the result, but for a pidfd of clone. A child that shares memory may
// have ended and cleared it since.
func (c *call) parentTID(addr, flags uint64) {
	if _, ok := c.out.bytes(addr, 4); ok && flags&unix.CLONE_PARENT_SETTID != 0 {
		c.addf("[%d]", int32(c.result))
		return
	}
	c.intAt(addr, c.out)
}

func address(v uint64) string {
	if v == 0 {
		return "NULL"
	}
	return fmt.Sprintf("%#x", v)
}

// sendfile shows its offset as it was and as it is.
func (c *call) sendfile() {
	offset, count := c.args[2], c.args[3]
	_, ok := c.in.bytes(offset, 8)
	if !c.ended {
		c.addf("%s, %s, ", c.descriptor(int32(c.args[0])), c.descriptor(int32(c.args[1])))
		c.longAt(offset, c.in)
		if !ok {
			c.addf(", %d", count)
		}
		return
	}
	if !ok {
		return
	}
	if c.result > 0 {
		c.add(" => ")
		c.longAt(offset, c.out)
	}
	c.addf(", %d", count)
}

// kcmp shows what its type compares.
func (c *call) kcmp() {
	const file, epollTarget = 0, 7 // KCMP_FILE, KCMP_EPOLL_TFD, include/uapi/linux/kcmp.h
	if c.ended {
		return
	}
	c.addf("%d, %d, ", int32(c.args[0]), int32(c.args[1]))
	c.enum(xKcmp, uint64(uint32(c.args[2])))
	switch kind := uint32(c.args[2]); {
	case kind == file:
		c.addf(", %d, %d", int32(c.args[3]), int32(c.args[4]))
	case kind == epollTarget:
		c.addf(", %d, %s", int32(c.args[3]), address(c.args[4]))
	case kind > epollTarget:
		c.add(", ")
		c.hex(c.args[3])
		c.add(", ")
		c.hex(c.args[4])
	}
}

// mount takes strings only where its flags call for them.
func (c *call) mount() {
	if c.ended {
		return
	}
	flags := c.args[3]
	const change = unix.MS_BIND | unix.MS_MOVE | unix.MS_SHARED | unix.MS_PRIVATE | unix.MS_SLAVE | unix.MS_UNBINDABLE
	noType := flags&(unix.MS_REMOUNT|change) != 0
	noData := flags&unix.MS_REMOUNT == 0 && flags&change != 0
	magic := flags&unix.MS_MGC_MSK == unix.MS_MGC_VAL
	c.argument(0)
	c.add(", ")
	c.argument(1)
	c.add(", ")
	c.stringUnless(noType, c.args[2])
	c.add(", ")
	if magic {
		c.add("MS_MGC_VAL")
		flags &^= unix.MS_MGC_MSK
	}
	if magic && flags != 0 {
		c.add("|")
	}
	if !magic || flags != 0 {
		c.flags(xMount, flags)
	}
	c.add(", ")
	c.stringUnless(noData, c.args[4])
}

func (c *call) stringUnless(no bool, addr uint64) {
	if no {
		c.addr(addr)
	} else {
		c.string(addr, c.limit)
	}
}

// sigreturn shows the mask that it restores. Its result is that of the interrupted call, or whatever the register held.
func (c *call) sigreturn() {
	if mask, ok := c.in.note(frameMask); ok && !c.ended {
		c.add("{mask=")
		c.sigset(mask, sigsetMax)
		c.add("}")
	}
}

func (c *call) restart() {
	if !c.ended {
		c.add("<... resuming interrupted system call ...>")
	}
}

// auxiliary returns what stands behind the result in parentheses.
func (c *call) auxiliary() string {
	if c.failed() {
		return ""
	}
	switch c.nr {
	case unix.SYS_POLL, unix.SYS_PPOLL:
		return c.pollResult()
	case unix.SYS_SELECT, unix.SYS_PSELECT6:
		return c.selectResult()
	case unix.SYS_FCNTL:
		return c.fcntlResult()
	case unix.SYS_PRCTL:
		return c.prctlResult()
	case unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME:
		n, _ := nameOf(xTimeState, uint64(c.result))
		return n
	case unix.SYS_SCHED_GETSCHEDULER:
		n, _ := nameOf(xScheduler, uint64(c.result))
		return n
	case unix.SYS_IOPRIO_GET:
		return ioprio(uint32(c.result))
	case unix.SYS_RT_SIGTIMEDWAIT:
		return signalName(int(c.result))
	case unix.SYS_RECVMMSG:
		return c.recvmmsgResult()
	case unix.SYS_MEMBARRIER:
		return prefixed("", xMembarrier, uint64(c.result))
	case unix.SYS_PERSONALITY:
		return personality(uint32(c.result))
	case unix.SYS_TIME:
		return strings.Trim(dated(c.result, 0), " /*")
	}
	return ""
}

// hexResult reports whether the result is a number in hexadecimal, for this call only.
func (c *call) hexResult() bool {
	switch c.nr {
	case unix.SYS_FCNTL:
		switch c.args[1] {
		case unix.F_GETFL, unix.F_GETLEASE:
			return true
		case unix.F_GETFD, unix.F_GET_SEALS:
			return c.result != 0
		}
	case unix.SYS_PRCTL:
		return c.args[0] == unix.PR_GET_SECUREBITS && c.result != 0
	case unix.SYS_MEMBARRIER:
		return c.args[0] == 0 && c.result != 0
	}
	return false
}

func (c *call) fcntlResult() string {
	v := uint64(c.result)
	switch c.args[1] {
	case unix.F_GETFL:
		return "flags " + openFlagNames(v)
	case unix.F_GETFD:
		return prefixed("flags ", xFD, v)
	case unix.F_GET_SEALS:
		return prefixed("seals ", xSeals, v)
	case unix.F_GETLEASE:
		n, _ := nameOf(xLock, v)
		return n
	case unix.F_GETSIG:
		return signalName(int(v))
	}
	return ""
}

// prefixed returns flags behind a prefix, nothing if there are none.
func prefixed(prefix string, x arg, v uint64) string {
	n, rest := flagNames(x, v)
	if rest != 0 {
		n = strings.TrimPrefix(fmt.Sprintf("%s|%#x", n, rest), "|")
	}
	if n == "" {
		return ""
	}
	return prefix + n
}

func (c *call) prctlResult() string {
	v := uint64(c.result)
	switch c.args[0] {
	case unix.PR_GET_DUMPABLE:
		n, _ := nameOf(xDumpable, v)
		return n
	case unix.PR_GET_SECUREBITS:
		return prefixed("", xSecureBits, v)
	}
	return ""
}
