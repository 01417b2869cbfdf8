// Runs in the target, on the tool stack; any signal may arrive.

package trace

import (
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
)

// Layouts of the kernel's structures that the hook follows pointers in.

// iovec is struct iovec (include/uapi/linux/uio.h).
type iovec struct{ base, size uintptr }

// msghdr is struct user_msghdr (include/linux/socket.h).
type msghdr struct {
	name           uintptr
	nameSize       int32
	_              int32
	iov, iovs      uintptr
	control        uintptr
	controlSize    uintptr
	flags, padding uint32
}

// mmsghdr is struct mmsghdr (include/linux/socket.h).
type mmsghdr struct {
	header    msghdr
	size, pad uint32
}

const (
	iovecSize   = int(unsafe.Sizeof(iovec{}))
	msghdrSize  = int(unsafe.Sizeof(msghdr{}))
	mmsghdrSize = int(unsafe.Sizeof(mmsghdr{}))

	sockaddrMax   = 128  // struct sockaddr_storage
	controlMax    = 1024 // of control messages
	optionMax     = 64   // of a socket option, if strings are shown shorter
	sigsetMax     = 8
	cpuSetMax     = 128
	pollfdSize    = 8
	epollSize     = 12 // struct epoll_event is packed on x86-64
	semopSize     = 6
	waiterSize    = 24
	cloneArgsSize = 88
	openHowSize   = 24
	signalPair    = 16
	sizedMax      = 152 // of a structure whose size is an argument
	iocbSize      = 64
	ioEventSize   = 32
	ruleSize      = 16
	pageSize      = 4096
	unlimited     = ^uintptr(0)
)

// enterLimit bounds what captureIn adds to a record, in bytes.
func enterLimit(a arg) int {
	switch a.kind() {
	case aPath:
		return copySpace(maxPath)
	case aString, aMemfdName, aThreadName, aBufferIn, aXattrIn, aMsgIn, aBytesIn, aRebootText:
		return copySpace(int(options().maxString) + 8)
	case aIn, aUpdated:
		return copySpace(int(sizeOf(a)))
	case aOut, aOutIfPositive, aRemaining, aPathOut, aBufferOut, aBytesOut, aXattrOut, aSigsetOut,
		aSockaddrOut, aOptionOut, aEventsOut, aDirents, aDirents32, aGroupsOut, aCPUSetOut, aParentTID, aMsgOut, aResident, aIoEvents,
		aNodemask:
		return 0
	case aEnv:
		if options().verbose != 0 {
			return maxRecord
		}
		return copySpace(8)
	case aLengthOut, aSigsetIn, aOffset:
		return copySpace(8)
	case aSockaddrIn, aFDSet, aCPUSetIn:
		return copySpace(cpuSetMax)
	case aMessageOut, aCloneArgs, aOpenHow, aSizedIn, aLandlockRule:
		return copySpace(sizedMax)
	case aKernelSigset:
		return copySpace(signalPair) + copySpace(sigsetMax)
	case aOptionIn:
		return copySpace(max(int(options().maxString), optionMax))
	case aSemOps, aPoll, aUlongs, aNodesIn:
		return copySpace(maxElements * 8)
	}
	if a.kind() < firstMemory {
		return 0
	}
	return maxRecord
}

