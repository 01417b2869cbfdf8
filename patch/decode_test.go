package patch

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unhex returns bytes written as hexadecimal numbers, as in "0f 05".
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		code, text string
		want       Inst
	}{
		{"0f 05", "syscall", Inst{Len: 2}},
		{"b8 27 00 00 00", "mov $39,%eax", Inst{Len: 5, Movable: true}},
		{"48 c7 c0 27 00 00 00", "mov $39,%rax", Inst{Len: 7, Movable: true}},
		{"66 b8 27 00", "mov $39,%ax", Inst{Len: 4, Movable: true}},
		{"48 b8 01 02 03 04 05 06 07 08", "movabs $0x807060504030201,%rax", Inst{Len: 10, Movable: true}},
		{"66 48 b8 01 02 03 04 05 06 07 08", "data16 movabs $0x807060504030201,%rax", Inst{Len: 11, Movable: true}},
		{"a1 01 02 03 04 05 06 07 08", "movabs 0x807060504030201,%eax", Inst{Len: 9}},
		{"67 a1 01 02 03 04", "addr32 mov 0x4030201,%eax", Inst{Len: 6}},
		{"41 89 c4", "mov %eax,%r12d", Inst{Len: 3, Movable: true}},
		{"8b 7c 24 08", "mov 8(%rsp),%edi", Inst{Len: 4, Movable: true}},
		{"8b 04 25 00 10 00 00", "mov 0x1000,%eax", Inst{Len: 7, Movable: true}},
		{"48 8b 84 cb 00 01 00 00", "mov 0x100(%rbx,%rcx,8),%rax", Inst{Len: 8, Movable: true}},
		{"48 8d 3d 10 00 00 00", "lea 0x10(%rip),%rdi", Inst{Len: 7, Disp: 3, Movable: true}},
		{"67 8d 3d 10 00 00 00", "lea 0x10(%eip),%edi", Inst{Len: 7, Disp: 3}},
		{"83 3d 10 00 00 00 01", "cmpl $1,0x10(%rip)", Inst{Len: 7, Disp: 2, Movable: true}},
		{"81 3d 10 00 00 00 01 00 00 00", "cmpl $1,0x10(%rip)", Inst{Len: 10, Disp: 2, Movable: true}},
		{"66 81 3d 10 00 00 00 01 00", "cmpw $1,0x10(%rip)", Inst{Len: 9, Disp: 3, Movable: true}},
		{"f6 05 10 00 00 00 01", "testb $1,0x10(%rip)", Inst{Len: 7, Disp: 2, Movable: true}},
		{"f7 d8", "neg %eax", Inst{Len: 2, Movable: true}},
		{"f7 c7 01 00 00 00", "test $1,%edi", Inst{Len: 6, Movable: true}},
		{"64 48 8b 04 25 28 00 00 00", "mov %fs:0x28,%rax", Inst{Len: 9, Movable: true}},
		{"0f 10 05 10 00 00 00", "movups 0x10(%rip),%xmm0", Inst{Len: 7, Disp: 3, Movable: true}},
		{"0f a2", "cpuid", Inst{Len: 2}},
		{"0f a4 c2 05", "shld $5,%eax,%edx", Inst{Len: 4}},
		{"0f ba e0 07", "bt $7,%eax", Inst{Len: 4}},
		{"66 0f 3a 0f c1 08", "palignr $8,%xmm1,%xmm0", Inst{Len: 6}},
		{"66 0f 38 00 05 10 00 00 00", "pshufb 0x10(%rip),%xmm0", Inst{Len: 9, Disp: 5}},
		{"c8 10 00 00", "enter $16,$0", Inst{Len: 4}},
		{"f0 48 0f b1 0d 10 00 00 00", "lock cmpxchg %rcx,0x10(%rip)", Inst{Len: 9, Disp: 5}},

		{"eb fe", "jmp .", Inst{Len: 2, Flow: Jump, Rel: -2}},
		{"e9 00 01 00 00", "jmp .+0x105", Inst{Len: 5, Flow: Jump, Rel: 0x100}},
		{"f2 e9 00 01 00 00", "bnd jmp .+0x106", Inst{Len: 6, Flow: Jump, Rel: 0x100}},
		{"ff e0", "jmp *%rax", Inst{Len: 2, Flow: Computed}},
		{"3e ff e0", "notrack jmp *%rax", Inst{Len: 3, Flow: Computed}},
		{"ff 24 c5 00 00 40 00", "jmp *0x400000(,%rax,8)", Inst{Len: 7, Flow: Computed}},
		{"ff 25 10 00 00 00", "jmp *0x10(%rip)", Inst{Len: 6, Flow: Leave, Disp: 2}},
		{"e8 fb ff ff ff", "call .", Inst{Len: 5, Flow: Call, Rel: -5}},
		{"66 66 48 e8 00 00 00 00", "data16 data16 rex.W call .+8", Inst{Len: 8, Flow: Call}},
		{"ff d0", "call *%rax", Inst{Len: 2}},
		{"ff 15 10 00 00 00", "call *0x10(%rip)", Inst{Len: 6, Disp: 2}},
		{"c3", "ret", Inst{Len: 1, Flow: Leave}},
		{"f3 c3", "rep ret", Inst{Len: 2, Flow: Leave}},
		{"c2 08 00", "ret $8", Inst{Len: 3, Flow: Leave}},
		{"74 10", "je .+18", Inst{Len: 2, Flow: Branch, Rel: 16}},
		{"0f 87 00 01 00 00", "ja .+0x106", Inst{Len: 6, Flow: Branch, Rel: 0x100}},
		{"e3 f0", "jrcxz .-14", Inst{Len: 2, Flow: Branch, Rel: -16}},
		{"e2 f0", "loop .-14", Inst{Len: 2, Flow: Branch, Rel: -16}},
		{"c7 f8 00 01 00 00", "xbegin .+0x106", Inst{Len: 6, Flow: Branch, Rel: 0x100}},
		{"c6 f8 ff", "xabort $255", Inst{Len: 3}},
		{"f4", "hlt", Inst{Len: 1, Flow: Stop}},
		{"0f 0b", "ud2", Inst{Len: 2, Flow: Stop}},

		{"90", "nop", Inst{Len: 1, Pad: NopPad, Movable: true}},
		{"66 90", "xchg %ax,%ax", Inst{Len: 2, Pad: NopPad, Movable: true}},
		{"41 90", "xchg %eax,%r8d", Inst{Len: 2, Movable: true}},
		{"f3 90", "pause", Inst{Len: 2, Movable: true}},
		{"0f 1f 44 00 00", "nopl 0(%rax,%rax,1)", Inst{Len: 5, Pad: NopPad}},
		{"66 66 2e 0f 1f 84 00 00 00 00 00", "data16 cs nopw 0(%rax,%rax,1)", Inst{Len: 11, Pad: NopPad}},
		{"f3 0f 1e fa", "endbr64", Inst{Len: 4}},
		{"cc", "int3", Inst{Len: 1, Pad: TrapPad}},
		{"cd 03", "int $3", Inst{Len: 2}},

		{"c5 f8 77", "vzeroupper", Inst{Len: 3}},
		{"c5 fd 6f 05 10 00 00 00", "vmovdqa 0x10(%rip),%ymm0", Inst{Len: 8, Disp: 4}},
		{"c4 e3 7d 39 c1 01", "vextracti128 $1,%ymm0,%xmm1", Inst{Len: 6}},
		{"62 f1 fe 48 6f 05 10 00 00 00", "vmovdqu64 0x10(%rip),%zmm0", Inst{Len: 10, Disp: 6}},
		{"62 f3 7d 48 3e c1 02", "vpcmpub $2,%zmm1,%zmm0,%k0", Inst{Len: 7}},
	} {
		code := unhex(t, row.code)
		got, ok := Decode(append(code, "\xf0\xf0\xf0"...))
		if diff := cmp.Diff(row.want, got); !ok || diff != "" {
			t.Errorf("%s  %s (-want +got):\n%s", row.code, row.text, diff)
		}
		for n := range code {
			if got, ok := Decode(code[:n]); ok && got.Len == len(code) {
				t.Errorf("%s  %s: taken with %d bytes", row.code, row.text, n)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ code, why string }{
		{"", "nothing"},
		{"66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", "16 bytes"},
		{"06", "push %es is gone"},
		{"66 e9 00 00 00 00", "a jump of 16 bits for AMD, of 32 for Intel"},
		{"66 eb 00", "likewise"},
		{"48 66 90", "a prefix behind REX"},
		{"66 c5 f8 77", "a prefix before VEX"},
		{"d5 08 01 c0", "REX2"},
		{"62 fc 7d 08 01 c0", "EVEX map 4 (APX)"},
		{"0f 20 c0", "mov %cr0,%rax"},
		{"8f e8 78 c0 c1 01", "XOP"},
		{"c6 c8 01", "no such member of the group"},
		{"ff f8", "likewise"},
	} {
		if got, ok := Decode(unhex(t, row.code)); ok {
			t.Errorf("%s (%s): %+v", row.code, row.why, got)
		}
	}
}

// FuzzDecode: where x86asm knows the instruction, the length is its; in any case what Decode says lies in the bytes.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"0f 05", "b8 27 00 00 00", "48 8d 3d 10 00 00 00", "c5 f8 77", "62 f1 fe 48 6f 05 10 00 00 00", "f3 0f 1e fa",
		"ff 24 c5 00 00 40 00", "66 81 3d 10 00 00 00 01 00", "c7 f8 00 01 00 00",
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		got, ok := Decode(code)
		if !ok {
			return
		}
		if got.Len < 1 || got.Len > min(maxLen, len(code)) || got.Disp < 0 || got.Disp != 0 && got.Disp+4 > got.Len {
			t.Fatalf("% x: %+v", code, got)
		}
		if again, ok := Decode(code[:got.Len]); !ok || again != got {
			t.Errorf("% x: %+v, and without what follows %+v", code, got, again)
		}
		if want, text, known := oracle(code); known && want.Len != got.Len {
			t.Errorf("% x: %+v, x86asm: %s, %d bytes", code, got, text, want.Len)
		}
	})
}
