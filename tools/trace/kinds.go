// Plain constant data for both sides: the hook reads it in the target, the printer in
// the launcher.

package trace

// arg says what one argument of a call is: its kind in the low byte, which decides what
// the hook copies and how the printer shows it, and in the high byte the kind's
// parameter: another argument (p0 to p5), a structure (s...) or a set of names (x...).
type arg uint16

func (a arg) kind() arg  { return a & 0xff }
func (a arg) param() int { return int(a >> 8) }

// Kinds of arguments that are values.
const (
	aNone           arg = iota // behind the last argument
	aEnd                       // the first argument of a call without any
	aSkip                      // not shown
	aInt                       // signed, 32 bits
	aUint                      // unsigned, 32 bits
	aLong                      // signed, 64 bits
	aUlong                     // unsigned, 64 bits
	aHex                       // hexadecimal, 64 bits
	aHex32                     // hexadecimal, 32 bits
	aAddr                      // an address that is not followed
	aFD                        // file descriptor
	aDirFD                     // file descriptor or AT_FDCWD
	aMode                      // permission bits
	aFileMode                  // file type and permission bits
	aCreateMode                // aMode, left out with all behind it unless the flags in p create a file
	aOpenFlags                 // access mode and flags of open
	aID                        // user or group, -1 for none
	aPID                       // process, thread or group
	aSignal                    // signal number
	aFlags                     // flags of set x, 32 bits
	aFlags64                   // flags of set x, 64 bits
	aEnum                      // value of set x, 32 bits
	aEnum64                    // value of set x, 64 bits
	aMmapFlags                 // mapping type and flags
	aClock                     // clock ID
	aPersonality               // execution domain and flags
	aDev                       // device number
	aDevMode                   // aDev, left out unless the mode in p is a device
	aIoctl                     // command of ioctl
	aFutexCommand              // operation of futex and its flags
	aSyslog                    // action of syslog
	aMpolMode                  // memory policy and its flags
	aFutexOp                   // operation and comparison of FUTEX_WAKE_OP
	aXfeature                  // number of a processor state component
	aTracer                    // process ID, -1 for any
	aAmbientCap                // capability, where the command in argument 1 takes one
	aRemapAddr                 // address, left out unless the flags in p have MREMAP_FIXED
	aSocketType                // socket type and flags
	aProtocol                  // protocol, by the family in argument 0
	aIPCFlags                  // permission bits and flags of set x
	aIPCCommand                // command of shmctl and its like
	aIoprio                    // class and level of I/O priority
	aMembarrierCPU             // left out unless the flags in p have MEMBARRIER_CMD_FLAG_CPU
	aMemfdFlags                // flags and huge page size
	aStatxFlags                // AT flags and the kind of synchronisation
	aSockOption                // option of the level in argument 1
	aQuotaCommand              // command of quotactl and the kind of quota
	aSwapFlags                 // flags and priority of swapon
	aKey                       // serial number of a key, or a special one
	aKeyPermissions            // what the owner and others may do with a key
	aFanotifyInit              // class and flags of fanotify_init
	aKexecFlags                // flags and architecture of kexec_load
	aWaitID                    // the ID that the type in argument 0 calls for
	aPriorityWho               // the ID that the type in argument 0 calls for

	firstMemory // the kinds from here on refer to memory
)

