package inject

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
	"github.com/trapline/trapline/tools/syscalls"
)

// Rule says what becomes of some calls.
type Rule struct {
	Calls syscalls.Set

	Replaces bool  // the call is not made
	Result   int64 // what it returns then, a negative error number for an error
	IsValue  bool  // Result is a value, whatever it looks like
	Instead  int   // a call without effects that is made in its place, -1: none
	Signal   int   // comes as the call begins; 0: none
	WaitIn   time.Duration
	WaitOut  time.Duration
	PokeIn   []Poke
	PokeOut  []Poke

	// Which calls: those for which Condition holds and the thread is called Comm, and of these the thread's First, then every
	// Step-th up to Last; 0: none.
	Condition         *Condition // nil: all
	Comm              string     // a pattern; "": all
	First, Last, Step uint32
	Chance            float64 // in (0, 1]; 0: no chance
	Seed              uint64

	given map[string]bool
}

// Poke is what is written over the memory that argument Arg points at.
type Poke struct {
	Arg  int // 0 to 5
	Data []byte
}

// Dictionary is what the parser has to know of Linux's interface.
type Dictionary struct {
	Constant  func(name string) (value uint64, ok bool)
	Arguments func(nr int) syscalls.Arguments
}

// ParseRule parses the argument of -e inject=; of -e fault= with fault, which makes an error, ENOSYS without another one.
func ParseRule(text string, fault bool, d *Dictionary) (*Rule, error) {
	parts := split(text)
	calls, err := syscalls.ParseSet(parts[0])
	if err != nil {
		return nil, err
	}
	r := &Rule{Calls: calls, Instead: -1, First: 1, Step: 1, given: map[string]bool{}}
	for _, part := range parts[1:] {
		if part == "" {
			continue
		}
		if err := r.clause(part, fault, d); err != nil {
			return nil, fmt.Errorf("%q: %w", part, err)
		}
	}
	if fault && !r.given["error"] {
		r.fail(unix.ENOSYS)
	}
	return r, r.check()
}

// split splits a rule at the colons outside of quotes.
func split(text string) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case quoted && ch == '\\':
			i++
		case ch == '"':
			quoted = !quoted
		case ch == ':' && !quoted:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// Errors of rules.
var (
	errUnknown  = errors.New("unknown clause")
	errTwice    = errors.New("given twice")
	errValue    = errors.New("not a valid value")
	errNothing  = errors.New("nothing to inject: one of error, retval, signal, delay_enter, delay_exit, poke_enter, poke_exit is needed")
	errInternal = errors.New("a number that the kernel keeps to itself")
	errSeed     = errors.New("seed without prob")
)

// clause parses one NAME=VALUE.
func (r *Rule) clause(part string, fault bool, d *Dictionary) error {
	name, value, _ := strings.Cut(part, "=")
	switch name {
	case "error", "when", "if", "comm", "prob", "seed":
	case "retval", "signal", "syscall", "delay_enter", "delay_exit", "poke_enter", "poke_exit":
		if fault {
			return errUnknown
		}
	default:
		return errUnknown
	}
	kind := name
	if name == "retval" {
		kind = "error" // there is one result
	}
	if r.given[kind] && name != "when" { // of which strace takes the last
		return errTwice
	}
	r.given[kind] = true
	return r.set(name, value, d)
}

func (r *Rule) set(name, value string, d *Dictionary) (err error) {
	switch name {
	case "error":
		return r.setError(value)
	case "retval":
		return r.setResult(value)
	case "signal":
		r.Signal, err = parseSignal(value)
	case "syscall":
		r.Instead, err = parsePure(value)
	case "delay_enter":
		r.WaitIn, err = parseDelay(value)
	case "delay_exit":
		r.WaitOut, err = parseDelay(value)
	case "poke_enter":
		r.PokeIn, err = parsePokes(value)
	case "poke_exit":
		r.PokeOut, err = parsePokes(value)
	case "when":
		return r.setWhen(value)
	case "if":
		r.Condition, err = ParseCondition(value, d)
	case "comm":
		r.Comm, err = value, checkPattern(value)
	case "prob":
		r.Chance, err = parseChance(value)
	case "seed":
		r.Seed, err = strconv.ParseUint(value, 0, 64)
	}
	return err
}

// check looks at the clauses together.
func (r *Rule) check() error {
	if !r.Replaces && r.Signal == 0 && r.WaitIn == 0 && r.WaitOut == 0 && r.PokeIn == nil && r.PokeOut == nil &&
		!r.given["delay_enter"] && !r.given["delay_exit"] {
		return errNothing
	}
	if r.given["seed"] && r.Chance == 0 {
		return errSeed
	}
	if r.Replaces && (r.Result == -rt.ERESTARTSYS || r.Result == -rt.ENOTRUN) {
		return fmt.Errorf("result %d: %w", r.Result, errInternal)
	}
	return nil
}

func (r *Rule) fail(e unix.Errno) { r.Replaces, r.Result = true, -int64(e) }

