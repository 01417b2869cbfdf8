package ucontext

import (
	"encoding/binary"
	"os"
	"runtime"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestSizes compares the structures with the kernel's sizes.
func TestSizes(t *testing.T) {
	t.Parallel()
	want := []uintptr{FrameSize, UcontextSize, SiginfoSize, 8, 8 + UcontextSize, 40, 296}
	var f Frame
	got := []uintptr{
		unsafe.Sizeof(f), unsafe.Sizeof(f.Uc), unsafe.Sizeof(f.Info), unsafe.Offsetof(f.Uc), unsafe.Offsetof(f.Info),
		unsafe.Offsetof(f.Uc.Mcontext), unsafe.Offsetof(f.Uc.Sigmask),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sizes and offsets (-want +got):\n%s", diff)
	}
}

// Values that send leaves in registers for the kernel to save.
const (
	marker    = 0x1122334455667700
	xmmMarker = 0x99aabbccddeeff00
)

// TestKernelFrame sends itself a signal with known registers and reads the frame that the
// kernel makes, from the copy that the handler leaves.
func TestKernelFrame(t *testing.T) {
	runtime.LockOSThread()
	const sig = 50
	frame := make([]byte, 16<<10)
	code := mapCode(t)
	handler, restorer := 0, 64
	send := 128
	put(code[handler:],
		[]byte{0x48, 0x89, 0xe6, 0x48, 0xbf}, word(uintptr(unsafe.Pointer(&frame[0]))), // mov %rsp,%rsi; mov $frame,%rdi
		[]byte{0xb9}, half(4096), []byte{0xf3, 0xa4, 0xc3}) // mov $4096,%ecx; rep movsb; ret
	put(code[restorer:], []byte{0xb8}, half(unix.SYS_RT_SIGRETURN), []byte{0x0f, 0x05})
	after := assembleSend(code[send:])

	const saSiginfo, saRestorer, saOnstack = 4, 0x04000000, 0x08000000
	base := uintptr(unsafe.Pointer(&code[0]))
	action := [4]uintptr{base, saSiginfo | saRestorer | saOnstack, base + uintptr(restorer), 0}
	if _, _, e := unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0); e != 0 {
		t.Fatal(e)
	}
	var stack Stack
	unix.RawSyscall(unix.SYS_SIGALTSTACK, 0, uintptr(unsafe.Pointer(&stack)), 0)
	entry := base + uintptr(send)
	call := unsafe.Pointer(&entry)
	(*(*func(pid, tid, sig uintptr))(unsafe.Pointer(&call)))(uintptr(os.Getpid()), uintptr(unix.Gettid()), sig)

	f := (*Frame)(unsafe.Pointer(&frame[0]))
	m := &f.Uc.Mcontext
	want := []any{
		base + uintptr(restorer), stack.SP, stack.Size,
		[]uint64{marker + 8, marker + 9, marker + 10, marker + 12, marker + 13},
		uint64(base+uintptr(send)) + uint64(after), uint64(0), uint16(0x33), uint64(sig),
		int32(sig), int32(-6), int32(os.Getpid()), uint32(os.Getuid()),
	}
	got := []any{
		f.Pretcode, f.Uc.Stack.SP, f.Uc.Stack.Size,
		[]uint64{m.R8, m.R9, m.R10, m.R12, m.R13},
		m.IP, m.AX, m.CS, m.DX,
		f.Info.Signo, f.Info.Code, f.Info.PID(), f.Info.UID(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("frame (-want +got):\n%s", diff)
	}
	checkFpstate(t, m.Fpstate)
}

// checkFpstate looks at the XSAVE image where the kernel left it; the signal stack has not been
// used since.
func checkFpstate(t *testing.T, fp uintptr) {
	t.Helper()
	if fp%64 != 0 {
		t.Errorf("XSAVE image at %#x is not aligned", fp)
	}
	size := FpstateSize(fp)
	if size <= FxsaveSize || size > 16<<10 {
		t.Fatalf("XSAVE image of %d bytes", size)
	}
	if magic := *(*uint32)(at(fp + size - 4)); magic != 0x46505845 { // FP_XSTATE_MAGIC2
		t.Errorf("%#x stands at the end of the XSAVE image", magic)
	}
	if diff := cmp.Diff(uint64(xmmMarker), XMM(fp)[3][0]); diff != "" {
		t.Errorf("xmm3 (-want +got):\n%s", diff)
	}
	ResetFpstate(fp)
	if diff := cmp.Diff([]uint64{0, defaultMXCSR}, []uint64{*(*uint64)(at(fp + offsetXstateBV)), uint64(*(*uint32)(at(fp + offsetMXCSR)))}); diff != "" {
		t.Errorf("reset image (-want +got):\n%s", diff)
	}
}

// TestLegacyFpstate: an image without the magic number is the 512 bytes of FXSAVE.
func TestLegacyFpstate(t *testing.T) {
	t.Parallel()
	image := make([]byte, 1024)
	fp := uintptr(unsafe.Pointer(&image[0]))
	if diff := cmp.Diff(uintptr(FxsaveSize), FpstateSize(fp)); diff != "" {
		t.Errorf("size (-want +got):\n%s", diff)
	}
	ResetFpstate(fp)
	want := []uint16{defaultControlWord, defaultMXCSR}
	if diff := cmp.Diff(want, []uint16{binary.LittleEndian.Uint16(image), binary.LittleEndian.Uint16(image[offsetMXCSR:])}); diff != "" {
		t.Errorf("reset image (-want +got):\n%s", diff)
	}
}

// TestSiginfo reads the fields of the union.
func TestSiginfo(t *testing.T) {
	t.Parallel()
	var s Siginfo
	b := s.Raw()[:]
	binary.LittleEndian.PutUint64(b[16:], 0x123456789abcdef0)
	binary.LittleEndian.PutUint32(b[24:], 39)
	binary.LittleEndian.PutUint32(b[28:], 0xc000003e)
	want := []any{uintptr(0x123456789abcdef0), uintptr(0x123456789abcdef0), int32(39), uint32(0xc000003e), int32(39)}
	got := []any{s.Addr(), s.CallAddr(), s.Syscall(), s.Arch(), s.Status()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	s.SetSender(7, 8)
	if diff := cmp.Diff([]any{int32(7), uint32(8)}, []any{s.PID(), s.UID()}); diff != "" {
		t.Errorf("sender (-want +got):\n%s", diff)
	}
}

func mapCode(t *testing.T) []byte {
	t.Helper()
	code, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// assembleSend writes tgkill(AX, BX, CX) with the markers in registers and returns the offset
// behind its system call instruction.
func assembleSend(code []byte) int {
	n := put(code, []byte{0x48, 0x89, 0xc7, 0x48, 0x89, 0xde, 0x48, 0x89, 0xca})                  // mov %rax,%rdi; mov %rbx,%rsi; mov %rcx,%rdx
	n += put(code[n:], []byte{0x48, 0xb8}, word(xmmMarker), []byte{0x66, 0x48, 0x0f, 0x6e, 0xd8}) // mov $.,%rax; movq %rax,%xmm3
	for _, r := range []struct {
		op  []byte
		val uintptr
	}{
		{[]byte{0x49, 0xb8}, marker + 8}, {[]byte{0x49, 0xb9}, marker + 9}, {[]byte{0x49, 0xba}, marker + 10},
		{[]byte{0x49, 0xbc}, marker + 12}, {[]byte{0x49, 0xbd}, marker + 13},
	} {
		n += put(code[n:], r.op, word(r.val)) // mov $.,%rN
	}
	n += put(code[n:], []byte{0xb8}, half(unix.SYS_TGKILL), []byte{0x0f, 0x05})
	put(code[n:], []byte{0xc3})
	return n
}

func put(dst []byte, parts ...[]byte) int {
	n := 0
	for _, p := range parts {
		n += copy(dst[n:], p)
	}
	return n
}

func word(v uintptr) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }

func half(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
