package trace

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// socketType prints the type of a socket and its flags.
func (c *call) socketType(v uint64) {
	const mask = 0xf // SOCK_TYPE_MASK, include/linux/net.h
	n, ok := nameOf(xSocketType, v&mask)
	if !ok {
		c.flags(xSocketFlags, v)
		return
	}
	c.add(n)
	if v&^mask != 0 {
		c.add("|")
		c.flags(xSocketFlags, v&^mask)
	}
}

// protocol prints the protocol of a socket of some family.
func (c *call) protocol(family, v uint64) {
	switch family {
	case unix.AF_INET, unix.AF_INET6:
		c.enum(xInetProtocol, v)
	case unix.AF_NETLINK:
		c.enum(xNetlinkProtocol, v)
	case unix.AF_PACKET:
		c.add("htons(")
		c.enum(xEthernet, v&0xff<<8|v>>8&0xff)
		c.add(")")
	default:
		c.unsigned(v)
	}
}

// optionSets are the sets of socket options by level.
var optionSets = map[uint64]arg{
	unix.SOL_IP: xIPOption, unix.SOL_IPV6: xIPv6Option, unix.SOL_TCP: xTCPOption, unix.SOL_UDP: xUDPOption,
	unix.SOL_NETLINK: xNetlinkOption, unix.SOL_PACKET: xPacketOption, unix.SOL_RAW: xRawOption,
}

// socketOption prints the name of a socket option.
func (c *call) socketOption(level, v uint64) {
	if level == unix.SOL_SOCKET {
		more := xSocketSet
		if c.nr == unix.SYS_GETSOCKOPT {
			more = xSocketGet
		}
		if n, ok := nameOf(more, v); ok {
			c.add(n)
			return
		}
		c.enum(xSocketOption, v)
		return
	}
	if x, ok := optionSets[level]; ok {
		c.enum(x, v)
		return
	}
	c.unsigned(v)
}

// setOption prints the value that setsockopt gets.
func (c *call) setOption(addr, size uint64) {
	n := uint64(uint32(size))
	level, option := c.args[1], c.args[2]
	b, ok := c.in.bytes(addr, 4)
	switch {
	case addr != 0 && level == unix.SOL_SOCKET && option == unix.SO_LINGER:
		c.linger(addr, n, c.in)
	case addr != 0 && level == unix.SOL_IP && (option == unix.IP_ADD_MEMBERSHIP || option == unix.IP_DROP_MEMBERSHIP):
		c.membership(addr, n)
	case ok && (n == 4 || n > 4 && intOption(level, option)):
		c.addf("[%d]", int32(le.Uint32(b)))
	case addr != 0 && n < 4 && intOption(level, option):
		c.addr(addr)
	default:
		c.buffer(addr, n)
	}
}

// intOption reports whether an option is an int, whatever size is passed.
func intOption(level, option uint64) bool {
	if level != unix.SOL_SOCKET {
		return level == unix.SOL_NETLINK
	}
	switch option {
	case unix.SO_TYPE, unix.SO_LINGER, unix.SO_RCVTIMEO, unix.SO_SNDTIMEO, unix.SO_BINDTODEVICE, unix.SO_PEERCRED,
		unix.SO_PEERNAME, unix.SO_PEERSEC, unix.SO_PEERGROUPS, unix.SO_ATTACH_FILTER, unix.SO_ERROR,
		unix.SO_PROTOCOL, unix.SO_DOMAIN, unix.SO_COOKIE, unix.SO_MEMINFO, unix.SO_TXTIME, unix.SO_MAX_PACING_RATE:
		return false
	}
	return true
}