// Kinds of arguments that are addresses of memory the hook copies.
const (
	aPath          arg = firstMemory + iota // file name, whole
	aString                                 // string, up to the limit
	aMemfdName                              // string of at most 249 bytes
	aThreadName                             // string of at most 15 bytes
	aBufferIn                               // bytes, as many as argument p says
	aBufferOut                              // bytes, as many as the result says
	aBytesOut                               // as aBufferOut, every byte in hexadecimal
	aPathOut                                // the file name that the call left
	aXattrOut                               // as aBufferOut, without a trailing NUL
	aXattrIn                                // as aBufferIn, without a trailing NUL
	aIn                                     // structure s
	aUpdated                                // structure s, which the call updates
	aOut                                    // structure s, written by the call
	aOutIfPositive                          // aOut, if the result is greater than 0
	aRemaining                              // aOut, if a signal ended the call
	aSigsetIn                               // signal set of p bytes
	aSigsetOut                              // signal set of p bytes, written by the call
	aSockaddrIn                             // socket address of p bytes
	aSockaddrOut                            // socket address, its length behind argument p
	aLengthOut                              // length behind the argument, before and after
	aOptionIn                               // socket option of p bytes
	aOptionOut                              // socket option, its length behind argument p
	aArgv                                   // vector of strings
	aEnv                                    // vector of strings, only counted
	aIovecIn                                // p buffers
	aIovecOut                               // p buffers, filled by the call
	aIovecAddr                              // p buffers, only their addresses
	aMessageIn                              // struct msghdr to send
	aMessageOut                             // struct msghdr to receive
	aMessagesIn                             // p times struct mmsghdr to send
	aMessagesOut                            // p times struct mmsghdr to receive
	aPoll                                   // p times struct pollfd, before and after
	aFDSet                                  // bitmap of descriptors, before and after
	aEventsOut                              // array of struct epoll_event
	aDirents                                // directory entries of 64 bits, only counted
	aDirents32                              // directory entries of getdents, only counted
	aGroupsIn                               // p group IDs
	aGroupsOut                              // group IDs, as many as the result says
	aCPUSetIn                               // bitmap of p bytes
	aCPUSetOut                              // bitmap, as many bytes as the result says
	aKernelSigset                           // pselect6's pair of set and size
	aOffset                                 // file offset, before and after
	aMsgIn                                  // type and p bytes of text of a System V message
	aMsgOut                                 // the same, received
	aResident                               // one byte for each page of argument 1
	aParentTID                              // thread ID or pidfd, if the flags in argument 0 ask for one
	aCloneArgs                              // struct clone_args of p bytes, before and after
	aSemOps                                 // p times struct sembuf
	aFutexWaiters                           // p times struct futex_waitv
	aOpenHow                                // struct open_how of p bytes
	aRebootText                             // string, left out unless the command in p takes one
	aBytesIn                                // as aBufferIn, every byte in hexadecimal
	aSizedIn                                // the call's structure (sizedPrinters), of p bytes
	aUlongs                                 // p 64-bit numbers in hexadecimal
	aNodesIn                                // bitmap of p bits, as 64-bit numbers
	aNodemask                               // bitmap of p bits
	aIocbs                                  // p pointers to struct iocb
	aLandlockRule                           // attributes of the rule that argument 1 names
	aIoEvents                               // array of struct io_event, as many as the result says
)

// Parameters: another argument of the same call.
const (
	p0 arg = iota << 8
	p1
	p2
	p3
	p4
	p5
)

// Parameters: structures, fixed in size.
const (
	sInt arg = iota << 8
	sUint
	sLong
	sUlong
	sAddr
	sFD
	sFDPair
	sID
	sSignal
	sStat
	sStatx
	sStatfs
	sTimespec
	sTimespecPair
	sTimeval
	sTimevalPair
	sUtimbuf
	sTimezone
	sItimerspec
	sItimerval
	sTimex
	sSigaction
	sSigset
	sStack
	sSiginfo
	sSigevent
	sRlimit
	sRusage
	sUtsname
	sSysinfo
	sTms
	sWaitStatus
	sEpollEvent
	sCapHeader
	sCapData
	sSchedParam
	sSchedAttr
	sFlock
	sOwnerEx
	sTermios
	sTermio
	sWinsize
	sModemFlags
	sByte
	sIfreq
	sIfconf
	sTime
	sNotifSizes
	sCommName
	sMqAttr
	sFileHandle
	sFprog
	sSeccompAction
	sInodeFlags
	sTSC
	sMpolMode
	sIocb
	sPerfAttr
	sUringParams
	sXfeatures
	sCachestatRange
	sCachestat
	sShmInfo
	structs
)

