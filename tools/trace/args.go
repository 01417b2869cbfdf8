package trace

import (
	"slices"

	"golang.org/x/sys/unix"
)

// begin prints the arguments that are known before the call ends.
func (c *call) begin() {
	c.text = c.text[:0]
	if c.row == &unknownRow {
		c.count = min(c.count, numArgs(c.nr))
	}
	if c.raw() {
		c.numbers()
		return
	}
	if print, ok := special[c.nr]; ok {
		print(c)
		return
	}
	for ; c.next < c.count; c.next++ {
		if !c.shows(c.next) {
			c.next = 6
			return
		}
		if c.row.args[c.next].kind() == aSkip {
			continue
		}
		deferred := c.deferred(c.next)
		if c.next > 0 && !(deferred && c.lateSeparator()) {
			c.add(", ")
		}
		if deferred {
			return
		}
		c.argument(c.next)
	}
}

// numbers prints the arguments of a call that is shown raw.
func (c *call) numbers() {
	for i := range c.count {
		if i > 0 {
			c.add(", ")
		}
		c.hex(c.args[i])
	}
	c.next = 6
}

// all prints all arguments of a call that has ended.
func (c *call) all() {
	ended := c.ended
	c.next, c.ended = 0, false
	c.begin()
	first := slices.Clone(c.text)
	c.ended = ended
	if ended {
		c.complete()
		c.text = append(first, c.text...)
	}
}

// complete prints the arguments that the call's end was needed for.
func (c *call) complete() {
	c.text = c.text[:0]
	if print, ok := special[c.nr]; ok {
		print(c)
		return
	}
	first := !c.lateSeparator()
	for ; c.next < c.count && c.shows(c.next); c.next++ {
		if c.row.args[c.next].kind() == aSkip {
			continue
		}
		if !first {
			c.add(", ")
		}
		first = false
		c.argument(c.next)
	}
}

// shows reports whether argument i is there at all; if it is not, none behind it is.
func (c *call) shows(i int) bool {
	if i > 0 && c.row.args[i-1].kind() == aQuotaCommand || i > 1 && c.row.args[i-2].kind() == aQuotaCommand {
		return c.quotaShows(i)
	}
	a := c.row.args[i]
	other := uint64(0)
	if a.param() < 6 {
		other = c.args[a.param()]
	}
	switch a.kind() {
	case aCreateMode:
		return other&unix.O_CREAT != 0 || other&unix.O_TMPFILE == unix.O_TMPFILE
	case aDevMode:
		return other&unix.S_IFMT == unix.S_IFCHR || other&unix.S_IFMT == unix.S_IFBLK
	case aRemapAddr:
		return other&(unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED) == unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED
	case aMembarrierCPU:
		return other&membarrierCPU != 0
	case aRebootText:
		return uint32(other) == unix.LINUX_REBOOT_CMD_RESTART2
	}
	return true
}

const membarrierCPU = 1 // MEMBARRIER_CMD_FLAG_CPU, include/uapi/linux/membarrier.h

// deferred reports whether argument i is printed when the call has ended.
func (c *call) deferred(i int) bool {
	a := c.row.args[i]
	switch a.kind() {
	case aOut:
		return a != aOut|sSiginfo || c.args[i] != 0 || c.nr == unix.SYS_WAITID
	case aOutIfPositive, aRemaining, aBufferOut, aBytesOut, aPathOut, aXattrOut, aSigsetOut, aIovecOut,
		aMessagesIn, aMessagesOut, aEventsOut, aDirents, aDirents32, aGroupsOut, aCPUSetOut, aMsgOut, aResident,
		aIoEvents, aNodemask:
		return true
	case aSockaddrOut, aOptionOut:
		_, ok := c.in.bytes(c.args[a.param()], 4)
		return ok && (c.args[i] != 0 || a.kind() == aOptionOut)
	case aMessageOut:
		_, ok := c.in.bytes(c.args[i], uint64(msghdrSize))
		return ok
	}
	return false
}

// lateSeparator reports whether the comma in front of the deferred arguments waits too.
func (c *call) lateSeparator() bool {
	return c.nr == unix.SYS_IOCTL || c.nr == unix.SYS_FCNTL
}

// argument prints argument i.
func (c *call) argument(i int) {
	if i >= c.count {
		return
	}
	a, v := c.row.args[i], c.args[i]
	if a.kind() >= firstMemory {
		c.pointer(a, i)
		return
	}
	c.value(a, v)
}

