package sites

import (
	"bytes"

	"github.com/trapline/trapline/patch"
	"golang.org/x/arch/x86/x86asm"
)

var callBytes = []byte{0x0f, 0x05}

// scan finds the syscall instructions of a stretch of code. It decodes from the start of each function, and behind a
// function in a straight line to the next one; but only where the bytes are found at all.
func scan(code segment, fns []function) []uintptr {
	var sites []uintptr
	at := code.start // decoded up to here
	for from := 0; ; {
		i := bytes.Index(code.bytes[from:], callBytes)
		if i < 0 {
			return sites
		}
		from += i + 1
		hit := code.start + uintptr(from-1)
		if n := nearest(fns, hit); n >= 0 {
			if fns[n].data && fns[n].holds(hit) {
				continue
			}
			at = max(at, fns[n].start)
		}
		for at < hit {
			at += uintptr(length(code.bytes[at-code.start:]))
		}
		if at == hit {
			sites = append(sites, hit)
		}
	}
}

// length is the length of an instruction, 1 for bytes that are none. x86asm takes endbr64, adcx and adox for a byte and
// vzeroupper for too many; patch.Decode knows those, and refuses some that x86asm has.
func length(code []byte) int {
	if i, ok := patch.Decode(code); ok {
		return i.Len
	}
	if i, err := x86asm.Decode(code, 64); err == nil && i.Op != 0 && i.Len <= len(code) {
		return i.Len
	}
	return 1
}
