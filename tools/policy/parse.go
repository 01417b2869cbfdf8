package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
	"github.com/trapline/trapline/tools/inject"
	"github.com/trapline/trapline/tools/syscalls"
)

// Policy is a list of rules, of which the first that fits a call counts, and what becomes of other calls.
type Policy struct {
	rules    []jsonRule
	fallback verdict
	table    Table

	pathsUsed, textUsed int
}

// jsonPolicy is the file.
type jsonPolicy struct {
	Default string     `json:"default"`
	Errno   string     `json:"errno"`
	Rules   []jsonRule `json:"rules"`
}

// jsonRule is one rule of the file.
type jsonRule struct {
	Action  string       `json:"action"`
	Calls   string       `json:"calls"`
	Errno   string       `json:"errno"`
	Paths   []string     `json:"paths"`
	Address *jsonAddress `json:"address"`
	Why     string       `json:"why"`

	calls syscalls.Set
}

// jsonAddress is the address of a socket.
type jsonAddress struct {
	Family string `json:"family"`
	IP     string `json:"ip"`
	Port   string `json:"port"`
}

// Errors of a policy.
var (
	errAction  = errors.New("action is allow, deny, errno, kill or log")
	errErrno   = errors.New("errno is the name of an error, and belongs to the action errno")
	errPath    = errors.New("a path is absolute")
	errTooMany = errors.New("too many rules or paths")
	errMore    = errors.New("there is something behind the policy")
)

// Parse reads a policy.
func Parse(data []byte, d *inject.Dictionary) (*Policy, error) {
	var file jsonPolicy
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errMore
	}
	p := &Policy{rules: file.Rules}
	for nr := range p.table.args {
		p.table.args[nr] = d.Arguments(nr)
	}
	if file.Default == "" {
		file.Default = "allow"
	}
	var err error
	if p.fallback, err = parseVerdict(file.Default, file.Errno, d); err != nil {
		return nil, fmt.Errorf("default: %w", err)
	}
	p.table.fallback = p.fallback
	for i := range p.rules {
		if err := p.add(&p.rules[i], d); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	return p, nil
}

func parseVerdict(name, errno string, d *inject.Dictionary) (verdict, error) {
	if (errno != "") != (name == "errno") {
		return verdict{}, errErrno
	}
	switch name {
	case "allow":
		return verdict{action: allow}, nil
	case "deny":
		return verdict{deny, uint16(unix.EPERM)}, nil
	case "errno":
		v, ok := d.Constant(strings.ToUpper(errno))
		if !ok || unix.ErrnoName(unix.Errno(v)) == "" || !strings.HasPrefix(strings.ToUpper(errno), "E") {
			return verdict{}, errErrno
		}
		return verdict{deny, uint16(v)}, nil
	case "kill":
		return verdict{action: kill}, nil
	case "log":
		return verdict{action: log}, nil
	}
	return verdict{}, errAction
}

// add writes one rule into the table.
func (p *Policy) add(j *jsonRule, d *inject.Dictionary) (err error) {
	t := &p.table
	if t.count == maxRules {
		return errTooMany
	}
	r := &t.rules[t.count]
	if r.verdict, err = parseVerdict(j.Action, j.Errno, d); err != nil {
		return err
	}
	if r.calls, err = syscalls.ParseSet(j.Calls); err != nil {
		return err
	}
	j.calls = r.calls
	r.first = uint16(p.pathsUsed)
	for _, name := range j.Paths {
		if err := p.addPath(name); err != nil {
			return err
		}
		r.many++
	}
	if j.Address != nil {
		if err := r.setAddress(j.Address); err != nil {
			return fmt.Errorf("address: %w", err)
		}
	}
	t.count++
	return nil
}

func (p *Policy) addPath(name string) error {
	if !path.IsAbs(name) {
		return fmt.Errorf("%q: %w", name, errPath)
	}
	name = strings.TrimSuffix(path.Clean(name), "/")
	if p.pathsUsed == maxPaths || p.textUsed+len(name) > maxText {
		return errTooMany
	}
	p.table.paths[p.pathsUsed] = text{uint16(p.textUsed), uint16(len(name))}
	p.textUsed += copy(p.table.text[p.textUsed:], name)
	p.pathsUsed++
	return nil
}

var families = map[string]uint16{"": 0, "unix": familyUnix, "inet": familyInet, "inet6": familyInet6, "netlink": unix.AF_NETLINK, "packet": unix.AF_PACKET}

func (r *rule) setAddress(a *jsonAddress) error {
	family, ok := families[a.Family]
	if !ok {
		return errors.New("family is unix, inet, inet6, netlink or packet")
	}
	r.onAddress, r.family, r.high = 1, family, 0xffff
	if a.IP != "" {
		prefix, err := netip.ParsePrefix(a.IP)
		if ip, e := netip.ParseAddr(a.IP); e == nil {
			prefix, err = ip.Prefix(ip.BitLen())
		}
		if err != nil {
			return errors.New("ip is an address, or one with /BITS")
		}
		own := uint16(familyInet)
		if prefix.Addr().Is6() {
			own = familyInet6
		}
		if family != 0 && family != own {
			return errors.New("ip is of another family")
		}
		r.family, r.prefix = own, uint8(prefix.Bits())
		copy(r.ip[:], prefix.Addr().AsSlice())
	}
	if a.Port == "" {
		return nil
	}
	if r.many != 0 || family == familyUnix {
		return errors.New("a Unix socket has no port")
	}
	low, high, ranged := strings.Cut(a.Port, "-")
	if !ranged {
		high = low
	}
	from, err1 := strconv.ParseUint(low, 10, 16)
	to, err2 := strconv.ParseUint(high, 10, 16)
	if errors.Join(err1, err2) != nil || to < from {
		return errors.New("port is a number, or LOW-HIGH")
	}
	r.low, r.high = uint16(from), uint16(to)
	return nil
}

// Hooked returns the numbers of the calls that the rules are about, nil for all.
func (p *Policy) Hooked() []int {
	if p.fallback.action != allow {
		return nil
	}
	list := []int{}
	for nr := range rt.NumCalls {
		for i := range p.rules {
			if p.rules[i].calls.Has(nr) {
				list = append(list, nr)
				break
			}
		}
	}
	return list
}

// Bytes returns the table as the bytes of a tool's options.
func (p *Policy) Bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&p.table)), unsafe.Sizeof(p.table))
}
