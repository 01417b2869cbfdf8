package patch

import (
	"bufio"
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/arch/x86/x86asm"
)

// codeFiles returns programs and libraries of this machine: the files that sites are in, and others with code of every
// kind. The large ones are left to long tests.
func codeFiles(t *testing.T) []string {
	t.Helper()
	files := []string{"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2", "/bin/bash"}
	if testing.Short() {
		return files
	}
	for _, pattern := range []string{
		"/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/bin/python3",
		"/usr/lib/x86_64-linux-musl/libc.so", filepath.Join(runtime.GOROOT(), "bin", "go"),
	} {
		if _, err := os.Stat(pattern); err == nil {
			files = append(files, pattern)
		}
	}
	return files
}

// eachFile runs f as a subtest for every file of codeFiles.
func eachFile(t *testing.T, f func(t *testing.T, path string)) {
	t.Helper()
	for _, path := range codeFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			f(t, path)
		})
	}
}

// oddities counts findings, and keeps some of each kind.
type oddities map[string][]string

func (o oddities) note(kind string, addr uint64, code []byte, text string) {
	o[kind] = append(o[kind], fmt.Sprintf("%#x: % x  %s", addr, code[:min(maxLen, len(code))], text))
}

// expectNone fails the test if anything has been found.
func (o oddities) expectNone(t *testing.T) {
	t.Helper()
	for kind, all := range o {
		t.Errorf("%s: %d, as\n\t%s", kind, len(all), strings.Join(all[:min(len(all), 5)], "\n\t"))
	}
}

// dataInText holds the files that have tables between their instructions.
var dataInText = map[string]bool{"libcrypto.so.3": true}

// TestDecodeAgainstX86asm decodes whole programs with both. x86asm v0.32.0 has faults, which oracle knows:
//
//	vzeroupper, vzeroall      a byte or two too long
//	endbr64, adcx, adox       err is nil, Op 0, Len 1
//	truncated input           likewise
//	VEX and EVEX with RIP     PCRel is 0
//	EIP instead of RIP        likewise
//	EVEX maps 4 to 7          taken for 0 to 3
//	rdpkru, wrpkru            not known
func TestDecodeAgainstX86asm(t *testing.T) {
	t.Parallel()
	eachFile(t, func(t *testing.T, path string) {
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		odd, all, refused := oddities{}, 0, 0
		for _, s := range f.Sections {
			if s.Type != elf.SHT_PROGBITS || s.Flags&elf.SHF_EXECINSTR == 0 {
				continue
			}
			code, err := s.Data()
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; at < len(code); all++ {
				n, ok := compare(odd, s.Addr+uint64(at), code[at:])
				if !ok {
					refused++
				}
				at += n
			}
		}
		t.Logf("%d instructions, %d refused", all, refused)
		odd.expectNone(t)
		if refused > 0 && !dataInText[filepath.Base(path)] {
			t.Errorf("%d of %d instructions refused", refused, all)
		}
	})
}

// compare compares both decoders on one instruction. It returns its length, and whether Decode took it.
func compare(odd oddities, addr uint64, code []byte) (int, bool) {
	got, ok := Decode(code)
	want, text, known := oracle(code)
	switch {
	case !ok && known:
		return want.Len, false
	case !ok:
		return 1, false
	case known:
		if diff := cmp.Diff(want, reduce(got)); diff != "" {
			odd.note(text, addr, code, diff)
		}
	}
	return got.Len, true
}

// reduce leaves what x86asm knows of an instruction, too.
func reduce(i Inst) Inst {
	i.Pad, i.Movable = NoPad, false
	return i
}

// oracle is x86asm, without its faults.
func oracle(code []byte) (Inst, string, bool) {
	x, err := x86asm.Decode(code, 64)
	if err != nil || x.Op == 0 || x.Len > len(code) || highMap(code) {
		return Inst{}, "", false
	}
	i := Inst{Len: x.Len, Flow: flowOf(x)}
	if x.Op == x86asm.VZEROUPPER || x.Op == x86asm.VZEROALL {
		i.Len = bytes.IndexByte(code, 0x77) + 1
	}
	rel, branch := x.Args[0].(x86asm.Rel)
	switch {
	case branch:
		i.Rel = int(rel)
	case x.PCRel == 4:
		i.Disp = x.PCRelOff
	case code[0] == 0x62, code[0] == 0xc4, code[0] == 0xc5, x.AddrSize == 32:
		got, _ := Decode(code)
		i.Disp = got.Disp
	}
	return i, x.String(), true
}

// highMap reports an EVEX instruction of a map that x86asm takes for another one.
func highMap(code []byte) bool { return code[0] == 0x62 && len(code) > 1 && code[1]&0x0c != 0 }

func flowOf(x x86asm.Inst) Flow {
	_, direct := x.Args[0].(x86asm.Rel)
	switch x.Op {
	case x86asm.CALL:
		if direct {
			return Call
		}
	case x86asm.JMP:
		mem, _ := x.Args[0].(x86asm.Mem)
		switch {
		case direct:
			return Jump
		case mem.Base == x86asm.RIP, mem.Base == x86asm.EIP:
			return Leave
		}
		return Computed
	case x86asm.RET, x86asm.LRET, x86asm.LJMP:
		return Leave
	case x86asm.HLT, x86asm.UD0, x86asm.UD1, x86asm.UD2, x86asm.IRET, x86asm.IRETD, x86asm.IRETQ, x86asm.SYSRET,
		x86asm.SYSEXIT:
		return Stop
	default:
		if direct {
			return Branch
		}
	}
	return Next
}

