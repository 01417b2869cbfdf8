// Runs in the target, on the tool stack; any signal may arrive.

package policy

import (
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
)

// Tool asks the rules about each call.
var Tool = rt.Tool{Name: "policy", Hook: hook}

// memory is a thread's room for what is looked at, which a frame has not.
type memory struct {
	path    [2 * maxPath]byte
	address [addressMax]byte
}

const (
	maxPath    = 4096 // PATH_MAX
	addressMax = 128  // struct sockaddr_storage
)

var _ [rt.MemorySize - unsafe.Sizeof(memory{})]byte

const (
	sysExit      = 60
	sysExitGroup = 231
	sysSigreturn = 15
	sysKill      = 62
	sigKill      = 9
)

func hook(c *rt.Call) {
	tab := (*Table)(rt.Options())
	nr := c.Nr()
	if uint(nr) >= rt.NumCalls {
		return
	}
	q := question{c: c, tab: tab, m: (*memory)(c.Thread().Memory())}
	for i := range tab.count {
		if r := &tab.rules[i]; r.calls.Has(nr) && q.fits(r) {
			q.apply(int32(i), &r.verdict)
			return
		}
	}
	if nr != sysExit && nr != sysExitGroup && nr != sysSigreturn { // without which no program ends, and no handler
		q.apply(-1, &tab.fallback)
	}
}

// question is one call, with what is known of it.
type question struct {
	c   *rt.Call
	tab *Table
	m   *memory
}

// apply does what a verdict says.
func (q *question) apply(rule int32, v *verdict) {
	if v.action == allow {
		return
	}
	q.report(rule, v)
	switch c := q.c; v.action {
	case deny:
		c.Return(-int64(v.errno))
	case kill:
		c.Inject(sysKill, uintptr(c.PID()), sigKill, 0, 0, 0, 0)
	}
}

// fits reports whether a rule is about this call's files and address. One that allows has to fit all of its files, any other one of
// them.
func (q *question) fits(r *rule) bool {
	if r.onAddress != 0 && !q.address(r) {
		return false
	}
	if r.many == 0 || r.onAddress != 0 {
		return true
	}
	files := q.files()
	all := files != 0
	for i := range 6 {
		if files>>i&1 == 0 {
			continue
		}
		in := q.within(r, q.file(i))
		if in && r.verdict.action != allow {
			return true
		}
		all = all && in
	}
	return all && r.verdict.action == allow
}

// files returns which arguments stand for files: the names, or without one the descriptors.
func (q *question) files() uint8 {
	a := &q.tab.args[q.c.Nr()]
	if a.Paths != 0 {
		return a.Paths
	}
	return a.Files
}

// within reports whether a path is one of the rule's, or below one.
func (q *question) within(r *rule, path []byte) bool {
	for i := range r.many {
		t := &q.tab.paths[r.first+i]
		prefix := q.tab.text[t.at:][:t.size]
		if below(path, prefix) {
			return true
		}
	}
	return false
}

// below reports whether path is prefix or below it. "/" is the empty prefix.
func below(path, prefix []byte) bool {
	if len(path) < len(prefix) || len(path) == 0 {
		return false
	}
	for i := range prefix {
		if path[i] != prefix[i] {
			return false
		}
	}
	return len(path) == len(prefix) || path[len(prefix)] == '/'
}

// file returns the path that argument i stands for: absolute, without "." and ".."; empty where there is none.
func (q *question) file(i int) []byte {
	const currentDir = -100
	c, m, a := q.c, q.m, &q.tab.args[q.c.Nr()]
	if a.Paths>>i&1 == 0 {
		return m.path[:max(c.ReadLink(m.path[:maxPath], int32(c.Arg(i))), 0)]
	}
	var first [1]byte
	if c.Read(first[:], c.Arg(i)) != 1 {
		return nil
	}
	n := 0
	if first[0] != '/' {
		dir := int32(currentDir)
		if i > 0 && a.Dirs>>(i-1)&1 != 0 {
			dir = int32(c.Arg(i - 1))
		}
		if n = c.ReadLink(m.path[:maxPath-1], dir); n < 0 {
			return nil
		}
		m.path[n] = '/'
		n++
	}
	size, _ := c.ReadString(m.path[n:][:maxPath], c.Arg(i))
	if size < 0 {
		return nil
	}
	return m.path[:clean(m.path[:n+size])]
}

