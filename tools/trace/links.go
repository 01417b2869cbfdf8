// Runs in the target, on the tool stack; any signal may arrive.

package trace

import (
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
)

// What a descriptor stands for: the hook reads the link in /proc while the descriptor is open. The printer finds it in the
// record as a note at the descriptor's number.

// state is the thread's room for paths, which a frame has not.
type state struct {
	path [maxPath]byte
	info socketInfo

	length int32
}

// socketInfo is what -yy shows of a socket, and a device's number.
type socketInfo struct {
	domain, kind, protocol int32
	size, peerSize         int32
	device                 uint32
	address, peer          [sockaddrMax]byte
}

const (
	linkBit = 1 << 40 // in a note's address: the path of the descriptor in the low bits
	infoBit = 1 << 41 // its socketInfo

	sysNewfstat    = 5
	sysGetsockname = 51
	sysGetpeername = 52
	sysGetsockopt  = 55
	solSocket      = 1
	soType         = 3
	soProtocol     = 38
	soDomain       = 39
	currentDir     = -100
)

func stateOf(t *rt.Thread) *state { return (*state)(t.State()) }

// captureFD adds what a descriptor stands for, if that is wanted.
func captureFD(w *rt.Writer, c *rt.Call, fd int32) {
	how := options().paths
	if how == 0 || fd < 0 && fd != currentDir {
		return
	}
	s := stateOf(c.Thread())
	n := c.ReadLink(s.path[:], fd)
	if n <= 0 || w.Room() < copySpace(n) {
		return
	}
	w.U64(noteBit | linkBit | uint64(uint32(fd)))
	w.Bytes(s.path[:n])
	if how > 1 && fd >= 0 {
		captureInfo(w, c, s, fd)
	}
}

// captureInfo adds the addresses of a socket or the number of a device.
func captureInfo(w *rt.Writer, c *rt.Call, s *state, fd int32) {
	const size = int(unsafe.Sizeof(socketInfo{}))
	i := &s.info
	*i = socketInfo{}
	if s.path[0] == '/' {
		i.device = deviceOf(c, s, fd)
	} else if socketOption(c, s, fd, soDomain, &i.domain) {
		socketOption(c, s, fd, soType, &i.kind)
		socketOption(c, s, fd, soProtocol, &i.protocol)
		i.size = socketName(c, s, sysGetsockname, fd, &i.address)
		i.peerSize = socketName(c, s, sysGetpeername, fd, &i.peer)
	}
	if (i.device != 0 || i.domain != 0) && w.Room() >= copySpace(size) {
		w.U64(noteBit | infoBit | uint64(uint32(fd)))
		w.Bytes((*[size]byte)(unsafe.Pointer(i))[:])
	}
}

// socketOption reads an option of a socket that is an int, and reports whether it could.
func socketOption(c *rt.Call, s *state, fd int32, name uintptr, v *int32) bool {
	s.length = 4
	return c.Inject(sysGetsockopt, uintptr(fd), solSocket, name,
		uintptr(unsafe.Pointer(v)), uintptr(unsafe.Pointer(&s.length)), 0) == 0
}

// socketName reads the address of one end of a socket and returns its size.
func socketName(c *rt.Call, s *state, nr int, fd int32, b *[sockaddrMax]byte) int32 {
	s.length = sockaddrMax
	if c.Inject(nr, uintptr(fd), uintptr(unsafe.Pointer(b)), uintptr(unsafe.Pointer(&s.length)), 0, 0, 0) != 0 {
		return 0
	}
	return min(s.length, sockaddrMax)
}

// deviceOf returns the number of a device, with its top bit set for one of characters; 0 for other files.
func deviceOf(c *rt.Call, s *state, fd int32) uint32 {
	const character, block, kinds = 0o020000, 0o060000, 0o170000
	p := unsafe.Pointer(&s.path) // the path is in the record already
	if c.Inject(sysNewfstat, uintptr(fd), uintptr(p), 0, 0, 0, 0) != 0 {
		return 0
	}
	number := *(*uint32)(unsafe.Add(p, stRdev))
	switch *(*uint32)(unsafe.Add(p, stMode)) & kinds {
	case character:
		return number | 1<<31
	case block:
		return number
	}
	return 0
}

// captureLinks adds the descriptors among a call's arguments.
func captureLinks(w *rt.Writer, c *rt.Call, r *row, n int) {
	if options().paths == 0 {
		return
	}
	for i := range n {
		switch a := r.args[i]; a.kind() {
		case aFD, aDirFD:
			captureFD(w, c, int32(c.Arg(i)))
		case aPoll:
			for j := range elements(uintptr(uint32(c.Arg(a.param()))), uintptr(options().maxString)) {
				captureFDAt(w, c, c.Arg(i)+j*pollfdSize)
			}
		}
	}
}

// captureFDAt adds the descriptor whose number is at addr.
func captureFDAt(w *rt.Writer, c *rt.Call, addr uintptr) {
	var fd int32
	if c.Read((*[4]byte)(unsafe.Pointer(&fd))[:], addr) == 4 {
		captureFD(w, c, fd)
	}
}

// captureNewLinks adds the descriptors that a call has made.
func captureNewLinks(w *rt.Writer, c *rt.Call, r *row, n int, result int64) {
	if options().paths == 0 || result < 0 {
		return
	}
	if returnsFD(r, c.Nr(), c.Arg(1)) {
		captureFD(w, c, int32(result))
	}
	for i := range n {
		if r.args[i] == aOut|sFDPair {
			captureFDAt(w, c, c.Arg(i))
			captureFDAt(w, c, c.Arg(i)+4)
		}
	}
}

// returnsFD reports whether the result of a call is a descriptor. command is the second argument.
func returnsFD(r *row, nr int, command uintptr) bool {
	const sysFcntl, dupFD, dupFDCloexec = 72, 0, 1030
	return r.result == rFD || nr == sysFcntl && (uint32(command) == dupFD || uint32(command) == dupFDCloexec)
}

// linkRoom bounds what captureLinks and captureNewLinks add.
func linkRoom() int {
	if options().paths == 0 {
		return 0
	}
	return maxRecord / 2
}
