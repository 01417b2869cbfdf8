package trace

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"
)

// structPrinters print structures by parameter. They get as many bytes as structSizes says.
var structPrinters = [structs >> 8]func(c *call, b []byte){
	sInt >> 8:   func(c *call, b []byte) { c.addf("[%d]", int32(le.Uint32(b))) },
	sUint >> 8:  func(c *call, b []byte) { c.addf("[%d]", le.Uint32(b)) },
	sLong >> 8:  func(c *call, b []byte) { c.addf("[%d]", int64(le.Uint64(b))) },
	sUlong >> 8: func(c *call, b []byte) { c.addf("[%d]", le.Uint64(b)) },
	sAddr >> 8:  func(c *call, b []byte) { c.addf("[%s]", address(le.Uint64(b))) },
	sFDPair >> 8: func(c *call, b []byte) {
		c.addf("[%s, %s]", c.newDescriptor(int32(le.Uint32(b))), c.newDescriptor(int32(le.Uint32(b[4:]))))
	},
	sID >> 8:             func(c *call, b []byte) { c.addf("[%d]", idValue(le.Uint32(b))) },
	sSignal >> 8:         func(c *call, b []byte) { c.addf("[%s]", signalText(int(int32(le.Uint32(b))))) },
	sStat >> 8:           (*call).stat,
	sStatx >> 8:          (*call).statx,
	sStatfs >> 8:         (*call).statfs,
	sTimespec >> 8:       (*call).timespec,
	sTimespecPair >> 8:   (*call).timespecPair,
	sTimeval >> 8:        (*call).timeval,
	sTimevalPair >> 8:    (*call).timevalPair,
	sUtimbuf >> 8:        (*call).utimbuf,
	sTimezone >> 8:       (*call).timezone,
	sItimerspec >> 8:     func(c *call, b []byte) { c.pair("it_interval", "it_value", b, c.timespec) },
	sItimerval >> 8:      func(c *call, b []byte) { c.pair("it_interval", "it_value", b, c.timeval) },
	sSigaction >> 8:      (*call).sigaction,
	sSigset >> 8:         func(c *call, b []byte) { c.sigset(le.Uint64(b), sigsetMax) },
	sStack >> 8:          (*call).sigaltstack,
	sSiginfo >> 8:        (*call).siginfo,
	sSigevent >> 8:       (*call).sigevent,
	sRlimit >> 8:         (*call).rlimit,
	sRusage >> 8:         (*call).rusage,
	sUtsname >> 8:        (*call).utsname,
	sSysinfo >> 8:        (*call).sysinfo,
	sTms >> 8:            (*call).tms,
	sWaitStatus >> 8:     (*call).waitStatus,
	sEpollEvent >> 8:     (*call).epollEvent,
	sCapHeader >> 8:      (*call).capHeader,
	sCapData >> 8:        (*call).capData,
	sSchedParam >> 8:     func(c *call, b []byte) { c.addf("[%d]", int32(le.Uint32(b))) },
	sSchedAttr >> 8:      (*call).schedAttr,
	sFlock >> 8:          (*call).flock,
	sOwnerEx >> 8:        (*call).ownerEx,
	sTermios >> 8:        (*call).termios,
	sWinsize >> 8:        (*call).winsize,
	sModemFlags >> 8:     func(c *call, b []byte) { c.bracketed(xModem, b) },
	sByte >> 8:           func(c *call, b []byte) { c.quote(b) },
	sIfreq >> 8:          (*call).ifreq,
	sTime >> 8:           (*call).time,
	sNotifSizes >> 8:     (*call).notifSizes,
	sCommName >> 8:       (*call).commName,
	sMqAttr >> 8:         (*call).mqAttr,
	sFileHandle >> 8:     (*call).fileHandle,
	sFprog >> 8:          func(c *call, b []byte) { c.addf("{len=%d, filter=%s}", le.Uint16(b), address(le.Uint64(b[8:]))) },
	sSeccompAction >> 8:  (*call).seccompAction,
	sInodeFlags >> 8:     func(c *call, b []byte) { c.bracketed(xInodeFlags, b) },
	sTSC >> 8:            (*call).tsc,
	sMpolMode >> 8:       (*call).mpolModeAt,
	sFD >> 8:             func(c *call, b []byte) { c.addf("[%d]", int32(le.Uint32(b))) },
	sTimex >> 8:          (*call).timex,
	sIocb >> 8:           (*call).iocb,
	sPerfAttr >> 8:       (*call).perfAttr,
	sUringParams >> 8:    (*call).uringParams,
	sXfeatures >> 8:      (*call).xfeatures,
	sCachestatRange >> 8: func(c *call, b []byte) { c.addf("{off=%d, len=%d}", le.Uint64(b), le.Uint64(b[8:])) },
	sCachestat >> 8:      (*call).cachestat,
	sShmInfo >> 8:        (*call).shmInfo,
}

