package trace

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// The grammar of values, shared by everything that prints arguments and members of
// structures.

var le = binary.LittleEndian

func (c *call) add(s string) { c.text = append(c.text, s...) }

func (c *call) addf(format string, a ...any) { c.text = fmt.Appendf(c.text, format, a...) }

func (c *call) signed(v int64)    { c.text = strconv.AppendInt(c.text, v, 10) }
func (c *call) unsigned(v uint64) { c.text = strconv.AppendUint(c.text, v, 10) }

// hex prints a number in hexadecimal, 0 as 0.
func (c *call) hex(v uint64) {
	if v != 0 {
		c.add("0x")
	}
	c.text = strconv.AppendUint(c.text, v, 16)
}

// addr prints an address that is not followed, or could not be read.
func (c *call) addr(v uint64) {
	if v == 0 {
		c.add("NULL")
		return
	}
	c.hex(v)
}

// id prints a user or group.
func (c *call) id(v uint32) { c.signed(idValue(v)) }

func idValue(v uint32) int64 {
	if v == ^uint32(0) {
		return -1
	}
	return int64(v)
}

// octal prints permission bits, three digits at least.
func octal(v uint64) string {
	s := strconv.FormatUint(v, 8)
	if s[0] != '0' {
		s = "0" + s
	}
	return strings.Repeat("0", max(0, 3-len(s))) + s
}

// quote prints bytes as a C string literal.
func (c *call) quote(b []byte) {
	c.text = append(c.text, '"')
	if c.opts != nil && (c.opts.Hex > 1 || c.opts.Hex == 1 && !isText(b)) {
		for _, ch := range b {
			c.addf(`\x%02x`, ch)
		}
	} else {
		c.escape(b)
	}
	c.text = append(c.text, '"')
}

// isText reports whether all bytes are printable or white space.
func isText(b []byte) bool {
	for _, ch := range b {
		if ch >= 0x7f || ch < ' ' && (ch < '\t' || ch > '\r') {
			return false
		}
	}
	return true
}

func (c *call) escape(b []byte) {
	for i, ch := range b {
		switch ch {
		case '"', '\\':
			c.text = append(c.text, '\\', ch)
		case '\f':
			c.add(`\f`)
		case '\n':
			c.add(`\n`)
		case '\r':
			c.add(`\r`)
		case '\t':
			c.add(`\t`)
		case '\v':
			c.add(`\v`)
		default:
			if ch >= ' ' && ch < 0x7f {
				c.text = append(c.text, ch)
				continue
			}
			c.text = append(c.text, '\\')
			if i+1 < len(b) && b[i+1] >= '0' && b[i+1] <= '7' {
				c.addf("%03o", ch)
			} else {
				c.text = strconv.AppendUint(c.text, uint64(ch), 8)
			}
		}
	}
}

// buffer prints n bytes at addr as far as the limit allows.
func (c *call) buffer(addr, n uint64) {
	if addr == 0 {
		c.add("NULL")
		return
	}
	shown := min(n, uint64(c.limit))
	b, ok := c.bytes(addr, shown)
	if !ok && shown > 0 {
		c.addr(addr)
		return
	}
	c.quote(b)
	if n > shown {
		c.add("...")
	}
}

// string prints the string at addr, limit bytes of it.
func (c *call) string(addr uint64, limit int) {
	p, ok := c.in.string(addr)
	switch {
	case !ok || p.flags == copyFault:
		c.addr(addr)
	case len(p.data) > limit:
		c.quote(p.data[:limit])
		c.add("...")
	default:
		c.quote(p.data)
		if p.flags != copyNUL {
			c.add("...")
		}
	}
}

// nameOf returns the name of a value.
func nameOf(x arg, v uint64) (string, bool) {
	for _, n := range sets[x.param()].names {
		if n.value == v {
			return n.name, true
		}
	}
	return "", false
}

// enum prints the name of a value.
func (c *call) enum(x arg, v uint64) {
	if n, ok := nameOf(x, v); ok {
		c.add(n)
		return
	}
	c.hex(v)
	if u := sets[x.param()].unknown; u != "" {
		c.add(" /* " + u + " */")
	}
}

// flags prints the names of bits.
func (c *call) flags(x arg, v uint64) {
	text, rest := flagNames(x, v)
	switch {
	case text == "":
		unknown := sets[x.param()].unknown
		if rest != 0 || unknown != "" {
			c.hex(rest)
		}
		if rest != 0 && unknown != "" {
			c.add(" /* " + unknown + " */")
		}
	default:
		c.add(text)
		if rest != 0 {
			c.add("|")
			c.hex(rest)
		}
	}
}

// flagNames returns the names of the bits in v, and the bits that have none.
func flagNames(x arg, v uint64) (text string, rest uint64) {
	var list []string
	for _, n := range sets[x.param()].names {
		if v == n.value || n.value != 0 && v&n.value == n.value {
			list = append(list, n.name)
			v &^= n.value
			if v == 0 {
				break
			}
		}
	}
	return strings.Join(list, "|"), v
}

// list prints the elements of an array of n elements of size bytes each at addr, as far as
// they are shown.
func (c *call) list(addr, n, size uint64, element func(b []byte)) {
	if addr == 0 {
		c.add("NULL")
		return
	}
	shown := min(uint64(c.limit), maxElements)
	if n > 0 && shown == 0 {
		c.add("[...]")
		return
	}
	for i := uint64(0); i < n; i++ {
		if i > 0 {
			c.add(", ")
		}
		if i >= shown {
			c.add("...")
			break
		}
		b, ok := c.bytes(addr+i*size, size)
		if !ok && i == 0 {
			c.addr(addr)
			return
		}
		if !ok {
			c.add("...")
			c.addf(" /* %#x */", addr+i*size)
			break
		}
		if i == 0 {
			c.add("[")
		}
		element(b)
	}
	if n == 0 {
		c.add("[")
	}
	c.add("]")
}

// bits prints the numbers of the bits set in b between brackets.
func (c *call) bits(b []byte) {
	sep := "["
	if !forBits(b, func(i int) {
		c.add(sep)
		c.signed(int64(i))
		sep = " "
	}) {
		c.add("[")
	}
	c.add("]")
}

// forBits calls f for each bit set in b and reports whether there was any.
func forBits(b []byte, f func(i int)) (any bool) {
	for i := range 8 * len(b) {
		if b[i/8]>>(i%8)&1 != 0 {
			f(i)
			any = true
		}
	}
	return any
}