// clean takes "//", "/." and "/.." out of an absolute path and returns the new length. Nothing is left of "/".
func clean(path []byte) int {
	n := 0 // of what is done
	for i := 0; i < len(path); {
		for i < len(path) && path[i] == '/' {
			i++
		}
		start := i
		for i < len(path) && path[i] != '/' {
			i++
		}
		switch part := path[start:i]; {
		case len(part) == 0 || len(part) == 1 && part[0] == '.':
		case len(part) == 2 && part[0] == '.' && part[1] == '.':
			for n > 0 {
				if n--; path[n] == '/' {
					break
				}
			}
		default:
			path[n] = '/'
			n++
			for j := start; j < i; j++ {
				path[n] = path[j]
				n++
			}
		}
	}
	return n
}

// Families of addresses, include/linux/socket.h, and where struct sockaddr_in, sockaddr_in6 and sockaddr_un have what counts.
const (
	familyUnix  = 1
	familyInet  = 2
	familyInet6 = 10

	offsetPort  = 2
	offsetInet  = 4
	offsetInet6 = 8
	offsetUnix  = 2
)

// readAddress reads the address of a socket among the arguments and returns its length, 0 if there is none.
func (q *question) readAddress() int {
	a := &q.tab.args[q.c.Nr()]
	for i := range 5 {
		if a.Socket>>i&1 == 0 || q.c.Arg(i) == 0 {
			continue
		}
		size := min(uint32(q.c.Arg(i+1)), addressMax)
		return q.c.Read(q.m.address[:size], q.c.Arg(i))
	}
	return 0
}

// address reports whether the call has an address that a rule is about.
func (q *question) address(r *rule) bool {
	n := q.readAddress()
	if n < offsetPort {
		return false
	}
	b := &q.m.address
	family := uint16(b[0]) | uint16(b[1])<<8
	var ip []byte
	switch {
	case family == familyInet && n >= offsetInet+4:
		ip = b[offsetInet:][:4]
	case family == familyInet6 && n >= offsetInet6+16:
		ip = b[offsetInet6:][:16]
		if mapped(ip) && r.family != familyInet6 {
			family, ip = familyInet, ip[12:]
		}
	}
	switch {
	case r.family != 0 && r.family != family:
		return false
	case family == familyUnix && r.many != 0:
		return q.within(r, unixPath(b[:n]))
	case r.many != 0:
		return false
	case r.low == 0 && r.high == 0xffff && r.prefix == 0:
		return true
	case ip == nil:
		return false
	}
	port := uint16(b[offsetPort])<<8 | uint16(b[offsetPort+1])
	return r.low <= port && port <= r.high && samePrefix(ip, r.ip[:], int(r.prefix))
}

// mapped reports whether an address is one of IPv4 in one of IPv6.
func mapped(ip []byte) bool {
	for i := range 10 {
		if ip[i] != 0 {
			return false
		}
	}
	return ip[10] == 0xff && ip[11] == 0xff
}

func samePrefix(a, b []byte, bits int) bool {
	for i := range a {
		mask := byte(0xff)
		if bits < 8 {
			mask = ^byte(0xff >> max(bits, 0))
		}
		if (a[i]^b[i])&mask != 0 {
			return false
		}
		bits -= 8
	}
	return true
}

// unixPath returns the path of a Unix socket's address.
func unixPath(b []byte) []byte {
	b = b[offsetUnix:]
	for i := range b {
		if b[i] == 0 {
			return b[:i]
		}
	}
	return b
}

// report leaves a record. It tells the file or address that the rule is about, or else the first.
func (q *question) report(rule int32, v *verdict) {
	c := q.c
	w := c.Thread().Begin(recordVerdict, 8+8+6*8+8+8+maxPath+8)
	w.U64(uint64(uint32(c.Nr())) | uint64(uint32(rule))<<32)
	w.U64(uint64(v.action) | uint64(v.errno)<<8)
	for i := range 6 {
		w.U64(uint64(c.Arg(i)))
	}
	kind, subject := q.subject(rule)
	w.U64(uint64(kind))
	w.Bytes(subject)
	w.Commit()
}

func (q *question) subject(rule int32) (kind int, subject []byte) {
	if q.tab.args[q.c.Nr()].Socket != 0 {
		return subjectAddress, q.m.address[:q.readAddress()]
	}
	files := q.tab.args[q.c.Nr()].Paths
	if rule >= 0 && q.tab.rules[rule].many != 0 {
		files = q.files()
	}
	for i := range 6 {
		if files>>i&1 == 0 {
			continue
		}
		path := q.file(i)
		if rule < 0 || q.tab.rules[rule].many == 0 || q.within(&q.tab.rules[rule], path) {
			return subjectPath, path
		}
	}
	return subjectNone, nil
}
