package policy

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/syscalls"
)

var le = binary.LittleEndian

// Report returns the line about a call that was not simply allowed, without the newline; "" for other events.
func (p *Policy) Report(e *launcher.Event) string {
	const head = 8 + 8 + 6*8 + 8 + 8
	if e.Kind != recordVerdict || len(e.Data) < head {
		return ""
	}
	nr, rule := int(int32(le.Uint32(e.Data))), int(int32(le.Uint32(e.Data[4:])))
	v := verdict{action(e.Data[8]), le.Uint16(e.Data[9:])}
	args, kind := e.Data[16:64], le.Uint64(e.Data[64:])
	subject := e.Data[head:]
	subject = subject[:min(int(le.Uint32(e.Data[72:])), len(subject))]
	return fmt.Sprintf("trapline: pid %d: %s(%s) %s by %s", e.PID, syscalls.Name(nr), what(nr, kind, subject, args), v, p.name(rule))
}

func (v verdict) String() string {
	switch v.action {
	case kill:
		return "killed"
	case log:
		return "logged"
	}
	return fmt.Sprintf("denied (%s)", unix.ErrnoName(unix.Errno(v.errno)))
}

// name names a rule and says why it is there.
func (p *Policy) name(rule int) string {
	if rule < 0 || rule >= len(p.rules) {
		return "default"
	}
	if why := p.rules[rule].Why; why != "" {
		return fmt.Sprintf("rule %d: %s", rule+1, strings.ReplaceAll(why, "\n", " "))
	}
	return fmt.Sprintf("rule %d", rule+1)
}

// what shows what a call is about.
func what(nr int, kind uint64, subject, args []byte) string {
	switch {
	case kind == subjectPath:
		if len(subject) == 0 {
			subject = []byte("/")
		}
		return fmt.Sprintf("%q", subject)
	case kind == subjectAddress && len(subject) >= 2:
		return addressText(subject)
	}
	var list []string
	for i := range syscalls.NumArgs(nr) {
		list = append(list, fmt.Sprintf("%#x", le.Uint64(args[8*i:])))
	}
	return strings.Join(list, ", ")
}

// addressText shows the address of a socket.
func addressText(b []byte) string {
	family := le.Uint16(b)
	switch {
	case family == familyInet && len(b) >= offsetInet+4:
		ip, _ := netip.AddrFromSlice(b[offsetInet:][:4])
		return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[offsetPort:])).String()
	case family == familyInet6 && len(b) >= offsetInet6+16:
		ip, _ := netip.AddrFromSlice(b[offsetInet6:][:16])
		return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[offsetPort:])).String()
	case family == familyUnix && len(b) > offsetUnix && b[offsetUnix] == 0:
		return fmt.Sprintf("%q", "@"+string(b[offsetUnix+1:]))
	case family == familyUnix:
		return fmt.Sprintf("%q", unixPath(b))
	}
	return fmt.Sprintf("address of family %d", family)
}
