package trace

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Values with a grammar of their own.

// fileMode prints the type of a file and its permission bits.
func (c *call) fileMode(mode uint32) {
	kind, ok := "", true
	if mode&unix.S_IFMT != 0 {
		kind, ok = nameOf(xModeType, uint64(mode&unix.S_IFMT))
	}
	if !ok {
		c.add(octal(uint64(mode)))
		return
	}
	if kind != "" {
		c.add(kind + "|")
	}
	for _, n := range []name{{unix.S_ISUID, "S_ISUID|"}, {unix.S_ISGID, "S_ISGID|"}, {unix.S_ISVTX, "S_ISVTX|"}} {
		if uint64(mode)&n.value != 0 {
			c.add(n.name)
		}
	}
	c.add(octal(uint64(mode &^ (unix.S_IFMT | unix.S_ISUID | unix.S_ISGID | unix.S_ISVTX))))
}

func (c *call) openFlags(v uint64) { c.add(openFlagNames(v)) }

// openFlagNames returns the access mode and the flags of open.
func openFlagNames(v uint64) string {
	access, ok := nameOf(xOpenAccess, v&unix.O_ACCMODE)
	if ok {
		v &^= unix.O_ACCMODE
	}
	if v == 0 {
		return access
	}
	names, rest := flagNames(xOpen, v)
	for _, more := range []string{names, hexIf(rest)} {
		if more != "" {
			access += "|" + more
		}
	}
	return strings.TrimPrefix(access, "|")
}

// hexIf returns a number in hexadecimal, nothing for 0.
func hexIf(v uint64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%#x", v)
}

// Fields of mmap's flags (include/uapi/asm-generic/mman-common.h and hugetlb_encode.h).
const (
	mapTypeMask = 0xf
	hugeShift   = 26
	hugeMask    = 0x3f << hugeShift
)

// mmapFlags prints the type of a mapping, its flags, and the size of its pages.
func (c *call) mmapFlags(v uint64) {
	c.enum(xMmap, v&mapTypeMask)
	if flags := v &^ (mapTypeMask | hugeMask); flags != 0 {
		c.add("|")
		names, rest := flagNames(xMmap, flags)
		c.add(names)
		if names != "" && rest != 0 {
			c.add("|")
		}
		c.add(hexIf(rest))
	}
	if huge := v & hugeMask >> hugeShift; huge != 0 {
		c.addf("|%d<<MAP_HUGE_SHIFT", huge)
	}
}

func (c *call) memfdFlags(v uint64) {
	huge := v & hugeMask >> hugeShift
	if flags := v &^ hugeMask; flags != 0 || huge == 0 {
		c.flags(xMemfd, flags)
		if huge != 0 {
			c.add("|")
		}
	}
	if huge != 0 {
		c.addf("%d<<MFD_HUGE_SHIFT", huge)
	}
}

// device prints a device number as the kernel passes it to programs.
func (c *call) device(v uint64) {
	c.add("makedev(")
	c.hex(uint64(unix.Major(v)))
	c.add(", ")
	c.hex(uint64(unix.Minor(v)))
	c.add(")")
}

// statxFlags prints how to synchronise and the flags of the path.
func (c *call) statxFlags(v uint64) {
	const sync = 0x6000 // AT_STATX_SYNC_TYPE
	c.flags(xAtStatxSync, v&sync)
	if v&^sync != 0 {
		c.add("|")
		c.flags(xAt, v&^sync)
	}
}

// ipcFlags prints the flags and permission bits of shmget and its like.
func (c *call) ipcFlags(x arg, v uint64) {
	if names, rest := flagNames(x, v&^0o777); names != "" || rest != 0 {
		c.add(names)
		if names != "" && rest != 0 {
			c.add("|")
		}
		c.add(hexIf(rest) + "|")
	}
	c.add(octal(v & 0o777))
}

// ipcCommand prints the command of shmctl, semctl and msgctl.
func (c *call) ipcCommand(v uint32) {
	x := xShmctl
	switch c.nr {
	case unix.SYS_SEMCTL:
		x = xSemctl
	case unix.SYS_MSGCTL:
		x = xMsgctl
	}
	if v&ipc64 != 0 {
		c.add("IPC_64|")
	}
	c.enum(x, uint64(v&^ipc64))
}

// ioprio returns an I/O priority: class and level (include/uapi/linux/ioprio.h).
func ioprio(v uint32) string {
	const shift = 13
	class, ok := nameOf(xIoprioClass, uint64(v>>shift))
	if !ok {
		class = fmt.Sprintf("%#x /* %s */", v>>shift, sets[xIoprioClass.param()].unknown)
	}
	return fmt.Sprintf("IOPRIO_PRIO_VALUE(%s, %d)", class, v&(1<<shift-1))
}