// outOption prints the value that getsockopt left.
func (c *call) outOption(addr, lengthAt uint64) {
	asked, ok := c.in.bytes(lengthAt, 4)
	given, done := c.out.bytes(lengthAt, 4)
	if !ok || !done || int32(le.Uint32(asked)) <= 0 || int32(le.Uint32(given)) <= 0 {
		c.addr(addr)
		return
	}
	n := uint64(le.Uint32(given))
	level, option := c.args[1], c.args[2]
	b, full := c.out.bytes(addr, min(n, 12))
	switch {
	case addr == 0 || !full:
		c.addr(addr)
	case level == unix.SOL_SOCKET && option == unix.SO_LINGER:
		c.linger(addr, n, c.out)
	case level == unix.SOL_SOCKET && option == unix.SO_PEERCRED && n >= 12:
		c.credentials(b)
	case level == unix.SOL_SOCKET && option == unix.SO_ERROR && n >= 4:
		c.addf("[%s]", errorValue(le.Uint32(b)))
	case n == 4 || n > 4 && intOption(level, option):
		c.addf("[%d]", int32(le.Uint32(b)))
	case n < 4 && intOption(level, option):
		c.hexBuffer(addr, n)
	default:
		c.buffer(addr, n)
	}
}

// errorValue returns the value of SO_ERROR.
func errorValue(e uint32) string {
	if e == 0 {
		return "0"
	}
	return errnoName(e)
}

func (c *call) linger(addr, n uint64, m memory) {
	b, ok := m.bytes(addr, 8)
	if n < 8 || !ok {
		c.addr(addr)
		return
	}
	c.addf("{l_onoff=%d, l_linger=%d}", int32(le.Uint32(b)), int32(le.Uint32(b[4:])))
}

func (c *call) membership(addr, n uint64) {
	b, ok := c.in.bytes(addr, 8)
	if n < 8 || !ok {
		c.addr(addr)
		return
	}
	c.addf("{imr_multiaddr=%s, imr_interface=%s}", inet4(b), inet4(b[4:]))
}

// credentials prints struct ucred.
func (c *call) credentials(b []byte) {
	c.addf("{pid=%d, uid=%d, gid=%d}", int32(le.Uint32(b)), idValue(le.Uint32(b[4:])), idValue(le.Uint32(b[8:])))
}

// sockaddr prints a socket address of n bytes.
func (c *call) sockaddr(addr, n uint64, m memory) {
	size := min(uint64(max(int32(n), 0)), sockaddrMax)
	b, ok := m.bytes(addr, size)
	if size < 2 || !ok {
		c.addr(addr)
		return
	}
	c.socketAddress(b)
}

// Sizes of socket addresses, the least that is decoded (include/uapi/linux/in.h, in6.h,
// netlink.h, if_packet.h, vm_sockets.h).
const (
	sockaddrIn      = 16
	sockaddrIn6     = 24
	sockaddrNetlink = 12
	sockaddrVM      = 16
	sockaddrUnix    = 110
)

func (c *call) socketAddress(b []byte) {
	family := le.Uint16(b)
	c.add("{sa_family=")
	c.enum(xFamily, uint64(family))
	if len(b) > 2 {
		c.add(", ")
		c.addressData(family, b)
	}
	c.add("}")
}

func (c *call) addressData(family uint16, b []byte) {
	port := func() uint16 { return binary.BigEndian.Uint16(b[2:]) }
	switch {
	case family == unix.AF_UNIX:
		c.unixPath(b)
	case family == unix.AF_INET && len(b) >= sockaddrIn:
		c.addf("sin_port=htons(%d), sin_addr=%s", port(), inet4(b[4:]))
	case family == unix.AF_INET6 && len(b) >= sockaddrIn6:
		c.addf("sin6_port=htons(%d), sin6_flowinfo=htonl(%d), ", port(), binary.BigEndian.Uint32(b[4:]))
		c.inet6(b)
	case family == unix.AF_NETLINK && len(b) >= sockaddrNetlink:
		c.addf("nl_pid=%d, nl_groups=%s", int32(le.Uint32(b[4:])), hex8(le.Uint32(b[8:])))
	case family == unix.AF_VSOCK && len(b) >= sockaddrVM:
		c.add("svm_cid=")
		c.hex(uint64(le.Uint32(b[8:])))
		c.add(", svm_port=")
		c.hex(uint64(le.Uint32(b[4:])))
		c.add(", svm_flags=")
		c.hex(uint64(b[12]))
	default:
		c.add("sa_data=")
		c.quote(b[2:])
	}
}

// hex8 returns a number as C's %#08x does.
func hex8(v uint32) string {
	if v == 0 {
		return "00000000"
	}
	return fmt.Sprintf("0x%06x", v)
}

