// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"syscall"
	"unsafe"
)

// A program that was loaded without a helper is, for the kernel, the anonymous file that was executed, unless the process may
// change that (memoryMap.tell). Where it may not, the calls by which programs find their own file are answered as if it could.

// exeLink is what /proc/self/exe leads to, and what it should lead to.
var exeLink exeLinkType

type exeLinkType struct {
	file       fileID        // the anonymous file
	length     uintptr       // of path; 0: the link is right
	path       [pathMax]byte // of the program, with a NUL
	nameLength uintptr
	name       [64]byte // of the anonymous file, as the link shows it
}

// keepExeLink notes the program's path, while its descriptor is there. Without /proc there is no link either.
func keepExeLink(program uintptr, file fileID) {
	x := &exeLink
	var path procPath
	n := sys(sysReadlink, path.of(program), addrOf(&x.path), pathMax-1, 0, 0, 0)
	const self = "/proc/self/exe\x00"
	m := sys(sysReadlink, uintptr(unsafe.Pointer(unsafe.StringData(self))), addrOf(&x.name), uintptr(len(x.name)), 0, 0, 0)
	if failed(n) || failed(m) {
		return
	}
	x.file, x.length, x.nameLength = file, n, m
}

// readlink serves readlink and readlinkat.
func readlink(t *Thread, c *Call) int64 {
	a := &c.args
	if exeLink.length == 0 {
		return int64(doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5]))
	}
	buf := 1
	if c.nr == sysReadlinkat {
		buf = 2
	}
	var name [64]byte
	own := *a
	own[buf], own[buf+1] = addrOf(&name), uintptr(len(name))
	r := sys(uintptr(c.nr), own[0], own[1], own[2], own[3], 0, 0)
	size := int(int32(a[buf+1]))
	if r != exeLink.nameLength || name != exeLink.name || size <= 0 {
		return int64(doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5]))
	}
	n := min(uintptr(size), exeLink.length)
	if safeCopy(a[buf], addrOf(&exeLink.path), n) != n {
		return -int64(eFAULT)
	}
	return int64(n)
}

// statExe answers newfstatat for the program's own file by a link of /proc. The link's own status is as it should be.
func statExe(a *[6]uintptr, r uintptr) uintptr {
	var st syscall.Stat_t
	size := unsafe.Sizeof(st)
	if r != 0 || exeLink.length == 0 || safeCopy(addrOf(&st), a[2], size) != size || !isExe(&st) {
		return r
	}
	return sys(sysNewfstatat, atFDCWD, addrOf(&exeLink.path), a[2], 0, 0, 0)
}

// isExe reports whether a file is the anonymous one that stands for the program's.
func isExe(st *syscall.Stat_t) bool {
	return exeLink.length != 0 && st.Ino == exeLink.file.ino && st.Dev == exeLink.file.dev
}
