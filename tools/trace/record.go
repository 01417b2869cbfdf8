package trace

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/trapline/trapline/tools/inject"
)

// memory is a sparse picture of the target's memory, as the copies in a record give it.
type memory []piece

// piece is one copy.
type piece struct {
	addr  uint64
	flags uint32 // copyFault, copyNUL
	data  []byte
}

// parseMemory reads the copies that fill the rest of a record. The pieces refer to data.
func parseMemory(data []byte) memory {
	var m memory
	for len(data) >= copyHead {
		size := int(binary.LittleEndian.Uint32(data[8:]))
		if size > len(data)-copyHead {
			break
		}
		m = append(m, piece{
			addr:  binary.LittleEndian.Uint64(data),
			flags: binary.LittleEndian.Uint32(data[12:]),
			data:  data[copyHead : copyHead+size],
		})
		data = data[min(copySpace(size), len(data)):]
	}
	return m
}

// bytes returns n bytes at addr, or false if not all of them were copied.
func (m memory) bytes(addr, n uint64) ([]byte, bool) {
	for _, p := range m {
		if off := addr - p.addr; addr >= p.addr && off <= uint64(len(p.data)) && n <= uint64(len(p.data))-off {
			return p.data[off : off+n], true
		}
	}
	return nil, false
}

// string returns the copy of the string at addr.
func (m memory) string(addr uint64) (piece, bool) {
	i := slices.IndexFunc(m, func(p piece) bool { return p.addr == addr })
	if i < 0 || m[i].flags == copyFault && len(m[i].data) == 0 {
		return piece{}, false
	}
	return m[i], true
}

// note returns what the hook found out about addr.
func (m memory) note(addr uint64) (uint64, bool) {
	b, ok := m.bytes(addr|noteBit, 8)
	if !ok {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b), true
}

// call is one system call: the enter record, then the exit record as well, and the text
// made of them.
type call struct {
	nr     int
	count  int // of arguments
	via    int // rt.ViaPatch and others
	args   [6]uint64
	row    *row
	in     memory // as the call began
	out    memory // as it ended
	result int64
	ended  bool
	marks  uint64 // what a rule has changed: inject.Mark...

	opts   *Options
	began  time.Time
	hidden bool   // it deals with none of the paths that the trace is about
	limit  int    // longest part of a string that is shown
	text   []byte // appended to by the printers of arguments
	next   int    // argument to go on with when the call has ended
}

// parseEnter reads an enter record. The call keeps nothing of data.
func parseEnter(data []byte, limit int) (*call, bool) {
	if len(data) < 8 {
		return nil, false
	}
	head := binary.LittleEndian.Uint64(data)
	c := &call{nr: int(int32(head)), count: int(head >> 32 & 0xff), via: int(head >> viaShift & 0xff), limit: limit}
	data = data[8:]
	if c.count > 6 || len(data) < 8*c.count {
		return nil, false
	}
	for i := range c.count {
		c.args[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
	c.row = resolve(c.nr, c.args[0], c.args[1])
	c.in = parseMemory(slices.Clone(data[8*c.count:]))
	return c, true
}

// end adds an exit record.
func (c *call) end(data []byte) bool {
	if len(data) < 8 {
		return false
	}
	c.result = int64(binary.LittleEndian.Uint64(data))
	c.out = parseMemory(data[8:])
	c.ended = true
	return true
}

// site returns where the thread goes on behind the call, 0 if that was not asked for.
func (c *call) site() uint64 {
	v, _ := c.in.note(nextNote)
	return v
}

// raw reports whether arguments and result are shown as numbers.
func (c *call) raw() bool { return c.opts != nil && c.opts.Raw.Has(c.nr) }

// failed reports whether the call ended with an error.
func (c *call) failed() bool { return c.ended && !c.isValue() && c.result < 0 && c.result >= -4095 }

// replaced reports whether a rule kept the call from being made.
func (c *call) replaced() bool { return c.marks&inject.MarkResult != 0 }

// isValue reports whether a rule gave the call a value as its result.
func (c *call) isValue() bool { return c.marks&inject.MarkValue != 0 }

// bytes returns n bytes at addr: as the call left them, or as it found them.
func (c *call) bytes(addr, n uint64) ([]byte, bool) {
	if b, ok := c.out.bytes(addr, n); ok {
		return b, true
	}
	return c.in.bytes(addr, n)
}