// exitLimit bounds what captureOut adds to a record, in bytes.
func exitLimit(a arg) int {
	switch a.kind() {
	case aOut, aOutIfPositive, aRemaining, aUpdated:
		return copySpace(int(sizeOf(a)))
	case aBufferOut, aBytesOut, aXattrOut, aMsgOut:
		return copySpace(int(options().maxString) + 8)
	case aOptionOut:
		return copySpace(max(int(options().maxString), optionMax))
	case aPathOut:
		return copySpace(maxPath)
	case aSockaddrOut, aCPUSetOut, aFDSet:
		return copySpace(cpuSetMax)
	case aDirents, aDirents32:
		if options().verbose != 0 {
			return maxRecord
		}
		return copySpace(8)
	case aSigsetOut, aLengthOut, aOffset, aParentTID:
		return copySpace(8)
	case aPoll:
		return copySpace(maxElements * pollfdSize)
	case aEventsOut:
		return copySpace(maxElements * epollSize)
	case aGroupsOut, aResident:
		return copySpace(maxElements * 4)
	case aIoEvents:
		return copySpace(maxElements * ioEventSize)
	case aNodemask:
		return copySpace(maxElements * 8)
	case aCloneArgs:
		return 2 * copySpace(8)
	case aIovecOut, aMessageOut, aMessagesIn, aMessagesOut:
		return maxRecord
	}
	return 0
}

// sizeOf returns how much of a structure is shown.
func sizeOf(a arg) uintptr { return shownSize(a, options().verbose != 0) }

// copySpace is the room that a copy of n bytes takes in a record.
func copySpace(n int) int { return copyHead + (n+7)&^7 }

// captureIn copies what argument i points at and the kernel is about to read.
func captureIn(w *rt.Writer, c *rt.Call, a arg, i int) {
	addr, text := c.Arg(i), uintptr(options().maxString)
	if addr == 0 {
		return
	}
	switch a.kind() {
	case aPath:
		copyString(w, addr, maxPath)
	case aString, aMemfdName, aThreadName, aRebootText:
		copyString(w, addr, int(text)+1)
	case aBufferIn, aXattrIn, aBytesIn:
		copyMemory(w, addr, min(c.Arg(a.param()), text))
	case aMsgIn:
		copyMemory(w, addr, 8+min(c.Arg(a.param()), text))
	case aIn, aUpdated:
		copyMemory(w, addr, sizeOf(a))
	case aSigsetIn:
		copyMemory(w, addr, min(c.Arg(a.param()), sigsetMax))
	case aSockaddrIn:
		copyMemory(w, addr, min(positive(c.Arg(a.param())), sockaddrMax))
	case aOptionIn:
		copyMemory(w, addr, min(positive(c.Arg(a.param())), max(text, optionMax)))
	case aLengthOut, aOffset:
		copyMemory(w, addr, 8)
	case aPoll, aFDSet, aGroupsIn, aCPUSetIn, aSemOps, aFutexWaiters, aCloneArgs, aOpenHow, aSizedIn, aUlongs, aNodesIn, aLandlockRule:
		copyMemory(w, addr, arraySize(c, a, text))
	case aIocbs:
		captureIocbs(w, c, addr, elements(c.Arg(a.param()), text))
	case aKernelSigset:
		captureKernelSigset(w, c, addr)
	case aArgv:
		captureArgv(w, c, addr, text)
	case aEnv:
		note(w, addr, countPointers(c, addr))
		if options().verbose != 0 {
			captureVector(w, c, addr, text)
		}
	case aIovecAddr, aIovecOut:
		copyMemory(w, addr, elements(c.Arg(a.param()), text)*uintptr(iovecSize))
	case aIovecIn:
		captureIovec(w, c, addr, c.Arg(a.param()), unlimited)
	case aMessageIn:
		captureMessage(w, c, addr, unlimited)
	case aMessageOut:
		copyMemory(w, addr, uintptr(msghdrSize))
	case aMessagesIn:
		captureMessages(w, c, addr, uintptr(uint32(c.Arg(a.param()))))
	case aMessagesOut:
		copyMemory(w, addr, elements(c.Arg(a.param()), text)*uintptr(mmsghdrSize))
	}
}

