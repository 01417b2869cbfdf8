// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"sync/atomic"
	"unsafe"
)

// hiddenFiles are the two descriptors that a process of the target keeps for the next exec. The target
// can neither close them nor put others in their place, and does not find them in /proc/self/fd.
//
// A table of descriptors may belong to several threads, and the threads of one memory may have several
// (CLONE_VM without CLONE_FILES: vfork; unshare). Each thread keeps the numbers that are good in its own.
type hiddenFiles struct {
	image, shared int32  // the image's file and the shared memory
	table         uint32 // the same for threads that have the table in common
}

// tables counts the tables of this memory.
var tables uint32

func (h *hiddenFiles) has(fd uintptr) bool { return int32(fd) == h.image || int32(fd) == h.shared }

// own makes the numbers those of a table of its own, a copy of the one before.
func (h *hiddenFiles) own() { h.table = atomic.AddUint32(&tables, 1) }

// replace has all threads of the table know that a descriptor has another number.
//
// Precondition: patchLock is held, so that no thread begins with the old one.
func (h *hiddenFiles) replace(old, now int32) {
	table := h.table
	for o := allThreads; o != nil; o = o.next {
		if o.state != slotUsed || o.files.table != table {
			continue
		}
		if o.files.image == old {
			o.files.image = now
		}
		if o.files.shared == old {
			o.files.shared = now
		}
	}
}

// descriptors serves the calls by which a program closes descriptors or finds out which are
// open: the hidden ones are not.
func descriptors(t *Thread, c *Call) int64 {
	a := &c.args
	switch c.nr {
	case sysClose, sysDup, sysFcntl, sysFstat, sysNewfstatat:
		if t.files.has(a[0]) {
			return -int64(eBADF)
		}
	case sysDup2, sysDup3:
		if t.files.has(a[0]) {
			return -int64(eBADF)
		}
		if t.files.has(a[1]) {
			t.moveAway(int32(a[1]))
		}
	case sysCloseRange:
		r := t.closeRange(a)
		if r == 0 && a[2]&closeRangeUnshare != 0 {
			t.files.own()
		}
		return r
	}
	r := doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5])
	if c.nr == sysNewfstatat {
		r = statExe(a, r)
	}
	return int64(r)
}

// closeRangeUnshare is CLOSE_RANGE_UNSHARE, include/uapi/linux/close_range.h.
const closeRangeUnshare = 1 << 1

// moveAway gives one of the hidden descriptors another number, since the target wants
// this one.
func (t *Thread) moveAway(fd int32) {
	const dupfd = 0
	waitPatchLock()
	r := sys(sysFcntl, uintptr(fd), dupfd, uintptr(fd)+1, 0, 0, 0)
	if failed(r) {
		r = sys(sysFcntl, uintptr(fd), dupfd, 3, 0, 0, 0)
	}
	if failed(r) {
		abortErrno("dup2 takes a descriptor of the runtime, and there is no other", r, t.site)
	}
	t.files.replace(fd, int32(r))
	unlockPatches()
}

// closeRange closes around the hidden descriptors.
func (t *Thread) closeRange(a *[6]uintptr) int64 {
	first, last, flags := uintptr(uint32(a[0])), uintptr(uint32(a[1])), a[2]
	lo, hi := uintptr(t.files.image), uintptr(t.files.shared)
	if lo > hi {
		lo, hi = hi, lo
	}
	if first > last || last < lo || first > hi {
		return int64(sys(sysCloseRange, a[0], a[1], flags, 0, 0, 0))
	}
	r := closePart(first, lo-1, flags)
	if r == 0 {
		r = closePart(max(first, lo+1), min(last, hi-1), flags)
	}
	if r == 0 {
		r = closePart(max(first, hi+1), last, flags)
	}
	return r
}

func closePart(first, last, flags uintptr) int64 {
	if first > last {
		return 0
	}
	return int64(sys(sysCloseRange, first, last, flags, 0, 0, 0))
}

// protect makes sure that an exec does not close the hidden descriptors: a program
// may have set FD_CLOEXEC on every number there is.
func (h *hiddenFiles) protect() {
	const setfd = 2
	sys(sysFcntl, uintptr(h.image), setfd, 0, 0, 0, 0)
	sys(sysFcntl, uintptr(h.shared), setfd, 0, 0, 0, 0)
}

// getdents serves getdents and getdents64: it takes the hidden descriptors out of
// listings of /proc/PID/fd and /proc/PID/fdinfo.
func getdents(t *Thread, c *Call) int64 {
	a := &c.args
	r := int64(doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5]))
	if r <= 0 || !onProc(a[0]) {
		return r
	}
	left := t.files.hideEntries(c.nr, a[1], uintptr(r))
	if left == 0 {
		return getdents(t, c) // only hidden entries: the directory goes on
	}
	return int64(left)
}

// onProc reports whether a descriptor is on a proc file system.
func onProc(fd uintptr) bool {
	const procMagic = 0x9fa0
	var st [120]byte // struct statfs
	return sys(sysFstatfs, fd, addrOf(&st), 0, 0, 0, 0) == 0 && *(*uint64)(unsafe.Pointer(&st)) == procMagic
}

// hideEntries removes the hidden descriptors' entries from n bytes of directory entries
// at buf and returns how many bytes are left. An entry of a descriptor is a symbolic
// link (fd) or a file (fdinfo); a process of the same number is a directory.
func (h *hiddenFiles) hideEntries(nr int, buf, n uintptr) uintptr {
	const offsetLength, symlink, file = 16, 10, 8
	for offset := uintptr(0); offset < n; {
		e := buf + offset
		length := uintptr(*(*uint16)(at(e + offsetLength)))
		name, kind := e+19, *(*byte)(at(e + 18))
		if nr == sysGetdents {
			name, kind = e+18, *(*byte)(at(e + length - 1))
		}
		if (kind == symlink || kind == file) && h.has(number(name)) {
			copyDown(e, e+length, buf+n-e-length)
			n -= length
			continue
		}
		offset += length
	}
	return n
}

// number parses the decimal name at p, all bits set if it is none.
func number(p uintptr) uintptr {
	v := uintptr(0)
	for i := uintptr(0); i < 10; i++ {
		b := *(*byte)(at(p + i))
		if b == 0 && i > 0 {
			return v
		}
		if b < '0' || b > '9' {
			break
		}
		v = v*10 + uintptr(b-'0')
	}
	return ^uintptr(0)
}

// copyDown moves n bytes to a lower address.
func copyDown(dst, src, n uintptr) {
	for i := uintptr(0); i < n; i++ {
		*(*byte)(at(dst + i)) = *(*byte)(at(src + i))
	}
}
