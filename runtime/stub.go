// Runs in the target, on the signal stack with every signal blocked.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/ucontext"
)

// A stub is the way of one site through the runtime:
//
//	 0  movzwl %ax, %ecx
//	 3  movzbl Shared.Calls(%rcx), %ecx
//	10  jrcxz 24                  nobody has to see this number
//	12  mov   $stub, %r11d
//	18  jmp   stubEntry
//	24  syscall                   the target's call
//	26  mov   48(stub), %rcx      what SYSRET would have left there
//	33  jmp   *56(stub)
//	40  int   $0x80               for a site that is an int 0x80
//	42  jmp   *56(stub)
//	48  site + 2
//	56  where the target goes on
//	64  stubPatch
//
// Up to the call nothing but rcx and r11, which are dead, is changed: no flag, no stack. Numbers
// are told apart by their low 16 bits; a number beyond the kernel's that looks like one to be seen takes the long way
// in vain. While a call blocks, RIP alone says which site it belongs to. The second 64 bytes are data.
const (
	stubSize    = 128
	stubLeave   = 12 // mov $stub, %r11d
	stubSyscall = 24
	stubInt80   = 40
	stubNext    = 48
	stubReturn  = 56
	stubData    = 64
)

// stubTemplate is a stub's code. The zeroes are filled in by newStub.
var stubTemplate = [stubNext]byte{
	0x0f, 0xb7, 0xc8,
	0x0f, 0xb6, 0x89, 0, 0, 0, 0,
	0xe3, stubSyscall - 12,
	0x41, 0xbb, 0, 0, 0, 0,
	0xe9, 0, 0, 0, 0,
	0xcc,
	0x0f, 0x05,
	0x48, 0x8b, 0x0d, stubNext - 33, 0, 0, 0,
	0xff, 0x25, stubReturn - 39, 0, 0, 0,
	0xcc,
	0xcd, 0x80,
	0xff, 0x25, stubReturn - 48, 0, 0, 0,
}

// The stubs by site: three open-addressed tables, each larger than the one before,
// so that a small program touches one page. An entry is the stub's address and
// never changes once it is not 0.
var (
	stubTable0 [1 << 8]uint32
	stubTable1 [1 << 12]uint32
	stubTable2 [1 << 18]uint32
	stubsUsed  uint32 // bytes of the stub range in use
	sparesUsed uint32 // the same of the spare ones
)

// The last stubs are spare: a thread takes one when a site finds no room.
const spareStubs = StubLimit - 16<<10*stubSize

// stubsEnd is the end of the sites' stubs in use.
func stubsEnd() uintptr { return min(StubBase+uintptr(atomic.LoadUint32(&stubsUsed)), spareStubs) }

const stubProbes = 8

func inStubs(addr uintptr) bool { return addr-StubBase < StubLimit-StubBase }

// stubSite returns the site of a stub.
func stubSite(stub uintptr) uintptr { return *(*uintptr)(at(stub + stubNext)) - callLength }

// findStub returns the stub of a site and makes it if there is none. It returns 0 if there is no room.
func findStub(site uintptr) uintptr {
	h := uint32(site * 0x9e3779b97f4a7c15 >> 32)
	if s := stubIn(&stubTable0[0], uint32(len(stubTable0)), h, site); s != 0 {
		return s
	}
	if s := stubIn(&stubTable1[0], uint32(len(stubTable1)), h, site); s != 0 {
		return s
	}
	return stubIn(&stubTable2[0], uint32(len(stubTable2)), h, site)
}

// stubFor returns the stub by which the thread makes the call of a site.
func (t *Thread) stubFor(site uintptr) uintptr {
	if stub := findStub(site); stub != 0 {
		return stub
	}
	return t.spareStub(site)
}

// stubIn looks a site up in one table and takes an empty entry within stubProbes for it.
// It returns 0 if there is neither, or no room for another stub.
func stubIn(table *uint32, size, hash uint32, site uintptr) uintptr {
	for i := uint32(0); i < stubProbes; i++ {
		e := (*uint32)(unsafe.Add(unsafe.Pointer(table), uintptr((hash+i)&(size-1))*4))
		stub := atomic.LoadUint32(e)
		if stub == 0 {
			if stub = newStub(site); stub == 0 {
				return 0
			}
			if !atomic.CompareAndSwapUint32(e, 0, stub) {
				stub = atomic.LoadUint32(e)
			}
		}
		if stubSite(uintptr(stub)) == site {
			return uintptr(stub)
		}
	}
	return 0
}