// captureOut copies what argument i points at and the kernel has written.
func captureOut(w *rt.Writer, c *rt.Call, a arg, i int, result int64) {
	addr, text := c.Arg(i), uintptr(options().maxString)
	if addr == 0 {
		return
	}
	if result < 0 {
		if a.kind() == aRemaining && interrupted(result) {
			copyMemory(w, addr, sizeOf(a))
		}
		return
	}
	n := uintptr(result)
	switch a.kind() {
	case aOut, aUpdated:
		copyMemory(w, addr, sizeOf(a))
	case aOutIfPositive:
		if result > 0 {
			copyMemory(w, addr, sizeOf(a))
		}
	case aBufferOut, aBytesOut, aXattrOut:
		copyMemory(w, addr, min(n, text))
	case aMsgOut:
		copyMemory(w, addr, 8+min(n, text))
	case aResident:
		copyMemory(w, addr, elements((c.Arg(1)+pageSize-1)/pageSize, text))
	case aPathOut:
		copyMemory(w, addr, min(n, maxPath))
	case aSigsetOut:
		copyMemory(w, addr, min(c.Arg(a.param()), sigsetMax))
	case aSockaddrOut:
		copyMemory(w, addr, min(lengthAt(c, c.Arg(a.param())), sockaddrMax))
	case aOptionOut:
		copyMemory(w, addr, min(lengthAt(c, c.Arg(a.param())), max(text, optionMax)))
	case aLengthOut:
		copyMemory(w, addr, 4)
	case aOffset:
		copyMemory(w, addr, 8)
	case aPoll, aFDSet:
		copyMemory(w, addr, arraySize(c, a, text))
	case aEventsOut:
		copyMemory(w, addr, elements(n, text)*epollSize)
	case aGroupsOut:
		copyMemory(w, addr, elements(n, text)*4)
	case aIoEvents:
		copyMemory(w, addr, elements(n, text)*ioEventSize)
	case aNodemask:
		copyMemory(w, addr, elements((c.Arg(a.param())+63)/64, text)*8)
	case aCPUSetOut:
		copyMemory(w, addr, min(n, cpuSetMax))
	case aDirents, aDirents32:
		note(w, addr, countDirents(c, addr, n))
		if options().verbose != 0 {
			copyMemory(w, addr, n)
		}
	case aIovecOut:
		captureIovec(w, c, addr, c.Arg(a.param()), n)
	case aMessageOut:
		captureMessage(w, c, addr, n)
	case aMessagesIn:
		copyMemory(w, addr, elements(n, text)*uintptr(mmsghdrSize))
	case aMessagesOut:
		captureMessages(w, c, addr, n)
	case aParentTID:
		if c.Arg(0)&(cloneParentSettid|clonePidfd) != 0 {
			copyMemory(w, addr, 4)
		}
	case aCloneArgs:
		captureCloneIDs(w, c, addr)
	}
}

// interrupted reports whether a handler ended the call: time that was left is written.
func interrupted(result int64) bool { return result == -eintr || result == -rt.ERESTARTSYS }

// arraySize returns how many bytes of an array are shown.
func arraySize(c *rt.Call, a arg, text uintptr) uintptr {
	switch a.kind() {
	case aPoll:
		return elements(uintptr(uint32(c.Arg(a.param()))), text) * pollfdSize
	case aFDSet:
		return min((positive(c.Arg(0))+63)/64*8, cpuSetMax)
	case aGroupsIn:
		return elements(positive(c.Arg(a.param())), text) * 4
	case aCPUSetIn:
		return min(uintptr(uint32(c.Arg(a.param()))), cpuSetMax)
	case aSemOps:
		return elements(uintptr(uint32(c.Arg(a.param()))), text) * semopSize
	case aFutexWaiters:
		return elements(uintptr(uint32(c.Arg(a.param()))), text) * waiterSize
	case aOpenHow:
		return min(c.Arg(a.param()), openHowSize)
	case aSizedIn:
		return min(c.Arg(a.param()), sizedMax)
	case aUlongs:
		return elements(c.Arg(a.param()), text) * 8
	case aNodesIn:
		return elements((c.Arg(a.param())+63)/64, text) * 8
	case aLandlockRule:
		return ruleSize
	}
	return min(c.Arg(a.param()), cloneArgsSize)
}