// unixPath prints the path of a Unix socket; a leading NUL makes it an abstract name.
func (c *call) unixPath(b []byte) {
	path := b[2:min(len(b), sockaddrUnix)]
	c.add("sun_path=")
	if path[0] == 0 {
		c.add("@")
		c.quote(path[1:])
		return
	}
	c.quote(untilNUL(path))
}

func inet4(b []byte) string {
	return fmt.Sprintf("inet_addr(%q)", netip.AddrFrom4([4]byte(b[:4])).String())
}

// inet6Text returns an address as inet_ntop does: with an embedded IPv4 address where
// that is customary.
func inet6Text(b []byte) string {
	a := netip.AddrFrom16([16]byte(b[:16]))
	compatible := true
	for _, x := range b[:12] {
		compatible = compatible && x == 0
	}
	if compatible && (b[12] != 0 || b[13] != 0) {
		return "::" + netip.AddrFrom4([4]byte(b[12:16])).String()
	}
	return a.String()
}

func (c *call) inet6(b []byte) {
	c.addf("inet_pton(AF_INET6, %q, &sin6_addr)", inet6Text(b[8:]))
	if len(b) < 28 {
		return
	}
	scope := le.Uint32(b[24:])
	a := netip.AddrFrom16([16]byte(b[8:24]))
	if a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() {
		c.addf(", sin6_scope_id=%s", interfaceName(scope))
		return
	}
	c.addf(", sin6_scope_id=%d", scope)
}

func interfaceName(index uint32) string {
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		return fmt.Sprintf("if_nametoindex(%q)", i.Name)
	}
	return fmt.Sprint(index)
}

// outSockaddr prints the address that a call left, as far as the caller's buffer reached.
func (c *call) outSockaddr(addr, lengthAt uint64) {
	asked, ok := c.in.bytes(lengthAt, 4)
	given, done := c.out.bytes(lengthAt, 4)
	if !ok || !done {
		c.addr(addr)
		return
	}
	n := min(int32(le.Uint32(asked)), int32(le.Uint32(given)))
	c.sockaddr(addr, uint64(uint32(n)), c.out)
}

// outLength prints a length before and after the call. The argument before it is what
// the length belongs to.
func (c *call) outLength(i int) {
	addr := c.args[i]
	asked, ok := c.in.bytes(addr, 4)
	if addr == 0 || !ok || c.args[i-1] == 0 && c.nr != unix.SYS_GETSOCKOPT {
		c.addr(addr)
		return
	}
	before := int32(le.Uint32(asked))
	c.addf("[%d", before)
	if given, ok := c.out.bytes(addr, 4); ok {
		if after := int32(le.Uint32(given)); after != before {
			c.addf(" => %d", after)
		}
	}
	c.add("]")
}

// Offsets in struct user_msghdr (include/linux/socket.h).
const (
	msgName       = 0
	msgNameLen    = 8
	msgIov        = 16
	msgIovLen     = 24
	msgControl    = 32
	msgControlLen = 40
	msgFlags      = 48
	mmsgLen       = 56
)

// message prints the struct msghdr at addr in m with size bytes of its contents. room is
// how much the caller had for the name, negative if that is what the message says.
func (c *call) message(addr uint64, m memory, size uint64, room int32) {
	b, ok := m.bytes(addr, uint64(msghdrSize))
	if !ok {
		c.addr(addr)
		return
	}
	c.messageHeader(b, m, size, room)
}

func (c *call) messageHeader(b []byte, m memory, size uint64, room int32) {
	length := int32(le.Uint32(b[msgNameLen:]))
	shown := length
	if room >= 0 {
		shown = min(shown, room)
	}
	c.add("{msg_name=")
	c.sockaddr(le.Uint64(b[msgName:]), uint64(uint32(shown)), m)
	c.add(", msg_namelen=")
	if room >= 0 && room != length {
		c.addf("%d => ", room)
	}
	c.addf("%d, msg_iov=", length)
	c.iovec(le.Uint64(b[msgIov:]), le.Uint64(b[msgIovLen:]), size, true)
	c.addf(", msg_iovlen=%d", le.Uint64(b[msgIovLen:]))
	c.control(le.Uint64(b[msgControl:]), le.Uint64(b[msgControlLen:]), m)
	c.addf(", msg_controllen=%d, msg_flags=", le.Uint64(b[msgControlLen:]))
	c.flags(xMessage, uint64(le.Uint32(b[msgFlags:])))
	c.add("}")
}