// TestDecodeAgainstObjdump compares with binutils: lengths, where it goes on, and what is relative to RIP.
func TestDecodeAgainstObjdump(t *testing.T) {
	t.Parallel()
	eachFile(t, func(t *testing.T, path string) {
		cmd := exec.Command("objdump", "-d", "-w", "-z", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		odd, all, refused := oddities{}, 0, 0
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			l, ok := parseLine(lines.Text())
			if !ok {
				continue
			}
			all++
			got, ok := Decode(l.code)
			if !ok {
				refused++
				continue
			}
			if diff := cmp.Diff(l.inst(), lineOf(got, l.addr, l.code)); diff != "" {
				odd.note(l.text, l.addr, l.code, diff)
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d instructions, %d refused", all, refused)
		if all < 10000 {
			t.Errorf("only %d instructions", all)
		}
		odd.expectNone(t)
		if refused > 0 && !dataInText[filepath.Base(path)] {
			t.Errorf("%d of %d instructions refused", refused, all)
		}
	})
}

// line is one line of objdump's.
type line struct {
	addr uint64
	code []byte
	text string
}

func parseLine(s string) (line, bool) {
	parts := strings.SplitN(s, "\t", 3)
	if len(parts) < 3 || strings.Contains(s, "(bad)") || strings.Contains(s, ".byte") {
		return line{}, false
	}
	addr, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(parts[0]), ":"), 16, 64)
	if err != nil {
		return line{}, false
	}
	l := line{addr: addr, text: parts[2]}
	for _, b := range strings.Fields(parts[1]) {
		v, err := strconv.ParseUint(b, 16, 8)
		if err != nil {
			return line{}, false
		}
		l.code = append(l.code, byte(v))
	}
	const fwait = 0x9b // objdump joins it with what follows
	if len(l.code) > 1 && l.code[0] == fwait {
		l.addr, l.code = l.addr+1, l.code[1:]
	}
	return l, true
}

// lineInst is what objdump's text tells of an instruction.
type lineInst struct {
	Len    int
	Flow   Flow
	Target uint64 // of a branch, or what is at the address relative to RIP
}

func lineOf(i Inst, addr uint64, code []byte) lineInst {
	l := lineInst{Len: i.Len, Flow: i.Flow}
	next := addr + uint64(i.Len)
	switch {
	case i.Flow == Branch || i.Flow == Jump || i.Flow == Call:
		l.Target = next + uint64(i.Rel)
	case i.Disp != 0:
		d := code[i.Disp : i.Disp+4]
		l.Target = next + uint64(int32(uint32(d[0])|uint32(d[1])<<8|uint32(d[2])<<16|uint32(d[3])<<24))
	}
	return l
}

// inst returns what the text tells.
func (l line) inst() lineInst {
	op, arg := l.operation()
	i := lineInst{Len: len(l.code), Flow: l.flow(op, arg)}
	switch i.Flow {
	case Branch, Jump, Call:
		i.Target, _ = strconv.ParseUint(arg, 16, 64)
	default:
		if _, where, ok := strings.Cut(l.text, "# "); ok && l.relative() {
			where, _, _ = strings.Cut(where, " ")
			i.Target, _ = strconv.ParseUint(where, 16, 64)
		}
	}
	return i
}

func (l line) relative() bool {
	return strings.Contains(l.text, "(%rip)") || strings.Contains(l.text, "(%eip)")
}

var prefixes = map[string]bool{
	"bnd": true, "notrack": true, "rep": true, "repz": true, "repnz": true, "data16": true, "lock": true, "cs": true,
	"ds": true, "es": true, "ss": true, "fs": true, "gs": true, "addr32": true, "xacquire": true, "xrelease": true,
}

// operation returns the mnemonic, behind prefixes, and the first operand.
func (l line) operation() (op, arg string) {
	words := strings.Fields(l.text)
	for len(words) > 1 && (prefixes[words[0]] || strings.HasPrefix(words[0], "rex")) {
		words = words[1:]
	}
	op, _, _ = strings.Cut(words[0], ",") // a hint
	return op, strings.Join(words[1:min(2, len(words))], "")
}

func (l line) flow(op, arg string) Flow {
	indirect := strings.HasPrefix(arg, "*")
	begins := func(s string) bool { return strings.HasPrefix(op, s) }
	switch {
	case begins("jmp") && indirect && !l.relative():
		return Computed
	case begins("jmp") && indirect, begins("ret"), begins("lret"), begins("ljmp"):
		return Leave
	case op == "jmp":
		return Jump
	case op == "call" && !indirect:
		return Call
	case begins("j"), begins("loop"), op == "xbegin":
		return Branch
	case op == "hlt", begins("ud"), begins("iret"), begins("sysret"):
		return Stop
	}
	return Next
}
