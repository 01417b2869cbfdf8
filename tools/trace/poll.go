package trace

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// pollfds prints an array of struct pollfd as the call found it.
func (c *call) pollfds(addr, n uint64) {
	c.list(addr, uint64(uint32(n)), pollfdSize, func(b []byte) {
		c.add("{fd=" + c.descriptor(int32(le.Uint32(b))))
		if int32(le.Uint32(b)) >= 0 {
			c.add(", events=")
			c.flags(xPoll, uint64(le.Uint16(b[4:])))
		}
		c.add("}")
	})
}

// pollResult returns what poll and ppoll found.
func (c *call) pollResult() string {
	if c.result == 0 {
		return "Timeout"
	}
	var ready []string
	for i := range uint64(uint32(c.args[1])) {
		b, ok := c.out.bytes(c.args[0]+i*pollfdSize, pollfdSize)
		if !ok {
			break
		}
		if revents := le.Uint16(b[6:]); revents != 0 {
			ready = append(ready, fmt.Sprintf("{fd=%s, revents=%s}", c.descriptor(int32(le.Uint32(b))), prefixed("", xPoll, uint64(revents))))
		}
	}
	var parts []string
	if len(ready) > 0 {
		parts = append(parts, "["+strings.Join(ready, ", ")+"]")
	}
	if c.nr == unix.SYS_PPOLL && c.args[2] != 0 {
		parts = append(parts, "left "+c.leftAt(c.args[2], (*call).timespec))
	}
	return strings.Join(parts, ", ")
}

// leftAt returns the time that the call left at addr.
func (c *call) leftAt(addr uint64, print func(c *call, b []byte)) string {
	b, ok := c.out.bytes(addr, 16)
	if !ok {
		return address(addr)
	}
	var t call
	print(&t, b)
	return string(t.text)
}

// fdSetBytes returns the bitmap at addr, as far as the first argument says.
func (c *call) fdSetBytes(addr uint64, m memory) ([]byte, bool) {
	size := arrayBytes(c.args[0])
	b, ok := m.bytes(addr, size)
	if !ok || size == 0 {
		return nil, false
	}
	b = append([]byte(nil), b...)
	for i := int(int32(c.args[0])); i < 8*len(b); i++ {
		b[i/8] &^= 1 << (i % 8)
	}
	return b, true
}

// arrayBytes returns the size of a bitmap of descriptors below nfds.
func arrayBytes(nfds uint64) uint64 { return min(uint64(max(int32(nfds), 0)+63)/64*8, cpuSetMax) }

func (c *call) fdSet(addr uint64) {
	b, ok := c.fdSetBytes(addr, c.in)
	if !ok {
		c.addr(addr)
		return
	}
	c.bits(b)
}

// selectResult returns what select and pselect6 found.
func (c *call) selectResult() string {
	if c.result == 0 {
		return "Timeout"
	}
	var parts []string
	ready := c.result
	for i, n := range []string{"in", "out", "except"} {
		b, ok := c.fdSetBytes(c.args[i+1], c.out)
		if !ok || ready <= 0 {
			continue
		}
		var list []string
		forBits(b, func(fd int) {
			if ready > 0 {
				list = append(list, fmt.Sprint(fd))
			}
			ready--
		})
		if len(list) > 0 {
			parts = append(parts, n+" ["+strings.Join(list, " ")+"]")
		}
	}
	if c.args[4] != 0 {
		print := (*call).timeval
		if c.nr == unix.SYS_PSELECT6 {
			print = (*call).timespec
		}
		parts = append(parts, "left "+c.leftAt(c.args[4], print))
	}
	return strings.Join(parts, ", ")
}

// epollEvent prints struct epoll_event.
func (c *call) epollEvent(b []byte) {
	c.add("{events=")
	c.flags(xEpollEvents, uint64(le.Uint32(b)))
	c.addf(", data={u32=%d, u64=%d}}", le.Uint32(b[4:]), le.Uint64(b[4:]))
}