// structure prints the structure that a names, at addr in m.
func (c *call) structure(a arg, addr uint64, m memory) {
	b, ok := m.bytes(addr, uint64(shownSize(a, c.verbose())))
	if addr == 0 || !ok || a.param() == int(sEpollEvent>>8) && c.args[1] == unix.EPOLL_CTL_DEL {
		c.addr(addr)
		return
	}
	structPrinters[a.param()](c, b)
}

// intAt prints the int at addr in brackets, longAt a 64-bit number.
func (c *call) intAt(addr uint64, m memory)  { c.structure(aOut|sInt, addr, m) }
func (c *call) longAt(addr uint64, m memory) { c.structure(aOut|sLong, addr, m) }

// bracketed prints 32 bits of flags in brackets.
func (c *call) bracketed(x arg, b []byte) {
	c.add("[")
	c.flags(x, uint64(le.Uint32(b)))
	c.add("]")
}

// pair prints two structures of 16 bytes as members of one.
func (c *call) pair(first, second string, b []byte, print func(b []byte)) {
	c.add("{" + first + "=")
	print(b[:16])
	c.add(", " + second + "=")
	print(b[16:])
	c.add("}")
}

// Offsets in struct stat (arch/x86/include/uapi/asm/stat.h).
const (
	stMode = 24
	stRdev = 40
	stSize = 48
)

func (c *call) stat(b []byte) {
	if c.verbose() {
		c.wholeStat(b)
		return
	}
	mode := le.Uint32(b[stMode:])
	c.add("{st_mode=")
	c.fileMode(mode)
	switch mode & unix.S_IFMT {
	case unix.S_IFCHR, unix.S_IFBLK:
		c.add(", st_rdev=")
		c.device(le.Uint64(b[stRdev:]))
	default:
		c.addf(", st_size=%d", le.Uint64(b[stSize:]))
	}
	c.add(", ...}")
}

// Offsets in struct statx (include/uapi/linux/stat.h).
const (
	stxMask       = 0
	stxAttributes = 8
	stxMode       = 28
	stxSize       = 40
)

func (c *call) statx(b []byte) {
	if c.verbose() {
		c.wholeStatx(b)
		return
	}
	mask := le.Uint32(b[stxMask:])
	c.add("{stx_mask=")
	c.flags(xStatxMask, uint64(mask))
	c.add(", stx_attributes=")
	c.flags(xStatxAttr, le.Uint64(b[stxAttributes:]))
	if mask&(unix.STATX_TYPE|unix.STATX_MODE) != 0 {
		c.add(", stx_mode=")
		c.fileMode(uint32(le.Uint16(b[stxMode:])))
	}
	if mask&unix.STATX_SIZE != 0 {
		c.addf(", stx_size=%d", le.Uint64(b[stxSize:]))
	}
	c.add(", ...}")
}

func (c *call) statfs(b []byte) {
	const valid = 0x20 // ST_VALID, include/linux/statfs.h
	word := func(i int) uint64 { return le.Uint64(b[8*i:]) }
	c.add("{f_type=")
	c.enum(xFsMagic, word(0))
	c.addf(", f_bsize=%d, f_blocks=%d, f_bfree=%d, f_bavail=%d, f_files=%d, f_ffree=%d, f_fsid={val=[",
		word(1), word(2), word(3), word(4), word(5), word(6))
	c.hex(uint64(le.Uint32(b[56:])))
	c.add(", ")
	c.hex(uint64(le.Uint32(b[60:])))
	c.addf("]}, f_namelen=%d, f_frsize=%d", word(8), word(9))
	if word(10)&valid != 0 {
		c.add(", f_flags=")
		c.flags(xStatfs, word(10))
	}
	c.add("}")
}

