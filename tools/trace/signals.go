package trace

import (
	"fmt"
	"math/bits"
	"strconv"

	"golang.org/x/sys/unix"
)

// sigRTMin is the kernel's first real-time signal; libc keeps some of them for itself.
const sigRTMin = 32

// signalName returns the name of a signal, nothing if there is no such signal.
func signalName(sig int) string {
	switch {
	case sig == sigRTMin:
		return "SIGRTMIN"
	case sig > sigRTMin && sig <= 64:
		return fmt.Sprintf("SIGRT_%d", sig-sigRTMin)
	case sig <= 0 || sig > 64:
		return ""
	}
	return unix.SignalName(unix.Signal(sig))
}

// signalText returns the name of a signal, its number if it has none.
func signalText(sig int) string {
	if n := signalName(sig); n != "" {
		return n
	}
	return strconv.Itoa(sig)
}

func (c *call) signal(sig int) { c.add(signalText(sig)) }

// sigset prints a signal mask: the signals in it, or those not in it if they are fewer
// than a third.
func (c *call) sigset(mask uint64, size uint64) {
	width := min(int(size+3)/4*32, 64)
	if width < 64 {
		mask &= 1<<width - 1
	}
	if bits.OnesCount64(mask) >= width*2/3 {
		mask = ^mask
		if width < 64 {
			mask &= 1<<width - 1
		}
		c.add("~")
	}
	c.add("[")
	for sep := ""; mask != 0; mask &= mask - 1 {
		c.add(sep)
		sep = " "
		sig := bits.TrailingZeros64(mask) + 1
		if n := signalText(sig); len(n) > 3 && n[:3] == "SIG" {
			c.add(n[3:])
		} else {
			c.add(n)
		}
	}
	c.add("]")
}

// sigsetAt prints the mask of size bytes at addr. Only rt_sigpending takes short ones.
func (c *call) sigsetAt(addr, size uint64, m memory) {
	short := size < sigsetMax && (c.nr != unix.SYS_RT_SIGPENDING || size == 0)
	b, ok := m.bytes(addr, size)
	if short || size > sigsetMax || !ok {
		c.addr(addr)
		return
	}
	var mask [8]byte
	copy(mask[:], b)
	c.sigset(le.Uint64(mask[:]), size)
}

func (c *call) kernelSigset(addr uint64) {
	b, ok := c.in.bytes(addr, signalPair)
	if !ok {
		c.addr(addr)
		return
	}
	size := le.Uint64(b[8:])
	c.add("{sigmask=")
	c.sigsetAt(le.Uint64(b), size, c.in)
	c.addf(", sigsetsize=%d}", size)
}

// Offsets in struct kernel_sigaction (include/linux/signal_types.h).
const (
	saHandler  = 0
	saFlags    = 8
	saRestorer = 16
	saMask     = 24
)

func (c *call) sigaction(b []byte) {
	c.add("{sa_handler=")
	if n, ok := nameOf(xSigHandler, le.Uint64(b[saHandler:])); ok {
		c.add(n)
	} else {
		c.addr(le.Uint64(b[saHandler:]))
	}
	c.add(", sa_mask=")
	c.sigset(le.Uint64(b[saMask:]), sigsetMax)
	c.add(", sa_flags=")
	flags := le.Uint64(b[saFlags:])
	c.flags(xSigaction, flags)
	if flags&saRestorerFlag != 0 {
		c.add(", sa_restorer=")
		c.addr(le.Uint64(b[saRestorer:]))
	}
	c.add("}")
}

const saRestorerFlag = 0x04000000 // SA_RESTORER, arch/x86/include/uapi/asm/signal.h

func (c *call) sigaltstack(b []byte) {
	c.add("{ss_sp=")
	c.addr(le.Uint64(b))
	c.add(", ss_flags=")
	c.flags(xSigaltstack, uint64(le.Uint32(b[8:])))
	c.addf(", ss_size=%d}", le.Uint64(b[16:]))
}

