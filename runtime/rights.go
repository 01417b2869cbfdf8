// Runs in the target, on the tool stack; any signal may arrive. The launcher asks Withheld too.

package runtime

import (
	"syscall"
	"unsafe"
)

// An exec may bring rights that the caller does not have: those of the file's owner or group, those noted in the file, and
// root's. The kernel withholds them from a program that is traced, as each one is at its exec here, unless the tracer has
// CAP_SYS_PTRACE (cap_bprm_creds_from_file, security/commoncap.c, 6.18). A program that would run without what it
// natively has is refused.

// capabilities are sets of struct __user_cap_data_struct, include/uapi/linux/capability.h.
type capabilities struct{ effective, permitted, inheritable uint64 }

// capHeader and capData are the arguments of capget and capset.
type (
	capHeader struct {
		version uint32
		pid     int32
	}
	capData [2]struct{ effective, permitted, inheritable uint32 }
)

const (
	capVersion3  = 0x20080522
	capSysPtrace = 1 << 19
	capSysAdmin  = 1 << 21
)

// ownCapabilities returns those of the calling thread.
func ownCapabilities() capabilities {
	h := capHeader{version: capVersion3}
	var d capData
	sys(sysCapget, addrOf(&h), addrOf(&d), 0, 0, 0, 0)
	return capabilities{
		effective:   uint64(d[0].effective) | uint64(d[1].effective)<<32,
		permitted:   uint64(d[0].permitted) | uint64(d[1].permitted)<<32,
		inheritable: uint64(d[0].inheritable) | uint64(d[1].inheritable)<<32,
	}
}

// raiseCapabilities makes all that the thread may have effective. What a program puts aside when it changes
// its effective user stays permitted.
func raiseCapabilities() {
	h := capHeader{version: capVersion3}
	var d capData
	sys(sysCapget, addrOf(&h), addrOf(&d), 0, 0, 0, 0)
	for i := range d {
		d[i].effective = d[i].permitted
	}
	sys(sysCapset, addrOf(&h), addrOf(&d), 0, 0, 0, 0)
}

// withheld reports whether the program would run without rights that it natively has.
func (f *execFile) withheld(st *syscall.Stat_t, own *capabilities) bool {
	return own.permitted&capSysPtrace == 0 && f.grants(st, own)
}

// grants reports whether an exec brings rights.
func (f *execFile) grants(st *syscall.Stat_t, own *capabilities) bool {
	return own.rootGains() || (changesIDs(st) || own.gains(f.capabilities())) && !f.onNosuid()
}

// Withheld is for the launcher, which traces the first program: path ends with a NUL.
func Withheld(path string, st *syscall.Stat_t) bool {
	f := execFile{atFDCWD, uintptr(unsafe.Pointer(unsafe.StringData(path))), 0}
	own := ownCapabilities()
	return sys(sysPrctl, prGetNoNewPrivs, 0, 0, 0, 0, 0) == 0 && f.withheld(st, &own)
}

// changesIDs reports whether a file's owner or group becomes the effective one (bprm_fill_uid, fs/exec.c, 6.18).
func changesIDs(st *syscall.Stat_t) bool {
	const groupExecutes = 0o010
	return st.Mode&syscall.S_ISUID != 0 && uintptr(st.Uid) != sys(sysGeteuid, 0, 0, 0, 0, 0, 0) ||
		st.Mode&syscall.S_ISGID != 0 && st.Mode&groupExecutes != 0 && uintptr(st.Gid) != sys(sysGetegid, 0, 0, 0, 0, 0, 0)
}

// gains reports whether a file's capabilities are more than the thread has.
func (own *capabilities) gains(file capabilities) bool {
	return (file.permitted|file.inheritable&own.inheritable)&^own.permitted != 0
}

// rootGains reports whether root, who has put capabilities aside, gets them back.
func (own *capabilities) rootGains() bool {
	const prCapbsetRead, prGetSecurebits, noroot = 23, 27, 1
	if sys(sysGetuid, 0, 0, 0, 0, 0, 0) != 0 && sys(sysGeteuid, 0, 0, 0, 0, 0, 0) != 0 ||
		sys(sysPrctl, prGetSecurebits, 0, 0, 0, 0, 0)&noroot != 0 {
		return false
	}
	for i := uintptr(0); ; i++ {
		switch bounding := sys(sysPrctl, prCapbsetRead, i, 0, 0, 0, 0); {
		case failed(bounding):
			return false // there are no more
		case bounding == 1 && own.permitted>>i&1 == 0:
			return true
		}
	}
}

// capabilities returns what the file itself has: its security.capability attribute, struct vfs_ns_cap_data.
func (f *execFile) capabilities() (file capabilities) {
	const name = "security.capability\x00"
	var d [6]uint32
	attribute := uintptr(unsafe.Pointer(unsafe.StringData(name)))
	if f.dir == atFDCWD {
		sys(sysGetxattr, f.path, attribute, addrOf(&d), unsafe.Sizeof(d), 0, 0)
	} else if fd := f.open(0); !failed(fd) {
		sys(sysFgetxattr, fd, attribute, addrOf(&d), unsafe.Sizeof(d), 0, 0)
		sys(sysClose, fd, 0, 0, 0, 0, 0)
	}
	file.permitted, file.inheritable = uint64(d[1])|uint64(d[3])<<32, uint64(d[2])|uint64(d[4])<<32
	return file
}

// onNosuid reports whether the file lies on a file system that gives no rights.
func (f *execFile) onNosuid() bool {
	const offsetFlags, nosuid = 80, 2 // ST_NOSUID
	var st [120]byte                  // struct statfs
	fd := f.open(oPath)
	if failed(fd) {
		return false
	}
	r := sys(sysFstatfs, fd, addrOf(&st), 0, 0, 0, 0)
	sys(sysClose, fd, 0, 0, 0, 0, 0)
	return r == 0 && *(*uint64)(unsafe.Pointer(&st[offsetFlags]))&nosuid != 0
}

// open opens the file.
func (f *execFile) open(flags uintptr) uintptr {
	if f.flags&atEmptyPath != 0 {
		return sys(sysDup, f.dir, 0, 0, 0, 0, 0)
	}
	return sys(sysOpenat, f.dir, f.path, flags|oCloexec, 0, 0, 0)
}