// outMessage prints the struct msghdr that recvmsg filled.
func (c *call) outMessage(addr uint64) {
	before, ok := c.in.bytes(addr, uint64(msghdrSize))
	if !ok {
		c.addr(addr)
		return
	}
	room := int32(le.Uint32(before[msgNameLen:]))
	if c.failed() {
		c.addf("{msg_namelen=%d}", room)
		return
	}
	c.message(addr, c.out, uint64(c.result), max(room, 0))
}

// messages prints n times struct mmsghdr.
func (c *call) messages(addr, n uint64, m memory) {
	if c.failed() && c.nr == unix.SYS_RECVMMSG {
		c.addr(addr)
		return
	}
	i := uint64(0)
	c.list(addr, n, uint64(mmsghdrSize), func([]byte) {
		at := addr + i*uint64(mmsghdrSize)
		b, _ := m.bytes(at, uint64(mmsghdrSize))
		size, room := unlimited64, int32(-1)
		if c.nr == unix.SYS_RECVMMSG {
			size = uint64(le.Uint32(b[mmsgLen:]))
			if before, ok := c.in.bytes(at, uint64(msghdrSize)); ok {
				room = int32(le.Uint32(before[msgNameLen:]))
			}
		}
		c.add("{msg_hdr=")
		c.messageHeader(b, m, size, room)
		if after, ok := c.out.bytes(at, uint64(mmsghdrSize)); ok && int64(i) < c.result {
			c.addf(", msg_len=%d", le.Uint32(after[mmsgLen:]))
		}
		c.add("}")
		i++
	})
}

func (c *call) recvmmsgResult() string {
	if c.result == 0 {
		return "Timeout"
	}
	if c.args[4] == 0 {
		return ""
	}
	return "left " + c.leftAt(c.args[4], (*call).timespec)
}

// cmsgHead is the size of struct cmsghdr.
const cmsgHead = 16

// control prints control messages.
func (c *call) control(addr, size uint64, m memory) {
	if size == 0 {
		return
	}
	c.add(", msg_control=")
	b, ok := m.bytes(addr, min(size, controlMax))
	if !ok || len(b) < cmsgHead {
		c.addr(addr)
		return
	}
	for sep := "["; len(b) >= cmsgHead; sep = ", " {
		length := int(min(le.Uint64(b), uint64(len(b))))
		c.add(sep)
		c.addf("{cmsg_len=%d, cmsg_level=", le.Uint64(b))
		level, kind := uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
		c.enum(xSocketLevel, level)
		c.add(", cmsg_type=")
		c.controlData(level, kind, b[cmsgHead:max(length, cmsgHead)])
		c.add("}")
		if length < cmsgHead {
			break
		}
		b = b[min((length+7)&^7, len(b)):]
	}
	if size > controlMax {
		c.add(", ...")
	}
	c.add("]")
}

func (c *call) controlData(level, kind uint64, data []byte) {
	if level != unix.SOL_SOCKET {
		c.hex(kind)
		return
	}
	c.enum(xSCM, kind)
	switch {
	case kind == unix.SCM_RIGHTS && len(data) >= 4:
		var fds []string
		for ; len(data) >= 4; data = data[4:] {
			fds = append(fds, fmt.Sprint(int32(le.Uint32(data))))
		}
		c.add(", cmsg_data=[" + strings.Join(fds, ", ") + "]")
	case kind == unix.SCM_CREDENTIALS && len(data) >= 12:
		c.add(", cmsg_data=")
		c.credentials(data)
	case kind == unix.SCM_TIMESTAMP && len(data) >= 16:
		c.add(", cmsg_data=")
		c.timeval(data)
	case kind == unix.SCM_TIMESTAMPNS && len(data) >= 16:
		c.add(", cmsg_data=")
		c.timespec(data)
	}
}