// maxErrno is MAX_ERRNO (include/linux/err.h).
const maxErrno = 4095

func (r *Rule) setError(value string) error {
	e, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		e = uint64(errnoNamed(value))
	}
	if e < 1 || e > maxErrno {
		return errValue
	}
	r.fail(unix.Errno(e))
	return nil
}

// errnoNamed returns the error of that name, 0 if there is none.
func errnoNamed(name string) unix.Errno {
	name = strings.ToUpper(name)
	switch name { // those that are another one's second name
	case "EAGAIN":
		return unix.EAGAIN
	case "EDEADLOCK":
		return unix.EDEADLOCK
	case "EOPNOTSUPP", "ENOTSUP":
		return unix.EOPNOTSUPP
	}
	for e := unix.Errno(1); e <= maxErrno; e++ {
		if unix.ErrnoName(e) == name && name != "" {
			return e
		}
	}
	return 0
}

func (r *Rule) setResult(value string) error {
	v, err := strconv.ParseUint(strings.TrimPrefix(value, "-"), 0, 64)
	if err != nil {
		return errValue
	}
	r.Replaces, r.IsValue, r.Result = true, true, int64(v)
	if strings.HasPrefix(value, "-") {
		r.Result = -int64(v)
	}
	return nil
}

// parseSignal parses a signal: a name with or without SIG, SIGRT_N, or a number.
func parseSignal(value string) (int, error) {
	name := strings.TrimPrefix(strings.ToUpper(value), "SIG")
	sig := int(unix.SignalNum("SIG" + name))
	const firstRealTime, last = 32, 64
	if n, ok := strings.CutPrefix(name, "RT_"); ok {
		if n, err := strconv.Atoi(n); err == nil && n >= 0 {
			sig = firstRealTime + n
		}
	} else if name == "RTMIN" {
		sig = firstRealTime
	} else if n, err := strconv.Atoi(value); err == nil {
		sig = n
	}
	if sig < 1 || sig > last {
		return 0, errValue
	}
	return sig, nil
}

// parsePure parses the name of a call that has no effects.
func parsePure(value string) (int, error) {
	pure, err := syscalls.ParseSet("%pure")
	if err != nil {
		return -1, err
	}
	nr, ok := syscalls.Number(value)
	if !ok || !pure.Has(nr) {
		return -1, errors.New("not a call without effects (%pure)")
	}
	return nr, nil
}

// parseDelay parses a time: a number with a unit, microseconds without one.
func parseDelay(value string) (time.Duration, error) {
	unit := time.Microsecond
	for _, u := range []struct {
		suffix string
		unit   time.Duration
	}{{"ns", time.Nanosecond}, {"us", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}} {
		if rest, ok := strings.CutSuffix(value, u.suffix); ok {
			value, unit = rest, u.unit
			break
		}
	}
	n, err := strconv.ParseFloat(value, 64)
	if d := n * float64(unit); err == nil && d >= 0 && d < math.MaxInt64/2 {
		return time.Duration(d), nil
	}
	return 0, errValue
}

// parsePokes parses @argN=HEX,@argM=HEX...
func parsePokes(value string) ([]Poke, error) {
	const maxData = 1024
	var list []Poke
	for part := range strings.SplitSeq(value, ",") {
		text, ok := strings.CutPrefix(part, "@arg")
		if !ok || len(text) < 2 || text[1] != '=' || text[0] < '1' || text[0] > '6' {
			return nil, errors.New("not @argN=HEX with N from 1 to 6")
		}
		p := Poke{Arg: int(text[0] - '1')}
		data, err := hex.DecodeString(text[2:])
		if err != nil || len(data) == 0 || len(data) > maxData {
			return nil, errors.New("not 1 to 1024 bytes in hexadecimal")
		}
		for _, other := range list {
			if other.Arg == p.Arg {
				return nil, errTwice
			}
		}
		p.Data = data
		list = append(list, p)
	}
	return list, nil
}

func parseChance(value string) (float64, error) {
	p, err := strconv.ParseFloat(value, 64)
	if err != nil || !(p > 0 && p <= 1) {
		return 0, errors.New("not greater than 0 and at most 1")
	}
	return p, nil
}

// setWhen parses FIRST[..LAST][+[STEP]].
func (r *Rule) setWhen(value string) error {
	const most = 65535
	numbers, step, stepped := strings.Cut(value, "+")
	first, last, ranged := strings.Cut(numbers, "..")
	var err [3]error
	r.First, err[0] = number(first, most)
	r.Last, r.Step = 0, 0
	if ranged {
		r.Last, err[1] = number(last, most-1)
		r.Step = 1
	}
	if stepped {
		r.Step = 1
		if step != "" {
			r.Step, err[2] = number(step, most)
		}
	}
	if e := errors.Join(err[:]...); e != nil || ranged && r.Last < r.First {
		return errors.New("not FIRST[..LAST][+[STEP]]")
	}
	return nil
}

func number(s string, most uint64) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n < 1 || n > most {
		return 0, errValue
	}
	return uint32(n), nil
}