// value prints an argument that is not an address of anything.
func (c *call) value(a arg, v uint64) {
	switch a.kind() {
	case aInt, aPID:
		c.signed(int64(int32(v)))
	case aFD:
		c.add(c.descriptor(int32(v)))
	case aUint:
		c.unsigned(uint64(uint32(v)))
	case aLong:
		c.signed(int64(v))
	case aUlong:
		c.unsigned(v)
	case aHex:
		c.hex(v)
	case aHex32:
		c.hex(uint64(uint32(v)))
	case aAddr, aRemapAddr:
		c.addr(v)
	case aDirFD:
		c.add(c.descriptor(int32(v)))
	case aMode, aCreateMode:
		c.add(octal(uint64(uint16(v))))
	case aFileMode:
		c.fileMode(uint32(uint16(v)))
	case aOpenFlags:
		c.openFlags(uint64(uint32(v)))
	case aID:
		c.id(uint32(v))
	case aSignal:
		c.signal(int(int32(v)))
	case aFlags:
		c.flags(a, uint64(uint32(v)))
	case aFlags64:
		c.flags(a, v)
	case aEnum:
		c.enum(a, uint64(uint32(v)))
	case aEnum64:
		c.enum(a, v)
	default:
		c.rareValue(a, v)
	}
}

// rareValue prints the values that few calls have.
func (c *call) rareValue(a arg, v uint64) {
	switch a.kind() {
	case aMmapFlags:
		c.mmapFlags(v)
	case aClock:
		c.enum(xClock, uint64(uint32(v)))
	case aPersonality:
		c.add(personality(uint32(v)))
	case aDev, aDevMode:
		c.device(v)
	case aQuotaCommand:
		c.quotaCommand(uint32(v))
	case aSwapFlags:
		c.swapFlags(uint64(uint32(v)))
	case aKey:
		c.key(uint32(v))
	case aKeyPermissions:
		c.keyPermissions(uint32(v))
	case aFanotifyInit:
		c.fanotifyInit(uint64(uint32(v)))
	case aKexecFlags:
		c.kexecFlags(v)
	case aSocketType:
		c.socketType(uint64(uint32(v)))
	case aProtocol:
		c.protocol(c.args[0], uint64(uint32(v)))
	case aIPCFlags:
		c.ipcFlags(a, uint64(uint32(v)))
	case aIPCCommand:
		c.ipcCommand(uint32(v))
	case aIoprio:
		c.add(ioprio(uint32(v)))
	case aMembarrierCPU:
		c.signed(int64(int32(v)))
	case aMemfdFlags:
		c.memfdFlags(uint64(uint32(v)))
	case aStatxFlags:
		c.statxFlags(uint64(uint32(v)))
	case aSockOption:
		c.socketOption(c.args[1], uint64(uint32(v)))
	case aWaitID, aPriorityWho:
		c.signed(int64(int32(v)))
	case aIoctl:
		c.ioctlCommand(uint32(v))
	case aFutexCommand:
		c.futexCommand(uint64(uint32(v)))
	case aSyslog:
		c.syslogAction(uint32(v))
	case aMpolMode:
		c.mpolMode(uint64(uint32(v)))
	case aFutexOp:
		c.futexOp(uint32(v))
	case aTracer:
		c.tracer(int32(v))
	case aAmbientCap:
		c.ambientCap(v)
	default:
		c.hex(v)
	}
}