// elements returns how many of n elements of an array are shown.
func elements(n, text uintptr) uintptr { return min(n, text, maxElements) }

// positive returns a length that the kernel takes as an int, 0 if it is negative.
func positive(n uintptr) uintptr { return uintptr(max(int32(n), 0)) }

// lengthAt reads the socklen_t at addr.
func lengthAt(c *rt.Call, addr uintptr) uintptr {
	var n [4]byte
	if c.Read(n[:], addr) != len(n) {
		return 0
	}
	return positive(uintptr(*(*uint32)(unsafe.Pointer(&n))))
}

// copyMemory adds a copy of n bytes at addr to the record, fewer if it is full.
func copyMemory(w *rt.Writer, addr, n uintptr) {
	room := (w.Room() - copyHead) &^ 7
	if addr == 0 || n == 0 || room <= 0 {
		return
	}
	w.U64(uint64(addr))
	w.Target(addr, min(int(n), room))
}

// copyString adds a copy of the string at addr to the record, max bytes at most.
func copyString(w *rt.Writer, addr uintptr, max int) {
	room := (w.Room() - copyHead) &^ 7
	if addr == 0 || room <= 0 {
		return
	}
	w.U64(uint64(addr))
	w.TargetString(addr, min(max, room))
}

// note adds a number that the hook found out about the memory at addr.
func note(w *rt.Writer, addr uintptr, v uint64) {
	if w.Room() < copySpace(8) {
		return
	}
	w.U64(uint64(addr) | noteBit)
	w.Bytes((*[8]byte)(unsafe.Pointer(&v))[:])
}

func captureKernelSigset(w *rt.Writer, c *rt.Call, addr uintptr) {
	var pair [2]uintptr
	copyMemory(w, addr, signalPair)
	if c.Read((*[signalPair]byte)(unsafe.Pointer(&pair))[:], addr) == signalPair {
		copyMemory(w, pair[0], min(pair[1], sigsetMax))
	}
}

// captureArgv copies a vector of strings, as far as it is shown.
func captureArgv(w *rt.Writer, c *rt.Call, addr, text uintptr) {
	shown := min(text, maxElements)
	copyMemory(w, addr, (shown+1)*8)
	for i := range shown {
		var s uintptr
		if c.Read((*[8]byte)(unsafe.Pointer(&s))[:], addr+8*i) != 8 || s == 0 {
			return
		}
		copyString(w, s, int(text)+1)
	}
}

// captureIocbs copies count pointers and the struct iocb behind each (include/uapi/linux/aio_abi.h).
func captureIocbs(w *rt.Writer, c *rt.Call, addr, count uintptr) {
	copyMemory(w, addr, count*8)
	for i := range count {
		var p uintptr
		if c.Read((*[8]byte)(unsafe.Pointer(&p))[:], addr+8*i) != 8 {
			return
		}
		copyMemory(w, p, iocbSize)
	}
}

// captureVector copies a whole vector of strings, as far as the record has room.
func captureVector(w *rt.Writer, c *rt.Call, addr, text uintptr) {
	for i := uintptr(0); w.Room() > copySpace(8)+copySpace(int(text)+1); i++ {
		s := wordAt(c, addr+8*i)
		copyMemory(w, addr+8*i, 8)
		if s == 0 {
			return
		}
		copyString(w, uintptr(s), int(text)+1)
	}
}

// Offsets in the frame that rt_sigreturn finds at the stack pointer: struct ucontext (arch/x86/include/uapi/asm/sigcontext.h).
const (
	frameAX   = 144
	frameMask = 296
)

// captureFrame copies what rt_sigreturn is about to restore that is shown: result and mask.
func captureFrame(w *rt.Writer, c *rt.Call) {
	note(w, frameAX, wordAt(c, c.SP()+frameAX))
	note(w, frameMask, wordAt(c, c.SP()+frameMask))
}

