// Runs in the target, on the signal stack; nothing here allocates or blocks.

// Package ucontext gives names to what the kernel puts on the stack when it
// delivers a signal on x86-64, so that the rest of the runtime reads and edits a
// signal frame without offsets.
//
//	high addresses
//	  fpstate   XSAVE image, 64-byte aligned, size in Fpstate.SW
//	  Frame     Pretcode, Ucontext, Siginfo
//	low addresses   <- RSP on entry of the handler
//
// The layout is ABI: struct rt_sigframe in arch/x86/include/asm/sigframe.h,
// struct ucontext in include/uapi/asm-generic/ucontext.h (with the x86 sigcontext
// of arch/x86/include/uapi/asm/sigcontext.h), struct siginfo in
// include/uapi/asm-generic/siginfo.h, Linux 6.18. The package's test compares it
// with frames that the running kernel makes.
package ucontext

import "unsafe"

// Sizes of the kernel's structures, in bytes.
const (
	FrameSize    = 440 // struct rt_sigframe
	UcontextSize = 304 // struct ucontext, with the kernel's 64-bit signal mask
	SiginfoSize  = 128 // struct siginfo
	FxsaveSize   = 512 // the legacy part of the XSAVE image
)

// Offsets in the XSAVE image and values in it: Intel SDM volume 1, section 13.4, and
// struct _fpx_sw_bytes of arch/x86/include/uapi/asm/sigcontext.h.
const (
	offsetControlWord   = 0
	offsetMXCSR         = 24
	offsetXMM           = 160
	offsetSoftwareBytes = 464
	offsetXstateBV      = 512
	magicXstate         = 0x46505853 // FP_XSTATE_MAGIC1
	featureSSE          = 1 << 1
	defaultControlWord  = 0x37f
	defaultMXCSR        = 0x1f80
)

// Frame is the start of a signal frame: what RSP points at when a handler starts.
type Frame struct {
	Pretcode uintptr // return address: the restorer
	Uc       Ucontext
	Info     Siginfo
}

// Stack is stack_t.
type Stack struct {
	SP    uintptr
	Flags int32
	_     int32
	Size  uintptr
}

// Ucontext is the interrupted context.
type Ucontext struct {
	Flags    uint64
	Link     uintptr
	Stack    Stack
	Mcontext Sigcontext
	Sigmask  uint64
}

// Sigcontext holds the interrupted registers.
type Sigcontext struct {
	R8, R9, R10, R11, R12, R13, R14, R15 uint64
	DI, SI, BP, BX, DX, AX, CX, SP, IP   uint64
	EFlags                               uint64
	CS, GS, FS, SS                       uint16
	Err, Trapno, Oldmask, CR2            uint64
	Fpstate                              uintptr // user address of the XSAVE image, 0: none
	Reserved                             [8]uint64
}

// Siginfo is siginfo_t: the common head and a union of 112 bytes, which the
// accessors below read.
type Siginfo struct {
	Signo, Errno, Code int32
	_                  int32
	union              [14]uint64
}

// Addr is si_addr of SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP.
func (s *Siginfo) Addr() uintptr { return uintptr(s.union[0]) }

// SetAddr sets si_addr.
func (s *Siginfo) SetAddr(addr uintptr) { s.union[0] = uint64(addr) }

// CallAddr is si_call_addr of SIGSYS: the address behind the system call instruction.
func (s *Siginfo) CallAddr() uintptr { return uintptr(s.union[0]) }

// SetCallAddr sets si_call_addr.
func (s *Siginfo) SetCallAddr(addr uintptr) { s.union[0] = uint64(addr) }

// Syscall is si_syscall of SIGSYS.
func (s *Siginfo) Syscall() int32 { return int32(s.union[1]) }

// Arch is si_arch of SIGSYS, an AUDIT_ARCH value.
func (s *Siginfo) Arch() uint32 { return uint32(s.union[1] >> 32) }

// PID is si_pid of a signal sent by a process or about a child.
func (s *Siginfo) PID() int32 { return int32(s.union[0]) }

// UID is si_uid, beside PID.
func (s *Siginfo) UID() uint32 { return uint32(s.union[0] >> 32) }

// SetSender sets si_pid and si_uid.
func (s *Siginfo) SetSender(pid, uid int32) {
	s.union[0] = uint64(uint32(pid)) | uint64(uint32(uid))<<32
}

// Value is si_value of a signal that was queued or that a timer sent.
func (s *Siginfo) Value() uint64 { return s.union[1] }

// Status is si_status of SIGCHLD.
func (s *Siginfo) Status() int32 { return int32(s.union[1]) }

// SetStatus sets si_status of SIGCHLD.
func (s *Siginfo) SetStatus(status int32) {
	s.union[1] = s.union[1]&^0xffffffff | uint64(uint32(status))
}

// Raw returns the whole structure as bytes.
func (s *Siginfo) Raw() *[SiginfoSize]byte { return (*[SiginfoSize]byte)(unsafe.Pointer(s)) }

// FpstateSize returns the size in bytes of the XSAVE image at fp with everything
// the kernel wants to find again at sigreturn: sw_reserved.extended_size where the
// magic number is there (struct _fpx_sw_bytes), the legacy 512 bytes otherwise.
// fp must be readable for 512 bytes.
func FpstateSize(fp uintptr) uintptr {
	if *(*uint32)(at(fp + offsetSoftwareBytes)) != magicXstate {
		return FxsaveSize
	}
	return uintptr(*(*uint32)(at(fp + offsetSoftwareBytes + 4)))
}

// ResetFpstate makes the image at fp restore to the state a handler starts with:
// fpu__clear_user_states in arch/x86/kernel/fpu/core.c gives handlers the initial
// state of every component.
func ResetFpstate(fp uintptr) {
	*(*uint32)(at(fp + offsetMXCSR)) = defaultMXCSR
	if FpstateSize(fp) > FxsaveSize {
		*(*uint64)(at(fp + offsetXstateBV)) = 0
		return
	}
	*(*uint16)(at(fp + offsetControlWord)) = defaultControlWord
}

// XMM returns the sixteen 128-bit registers of the image at fp and marks them as
// present, so that a change of them is restored.
func XMM(fp uintptr) *[16][2]uint64 {
	if FpstateSize(fp) > FxsaveSize {
		bv := (*uint64)(at(fp + offsetXstateBV))
		*bv |= featureSSE
	}
	return (*[16][2]uint64)(at(fp + offsetXMM))
}

// at turns an address of the target into a pointer. No garbage collector ever
// sees it.
func at(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }
