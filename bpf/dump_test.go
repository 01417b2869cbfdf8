package bpf

import (
	"strings"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"
)

func dump(p Program) (string, error) {
	var text strings.Builder
	err := Dump(&text, p, func(nr int) string { return arch.X86_64.SyscallNumbers[nr] })
	return text.String(), err
}

func TestDumpTrap(t *testing.T) {
	t.Parallel()
	got, err := dump(assemble(t, trap(few...)))
	if diff := cmp.Diff(trapListing, got); diff != "" || err != nil {
		t.Errorf("%v, listing (-want +got):\n%s", err, diff)
	}
}

func TestDumpGuard(t *testing.T) {
	t.Parallel()
	got, err := dump(guard(t, testRange))
	if diff := cmp.Diff(guardListing, got); diff != "" || err != nil {
		t.Errorf("%v, listing (-want +got):\n%s", err, diff)
	}
}

func TestDumpLongJump(t *testing.T) {
	t.Parallel()
	got, err := dump(assemble(t, trap(every(1, 2)...)))
	if diff := cmp.Diff(longListing, strings.SplitAfterN(got, "\n", 6)[:5]); diff != "" || err != nil {
		t.Errorf("%v, head of the listing (-want +got):\n%s", err, diff)
	}
}

// Two paths load different fields and meet.
func TestDumpUnknownAccumulator(t *testing.T) {
	t.Parallel()
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetNr, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 1, SkipFalse: 1},
		bpf.LoadAbsolute{Off: offsetArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 60, SkipTrue: 1},
		bpf.RetConstant{Val: 0x7ffc0000},
		bpf.RetConstant{Val: 0x7fff0000},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := dump(Program{Insns: raw})
	if diff := cmp.Diff(unknownListing, got); diff != "" || err != nil {
		t.Errorf("%v, listing (-want +got):\n%s", err, diff)
	}
}

func TestDumpRefusesForeignInstruction(t *testing.T) {
	t.Parallel()
	got, err := dump(Program{Insns: []bpf.RawInstruction{{Op: 0x80}}}) // ld #len
	if err == nil {
		t.Errorf("listing of an instruction that no filter has: %q", got)
	}
}

const trapListing = `   0  ld  [4]                     ; arch
   1  jeq #0xc000003e, 2, 33      ; arch == AUDIT_ARCH_X86_64
   2  ld  [0]                     ; nr
   3  jeq #0x27, 9, 4             ; nr == 39 (getpid)
   4  jeq #0xca, 9, 5             ; nr == 202 (futex)
   5  jeq #0x101, 9, 6            ; nr == 257 (openat)
   6  jge #0x40000000, 8, 7       ; nr >= __X32_SYSCALL_BIT
   7  ret #0x7fff0000             ; SECCOMP_RET_ALLOW
   8  ret #0x00050026             ; SECCOMP_RET_ERRNO(ENOSYS)
   9  ld  [12]                    ; ip.hi
  10  jeq #0x0, 11, 15            ; ip.hi == 0x0
  11  ld  [8]                     ; ip.lo
  12  jge #0x70001000, 13, 15     ; ip.lo >= range lo
  13  jgt #0x74ffffff, 15, 14     ; ip.lo > range hi
  14  ret #0x7fff0000             ; SECCOMP_RET_ALLOW
  15  ld  [0]                     ; nr
  16  jeq #0x9, 17, 37            ; nr == 9 (mmap)
  17  ld  [16]                    ; args[0].lo
  18  jeq #0x70000000, 19, 37     ; args[0].lo == 0x70000000
  19  ld  [20]                    ; args[0].hi
  20  jeq #0x0, 21, 37            ; args[0].hi == 0x0
  21  ld  [24]                    ; args[1].lo
  22  jeq #0x123000, 23, 37       ; args[1].lo == 0x123000
  23  ld  [28]                    ; args[1].hi
  24  jeq #0x0, 25, 37            ; args[1].hi == 0x0
  25  ld  [32]                    ; args[2].lo
  26  jeq #0x5, 27, 37            ; args[2].lo == 0x5
  27  ld  [36]                    ; args[2].hi
  28  jeq #0x0, 29, 37            ; args[2].hi == 0x0
  29  ld  [40]                    ; args[3].lo
  30  jeq #0x100002, 31, 37       ; args[3].lo == 0x100002
  31  ld  [44]                    ; args[3].hi
  32  jeq #0x0, 36, 37            ; args[3].hi == 0x0
  33  jeq #0x40000003, 34, 38     ; arch == AUDIT_ARCH_I386
  34  ld  [12]                    ; ip.hi
  35  jeq #0x0, 36, 37            ; ip.hi == 0x0
  36  ret #0x7fff0000             ; SECCOMP_RET_ALLOW
  37  ret #0x00030000             ; SECCOMP_RET_TRAP
  38  ret #0x80000000             ; SECCOMP_RET_KILL_PROCESS
`

const guardListing = `   0  ld  [12]                    ; ip.hi
   1  jeq #0x0, 2, 6              ; ip.hi == 0x0
   2  ld  [8]                     ; ip.lo
   3  jge #0x70001000, 4, 6       ; ip.lo >= range lo
   4  jgt #0x74ffffff, 6, 5       ; ip.lo > range hi
   5  ret #0x7fff0000             ; SECCOMP_RET_ALLOW
   6  ret #0x7ff00000             ; SECCOMP_RET_TRACE
`

var longListing = []string{
	"   0  ld  [4]                     ; arch\n",
	"   1  jeq #0xc000003e, 3, 2       ; arch == AUDIT_ARCH_X86_64\n",
	"   2  ja  389                     ; too far for the jump above\n",
	"   3  ld  [0]                     ; nr\n",
	"   4  jge #0xc0, 142, 5           ; nr >= 192 (lgetxattr)\n",
}

const unknownListing = `   0  ld  [0]                     ; nr
   1  jeq #0x1, 2, 3              ; nr == 1 (write)
   2  ld  [4]                     ; arch
   3  jgt #0x3c, 5, 4             ; ? > 0x3c
   4  ret #0x7ffc0000             ; action 0x7ffc0000
   5  ret #0x7fff0000             ; SECCOMP_RET_ALLOW
`