// wordAt returns the word at addr, 0 if it cannot be read.
func wordAt(c *rt.Call, addr uintptr) uint64 {
	var v uint64
	c.Read((*[8]byte)(unsafe.Pointer(&v))[:], addr)
	return v
}

// countPointers returns how many pointers precede the null pointer of a vector. The top
// bit of the result says that the vector is not readable as far as that.
func countPointers(c *rt.Call, addr uintptr) uint64 {
	var chunk [32]uintptr
	const size = len(chunk) * 8
	for n := uint64(0); ; n += uint64(len(chunk)) {
		got := c.Read((*[size]byte)(unsafe.Pointer(&chunk))[:], addr+uintptr(n)*8)
		for i := range got / 8 {
			if chunk[i] == 0 {
				return n + uint64(i)
			}
		}
		if got < size {
			return n + uint64(got/8) | noteBit
		}
	}
}

// countDirents returns how many directory entries lie in n bytes at addr. Both kinds of
// entry have their length at offset 16 (include/linux/dirent.h).
func countDirents(c *rt.Call, addr, n uintptr) uint64 {
	count := uint64(0)
	for at := uintptr(0); at < n; count++ {
		var size [2]byte
		if c.Read(size[:], addr+at+16) != 2 {
			break
		}
		step := uintptr(size[0]) | uintptr(size[1])<<8
		if step == 0 {
			break
		}
		at += step
	}
	return count
}

// captureIovec copies count buffers and size bytes of their contents in all, as far as
// they are shown.
func captureIovec(w *rt.Writer, c *rt.Call, addr, count, size uintptr) {
	text := uintptr(options().maxString)
	shown := elements(count, text)
	copyMemory(w, addr, shown*uintptr(iovecSize))
	for i := range shown {
		var v iovec
		if size == 0 || c.Read((*[iovecSize]byte)(unsafe.Pointer(&v))[:], addr+i*uintptr(iovecSize)) != iovecSize {
			return
		}
		n := min(v.size, size)
		if size != unlimited {
			size -= n
		}
		copyMemory(w, v.base, min(n, text))
	}
}

// captureMessage copies a struct msghdr and what it points at, size bytes of contents.
func captureMessage(w *rt.Writer, c *rt.Call, addr, size uintptr) {
	var m msghdr
	copyMemory(w, addr, uintptr(msghdrSize))
	if c.Read((*[msghdrSize]byte)(unsafe.Pointer(&m))[:], addr) != msghdrSize {
		return
	}
	copyMemory(w, m.name, min(uintptr(max(m.nameSize, 0)), sockaddrMax))
	captureIovec(w, c, m.iov, m.iovs, size)
	copyMemory(w, m.control, min(m.controlSize, controlMax))
}

// captureMessages copies count messages of an array of struct mmsghdr.
func captureMessages(w *rt.Writer, c *rt.Call, addr, count uintptr) {
	count = elements(count, uintptr(options().maxString))
	copyMemory(w, addr, count*uintptr(mmsghdrSize))
	for i := range count {
		captureMessage(w, c, addr+i*uintptr(mmsghdrSize), unlimited)
	}
}

// captureCloneIDs copies the IDs that clone3 has left for the caller.
func captureCloneIDs(w *rt.Writer, c *rt.Call, addr uintptr) {
	var a struct{ flags, pidfd, childTID, parentTID uint64 }
	const size = int(unsafe.Sizeof(a))
	if c.Read((*[size]byte)(unsafe.Pointer(&a))[:], addr) != size {
		return
	}
	if a.flags&clonePidfd != 0 {
		copyMemory(w, uintptr(a.pidfd), 4)
	}
	if a.flags&cloneParentSettid != 0 {
		copyMemory(w, uintptr(a.parentTID), 4)
	}
}