// structSizes is how much of each structure the printer needs, in bytes, by index.
var structSizes = [structs >> 8]uint16{
	sInt >> 8: 4, sUint >> 8: 4, sLong >> 8: 8, sUlong >> 8: 8, sAddr >> 8: 8,
	sFD >> 8: 4, sFDPair >> 8: 8, sID >> 8: 4, sSignal >> 8: 4,
	sStat >> 8: 56, sStatx >> 8: 48, sStatfs >> 8: 88,
	sTimespec >> 8: 16, sTimespecPair >> 8: 32, sTimeval >> 8: 16, sTimevalPair >> 8: 32,
	sUtimbuf >> 8: 16, sTimezone >> 8: 8, sItimerspec >> 8: 32, sItimerval >> 8: 32, sTimex >> 8: 208,
	sSigaction >> 8: 32, sSigset >> 8: 8, sStack >> 8: 24, sSiginfo >> 8: siginfoSize, sSigevent >> 8: 32,
	sRlimit >> 8: 16, sRusage >> 8: 32, sUtsname >> 8: 130, sSysinfo >> 8: 112, sTms >> 8: 32,
	sWaitStatus >> 8: 4, sEpollEvent >> 8: 12, sCapHeader >> 8: 8, sCapData >> 8: 24,
	sSchedParam >> 8: 4, sSchedAttr >> 8: 56, sFlock >> 8: 32, sOwnerEx >> 8: 8,
	sTermios >> 8: 36, sTermio >> 8: 18, sWinsize >> 8: 8, sModemFlags >> 8: 4, sByte >> 8: 1,
	sIfreq >> 8: 40, sIfconf >> 8: 16, sTime >> 8: 8, sNotifSizes >> 8: 6,
	sCommName >> 8: 16, sMqAttr >> 8: 64, sFileHandle >> 8: 8,
	sFprog >> 8: 16, sSeccompAction >> 8: 4, sInodeFlags >> 8: 4, sTSC >> 8: 4, sMpolMode >> 8: 4,
	sIocb >> 8: 64, sPerfAttr >> 8: 64, sUringParams >> 8: 120, sXfeatures >> 8: 8,
	sCachestatRange >> 8: 16, sCachestat >> 8: 40, sShmInfo >> 8: 48,
}

// verboseSizes is the same for -v, where it is more.
var verboseSizes = [structs >> 8]uint16{sStat >> 8: 144, sStatx >> 8: 152, sUtsname >> 8: 390, sRusage >> 8: 144}

// shownSize returns how much of a structure is shown.
func shownSize(a arg, verbose bool) uintptr {
	if n := verboseSizes[a.param()]; verbose && n != 0 {
		return uintptr(n)
	}
	return uintptr(structSizes[a.param()])
}

// siginfoSize is how much of struct siginfo is ever printed: the union's members end
// with si_stime (include/uapi/asm-generic/siginfo.h, 6.18).
const siginfoSize = 48

// result says how a call's result is shown.
type result uint8

const (
	rDecimal result = iota
	rHex
	rOctal
	rFD   // a file descriptor
	rNone // the call does not return
)

// vary names the calls where one argument, the selector, decides what the others are:
// variants (variants.go) has a row for each of its values.
type vary uint8

const (
	vNone vary = iota
	vFcntl
	vFutex
	vArchPrctl
	vPrctl
	vSeccomp
	vPtrace
	vIPCControl
	vSyslog
	vIoctl
	vKeyctl
	vFsconfig
	vUringRegister
	variesCount
)

// row describes one call.
type row struct {
	args   [6]arg
	result result
	vary   vary
}

// known reports whether the row describes a call at all.
func (r *row) known() bool { return r.args[0] != aNone }