// pointer prints argument i, the address of something.
func (c *call) pointer(a arg, i int) {
	addr := c.args[i]
	other := uint64(0)
	if a.param() < 6 {
		other = c.args[a.param()]
	}
	switch a.kind() {
	case aPath:
		c.string(addr, maxPath-1)
	case aString, aRebootText:
		c.string(addr, c.limit)
	case aBytesIn:
		c.hexBuffer(addr, other)
	case aSizedIn:
		c.sized(addr, other)
	case aLandlockRule:
		c.landlockRule(addr)
	case aUlongs:
		c.list(addr, other, 8, func(b []byte) { c.add(address(le.Uint64(b))) })
	case aNodesIn:
		c.list(addr, (other+63)/64, 8, func(b []byte) { c.add(address(le.Uint64(b))) })
	case aIocbs:
		c.list(addr, other, 8, func(b []byte) { c.structure(aIn|sIocb, le.Uint64(b), c.in) })
	case aMemfdName:
		c.string(addr, min(c.limit, 250))
	case aThreadName:
		c.string(addr, min(c.limit, 15))
	case aBufferIn:
		if c.nr == unix.SYS_SETHOSTNAME || c.nr == unix.SYS_SETDOMAINNAME {
			c.nodeName(addr, other)
			return
		}
		c.buffer(addr, other)
	case aXattrIn:
		c.xattr(addr, other)
	case aMsgIn:
		c.sysvMessage(addr, other)
	case aIn, aUpdated:
		c.structure(a, addr, c.in)
	case aSigsetIn:
		c.sigsetAt(addr, other, c.in)
	case aSockaddrIn:
		c.sockaddr(addr, other, c.in)
	case aOptionIn:
		c.setOption(addr, other)
	case aArgv:
		c.argv(addr)
	case aEnv:
		c.environment(addr)
	case aIovecIn:
		c.iovec(addr, other, unlimited64, true)
	case aIovecAddr:
		c.iovec(addr, other, unlimited64, false)
	case aMessageIn:
		c.message(addr, c.in, unlimited64, -1)
	case aPoll:
		c.pollfds(addr, other)
	case aFDSet:
		c.fdSet(addr)
	case aGroupsIn:
		c.list(addr, uint64(uint32(other)), 4, func(b []byte) { c.id(le.Uint32(b)) })
	case aCPUSetIn:
		c.cpuSet(addr, uint64(uint32(other)))
	case aKernelSigset:
		c.kernelSigset(addr)
	case aSemOps:
		c.list(addr, uint64(uint32(other)), semopSize, c.semop)
	case aFutexWaiters:
		c.list(addr, uint64(uint32(other)), waiterSize, c.futexWaiter)
	case aOpenHow:
		c.openHow(addr, other)
	default:
		c.outPointer(a, i, addr, other)
	}
}

// outPointer prints argument i, the address of something that the call writes.
func (c *call) outPointer(a arg, i int, addr, other uint64) {
	n := uint64(max(c.result, 0))
	if c.failed() && (a.kind() == aEventsOut || a.kind() == aGroupsOut) {
		c.addr(addr)
		return
	}
	switch a.kind() {
	case aOut:
		c.structure(a, addr, c.out)
	case aOutIfPositive:
		if c.result > 0 {
			c.structure(a, addr, c.out)
		} else {
			c.addr(addr)
		}
	case aRemaining:
		c.remaining(a, addr)
	case aBufferOut, aBytesOut, aPathOut, aXattrOut:
		c.outBuffer(a, addr, n)
	case aMsgOut:
		c.sysvMessage(addr, n)
	case aResident:
		c.list(addr, (c.args[1]+pageSize-1)/pageSize, 1, func(b []byte) { c.unsigned(uint64(b[0] & 1)) })
	case aSigsetOut:
		c.sigsetAt(addr, other, c.out)
	case aSockaddrOut:
		c.outSockaddr(addr, other)
	case aLengthOut:
		c.outLength(i)
	case aOptionOut:
		c.outOption(addr, other)
	case aIovecOut:
		c.iovec(addr, other, n, !c.failed())
	case aMessageOut:
		c.outMessage(addr)
	case aMessagesIn:
		c.messages(addr, uint64(uint32(other)), c.in)
	case aMessagesOut:
		c.messages(addr, n, c.out)
	case aEventsOut:
		c.list(addr, n, epollSize, c.epollEvent)
	case aDirents, aDirents32:
		c.dirents(addr)
	case aIoEvents:
		c.ioEvents(addr, n)
	case aNodemask:
		c.nodemask(addr, other)
	case aGroupsOut:
		c.list(addr, n, 4, func(b []byte) { c.id(le.Uint32(b)) })
	case aCPUSetOut:
		c.cpuSet(addr, n)
	default:
		c.addr(addr)
	}
}

const unlimited64 = ^uint64(0)

// outBuffer prints n bytes that the call left at addr.
func (c *call) outBuffer(a arg, addr, n uint64) {
	switch {
	case c.failed(), n == 0 && c.sizeQuery():
		c.addr(addr)
	case a.kind() == aPathOut:
		b, ok := c.out.bytes(addr, min(n, maxPath))
		if !ok || len(b) == 0 {
			c.addr(addr)
			return
		}
		c.quote(b[:len(b)-1])
	case a.kind() == aXattrOut:
		c.xattr(addr, n)
	case a.kind() == aBytesOut:
		c.hexBuffer(addr, n)
	default:
		c.buffer(addr, n)
	}
}

