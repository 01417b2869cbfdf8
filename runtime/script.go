// Runs in the target, on the tool stack, with every signal blocked.

package runtime

// headSize is BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h: what the kernel reads to tell formats apart.
const headSize = 256

// fileHead is the first bytes of a file that is executed, with zeros behind the end of a shorter one.
type fileHead [headSize]byte

func (b *fileHead) isScript() bool { return b[0] == '#' && b[1] == '!' }

// scriptLine is what follows "#!": where in the head the interpreter's name and its argument begin. Both end with a NUL.
type scriptLine struct {
	name, arg int // arg is 0 if there is none
}

// parse cuts the first line into name and argument by the rules of load_script (fs/binfmt_script.c, 6.18): a name
// that the head may not hold to its end is none, an argument is cut off. It reports false if there is no name.
func (b *fileHead) parse() (s scriptLine, ok bool) {
	const last = headSize - 1
	end := 0
	for end <= last && b[end] != '\n' {
		end++
	}
	if end > last {
		if start := b.text(2, last); start > last || b.gap(start, last) > last {
			return s, false
		}
		end = last
	}
	for blank(b[end-1]) {
		end--
	}
	s.name = b.text(2, end)
	if s.name >= end {
		return s, false
	}
	gap := b.gap(s.name, end)
	if gap <= end && b[gap] != 0 {
		if arg := b.text(gap, end); arg <= end {
			s.arg = arg
		}
	}
	b[end] = 0
	if s.arg != 0 {
		b[gap] = 0
	}
	return s, true
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// text returns the first place from i to last that is not blank, or last+1.
func (b *fileHead) text(i, last int) int {
	for i <= last && blank(b[i]) {
		i++
	}
	return i
}

// gap returns the first place from i to last that ends a word, or last+1.
func (b *fileHead) gap(i, last int) int {
	for i <= last && !blank(b[i]) && b[i] != 0 {
		i++
	}
	return i
}
