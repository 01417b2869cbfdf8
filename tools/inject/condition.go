// Runs in the target, on the tool stack; any signal may arrive.

package inject

import (
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
)

// holds evaluates the condition at a word of the code.
func (tab *Table) holds(c *rt.Call, m *memory, at uint32) bool {
	var stack [maxDepth]int64
	top := 0 // index behind the last operand
	for {
		word := tab.code[at]
		at++
		operand := word >> operandShift
		switch op := word & 0xff; op {
		case opEnd:
			return stack[top-1] != 0
		case opConst:
			stack[top] = int64(tab.code[at])
			at++
			top++
		case opArg:
			stack[top] = tab.argument(c, int(operand))
			top++
		case opFile:
			stack[top] = tab.file(c)
			top++
		case opMatches, opIs, opConcerns:
			stack[top] = truth(tab.aboutText(c, m, word))
			top++
		case opAnd, opOr:
			if (stack[top-1] != 0) == (op == opOr) {
				stack[top-1] = truth(op == opOr)
				at = uint32(operand)
			} else {
				top--
			}
		case opNot:
			stack[top-1] = truth(stack[top-1] == 0)
		case opNegate:
			stack[top-1] = -stack[top-1]
		default:
			top--
			stack[top-1] = binary(op, stack[top-1], stack[top])
		}
	}
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func binary(op uint64, x, y int64) int64 {
	switch op {
	case opBitAnd:
		return x & y
	case opEqual:
		return truth(x == y)
	case opNotEqual:
		return truth(x != y)
	case opLess:
		return truth(x < y)
	case opLessEqual:
		return truth(x <= y)
	case opGreater:
		return truth(x > y)
	}
	return truth(x >= y)
}

// argument returns argument i as the kernel looks at it.
func (tab *Table) argument(c *rt.Call, i int) int64 {
	v, a := c.Arg(i), &tab.args[c.Nr()]
	switch {
	case a.Narrow>>i&1 == 0:
		return int64(v)
	case a.Signed>>i&1 != 0:
		return int64(int32(v))
	}
	return int64(uint32(v))
}

// file returns the call's first descriptor, -1 if it has none.
func (tab *Table) file(c *rt.Call) int64 {
	if i := lowest(tab.args[c.Nr()].Files); i >= 0 {
		return int64(int32(c.Arg(i)))
	}
	return -1
}

// lowest returns the number of the lowest bit that is set, -1 for none.
func lowest(bits uint8) int {
	for i := range 8 {
		if bits>>i&1 != 0 {
			return i
		}
	}
	return -1
}

// aboutText serves the operations on strings.
func (tab *Table) aboutText(c *rt.Call, m *memory, word uint64) bool {
	text := unsafe.Slice(&tab.text[word>>textShift], int(word>>lengthShift&0xffff))
	if word&0xff == opConcerns {
		return tab.concerns(c, m, text)
	}
	if word>>operandShift&0xff == stringComm {
		name := c.Thread().Name()
		n := 0
		for n < len(name) && name[n] != 0 {
			n++
		}
		return compare(word, text, name[:n])
	}
	if m.length == unknown {
		m.length = tab.readPath(c, m)
	}
	return m.length >= 0 && compare(word, text, m.path[:m.length])
}

func compare(word uint64, text, s []byte) bool {
	if word&0xff == opMatches {
		return matches(text, s)
	}
	return same(text, s)
}

func same(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// readPath reads the call's first file name, or where its first descriptor leads to.
func (tab *Table) readPath(c *rt.Call, m *memory) int32 {
	a := &tab.args[c.Nr()]
	if i := lowest(a.Paths); i >= 0 {
		return readString(c, m, c.Arg(i))
	}
	if i := lowest(a.Files); i >= 0 {
		return readLink(c, m, c.Arg(i))
	}
	return noString
}

func readString(c *rt.Call, m *memory, addr uintptr) int32 {
	n, _ := c.ReadString(m.path[:], addr)
	if n < 0 {
		return noString
	}
	return int32(n)
}

func readLink(c *rt.Call, m *memory, fd uintptr) int32 {
	n := c.ReadLink(m.path[:], int32(fd))
	if n < 0 {
		return noString
	}
	return int32(n)
}

// concerns reports whether one of the call's file names or descriptors is that of a file.
func (tab *Table) concerns(c *rt.Call, m *memory, file []byte) bool {
	a := &tab.args[c.Nr()]
	m.length = unknown // path is in use
	for i := range 6 {
		n := int32(noString)
		switch {
		case a.Paths>>i&1 != 0:
			n = readString(c, m, c.Arg(i))
		case a.Files>>i&1 != 0:
			n = readLink(c, m, c.Arg(i))
		}
		if n >= 0 && same(file, m.path[:n]) {
			return true
		}
	}
	return false
}

// matches reports whether all of s matches a pattern: * stands for any bytes, ? for one, [a-z] and [!a-z] for one of a set,
// and a backslash takes the meaning of what follows.
func matches(pattern, s []byte) bool {
	p, i := 0, 0
	star, from := -1, 0 // the last star, and where what it stands for ends
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, i
			p++
			continue
		}
		if n := one(pattern[p:], s[i]); n > 0 {
			p += n
			i++
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star+1, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// one matches one byte with the head of a pattern and returns the length of that, 0 if it does not match.
func one(pattern []byte, ch byte) int {
	switch {
	case len(pattern) == 0:
		return 0
	case pattern[0] == '?':
		return 1
	case pattern[0] == '[':
		return oneOf(pattern, ch)
	case pattern[0] == '\\' && len(pattern) > 1:
		if pattern[1] == ch {
			return 2
		}
		return 0
	case pattern[0] == ch:
		return 1
	}
	return 0
}

// oneOf is one for a set, which the parser has seen to be whole.
func oneOf(pattern []byte, ch byte) int {
	i, negated, in := 1, false, false
	if pattern[i] == '!' || pattern[i] == '^' {
		negated = true
		i++
	}
	for first := true; first || pattern[i] != ']'; first = false {
		low, high := pattern[i], pattern[i]
		i++
		if pattern[i] == '-' && pattern[i+1] != ']' {
			high = pattern[i+1]
			i += 2
		}
		in = in || low <= ch && ch <= high
	}
	if in == negated {
		return 0
	}
	return i + 1
}
