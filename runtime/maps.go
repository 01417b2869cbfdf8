// Runs in the target, on the tool stack, before the program's first instruction.

package runtime

// mapsPath ends with the NUL that the kernel wants.
const mapsPath = "/proc/self/maps\x00"

// findText returns the mapping of the image's text as /proc/self/maps shows it. Without
// /proc it reports false.
func findText() (text Range, ok bool) {
	path := [len(mapsPath)]byte{}
	copy(path[:], mapsPath)
	fd := sys(sysOpen, addrOf(&path), 0x80000, 0, 0, 0, 0)
	if failed(fd) {
		return Range{}, false
	}
	var buf [1024]byte
	var p mapsParser
	for {
		n := sys(sysRead, fd, addrOf(&buf), uintptr(len(buf)), 0, 0, 0)
		if failed(n) || n == 0 {
			break
		}
		for i := uintptr(0); i < n; i++ {
			if p.next(buf[i]) && bootstrapAddr-p.line.Start < p.line.End-p.line.Start {
				text, ok = p.line, true
			}
		}
	}
	sys(sysClose, fd, 0, 0, 0, 0, 0)
	return text, ok
}

// mapsParser reads "start-end perms ..." lines byte by byte.
type mapsParser struct {
	line  Range
	field int // 0: start, 1: end, 2: the rest
}

// next takes a byte and reports whether it completed the two addresses of a line.
func (p *mapsParser) next(b byte) bool {
	switch {
	case b == '\n':
		p.field, p.line = 0, Range{}
	case p.field == 0 && b == '-':
		p.field = 1
	case p.field == 1 && b == ' ':
		p.field = 2
		return true
	case p.field == 0:
		p.line.Start = p.line.Start<<4 | hexDigit(b)
	case p.field == 1:
		p.line.End = p.line.End<<4 | hexDigit(b)
	}
	return false
}

func hexDigit(b byte) uintptr {
	if b >= 'a' {
		return uintptr(b-'a') + 10
	}
	return uintptr(b - '0')
}
