// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"syscall"
	"unsafe"
)

// sys makes a system call of the runtime's own: it passes the filter, and no hook
// sees it. It returns what the kernel left in RAX. It is not inlined: seven arguments leave no register for the routine's address,
// and the compiler puts that where the walk of launcher/vectors.go would lose it.
//
//go:noinline
func sys(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr {
	f := unsafe.Pointer(&ownCallAddr)
	return (*(*func(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr)(unsafe.Pointer(&f)))(nr, a0, a1, a2, a3, a4, a5)
}

// failed reports whether r is a negative error number.
func failed(r uintptr) bool { return r > ^uintptr(4095) }

// openFile opens a file by a path that ends with the NUL that the kernel wants.
func openFile(path string, flags uintptr) uintptr {
	return sys(sysOpen, uintptr(unsafe.Pointer(unsafe.StringData(path))), flags|oCloexec, 0, 0, 0, 0)
}

func addrOf[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// System call numbers, from the syscall package's constants; those that are younger
// than it are from include/uapi/asm-generic/unistd.h of Linux 6.18.
const (
	sysRead             = syscall.SYS_READ
	sysWrite            = syscall.SYS_WRITE
	sysOpen             = syscall.SYS_OPEN
	sysClose            = syscall.SYS_CLOSE
	sysMmap             = syscall.SYS_MMAP
	sysMprotect         = syscall.SYS_MPROTECT
	sysMunmap           = syscall.SYS_MUNMAP
	sysMremap           = syscall.SYS_MREMAP
	sysRtSigaction      = syscall.SYS_RT_SIGACTION
	sysRtSigprocmask    = syscall.SYS_RT_SIGPROCMASK
	sysRtSigreturn      = syscall.SYS_RT_SIGRETURN
	sysRtSigpending     = syscall.SYS_RT_SIGPENDING
	sysRtSigtimedwait   = syscall.SYS_RT_SIGTIMEDWAIT
	sysRtSigqueueinfo   = syscall.SYS_RT_SIGQUEUEINFO
	sysRtSigsuspend     = syscall.SYS_RT_SIGSUSPEND
	sysSigaltstack      = syscall.SYS_SIGALTSTACK
	sysDup              = syscall.SYS_DUP
	sysDup2             = syscall.SYS_DUP2
	sysFstat            = syscall.SYS_FSTAT
	sysDup3             = syscall.SYS_DUP3
	sysGetpid           = syscall.SYS_GETPID
	sysGetppid          = syscall.SYS_GETPPID
	sysClone            = syscall.SYS_CLONE
	sysFork             = syscall.SYS_FORK
	sysVfork            = syscall.SYS_VFORK
	sysExecve           = syscall.SYS_EXECVE
	sysExit             = syscall.SYS_EXIT
	sysExitGroup        = syscall.SYS_EXIT_GROUP
	sysWait4            = syscall.SYS_WAIT4
	sysWaitid           = syscall.SYS_WAITID
	sysKill             = syscall.SYS_KILL
	sysFcntl            = syscall.SYS_FCNTL
	sysGetdents         = syscall.SYS_GETDENTS
	sysGetdents64       = syscall.SYS_GETDENTS64
	sysPtrace           = syscall.SYS_PTRACE
	sysPrctl            = syscall.SYS_PRCTL
	sysArchPrctl        = syscall.SYS_ARCH_PRCTL
	sysGettid           = syscall.SYS_GETTID
	sysGetuid           = syscall.SYS_GETUID
	sysGetegid          = syscall.SYS_GETEGID
	sysCapget           = syscall.SYS_CAPGET
	sysCapset           = syscall.SYS_CAPSET
	sysGetxattr         = syscall.SYS_GETXATTR
	sysOpenat           = syscall.SYS_OPENAT
	sysFgetxattr        = syscall.SYS_FGETXATTR
	sysGeteuid          = syscall.SYS_GETEUID
	sysFutex            = syscall.SYS_FUTEX
	sysEpollPwait       = syscall.SYS_EPOLL_PWAIT
	sysTkill            = syscall.SYS_TKILL
	sysTgkill           = syscall.SYS_TGKILL
	sysPselect6         = syscall.SYS_PSELECT6
	sysPpoll            = syscall.SYS_PPOLL
	sysNewfstatat       = syscall.SYS_NEWFSTATAT
	sysFstatfs          = syscall.SYS_FSTATFS
	sysRtTgsigqueue     = syscall.SYS_RT_TGSIGQUEUEINFO
	sysShmat            = syscall.SYS_SHMAT
	sysShmctl           = syscall.SYS_SHMCTL
	sysMadvise          = syscall.SYS_MADVISE
	sysRemapFilePages   = syscall.SYS_REMAP_FILE_PAGES
	sysPread64          = syscall.SYS_PREAD64
	sysPwrite64         = syscall.SYS_PWRITE64
	sysReadlink         = syscall.SYS_READLINK
	sysPersonality      = syscall.SYS_PERSONALITY
	sysSchedYield       = syscall.SYS_SCHED_YIELD
	sysNanosleep        = syscall.SYS_NANOSLEEP
	sysSchedSetaffinity = syscall.SYS_SCHED_SETAFFINITY
	sysSchedGetaffinity = syscall.SYS_SCHED_GETAFFINITY
	sysTimerCreate      = syscall.SYS_TIMER_CREATE
	sysTimerSettime     = syscall.SYS_TIMER_SETTIME
	sysTimerDelete      = syscall.SYS_TIMER_DELETE
	sysSetpgid          = syscall.SYS_SETPGID
	sysUnshare          = 272
	sysSignalfd         = 282
	sysSignalfd4        = 289
	sysReadlinkat       = 267
	sysPrlimit64        = 302
	sysSetns            = 308
	sysGetcpu           = 309
	sysSeccomp          = 317
	sysGetrandom        = 318
	sysMemfdCreate      = 319
	sysExecveat         = 322
	sysMembarrier       = 324
	sysPkeyMprotect     = 329
	sysIoPgetevents     = 333
	sysIoUringEnter     = 426
	sysClone3           = 435
	sysCloseRange       = 436
	sysFaccessat2       = 439
	sysProcessMadvise   = 440
	sysEpollPwait2      = 441
)

// Error numbers that the runtime gives itself.
const (
	ePERM     = uintptr(syscall.EPERM)
	e2BIG     = uintptr(syscall.E2BIG)
	eNOENT    = uintptr(syscall.ENOENT)
	eINTR     = uintptr(syscall.EINTR)
	eBADF     = uintptr(syscall.EBADF)
	eAGAIN    = uintptr(syscall.EAGAIN)
	eNOMEM    = uintptr(syscall.ENOMEM)
	eACCES    = uintptr(syscall.EACCES)
	eFAULT    = uintptr(syscall.EFAULT)
	eINVAL    = uintptr(syscall.EINVAL)
	eNOSYS    = uintptr(syscall.ENOSYS)
	eLOOP     = uintptr(syscall.ELOOP)
	eIO       = uintptr(syscall.EIO)
	eMFILE    = uintptr(syscall.EMFILE)
	eTIMEDOUT = uintptr(syscall.ETIMEDOUT)

	eNOEXEC      = uintptr(syscall.ENOEXEC)
	eLIBBAD      = uintptr(syscall.ELIBBAD)
	eNAMETOOLONG = uintptr(syscall.ENAMETOOLONG)
)

const (
	oRDWR     = syscall.O_RDWR
	oCloexec  = syscall.O_CLOEXEC
	oNofollow = syscall.O_NOFOLLOW
	oPath     = 0x200000

	protNone  = 0
	protRead  = syscall.PROT_READ
	protWrite = syscall.PROT_WRITE
	protExec  = syscall.PROT_EXEC

	mapShared         = syscall.MAP_SHARED
	mapPrivate        = syscall.MAP_PRIVATE
	mapFixed          = syscall.MAP_FIXED
	mapAnonymous      = syscall.MAP_ANONYMOUS
	mapNoreserve      = syscall.MAP_NORESERVE
	mapFixedNoreplace = 0x100000

	futexWait = 0
	futexWake = 1

	wallWait = 0x40000000 // __WALL

	atFDCWD           = ^uintptr(99)
	atSymlinkNofollow = 0x100
	atEaccess         = 0x200
	atEmptyPath       = 0x1000
)

// Codes of arch_prctl, and the size of the kernel's signal set in bytes.
const (
	archSetGS = 0x1001
	archGetFS = 0x1003
	archGetGS = 0x1004

	sigsetSize = 8
)