func (c *call) timespec(b []byte) {
	c.addf("{tv_sec=%d, tv_nsec=%d}", int64(le.Uint64(b)), le.Uint64(b[8:]))
}

func (c *call) timeval(b []byte) {
	c.addf("{tv_sec=%d, tv_usec=%d}", int64(le.Uint64(b)), le.Uint64(b[8:]))
}

// dated returns a point in time as a comment, nothing for the epoch.
func dated(sec int64, nsec int) string {
	if sec == 0 && nsec == 0 || nsec < 0 || nsec >= 1e9 {
		return ""
	}
	layout := "2006-01-02T15:04:05"
	if nsec != 0 {
		layout += ".000000000"
	}
	return " /* " + time.Unix(sec, int64(nsec)).Format(layout+"-0700") + " */"
}

func (c *call) timespecPair(b []byte) {
	c.add("[")
	for i := 0; i < 2; i++ {
		if i > 0 {
			c.add(", ")
		}
		t := b[16*i : 16*i+16]
		switch nsec := le.Uint64(t[8:]); nsec {
		case unix.UTIME_NOW:
			c.add("UTIME_NOW")
		case unix.UTIME_OMIT:
			c.add("UTIME_OMIT")
		default:
			c.timespec(t)
			c.add(dated(int64(le.Uint64(t)), int(nsec)))
		}
	}
	c.add("]")
}

func (c *call) timevalPair(b []byte) {
	c.add("[")
	for i := 0; i < 2; i++ {
		if i > 0 {
			c.add(", ")
		}
		t := b[16*i : 16*i+16]
		c.timeval(t)
		sec, usec := int64(le.Uint64(t)), int(le.Uint64(t[8:]))
		if d := dated(sec, usec*1000); usec == 0 || len(d) < 12 {
			c.add(d)
		} else {
			c.add(" /* " + time.Unix(sec, int64(usec)*1000).Format("2006-01-02T15:04:05.000000-0700") + " */")
		}
	}
	c.add("]")
}

func (c *call) utimbuf(b []byte) {
	access, change := int64(le.Uint64(b)), int64(le.Uint64(b[8:]))
	c.addf("{actime=%d%s, modtime=%d%s}", access, dated(access, 0), change, dated(change, 0))
}

func (c *call) timezone(b []byte) {
	c.addf("{tz_minuteswest=%d, tz_dsttime=%d}", int32(le.Uint32(b)), int32(le.Uint32(b[4:])))
}

func (c *call) time(b []byte) {
	t := int64(le.Uint64(b))
	c.addf("[%d%s]", t, dated(t, 0))
}

func (c *call) rlimit(b []byte) {
	c.add("{rlim_cur=")
	c.limitValue(le.Uint64(b))
	c.add(", rlim_max=")
	c.limitValue(le.Uint64(b[8:]))
	c.add("}")
}

func (c *call) limitValue(v uint64) {
	switch {
	case v == unlimited64:
		c.add("RLIM64_INFINITY")
	case v > 1024 && v%1024 == 0:
		c.addf("%d*1024", v/1024)
	default:
		c.unsigned(v)
	}
}

func (c *call) rusage(b []byte) {
	c.add("{ru_utime=")
	c.timeval(b)
	c.add(", ru_stime=")
	c.timeval(b[16:])
	if c.verbose() {
		c.wholeRusage(b)
		c.add("}")
		return
	}
	c.add(", ...}")
}

// utsField is the size of a member of struct new_utsname (include/uapi/linux/utsname.h).
const utsField = 65

func (c *call) utsname(b []byte) {
	if c.verbose() {
		c.wholeUtsname(b)
		return
	}
	c.add("{sysname=")
	c.quote(untilNUL(b[:utsField]))
	c.add(", nodename=")
	c.quote(untilNUL(b[utsField:]))
	c.add(", ...}")
}

func untilNUL(b []byte) []byte {
	b, _, _ = bytes.Cut(b, []byte{0})
	return b
}

// sysinfo prints struct sysinfo (include/uapi/linux/sysinfo.h).
func (c *call) sysinfo(b []byte) {
	word := func(i int) uint64 { return le.Uint64(b[8*i:]) }
	c.addf("{uptime=%d, loads=[%d, %d, %d], totalram=%d, freeram=%d, sharedram=%d, bufferram=%d, totalswap=%d, freeswap=%d",
		word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7), word(8), word(9))
	c.addf(", procs=%d, totalhigh=%d, freehigh=%d, mem_unit=%d}", le.Uint16(b[80:]), word(11), word(12), le.Uint32(b[104:]))
}