// newStub makes a stub. It returns 0 if there is no room: the table keeps what it has, since sites come back, and the
// stub of one that was unmapped may still have a thread in a call.
func newStub(site uintptr) uint32 {
	if stubsEnd() == spareStubs {
		return 0
	}
	stub := uintptr(StubBase) + uintptr(atomic.AddUint32(&stubsUsed, stubSize)) - stubSize
	if stub >= spareStubs {
		return 0
	}
	writeStub(stub, site)
	return uint32(stub)
}

// spareStub returns a stub for a site that found no room: the thread's own one, which serves the site that the thread
// is at. Such a site is never patched.
func (t *Thread) spareStub(site uintptr) uintptr {
	if t.spare == 0 {
		stub := spareStubs + uintptr(atomic.AddUint32(&sparesUsed, stubSize)) - stubSize
		if stub >= StubLimit {
			abort("too many system call sites and too many threads", site)
		}
		t.spare = stub
	}
	writeStub(t.spare, site)
	return t.spare
}

// writeStub writes the stub of a site. Of bytes that have been executed it changes none but the last two words.
func writeStub(stub, site uintptr) {
	if *(*byte)(at(stub)) == 0 {
		*(*[stubNext]byte)(at(stub)) = stubTemplate
		*(*uint32)(at(stub + 6)) = uint32(SharedBase + unsafe.Offsetof(Shared{}.Calls))
		*(*uint32)(at(stub + 14)) = uint32(stub)
		*(*uint32)(at(stub + 19)) = uint32(stubEntryAddr - (stub + 23))
	}
	*(*uintptr)(at(stub + stubNext)) = site + callLength
	*(*uintptr)(at(stub + stubReturn)) = site + callLength
}

// onTrap serves the SIGSYS that the filter raised for a system call: it sends the
// thread to the site's stub, in its own context, and does nothing else.
func onTrap(t *Thread, info *ucontext.Siginfo, uc *ucontext.Ucontext) {
	m := &uc.Mcontext
	site := info.CallAddr() - callLength
	switch {
	case inVsyscall(info.CallAddr()):
		vsyscall(t, info, uc)
	case inStubs(site) || inImage(site):
		onForeignTrap(t, info, uc)
	case info.Arch() == archX8664:
		stub := t.stubFor(site)
		if stub != t.spare {
			patchSite(stub, site)
		}
		if hooked(shared(), int(info.Syscall())) {
			t.trapped = site
		}
		if m.EFlags&flagTF != 0 {
			t.stepInto(stub, m)
			return
		}
		m.IP = uint64(stub)
	case info.Arch() == archI386:
		int80(t, int(info.Syscall()), site, m)
	default:
		abort("system call of an unknown architecture", site)
	}
}

// stepInto takes a thread that steps itself (TF) through a stub: the runtime must not be stepped,
// and the trap behind the call comes on the way out.
func (t *Thread) stepInto(stub uintptr, m *ucontext.Sigcontext) {
	m.EFlags &^= flagTF
	t.stepping = true
	m.R11, m.IP = uint64(stub), uint64(stubEntryAddr)
}

// stepThrough takes a thread that steps itself over what a patch has put in its way. It reports false behind an instruction
// of the target.
func (t *Thread) stepThrough(uc *ucontext.Ucontext) bool {
	ip := uintptr(uc.Mcontext.IP)
	to := patchTarget(ip)
	if to == 0 {
		return false
	}
	if inStubs(to) {
		t.stepInto(to, &uc.Mcontext)
		return true
	}
	return ip&(bridgeSize-1) == 0 // the jump that leads to the copy; the step behind the first instruction is the target's
}

// stepped reports whether a signal is the trap behind one of the target's instructions.
func stepped(sig int, info *ucontext.Siginfo) bool { return sig == sigTrap && info.Code == trapTrace }
