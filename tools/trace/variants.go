// Plain constant data for both sides: the hook reads it in the target, the printer in
// the launcher.

package trace

import "golang.org/x/sys/unix"

// variant is the row of a call for one value of its selector.
type variant struct {
	vary  vary
	value uint32
	row   row
}

// selector returns the value that picks the variant, given the call's arguments 0 and 1.
func selector(v vary, arg0, arg1 uint64) uint32 {
	switch v {
	case vFutex:
		return uint32(arg1) & futexCommandMask
	case vIPCControl:
		return uint32(arg1) &^ ipc64
	case vIoctl, vFcntl, vFsconfig, vUringRegister:
		return uint32(arg1)
	}
	return uint32(arg0)
}

const (
	futexCommandMask = 127   // ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), include/uapi/linux/futex.h
	ipc64            = 0x100 // IPC_64, include/uapi/linux/ipc.h
)

// resolve returns the row that describes a call with these first arguments.
func resolve(nr int, arg0, arg1 uint64) *row {
	if uint(nr) >= maxRows || !rows[nr].known() {
		return &unknownRow
	}
	r := &rows[nr]
	if r.vary == vNone {
		return r
	}
	value := selector(r.vary, arg0, arg1)
	for i := firstVariant[r.vary]; i < firstVariant[r.vary+1]; i++ {
		if variants[i].value == value {
			return &variants[i].row
		}
	}
	return r
}

// firstVariant is where the variants of each call start in the table.
var firstVariant = [variesCount + 1]uint8{
	vFutex: 25, vArchPrctl: 39, vPrctl: 45, vSeccomp: 75, vPtrace: 79, vIPCControl: 82, vSyslog: 84, vIoctl: 94,
	vKeyctl: 140, vFsconfig: 162, vUringRegister: 168, variesCount: 171,
}

// Values that x/sys lacks.
const (
	fOFDGetlk = 36
	fOFDSetlk = 37

	futexWait          = 0
	futexWake          = 1
	futexFD            = 2
	futexRequeue       = 3
	futexCmpRequeue    = 4
	futexWakeOp        = 5
	futexLockPI        = 6
	futexUnlockPI      = 7
	futexTrylockPI     = 8
	futexWaitBitset    = 9
	futexWakeBitset    = 10
	futexWaitRequeuePI = 11
	futexCmpRequeuePI  = 12
	futexLockPI2       = 13

	ipcRmid = 0
	shmInfo = 14 // include/uapi/linux/shm.h

	seccompSetModeStrict = 0
	seccompSetModeFilter = 1
	seccompActionAvail   = 2
	seccompGetNotifSizes = 3
)

var variants = [...]variant{
	{vFcntl, unix.F_DUPFD, row{args: [6]arg{aFD, aEnum | xFcntl, aInt}}},
	{vFcntl, unix.F_DUPFD_CLOEXEC, row{args: [6]arg{aFD, aEnum | xFcntl, aInt}}},
	{vFcntl, unix.F_GETFD, row{args: [6]arg{aFD, aEnum | xFcntl}}},
	{vFcntl, unix.F_SETFD, row{args: [6]arg{aFD, aEnum | xFcntl, aFlags | xFD}}},
	{vFcntl, unix.F_GETFL, row{args: [6]arg{aFD, aEnum | xFcntl}}},
	{vFcntl, unix.F_SETFL, row{args: [6]arg{aFD, aEnum | xFcntl, aOpenFlags}}},
	{vFcntl, unix.F_GETLK, row{args: [6]arg{aFD, aEnum | xFcntl, aOut | sFlock}}},
	{vFcntl, unix.F_SETLK, row{args: [6]arg{aFD, aEnum | xFcntl, aIn | sFlock}}},
	{vFcntl, unix.F_SETLKW, row{args: [6]arg{aFD, aEnum | xFcntl, aIn | sFlock}}},
	{vFcntl, fOFDGetlk, row{args: [6]arg{aFD, aEnum | xFcntl, aOut | sFlock}}},
	{vFcntl, fOFDSetlk, row{args: [6]arg{aFD, aEnum | xFcntl, aIn | sFlock}}},
	{vFcntl, fOFDSetlk + 1, row{args: [6]arg{aFD, aEnum | xFcntl, aIn | sFlock}}},
	{vFcntl, unix.F_SETOWN, row{args: [6]arg{aFD, aEnum | xFcntl, aPID}}},
	{vFcntl, unix.F_GETOWN, row{args: [6]arg{aFD, aEnum | xFcntl}}},
	{vFcntl, unix.F_SETOWN_EX, row{args: [6]arg{aFD, aEnum | xFcntl, aIn | sOwnerEx}}},
	{vFcntl, unix.F_GETOWN_EX, row{args: [6]arg{aFD, aEnum | xFcntl, aOut | sOwnerEx}}},
	{vFcntl, unix.F_SETSIG, row{args: [6]arg{aFD, aEnum | xFcntl, aSignal}}},
	{vFcntl, unix.F_GETSIG, row{args: [6]arg{aFD, aEnum | xFcntl}}},
	{vFcntl, unix.F_SETLEASE, row{args: [6]arg{aFD, aEnum | xFcntl, aEnum64 | xLock}}},
	{vFcntl, unix.F_GETLEASE, row{args: [6]arg{aFD, aEnum | xFcntl}}},
	{vFcntl, unix.F_NOTIFY, row{args: [6]arg{aFD, aEnum | xFcntl, aFlags64 | xDirNotify}}},
	{vFcntl, unix.F_SETPIPE_SZ, row{args: [6]arg{aFD, aEnum | xFcntl, aLong}}},
	{vFcntl, unix.F_GETPIPE_SZ, row{args: [6]arg{aFD, aEnum | xFcntl}}},
	{vFcntl, unix.F_ADD_SEALS, row{args: [6]arg{aFD, aEnum | xFcntl, aFlags64 | xSeals}}},
	{vFcntl, unix.F_GET_SEALS, row{args: [6]arg{aFD, aEnum | xFcntl}}},

	{vFutex, futexWait, row{args: [6]arg{aAddr, aFutexCommand, aUint, aIn | sTimespec}}},
	{vFutex, futexWake, row{args: [6]arg{aAddr, aFutexCommand, aUint}}},
	{vFutex, futexFD, row{args: [6]arg{aAddr, aFutexCommand, aUint}}},
	{vFutex, futexRequeue, row{args: [6]arg{aAddr, aFutexCommand, aUint, aUint, aAddr}}},
	{vFutex, futexCmpRequeue, row{args: [6]arg{aAddr, aFutexCommand, aUint, aUint, aAddr, aUint}}},
	{vFutex, futexWakeOp, row{args: [6]arg{aAddr, aFutexCommand, aUint, aUint, aAddr, aFutexOp}}},
	{vFutex, futexLockPI, row{args: [6]arg{aAddr, aFutexCommand, aSkip, aIn | sTimespec}}},
	{vFutex, futexLockPI2, row{args: [6]arg{aAddr, aFutexCommand, aSkip, aIn | sTimespec}}},
	{vFutex, futexUnlockPI, row{args: [6]arg{aAddr, aFutexCommand}}},
	{vFutex, futexTrylockPI, row{args: [6]arg{aAddr, aFutexCommand}}},
	{vFutex, futexWaitBitset, row{args: [6]arg{aAddr, aFutexCommand, aUint, aIn | sTimespec, aSkip, aEnum | xFutexBitset}}},
	{vFutex, futexWakeBitset, row{args: [6]arg{aAddr, aFutexCommand, aUint, aSkip, aSkip, aEnum | xFutexBitset}}},
	{vFutex, futexWaitRequeuePI, row{args: [6]arg{aAddr, aFutexCommand, aUint, aIn | sTimespec, aAddr}}},
	{vFutex, futexCmpRequeuePI, row{args: [6]arg{aAddr, aFutexCommand, aUint, aUint, aAddr, aUint}}},

	{vArchPrctl, archGetFS, row{args: [6]arg{aEnum | xArch, aOut | sAddr}}},
	{vArchPrctl, archGetGS, row{args: [6]arg{aEnum | xArch, aOut | sAddr}}},
	{vArchPrctl, archGetCPUID, row{args: [6]arg{aEnum | xArch}}},
	{vArchPrctl, archGetXcompSupp, row{args: [6]arg{aEnum | xArch, aOut | sXfeatures}}},
	{vArchPrctl, archGetXcompPerm, row{args: [6]arg{aEnum | xArch, aOut | sXfeatures}}},
	{vArchPrctl, archGetXcompGuestPerm, row{args: [6]arg{aEnum | xArch, aOut | sXfeatures}}},

	{vPrctl, unix.PR_SET_PDEATHSIG, row{args: [6]arg{aEnum | xPrctl, aSignal}}},
	{vPrctl, unix.PR_GET_PDEATHSIG, row{args: [6]arg{aEnum | xPrctl, aOut | sSignal}}},
	{vPrctl, unix.PR_GET_DUMPABLE, row{args: [6]arg{aEnum | xPrctl}}},
	{vPrctl, unix.PR_SET_DUMPABLE, row{args: [6]arg{aEnum | xPrctl, aEnum64 | xDumpable}}},
	{vPrctl, unix.PR_GET_KEEPCAPS, row{args: [6]arg{aEnum | xPrctl}}},
	{vPrctl, unix.PR_SET_KEEPCAPS, row{args: [6]arg{aEnum | xPrctl, aUlong}}},
	{vPrctl, unix.PR_GET_SECCOMP, row{args: [6]arg{aEnum | xPrctl}}},
	{vPrctl, unix.PR_SET_NAME, row{args: [6]arg{aEnum | xPrctl, aThreadName}}},
	{vPrctl, unix.PR_GET_NAME, row{args: [6]arg{aEnum | xPrctl, aOut | sCommName}}},
	{vPrctl, unix.PR_CAPBSET_READ, row{args: [6]arg{aEnum | xPrctl, aEnum64 | xCapability}}},
	{vPrctl, unix.PR_CAPBSET_DROP, row{args: [6]arg{aEnum | xPrctl, aEnum64 | xCapability}}},
	{vPrctl, unix.PR_GET_SECUREBITS, row{args: [6]arg{aEnum | xPrctl}}},
	{vPrctl, unix.PR_SET_SECUREBITS, row{args: [6]arg{aEnum | xPrctl, aFlags64 | xSecureBits}}},
	{vPrctl, unix.PR_GET_TIMERSLACK, row{args: [6]arg{aEnum | xPrctl}}},
	{vPrctl, unix.PR_SET_TIMERSLACK, row{args: [6]arg{aEnum | xPrctl, aLong}}},
	{vPrctl, unix.PR_GET_TSC, row{args: [6]arg{aEnum | xPrctl, aOut | sTSC}}},
	{vPrctl, unix.PR_SET_TSC, row{args: [6]arg{aEnum | xPrctl, aEnum | xTSC}}},
	{vPrctl, unix.PR_GET_CHILD_SUBREAPER, row{args: [6]arg{aEnum | xPrctl, aOut | sUint}}},
	{vPrctl, unix.PR_SET_CHILD_SUBREAPER, row{args: [6]arg{aEnum | xPrctl, aUlong}}},
	{vPrctl, unix.PR_SET_NO_NEW_PRIVS, row{args: [6]arg{aEnum | xPrctl, aUlong, aHex, aHex, aHex}}},
	{vPrctl, unix.PR_SET_THP_DISABLE, row{args: [6]arg{aEnum | xPrctl, aUlong, aHex, aHex, aHex}}},
	{vPrctl, unix.PR_GET_TID_ADDRESS, row{args: [6]arg{aEnum | xPrctl, aOut | sAddr}}},
	{vPrctl, unix.PR_SET_PTRACER, row{args: [6]arg{aEnum | xPrctl, aTracer}}},
	{vPrctl, unix.PR_SET_MM, row{args: [6]arg{aEnum | xPrctl, aEnum | xSetMM, aHex, aHex, aHex}}},
	{vPrctl, unix.PR_SET_VMA, row{args: [6]arg{aEnum | xPrctl, aEnum64 | xSetVMA, aAddr, aUlong, aString}}},
	{vPrctl, unix.PR_SET_SECCOMP, row{args: [6]arg{aEnum | xPrctl, aEnum64 | xSeccompMode, aIn | sFprog}}},
	{vPrctl, unix.PR_CAP_AMBIENT, row{args: [6]arg{aEnum | xPrctl, aEnum64 | xCapAmbient, aAmbientCap, aHex, aHex}}},

	{vPrctl, unix.PR_GET_SPECULATION_CTRL, row{args: [6]arg{aEnum | xPrctl, aEnum64 | xSpeculation}}},
	{vPrctl, unix.PR_SET_SPECULATION_CTRL, row{args: [6]arg{aEnum | xPrctl, aEnum64 | xSpeculation, aFlags64 | xSpeculationState}}},
	{vPrctl, unix.PR_SET_SYSCALL_USER_DISPATCH, row{args: [6]arg{aEnum | xPrctl, aEnum | xDispatch, aHex, aHex, aAddr}}},

	{vSeccomp, seccompSetModeStrict, row{args: [6]arg{aEnum | xSeccompOp, aHex32, aAddr}}},
	{vSeccomp, seccompSetModeFilter, row{args: [6]arg{aEnum | xSeccompOp, aFlags | xSeccompFlags, aIn | sFprog}}},
	{vSeccomp, seccompActionAvail, row{args: [6]arg{aEnum | xSeccompOp, aHex32, aIn | sSeccompAction}}},
	{vSeccomp, seccompGetNotifSizes, row{args: [6]arg{aEnum | xSeccompOp, aHex32, aOut | sNotifSizes}}},

	{vPtrace, unix.PTRACE_TRACEME, row{args: [6]arg{aEnum | xPtrace}}},
	{vPtrace, unix.PTRACE_CONT, row{args: [6]arg{aEnum | xPtrace, aPID, aAddr, aSignal}}},
	{vPtrace, unix.PTRACE_DETACH, row{args: [6]arg{aEnum | xPtrace, aPID, aAddr, aSignal}}},

	{vIPCControl, ipcRmid, row{args: [6]arg{aInt, aIPCCommand, aAddr}}},
	{vIPCControl, shmInfo, row{args: [6]arg{aInt, aIPCCommand, aOut | sShmInfo}}},

	{vSyslog, 0, row{args: [6]arg{aSyslog}}},
	{vSyslog, 1, row{args: [6]arg{aSyslog}}},
	{vSyslog, 2, row{args: [6]arg{aSyslog, aBufferOut, aUint}}},
	{vSyslog, 3, row{args: [6]arg{aSyslog, aBufferOut, aUint}}},
	{vSyslog, 4, row{args: [6]arg{aSyslog, aBufferOut, aUint}}},
	{vSyslog, 5, row{args: [6]arg{aSyslog}}},
	{vSyslog, 6, row{args: [6]arg{aSyslog}}},
	{vSyslog, 7, row{args: [6]arg{aSyslog}}},
	{vSyslog, 9, row{args: [6]arg{aSyslog}}},
	{vSyslog, 10, row{args: [6]arg{aSyslog}}},

	{vIoctl, unix.TCGETS, row{args: [6]arg{aFD, aIoctl, aOut | sTermios}}},
	{vIoctl, unix.TCSETS, row{args: [6]arg{aFD, aIoctl, aIn | sTermios}}},
	{vIoctl, unix.TCSETSW, row{args: [6]arg{aFD, aIoctl, aIn | sTermios}}},
	{vIoctl, unix.TCSETSF, row{args: [6]arg{aFD, aIoctl, aIn | sTermios}}},
	{vIoctl, tcgets2, row{args: [6]arg{aFD, aIoctl, aOut | sTermios}}},
	{vIoctl, tcsets2, row{args: [6]arg{aFD, aIoctl, aIn | sTermios}}},
	{vIoctl, unix.TIOCGWINSZ, row{args: [6]arg{aFD, aIoctl, aOut | sWinsize}}},
	{vIoctl, unix.TIOCSWINSZ, row{args: [6]arg{aFD, aIoctl, aIn | sWinsize}}},
	{vIoctl, unix.TIOCGPGRP, row{args: [6]arg{aFD, aIoctl, aOut | sInt}}},
	{vIoctl, unix.TIOCSPGRP, row{args: [6]arg{aFD, aIoctl, aIn | sInt}}},
	{vIoctl, unix.TIOCGSID, row{args: [6]arg{aFD, aIoctl, aOut | sInt}}},
	{vIoctl, unix.TIOCGPTN, row{args: [6]arg{aFD, aIoctl, aOut | sInt}}},
	{vIoctl, unix.TIOCSPTLCK, row{args: [6]arg{aFD, aIoctl, aIn | sInt}}},
	{vIoctl, unix.TIOCOUTQ, row{args: [6]arg{aFD, aIoctl, aOut | sInt}}},
	{vIoctl, unix.TIOCGETD, row{args: [6]arg{aFD, aIoctl, aOut | sInt}}},
	{vIoctl, unix.TIOCSETD, row{args: [6]arg{aFD, aIoctl, aIn | sInt}}},
	{vIoctl, unix.TIOCPKT, row{args: [6]arg{aFD, aIoctl, aIn | sInt}}},
	{vIoctl, fionread, row{args: [6]arg{aFD, aIoctl, aOut | sInt}}},
	{vIoctl, fionbio, row{args: [6]arg{aFD, aIoctl, aIn | sInt}}},
	{vIoctl, fioasync, row{args: [6]arg{aFD, aIoctl, aIn | sInt}}},
	{vIoctl, fioclex, row{args: [6]arg{aFD, aIoctl}}},
	{vIoctl, fionclex, row{args: [6]arg{aFD, aIoctl}}},
	{vIoctl, unix.TIOCNOTTY, row{args: [6]arg{aFD, aIoctl}}},
	{vIoctl, unix.TIOCEXCL, row{args: [6]arg{aFD, aIoctl}}},
	{vIoctl, unix.TIOCNXCL, row{args: [6]arg{aFD, aIoctl}}},
	{vIoctl, unix.TIOCSBRK, row{args: [6]arg{aFD, aIoctl}}},
	{vIoctl, unix.TIOCCBRK, row{args: [6]arg{aFD, aIoctl}}},
	{vIoctl, unix.TIOCCONS, row{args: [6]arg{aFD, aIoctl}}},
	{vIoctl, unix.TIOCSCTTY, row{args: [6]arg{aFD, aIoctl, aInt}}},
	{vIoctl, unix.TCSBRK, row{args: [6]arg{aFD, aIoctl, aInt}}},
	{vIoctl, unix.TCSBRKP, row{args: [6]arg{aFD, aIoctl, aInt}}},
	{vIoctl, unix.TCFLSH, row{args: [6]arg{aFD, aIoctl, aEnum64 | xFlush}}},
	{vIoctl, unix.TCXONC, row{args: [6]arg{aFD, aIoctl, aEnum64 | xFlow}}},
	{vIoctl, unix.TIOCMGET, row{args: [6]arg{aFD, aIoctl, aOut | sModemFlags}}},
	{vIoctl, unix.TIOCMSET, row{args: [6]arg{aFD, aIoctl, aIn | sModemFlags}}},
	{vIoctl, unix.TIOCMBIS, row{args: [6]arg{aFD, aIoctl, aIn | sModemFlags}}},
	{vIoctl, unix.TIOCMBIC, row{args: [6]arg{aFD, aIoctl, aIn | sModemFlags}}},
	{vIoctl, unix.TIOCSTI, row{args: [6]arg{aFD, aIoctl, aIn | sByte}}},
	{vIoctl, unix.FICLONE, row{args: [6]arg{aFD, aIoctl, aFD}}},
	{vIoctl, unix.BLKGETSIZE64, row{args: [6]arg{aFD, aIoctl, aOut | sUlong}}},
	{vIoctl, unix.BLKSSZGET, row{args: [6]arg{aFD, aIoctl, aOut | sInt}}},
	{vIoctl, unix.FS_IOC_GETFLAGS, row{args: [6]arg{aFD, aIoctl, aOut | sInodeFlags}}},
	{vIoctl, unix.FS_IOC_SETFLAGS, row{args: [6]arg{aFD, aIoctl, aIn | sInodeFlags}}},
	{vIoctl, unix.PERF_EVENT_IOC_ENABLE, row{args: [6]arg{aFD, aIoctl, aFlags | xPerfIoctl}}},
	{vIoctl, unix.PERF_EVENT_IOC_DISABLE, row{args: [6]arg{aFD, aIoctl, aFlags | xPerfIoctl}}},
	{vIoctl, unix.PERF_EVENT_IOC_RESET, row{args: [6]arg{aFD, aIoctl, aFlags | xPerfIoctl}}},

	{vKeyctl, unix.KEYCTL_GET_KEYRING_ID, row{args: [6]arg{aEnum | xKeyctl, aKey, aInt}}},
	{vKeyctl, unix.KEYCTL_JOIN_SESSION_KEYRING, row{args: [6]arg{aEnum | xKeyctl, aString}}},
	{vKeyctl, unix.KEYCTL_UPDATE, row{args: [6]arg{aEnum | xKeyctl, aKey, aBufferIn | p3, aUlong}}},
	{vKeyctl, unix.KEYCTL_REVOKE, row{args: [6]arg{aEnum | xKeyctl, aKey}}},
	{vKeyctl, unix.KEYCTL_CHOWN, row{args: [6]arg{aEnum | xKeyctl, aKey, aID, aID}}},
	{vKeyctl, unix.KEYCTL_SETPERM, row{args: [6]arg{aEnum | xKeyctl, aKey, aKeyPermissions}}},
	{vKeyctl, unix.KEYCTL_DESCRIBE, row{args: [6]arg{aEnum | xKeyctl, aKey, aXattrOut, aUlong}}},
	{vKeyctl, unix.KEYCTL_CLEAR, row{args: [6]arg{aEnum | xKeyctl, aKey}}},
	{vKeyctl, unix.KEYCTL_LINK, row{args: [6]arg{aEnum | xKeyctl, aKey, aKey}}},
	{vKeyctl, unix.KEYCTL_UNLINK, row{args: [6]arg{aEnum | xKeyctl, aKey, aKey}}},
	{vKeyctl, unix.KEYCTL_SEARCH, row{args: [6]arg{aEnum | xKeyctl, aKey, aString, aString, aKey}}},
	{vKeyctl, unix.KEYCTL_READ, row{args: [6]arg{aEnum | xKeyctl, aKey, aBufferOut, aUlong}}},
	{vKeyctl, unix.KEYCTL_INSTANTIATE, row{args: [6]arg{aEnum | xKeyctl, aKey, aBufferIn | p3, aUlong, aKey}}},
	{vKeyctl, unix.KEYCTL_NEGATE, row{args: [6]arg{aEnum | xKeyctl, aKey, aUint, aKey}}},
	{vKeyctl, unix.KEYCTL_SET_REQKEY_KEYRING, row{args: [6]arg{aEnum | xKeyctl, aInt}}},
	{vKeyctl, unix.KEYCTL_SET_TIMEOUT, row{args: [6]arg{aEnum | xKeyctl, aKey, aUint}}},
	{vKeyctl, unix.KEYCTL_ASSUME_AUTHORITY, row{args: [6]arg{aEnum | xKeyctl, aKey}}},
	{vKeyctl, unix.KEYCTL_GET_SECURITY, row{args: [6]arg{aEnum | xKeyctl, aKey, aXattrOut, aUlong}}},
	{vKeyctl, unix.KEYCTL_SESSION_TO_PARENT, row{args: [6]arg{aEnum | xKeyctl}}},
	{vKeyctl, unix.KEYCTL_REJECT, row{args: [6]arg{aEnum | xKeyctl, aKey, aUint, aUint, aKey}}},
	{vKeyctl, unix.KEYCTL_INVALIDATE, row{args: [6]arg{aEnum | xKeyctl, aKey}}},
	{vKeyctl, unix.KEYCTL_GET_PERSISTENT, row{args: [6]arg{aEnum | xKeyctl, aID, aKey}}},

	{vFsconfig, unix.FSCONFIG_SET_FLAG, row{args: [6]arg{aFD, aEnum | xFsconfig, aString, aAddr, aInt}}},
	{vFsconfig, unix.FSCONFIG_SET_STRING, row{args: [6]arg{aFD, aEnum | xFsconfig, aString, aString, aInt}}},
	{vFsconfig, unix.FSCONFIG_SET_BINARY, row{args: [6]arg{aFD, aEnum | xFsconfig, aString, aBytesIn | p4, aInt}}},
	{vFsconfig, unix.FSCONFIG_SET_PATH, row{args: [6]arg{aFD, aEnum | xFsconfig, aString, aPath, aDirFD}}},
	{vFsconfig, unix.FSCONFIG_SET_PATH_EMPTY, row{args: [6]arg{aFD, aEnum | xFsconfig, aString, aPath, aDirFD}}},
	{vFsconfig, unix.FSCONFIG_SET_FD, row{args: [6]arg{aFD, aEnum | xFsconfig, aString, aAddr, aFD}}},

	{vUringRegister, uringBuffers, row{args: [6]arg{aFD, aEnum | xUringRegister, aIovecAddr | p3, aUint}}},
	{vUringRegister, uringEventfd, row{args: [6]arg{aFD, aEnum | xUringRegister, aIn | sFD, aUint}}},
	{vUringRegister, uringEventfdAsync, row{args: [6]arg{aFD, aEnum | xUringRegister, aIn | sFD, aUint}}},
}

// Operations of io_uring_register (include/uapi/linux/io_uring.h).
const (
	uringBuffers      = 0
	uringEventfd      = 4
	uringEventfdAsync = 7
)

// More values that x/sys lacks: include/uapi/asm-generic/ioctls.h and
// arch/x86/include/uapi/asm/prctl.h.
const (
	tcgets2  = 0x802c542a
	tcsets2  = 0x402c542b
	fioasync = 0x5452
	fioclex  = 0x5451
	fionclex = 0x5450

	fionread     = 0x541b
	fionbio      = 0x5421
	archGetFS    = 0x1003
	archGetGS    = 0x1004
	archGetCPUID = 0x1011

	archGetXcompSupp      = 0x1021
	archGetXcompPerm      = 0x1022
	archGetXcompGuestPerm = 0x1024

	clonePidfd        = 0x1000 // include/uapi/linux/sched.h
	cloneParentSettid = 0x100000
	eintr             = 4
)