// sizeQuery reports whether the call only asked how long a list of attributes is.
func (c *call) sizeQuery() bool {
	switch c.nr {
	case unix.SYS_LISTXATTR, unix.SYS_LLISTXATTR, unix.SYS_FLISTXATTR:
		return c.args[2] == 0
	}
	return false
}

// nodeName prints a name that the kernel would take, the address of a longer one.
func (c *call) nodeName(addr, n uint64) {
	if n > utsField-1 {
		c.addr(addr)
		return
	}
	c.buffer(addr, n)
}

// xattr prints the value of an extended attribute: a string more often than not.
func (c *call) xattr(addr, n uint64) {
	b, ok := c.bytes(addr, n)
	if ok && n > 0 && n <= uint64(c.limit) && b[n-1] == 0 {
		c.quote(b[:n-1])
		return
	}
	c.buffer(addr, n)
}

// remaining prints the time that a sleep had left.
func (c *call) remaining(a arg, addr uint64) {
	if !interrupted(c.result) || c.replaced() || c.nr == unix.SYS_CLOCK_NANOSLEEP && c.args[1] != 0 {
		c.addr(addr)
		return
	}
	c.structure(a, addr, c.out)
}

// argv prints a vector of strings as far as it is shown.
func (c *call) argv(addr uint64) {
	if c.verbose() {
		c.vector(addr, maxElements)
		return
	}
	c.vector(addr, min(c.limit, maxElements))
}

// vector prints a vector of strings, limit of them.
func (c *call) vector(addr uint64, limit int) {
	for i := 0; ; i++ {
		b, ok := c.in.bytes(addr+8*uint64(i), 8)
		switch {
		case !ok && i == 0:
			c.addr(addr)
			return
		case !ok:
			c.add(", ...")
			c.addf(" /* %#x */]", addr+8*uint64(i))
			return
		case le.Uint64(b) == 0:
			if i == 0 {
				c.add("[")
			}
			c.add("]")
			return
		}
		if i == 0 {
			c.add("[")
		} else {
			c.add(", ")
		}
		if i >= limit {
			c.add("...]")
			return
		}
		c.string(le.Uint64(b), c.limit)
	}
}

// environment prints the address of a vector and its length.
func (c *call) environment(addr uint64) {
	if c.verbose() {
		c.vector(addr, int(^uint(0)>>1))
		return
	}
	c.addr(addr)
	n, ok := c.in.note(addr)
	if addr == 0 || !ok {
		return
	}
	plural, rest := "s", ""
	if n&^noteBit == 1 {
		plural = ""
	}
	if n&noteBit != 0 {
		if n == noteBit {
			return
		}
		rest = ", unterminated"
	}
	c.addf(" /* %d var%s%s */", n&^noteBit, plural, rest)
}

// dirents prints where directory entries are, and how many.
func (c *call) dirents(addr uint64) {
	if c.verbose() && c.nr == unix.SYS_GETDENTS64 && !c.failed() {
		c.entries(addr, uint64(c.result))
		return
	}
	c.addr(addr)
	if n, ok := c.out.note(addr); ok && !c.failed() {
		c.addf(" /* %d entries */", n)
	}
}

// iovec prints count buffers and size bytes of their contents.
func (c *call) iovec(addr, count, size uint64, contents bool) {
	c.list(addr, count, uint64(iovecSize), func(b []byte) {
		base, length := le.Uint64(b), le.Uint64(b[8:])
		n := min(length, size)
		if size != unlimited64 {
			size -= n
		}
		c.add("{iov_base=")
		if contents {
			c.buffer(base, n)
		} else {
			c.addr(base)
		}
		c.addf(", iov_len=%d}", length)
	})
}

// cpuSet prints a bitmap of n bytes.
func (c *call) cpuSet(addr, n uint64) {
	b, ok := c.bytes(addr, min(n, cpuSetMax))
	switch {
	case addr == 0 || c.failed():
		c.addr(addr)
	case n == 0:
		c.add("[]")
	case !ok:
		c.addr(addr)
	default:
		c.bits(b)
	}
}