// personality returns an execution domain and its flags; all ones asks for the current one.
func personality(v uint32) string {
	const mask = 0xff // PER_MASK, include/uapi/linux/personality.h
	if v == ^uint32(0) {
		return "0xffffffff"
	}
	text, ok := nameOf(xPersonality, uint64(v&mask))
	if !ok {
		text = fmt.Sprintf("%#x /* %s */", v&mask, sets[xPersonality.param()].unknown)
	}
	names, rest := flagNames(xPersonalityFlags, uint64(v&^mask))
	for _, more := range []string{names, hexIf(rest)} {
		if more != "" {
			text += "|" + more
		}
	}
	return text
}

// futexCommand prints the second argument of futex. Only some operations take a clock.
func (c *call) futexCommand(v uint64) {
	const realtime = 256 // FUTEX_CLOCK_REALTIME, include/uapi/linux/futex.h
	switch v & futexCommandMask {
	case futexWait, futexWaitBitset, futexWaitRequeuePI, futexLockPI2:
		if n, ok := nameOf(xFutexOp, v&^realtime); ok && v&realtime != 0 {
			c.add(n + "|FUTEX_CLOCK_REALTIME")
			return
		}
	}
	c.enum(xFutexOp, v)
}

// futexOp prints the sixth argument of FUTEX_WAKE_OP (include/uapi/linux/futex.h).
func (c *call) futexOp(v uint32) {
	const shiftArg = 8 // FUTEX_OP_OPARG_SHIFT
	if v>>28&shiftArg != 0 {
		c.add("FUTEX_OP_OPARG_SHIFT<<28|")
	}
	c.shifted(xFutexWakeOp, v>>28&7, 28)
	c.add("|")
	c.hex(uint64(v >> 12 & 0xfff))
	c.add("<<12|")
	c.shifted(xFutexWakeCmp, v>>24&0xf, 24)
	c.add("|")
	c.hex(uint64(v & 0xfff))
}

func (c *call) shifted(x arg, v uint32, by int) {
	n, ok := nameOf(x, uint64(v))
	if ok {
		c.addf("%s<<%d", n, by)
		return
	}
	c.hex(uint64(v))
	c.addf("<<%d /* %s */", by, sets[x.param()].unknown)
}

// syslogAction prints the first argument of syslog.
func (c *call) syslogAction(v uint32) {
	n, ok := nameOf(xSyslog, uint64(v))
	if !ok {
		n = sets[xSyslog.param()].unknown
	}
	c.addf("%d /* %s */", v, n)
}

// mpolMode prints a memory policy and the flags in its upper bits.
func (c *call) mpolMode(v uint64) {
	var flags uint64
	for _, n := range sets[xMpolFlags.param()].names {
		flags |= v & n.value
	}
	c.enum(xMpolMode, v&^flags)
	if flags != 0 {
		c.add("|")
		c.flags(xMpolFlags, flags)
	}
}

func (c *call) mpolModeAt(b []byte) {
	c.add("[")
	c.mpolMode(uint64(le.Uint32(b)))
	c.add("]")
}

// tracer prints the argument of PR_SET_PTRACER.
func (c *call) tracer(pid int32) {
	if pid == -1 {
		c.add("PR_SET_PTRACER_ANY")
		return
	}
	c.signed(int64(pid))
}

// ambientCap prints the third argument of PR_CAP_AMBIENT.
func (c *call) ambientCap(v uint64) {
	switch c.args[1] {
	case unix.PR_CAP_AMBIENT_RAISE, unix.PR_CAP_AMBIENT_LOWER, unix.PR_CAP_AMBIENT_IS_SET:
		c.enum(xCapability, v)
	default:
		c.hex(v)
	}
}

// hexBuffer prints n bytes at addr in hexadecimal as far as the limit allows.
func (c *call) hexBuffer(addr, n uint64) {
	shown := min(n, uint64(c.limit))
	b, ok := c.bytes(addr, shown)
	if addr == 0 || !ok && shown > 0 {
		c.addr(addr)
		return
	}
	c.text = append(c.text, '"')
	for _, ch := range b {
		c.addf(`\x%02x`, ch)
	}
	c.text = append(c.text, '"')
	if n > shown {
		c.add("...")
	}
}

// sysvMessage prints struct msgbuf with n bytes of text.
func (c *call) sysvMessage(addr, n uint64) {
	b, ok := c.bytes(addr, 8)
	if !ok || c.failed() {
		c.addr(addr)
		return
	}
	c.addf("{mtype=%d, mtext=", int64(le.Uint64(b)))
	c.buffer(addr+8, n)
	c.add("}")
}