func (c *call) tms(b []byte) {
	for i, n := range []string{"{tms_utime=", ", tms_stime=", ", tms_cutime=", ", tms_cstime="} {
		c.add(n)
		c.ticks(le.Uint64(b[8*i:]))
	}
	c.add("}")
}

// waitStatus prints a wait status (man 2 wait).
func (c *call) waitStatus(b []byte) {
	if c.result == 0 {
		c.addr(c.args[1])
		return
	}
	s := unix.WaitStatus(le.Uint32(b))
	rest := uint32(s)
	c.add("[")
	switch {
	case s.Stopped():
		c.addf("{WIFSTOPPED(s) && WSTOPSIG(s) == %s", signalText(int(s.StopSignal())&0x7f))
		if s.StopSignal()&0x80 != 0 {
			c.add(" | 0x80")
		}
		c.add("}")
		rest &^= 0xffff
	case s.Signaled():
		c.addf("{WIFSIGNALED(s) && WTERMSIG(s) == %s", signalText(int(s.Signal())))
		if s.CoreDump() {
			c.add(" && WCOREDUMP(s)")
		}
		c.add("}")
		rest &^= 0xff
	case s.Exited():
		c.addf("{WIFEXITED(s) && WEXITSTATUS(s) == %d}", s.ExitStatus())
		rest &^= 0xff00
	case s.Continued():
		c.add("{WIFCONTINUED(s)}")
		rest = 0
	default:
		c.hex(uint64(rest))
		rest = 0
	}
	if event := rest >> 16; event != 0 {
		c.add("|")
		c.enum(xPtraceEvent, uint64(event))
		c.add("<<16")
		rest &= 0xffff
	}
	if rest != 0 {
		c.add("|")
		c.hex(uint64(rest))
	}
	c.add("]")
}

func (c *call) capHeader(b []byte) {
	c.add("{version=")
	c.enum(xCapVersion, uint64(le.Uint32(b)))
	c.addf(", pid=%d}", int32(le.Uint32(b[4:])))
}

// capData prints what capget and capset carry: three sets of 64 bits, in halves.
func (c *call) capData(b []byte) {
	high := func(i int) uint32 { return le.Uint32(b[12+4*i:]) }
	if h, ok := c.in.bytes(c.args[0], 4); ok && le.Uint32(h) == capVersion1 {
		high = func(int) uint32 { return 0 }
	}
	for i, n := range []string{"{effective=", ", permitted=", ", inheritable="} {
		c.add(n)
		c.capabilities(uint64(le.Uint32(b[4*i:])) | uint64(high(i))<<32)
	}
	c.add("}")
}

const capVersion1 = 0x19980330 // _LINUX_CAPABILITY_VERSION_1, include/uapi/linux/capability.h

// capabilities prints a set of capabilities, each half with its unknown bits.
func (c *call) capabilities(v uint64) {
	if v == 0 {
		c.add("0")
		return
	}
	for half, sep := 0, ""; half < 2; half++ {
		bits := v >> (32 * half) & 0xffffffff
		if bits == 0 {
			continue
		}
		for i := range 32 {
			n, ok := nameOf(xCapability, uint64(32*half+i))
			if bits>>i&1 == 0 || !ok {
				continue
			}
			c.add(sep + "1<<" + n)
			sep = "|"
			bits &^= 1 << i
		}
		if bits != 0 {
			c.add(sep)
			c.hex(bits)
			sep = "|"
		}
	}
}