// Offsets in struct siginfo (include/uapi/asm-generic/siginfo.h).
const (
	siSigno   = 0
	siErrno   = 4
	siCode    = 8
	siUnion   = 16 // si_pid, si_addr, si_timerid, si_band
	siUID     = 20 // si_overrun
	siValue   = 24 // si_status, si_fd, si_syscall, si_addr_lsb
	siArch    = 28
	siUtime   = 32 // si_lower, si_pkey
	siStime   = 40 // si_upper
	busMceMin = 4  // BUS_MCEERR_AR and BUS_MCEERR_AO
	busMceMax = 5
	segvBnd   = 3 // SEGV_BNDERR
	segvPkey  = 4 // SEGV_PKUERR
)

// siCodes are the sets of si_code that depend on the signal.
var siCodes = map[unix.Signal]arg{
	unix.SIGTRAP: xSigCodeTrap, unix.SIGCHLD: xSigCodeChild, unix.SIGIO: xSigCodePoll, unix.SIGPROF: xSigCodeProf,
	unix.SIGILL: xSigCodeIll, unix.SIGFPE: xSigCodeFPE, unix.SIGSEGV: xSigCodeSegv, unix.SIGBUS: xSigCodeBus,
	unix.SIGSYS: xSigCodeSys,
}

// siginfo prints struct siginfo.
func (c *call) siginfo(b []byte) {
	sig, code := int32(le.Uint32(b[siSigno:])), int32(le.Uint32(b[siCode:]))
	if sig == 0 {
		c.add("{}")
		return
	}
	c.add("{si_signo=")
	c.signal(int(sig))
	c.add(", si_code=")
	n, ok := nameOf(xSigCode, uint64(uint32(code)))
	if set, has := siCodes[unix.Signal(sig)]; !ok && has {
		n, ok = nameOf(set, uint64(uint32(code)))
	}
	if ok {
		c.add(n)
	} else {
		c.hex(uint64(uint32(code)))
	}
	if e := le.Uint32(b[siErrno:]); e != 0 {
		c.addf(", si_errno=%s", errnoName(e))
	}
	if code <= 0 {
		c.siginfoSent(b, code)
	} else {
		c.siginfoRaised(b, unix.Signal(sig), code)
	}
	c.add("}")
}

// siginfoSent prints what a signal sent by a process or a timer carries.
func (c *call) siginfoSent(b []byte, code int32) {
	const siUser, siTkill, siTimer, siSigio = 0, -6, -2, -5
	switch code {
	case siTimer:
		c.add(", si_timerid=")
		c.hex(uint64(le.Uint32(b[siUnion:])))
		c.addf(", si_overrun=%d", int32(le.Uint32(b[siUID:])))
		c.siginfoValue(b)
	case siSigio:
		c.addf(", si_band=%d, si_fd=%d", int64(le.Uint64(b[siUnion:])), int32(le.Uint32(b[siValue:])))
	default:
		c.siginfoSource(b)
		if code != siUser && code != siTkill && le.Uint64(b[siValue:]) != 0 {
			c.siginfoValue(b)
		}
	}
}

func (c *call) siginfoSource(b []byte) {
	c.addf(", si_pid=%d, si_uid=%d", int32(le.Uint32(b[siUnion:])), idValue(le.Uint32(b[siUID:])))
}

func (c *call) siginfoValue(b []byte) {
	c.addf(", si_int=%d, si_ptr=%s", int32(le.Uint32(b[siValue:])), address(le.Uint64(b[siValue:])))
}

