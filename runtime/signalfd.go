// Runs in the target, on the tool stack or the signal stack; any signal may arrive.

package runtime

import "unsafe"

// A signalfd shows what is pending in the kernel, which a held signal is not. A target that waits for one there would wait for
// ever: it is ended instead.

// signalfd serves signalfd and signalfd4, when a held signal is there already.
func signalfd(t *Thread, c *Call) int64 {
	a := &c.args
	r := int64(doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5]))
	t.refuseShown(t.pending())
	return r
}

// refuseShown ends the process if it has a signalfd that would show one of these held signals.
func (t *Thread) refuseShown(held uint64) {
	if held == 0 {
		return
	}
	switch shown := held & shownSignals(); {
	case shown&sigBit(sigSegv) != 0:
		abort("SIGSEGV was sent while it is blocked, and trapline cannot have a signalfd show it", t.site)
	case shown&sigBit(sigBus) != 0:
		abort("SIGBUS was sent while it is blocked, and trapline cannot have a signalfd show it", t.site)
	case shown != 0:
		abort("SIGSYS was sent while it is blocked, and trapline cannot have a signalfd show it", t.site)
	}
}

// shownSignals is the signals that any signalfd of the process shows, however it has come by it. Without /proc it is none.
func shownSignals() uint64 {
	const offsetLength, offsetName = 16, 19 // struct linux_dirent64
	dir := openFile("/proc/thread-self/fdinfo\x00", 0)
	if failed(dir) {
		return 0
	}
	var buf [1024]byte
	set := uint64(0)
	for {
		n := sys(sysGetdents64, dir, addrOf(&buf), uintptr(len(buf)), 0, 0, 0)
		if failed(n) || n == 0 {
			break
		}
		for e := addrOf(&buf); e < addrOf(&buf)+n; e += uintptr(*(*uint16)(at(e + offsetLength))) {
			set |= signalfdMask(dir, e+offsetName)
		}
	}
	sys(sysClose, dir, 0, 0, 0, 0, 0)
	return set
}

// signalfdMask is the mask of a signalfd, and 0 of other descriptors. Its line is signalfd_show_fdinfo's, fs/signalfd.c, 6.18.
//
//go:noinline
func signalfdMask(dir, name uintptr) uint64 {
	const key = "sigmask:\t"
	const digits = 16
	fd := sys(sysOpenat, dir, name, oCloexec, 0, 0, 0)
	if failed(fd) {
		return 0
	}
	var text [512]byte
	n := sys(sysRead, fd, addrOf(&text), uintptr(len(text)), 0, 0, 0)
	sys(sysClose, fd, 0, 0, 0, 0, 0)
	if failed(n) {
		return 0
	}
	for i := 0; i+len(key)+digits <= int(n); i++ {
		if unsafe.String(&text[i], len(key)) == key {
			return hexMask(text[i+len(key) : i+len(key)+digits])
		}
	}
	return 0
}

func hexMask(digits []byte) uint64 {
	set := uint64(0)
	for _, b := range digits {
		if b >= 'a' {
			b -= 'a' - '0' - 10
		}
		set = set<<4 | uint64(b-'0')
	}
	return set
}
