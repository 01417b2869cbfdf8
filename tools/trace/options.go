package trace

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/tools/inject"
	"github.com/trapline/trapline/tools/syscalls"
	"github.com/trapline/trapline/tools/table"
)

// Options say how a Printer shows what the hook recorded.
type Options struct {
	MaxString int  // longest part of a string that is shown; file names are shown whole
	Column    int  // where results stand if there is room
	ShowPID   bool // name the thread in every line, not only while there are several
	Separate  bool // each thread has an output of its own: no line names it, none is interrupted
	Verbose   bool // structures whole
	Hex       int  // strings in hexadecimal: 1: unless they are ASCII, 2: all
	Paths     int  // 1: the paths of descriptors, 2: sockets and devices too
	Names     bool // the names of threads
	Clock     int  // 1 to 3: the time of day, with microseconds, in seconds since 1970
	Relative  bool // the time since the line before
	Spent     bool // the time spent in a call
	Numbers   bool // the numbers of calls
	Site      bool // where the thread goes on
	Whole     bool // a call is printed when it has ended
	Count     bool // a table at the end as well
	CountOnly bool // only a table

	Quiet       int  // 1: no lines for new threads, 2: for exits neither
	QuietAttach bool // no lines for new threads
	quietExec   bool // nor for a thread that another one's exec replaces

	Abbreviated  *syscalls.Set // whose structures are not shown whole; nil: those of all calls, unless Verbose
	Raw          syscalls.Set  // whose arguments and results are shown as numbers
	signals      *uint64       // which signals are shown; nil: all
	status       status        // which calls are shown, by how they ended; 0: all
	paths        []string      // only calls that deal with these
	table.Layout               // of the table

	Rules *inject.Rules // what is to be changed; nil: nothing

	// The program that was started, for the line that its exec would have had.
	Path string
	Args []string
	Env  []string
}

// Defaults of strace.
const (
	DefaultMaxString = 32
	DefaultColumn    = 40
)

// longestString is the largest MaxString: what fits into a record with the rest of a call.
const longestString = 8192

// Bytes returns the options as the hook reads them.
func (o *Options) Bytes() ([]byte, error) {
	t := targetOptions{maxString: uint64(o.limit()), paths: uint64(o.Paths)}
	if len(o.paths) > 0 {
		t.paths = max(t.paths, 1)
	}
	if o.Verbose || o.Abbreviated != nil {
		t.verbose = 1
	}
	if o.Site {
		t.site = 1
	}
	size := unsafe.Offsetof(t.rules)
	if o.Rules != nil {
		o.Rules.Paths = o.paths
		rules, err := o.Rules.Compile(&Dictionary)
		if err != nil {
			return nil, err
		}
		t.injects, t.rules, size = 1, *rules, unsafe.Sizeof(t)
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&t)), size), nil
}

func (o *Options) limit() int { return min(max(o.MaxString, 0), longestString) }

// whole reports whether a call is printed when it has ended.
func (o *Options) whole() bool { return o.Whole || o.status != 0 }

// status is a set of ways in which a call can end.
type status uint8

const (
	successful status = 1 << iota
	failed
	unfinished  // it does not return
	unavailable // nobody saw its result
	detached    // the launcher let go
	anyStatus   = successful | failed | unfinished | unavailable | detached
)

var statusNames = map[string]status{
	"successful": successful, "failed": failed, "unfinished": unfinished, "unavailable": unavailable, "detached": detached,
}

// members splits a list that an exclamation mark may negate.
func members(set string) (list []string, negated bool) {
	set, negated = strings.CutPrefix(set, "!")
	switch set {
	case "none":
		return nil, negated
	case "all":
		return nil, !negated
	}
	return strings.Split(set, ","), negated
}

// SetStatus parses the set of -e status=.
func (o *Options) SetStatus(set string) error {
	list, negated := members(set)
	o.status = 0
	for _, name := range list {
		s, ok := statusNames[name]
		if !ok {
			return fmt.Errorf("no status %q", name)
		}
		o.status |= s
	}
	if negated {
		o.status = anyStatus &^ o.status
	}
	return nil
}

// SetSignals parses the set of -e signal=: names with or without SIG, or numbers.
func (o *Options) SetSignals(set string) error {
	list, negated := members(set)
	mask := uint64(0)
	for _, name := range list {
		sig := int(unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG")))
		if n, err := strconv.Atoi(name); err == nil {
			sig = n
		}
		if sig < 1 || sig > 64 {
			return fmt.Errorf("no signal %q", name)
		}
		mask |= 1 << (sig - 1)
	}
	if negated {
		mask = ^mask
	}
	o.signals = &mask
	return nil
}

// showsSignal reports whether a signal's line is printed.
func (o *Options) showsSignal(sig int) bool {
	return o.signals == nil || sig >= 1 && sig <= 64 && *o.signals>>(sig-1)&1 != 0
}

// SetQuiet parses the set of -e quiet=, which without one is that of -q.
func (o *Options) SetQuiet(set string) error {
	if set == "" {
		o.Quiet++
		return nil
	}
	list, negated := members(set)
	if negated {
		list = []string{"attach", "exit", "thread-execve"}
	}
	for _, name := range list {
		switch name {
		case "attach", "attaching":
			o.QuietAttach = true
		case "exit", "exits":
			o.Quiet = max(o.Quiet, 2)
		case "thread-execve", "thread-exec", "superseded":
			o.quietExec = true
		case "path-resolution", "path", "personality": // lines that are never printed
		default:
			return fmt.Errorf("no kind of message %q", name)
		}
	}
	return nil
}

// AddPath adds a path of -P, and the one that it leads to.
func (o *Options) AddPath(path string) error {
	o.paths = append(o.paths, path)
	if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
		o.paths = append(o.paths, real)
	}
	return nil
}

// SetHex, SetPaths, SetNames and SetClock parse the arguments of long options.
func (o *Options) SetHex(kind string) error {
	return choose(&o.Hex, kind, map[string]int{"": 2, "all": 2, "non-ascii": 1, "none": 0})
}

func (o *Options) SetPaths(kind string) error {
	if list, _ := members(kind); kind != "" && len(list) > 1 {
		kind = "all"
	}
	return choose(&o.Paths, kind, map[string]int{
		"": 2, "all": 2, "socket": 2, "dev": 2, "pidfd": 2, "signalfd": 2, "eventfd": 2, "path": 1, "none": 0,
	})
}

func (o *Options) SetNames(kind string) error {
	n := 0
	err := choose(&n, kind, map[string]int{"comm": 1, "none": 0})
	o.Names = n == 1
	return err
}

func (o *Options) SetClock(kind string) error {
	n := 0
	for part := range strings.SplitSeq(kind, ",") {
		part = strings.TrimPrefix(strings.TrimPrefix(part, "format:"), "precision:")
		one := 0
		if err := choose(&one, part, map[string]int{"": 1, "time": 1, "s": 1, "us": 2, "unix": 3, "none": 0}); err != nil {
			return err
		}
		n = max(n, one)
	}
	o.Clock = n
	return nil
}

// choose sets *p to what a word stands for.
func choose(p *int, word string, values map[string]int) error {
	v, ok := values[word]
	if !ok {
		return fmt.Errorf("unknown argument %q", word)
	}
	*p = v
	return nil
}