// siginfoRaised prints what a signal of the kernel carries.
func (c *call) siginfoRaised(b []byte, sig unix.Signal, code int32) {
	switch sig {
	case unix.SIGCHLD:
		c.siginfoChild(b, code)
	case unix.SIGILL, unix.SIGFPE, unix.SIGTRAP, unix.SIGBUS, unix.SIGSEGV:
		c.addf(", si_addr=%s", address(le.Uint64(b[siUnion:])))
		switch {
		case sig == unix.SIGBUS && code >= busMceMin && code <= busMceMax:
			c.add(", si_addr_lsb=")
			c.hex(uint64(le.Uint16(b[siValue:])))
		case sig == unix.SIGSEGV && code == segvBnd:
			c.addf(", si_lower=%s, si_upper=%s", address(le.Uint64(b[siUtime:])), address(le.Uint64(b[siStime:])))
		case sig == unix.SIGSEGV && code == segvPkey:
			c.addf(", si_pkey=%d", le.Uint32(b[siUtime:]))
		}
	case unix.SIGIO:
		c.addf(", si_band=%d, si_fd=%d", int64(le.Uint64(b[siUnion:])), int32(le.Uint32(b[siValue:])))
	case unix.SIGSYS:
		c.addf(", si_call_addr=%s, si_syscall=%s, si_arch=%s", address(le.Uint64(b[siUnion:])),
			auditCall(le.Uint32(b[siValue:])), auditArch(le.Uint32(b[siArch:])))
	default:
		if le.Uint64(b[siUnion:]) != 0 {
			c.siginfoSource(b)
		}
		if le.Uint64(b[siValue:]) != 0 {
			c.siginfoValue(b)
		}
	}
}

func (c *call) siginfoChild(b []byte, code int32) {
	const cldExited = 1
	c.siginfoSource(b)
	status := int(int32(le.Uint32(b[siValue:])))
	if code == cldExited {
		c.addf(", si_status=%d", status)
	} else {
		c.addf(", si_status=%s", signalText(status))
	}
	c.add(", si_utime=")
	c.ticks(le.Uint64(b[siUtime:]))
	c.add(", si_stime=")
	c.ticks(le.Uint64(b[siStime:]))
}

// userHZ is the unit of times that count ticks: USER_HZ of x86 (include/asm-generic/param.h).
const userHZ = 100

// ticks prints a time in ticks, and in seconds behind it.
func (c *call) ticks(v uint64) {
	c.unsigned(v)
	if v != 0 {
		c.addf(" /* %d.%02d s */", v/userHZ, v%userHZ)
	}
}

// auditCall names a system call of SIGSYS.
func auditCall(nr uint32) string { return "__NR_" + callName(int(nr)) }

// auditArch names an architecture (include/uapi/linux/audit.h).
func auditArch(v uint32) string {
	switch v {
	case unix.AUDIT_ARCH_X86_64:
		return "AUDIT_ARCH_X86_64"
	case unix.AUDIT_ARCH_I386:
		return "AUDIT_ARCH_I386"
	}
	return fmt.Sprintf("%#x /* AUDIT_ARCH_??? */", v)
}

// sigevent prints how a timer notifies.
func (c *call) sigevent(b []byte) {
	const sigevThreadID, sigevThread, sigevNone = 4, 2, 1
	value, signo, notify := le.Uint64(b), le.Uint32(b[8:]), le.Uint32(b[12:])
	c.add("{")
	if value != 0 {
		c.addf("sigev_value={sival_int=%d, sival_ptr=%s}, ", int32(value), address(value))
	}
	c.add("sigev_signo=")
	if notify == sigevNone {
		c.unsigned(uint64(signo))
	} else {
		c.signal(int(int32(signo)))
	}
	c.add(", sigev_notify=")
	c.enum(xSigev, uint64(notify))
	switch notify {
	case sigevThreadID:
		c.addf(", sigev_notify_thread_id=%d", int32(le.Uint32(b[16:])))
	case sigevThread:
		c.addf(", sigev_notify_function=%s, sigev_notify_attributes=%s", address(le.Uint64(b[16:])), address(le.Uint64(b[24:])))
	}
	c.add("}")
}