// schedAttr prints struct sched_attr (include/uapi/linux/sched/types.h).
func (c *call) schedAttr(b []byte) {
	const keepPolicy, keepParams = 8, 16
	size, policy, flags := le.Uint32(b), le.Uint32(b[4:]), le.Uint64(b[8:])
	set := c.nr == unix.SYS_SCHED_SETATTR
	c.addf("{size=%d", size)
	if !set || int32(policy) < 0 || flags&(keepPolicy|keepParams) == 0 {
		c.add(", sched_policy=")
		c.enum(xScheduler, uint64(policy))
	}
	c.add(", sched_flags=")
	c.flags(xSchedFlags, flags)
	if !set || flags&keepParams == 0 {
		c.addf(", sched_nice=%d, sched_priority=%d, sched_runtime=%d, sched_deadline=%d, sched_period=%d",
			int32(le.Uint32(b[16:])), le.Uint32(b[20:]), le.Uint64(b[24:]), le.Uint64(b[32:]), le.Uint64(b[40:]))
	}
	if size >= 56 {
		c.addf(", sched_util_min=%d, sched_util_max=%d", le.Uint32(b[48:]), le.Uint32(b[52:]))
	}
	c.add("}")
}

// flock prints struct flock; the queries leave the owner in it.
func (c *call) flock(b []byte) {
	c.add("{l_type=")
	c.enum(xLock, uint64(le.Uint16(b)))
	c.add(", l_whence=")
	c.enum(xWhence, uint64(le.Uint16(b[2:])))
	c.addf(", l_start=%d, l_len=%d", int64(le.Uint64(b[8:])), int64(le.Uint64(b[16:])))
	if c.args[1] == unix.F_GETLK || c.args[1] == fOFDGetlk {
		c.addf(", l_pid=%d", int32(le.Uint32(b[24:])))
	}
	c.add("}")
}

func (c *call) ownerEx(b []byte) {
	c.add("{type=")
	c.enum(xOwner, uint64(le.Uint32(b)))
	c.addf(", pid=%d}", int32(le.Uint32(b[4:])))
}

func (c *call) notifSizes(b []byte) {
	c.addf("{seccomp_notif=%d, seccomp_notif_resp=%d, seccomp_data=%d}", le.Uint16(b), le.Uint16(b[2:]), le.Uint16(b[4:]))
}

func (c *call) seccompAction(b []byte) {
	c.add("[")
	c.enum(xSeccompAction, uint64(le.Uint32(b)))
	c.add("]")
}

func (c *call) tsc(b []byte) {
	c.add("[")
	c.enum(xTSC, uint64(le.Uint32(b)))
	c.add("]")
}

// commName prints the name that PR_GET_NAME left.
func (c *call) commName(b []byte) {
	s := untilNUL(b)
	c.quote(s[:min(len(s), c.limit)])
	if len(s) > c.limit {
		c.add("...")
	}
}

func (c *call) mqAttr(b []byte) {
	c.add("{mq_flags=")
	if c.nr == unix.SYS_MQ_OPEN {
		c.hex(le.Uint64(b))
	} else {
		c.flags(xMqFlags, le.Uint64(b))
	}
	c.addf(", mq_maxmsg=%d, mq_msgsize=%d, mq_curmsgs=%d}",
		int64(le.Uint64(b[8:])), int64(le.Uint64(b[16:])), int64(le.Uint64(b[24:])))
}

func (c *call) fileHandle(b []byte) {
	c.addf("{handle_bytes=%d, handle_type=%d, ...}", le.Uint32(b), int32(le.Uint32(b[4:])))
}

func (c *call) semop(b []byte) {
	c.addf("{sem_num=%d, sem_op=%d, sem_flg=", le.Uint16(b), int16(le.Uint16(b[2:])))
	c.flags(xSemFlags, uint64(le.Uint16(b[4:])))
	c.add("}")
}

func (c *call) futexWaiter(b []byte) {
	c.add("{val=")
	c.hex(le.Uint64(b))
	c.addf(", uaddr=%s, flags=", address(le.Uint64(b[8:])))
	c.flags(xFutexWaiter, uint64(le.Uint32(b[16:])))
	c.add("}")
}

// openHow prints struct open_how (include/uapi/linux/openat2.h).
func (c *call) openHow(addr, size uint64) {
	b, ok := c.in.bytes(addr, openHowSize)
	if size < openHowSize || !ok {
		c.addr(addr)
		return
	}
	flags, mode := le.Uint64(b), le.Uint64(b[8:])
	c.add("{flags=")
	c.openFlags(flags)
	if flags&(unix.O_CREAT|unix.O_TMPFILE&^unix.O_DIRECTORY) != 0 || mode != 0 {
		c.add(", mode=" + octal(mode))
	}
	c.add(", resolve=")
	c.flags(xOpenResolve, le.Uint64(b[16:]))
	c.add("}")
}
