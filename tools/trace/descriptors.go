package trace

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// noteOf returns the bytes that the hook noted of a descriptor.
func (m memory) noteOf(bit uint64, fd int32) []byte {
	addr := noteBit | bit | uint64(uint32(fd))
	for _, p := range m {
		if p.addr == addr {
			return p.data
		}
	}
	return nil
}

func (c *call) returnsFD() bool { return returnsFD(c.row, c.nr, uintptr(c.args[1])) }

// descriptor returns a descriptor that the call was given, with what it stands for if that is wanted.
func (c *call) descriptor(fd int32) string { return c.descriptorIn(fd, c.in) }

// newDescriptor returns a descriptor that the call has made.
func (c *call) newDescriptor(fd int32) string { return c.descriptorIn(fd, c.out) }

func (c *call) descriptorIn(fd int32, m memory) string {
	number := fmt.Sprint(fd)
	if fd == unix.AT_FDCWD {
		number = "AT_FDCWD"
	}
	if c.opts == nil || c.opts.Paths == 0 {
		return number
	}
	link := m.noteOf(linkBit, fd)
	if link == nil {
		return number
	}
	var path call
	path.escapePath(link)
	text := string(path.text)
	if info := m.noteOf(infoBit, fd); len(info) >= infoSize {
		text = describe(text, info)
	}
	return number + "<" + text + ">"
}

// escapePath is escape for a name between angle brackets.
func (c *call) escapePath(b []byte) {
	c.escape(b)
	c.text = []byte(strings.NewReplacer("<", `\74`, ">", `\76`).Replace(string(c.text)))
}

// Offsets in socketInfo.
const (
	infoDomain   = 0
	infoKind     = 4
	infoProtocol = 8
	infoLength   = 12
	infoPeer     = 16
	infoDevice   = 20
	infoAddress  = 24
	infoPeerAddr = infoAddress + sockaddrMax
	infoSize     = infoPeerAddr + sockaddrMax
)

// describe adds to the path of a device its number, and puts addresses in place of a socket's inode.
func describe(path string, info []byte) string {
	if device := le.Uint32(info[infoDevice:]); device != 0 {
		kind := "block"
		if device>>31 != 0 {
			kind, device = "char", device&^(1<<31)
		}
		return fmt.Sprintf("%s<%s %d:%d>", path, kind, unix.Major(uint64(device)), unix.Minor(uint64(device)))
	}
	domain, kind := le.Uint32(info[infoDomain:]), le.Uint32(info[infoKind:])
	address := info[infoAddress:][:le.Uint32(info[infoLength:])]
	peer := info[infoPeerAddr:][:le.Uint32(info[infoPeer:])]
	inode := strings.TrimSuffix(strings.TrimPrefix(path, "socket:["), "]")
	switch domain {
	case unix.AF_INET, unix.AF_INET6:
		return inetSocket(domain, kind, le.Uint32(info[infoProtocol:]), inode, address, peer)
	case unix.AF_UNIX:
		return unixSocket(kind, inode, address)
	case unix.AF_NETLINK:
		protocol, _ := nameOf(xNetlinkProtocol, uint64(le.Uint32(info[infoProtocol:])))
		if len(address) < sockaddrNetlink || le.Uint32(address[4:]) == 0 {
			return fmt.Sprintf("NETLINK:[%s]", inode)
		}
		return fmt.Sprintf("NETLINK:[%s:%d]", strings.TrimPrefix(protocol, "NETLINK_"), le.Uint32(address[4:]))
	}
	return path
}

// inetSocket describes a socket of IP: both ends, one, or the inode if it is not bound.
func inetSocket(domain, kind, protocol uint32, inode string, address, peer []byte) string {
	name, ok := nameOf(xInetProtocol, uint64(protocol))
	if name = strings.TrimPrefix(name, "IPPROTO_"); !ok {
		name = map[uint32]string{unix.SOCK_STREAM: "TCP", unix.SOCK_DGRAM: "UDP"}[kind]
	}
	if domain == unix.AF_INET6 {
		name += "v6"
	}
	local, remote := endpoint(address), endpoint(peer)
	switch {
	case remote != "":
		return fmt.Sprintf("%s:[%s->%s]", name, local, remote)
	case local != "" && binary.BigEndian.Uint16(address[2:]) != 0:
		return fmt.Sprintf("%s:[%s]", name, local)
	}
	return fmt.Sprintf("%s:[%s]", name, inode)
}

// endpoint returns the address and port of a socket address.
func endpoint(b []byte) string {
	switch {
	case len(b) >= sockaddrIn && le.Uint16(b) == unix.AF_INET:
		return fmt.Sprintf("%s:%d", netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:]))
	case len(b) >= sockaddrIn6 && le.Uint16(b) == unix.AF_INET6:
		return fmt.Sprintf("[%s]:%d", inet6Text(b[8:]), binary.BigEndian.Uint16(b[2:]))
	}
	return ""
}

// unixSocket describes a Unix socket. Only the kernel's socket monitor could tell which one is its peer.
func unixSocket(kind uint32, inode string, address []byte) string {
	name := map[uint32]string{unix.SOCK_STREAM: "UNIX-STREAM", unix.SOCK_DGRAM: "UNIX-DGRAM", unix.SOCK_SEQPACKET: "UNIX-SEQPACKET"}[kind]
	if len(address) <= 2 {
		return fmt.Sprintf("%s:[%s]", name, inode)
	}
	var path call
	if address[2] == 0 {
		path.add("@")
		path.quote(address[3:])
	} else {
		path.quote(untilNUL(address[2:]))
	}
	return fmt.Sprintf("%s:[%s,%s]", name, inode, path.text)
}

// dealsWith reports whether one of the call's arguments is one of the paths, or a descriptor of one.
func (c *call) dealsWith(paths []string) bool {
	for i := range c.count {
		switch a := c.row.args[i]; a.kind() {
		case aPath:
			if p, ok := c.in.string(c.args[i]); ok && slices.Contains(paths, string(p.data)) {
				return true
			}
		case aFD, aDirFD:
			if slices.Contains(paths, string(c.in.noteOf(linkBit, int32(c.args[i])))) {
				return true
			}
		case aPoll:
			for j := range min(uint64(uint32(c.args[a.param()])), maxElements) {
				b, ok := c.in.bytes(c.args[i]+j*pollfdSize, 4)
				if ok && slices.Contains(paths, string(c.in.noteOf(linkBit, int32(le.Uint32(b))))) {
					return true
				}
			}
		}
	}
	return false
}

// threadName returns the name in the record of a thread.
func threadName(b []byte) string {
	if len(b) < 8 {
		return ""
	}
	return string(untilNUL(b[8:]))
}
