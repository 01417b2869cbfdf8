package sites

import (
	"bytes"

	"github.com/trapline/trapline/patch"
	"golang.org/x/arch/x86/x86asm"
)

var callBytes = []byte{0x0f, 0x05}

// scan finds the syscall instructions of a stretch of code, and counts the same bytes elsewhere. Code is decoded from
// the start of each function, and behind it in a straight line to the next one.
func scan(code segment, fns []function) (sites []uintptr, data int) {
	at := code.start // decoded up to here
	for from := 0; ; {
		i := bytes.Index(code.bytes[from:], callBytes)
		if i < 0 {
			return sites, data
		}
		from += i + 1
		hit := code.start + uintptr(from-1)
		if n := nearest(fns, hit); n >= 0 {
			at = max(at, fns[n].start)
		}
		for at < hit {
			at += uintptr(length(code.bytes[at-code.start:]))
		}
		if at == hit {
			sites = append(sites, hit)
		} else {
			data++
		}
	}
}

// length is the length of an instruction, 1 for bytes that are none. It is the disassembler's; but of what that has no
// word for (endbr64), and of VEX and EVEX instructions, it does not always know it.
func length(code []byte) int {
	if i, ok := patch.Decode(code); ok {
		return i.Len
	}
	if i, err := x86asm.Decode(code, 64); err == nil && i.Op != 0 && i.Len <= len(code) {
		return i.Len
	}
	return 1
}
