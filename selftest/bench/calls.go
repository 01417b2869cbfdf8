package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trapline/trapline/launcher"
)

// floorWay is the way of the experiment getpid in which the trap filter itself is all that a call pays for.
const floorWay = "filter, address allowed (floor)"

// Files with filters for testdata/calls.c.
const (
	numberFilter  = "number.filter"  // nobody subscribed to getpid
	addressFilter = "address.filter" // every number is subscribed to, and the program's text is let through
	handlerFilter = "handler.filter" // the same, but of the program only the handler is let through
)

// calls are the experiments that make one system call over and over.
func (s *session) calls() []*experiment {
	return []*experiment{s.getpid(), s.libc(), s.access(), s.first()}
}

// callExperiment is one of testdata/calls.c.
func (s *session) callExperiment(name, about string, ways ...*way) *experiment {
	return &experiment{
		name: name, about: about + ", ns a call", compare: difference,
		needs: []string{"gcc"}, prepare: s.prepareCalls, ways: ways,
	}
}

func (s *session) prepareCalls() error {
	if err := s.build("calls"); err != nil {
		return err
	}
	all := &launcher.Config{All: true}
	if err := s.writeFilter(numberFilter, &launcher.Config{}, "calls", ".text"); err != nil {
		return err
	}
	if err := s.writeFilter(addressFilter, all, "calls", ".text"); err != nil {
		return err
	}
	return s.writeFilter(handlerFilter, all, "calls", "allowed")
}

func (s *session) getpid() *experiment {
	call := func(name string, prefix []string, setup ...string) *way {
		return s.call(name, slices.Min, prefix, "getpid", setup...)
	}
	e := s.callExperiment("getpid", "getpid at a site with padding",
		// What the kernel asks, with nothing intercepted.
		call("native", nil),
		call("filter, number allowed", nil, "filter", s.file(numberFilter)),
		call(floorWay, nil, "filter", s.file(addressFilter)),
		call("Syscall User Dispatch, address allowed", nil, "sud"),
		// The fast path, where there is one; now every call takes the trap path.
		call("trapline trace -e trace=openat", s.verb("trace", "-e", "trace=openat", "-o", "/dev/null")),
		call("trapline run", s.verb("run")),
		call("trapline, empty hook", s.verb(HookVerb, "-tool", "noop")),
		call("trapline, hook answers the call", s.verb(HookVerb, "-tool", "emulate")),
		call("trapline count", s.verb("count", "-o", "/dev/null")),
		call("trapline trace, bursts", s.verb("trace", "-o", "/dev/null"), "burst"),
		s.call("trapline trace, sustained", mean, s.verb("trace", "-o", "/dev/null"), "getpid"),
		call("trapline run -trap=sud", s.verb("run", "-trap=sud")),
		call("trapline, empty hook, -trap=sud", s.verb(HookVerb, "-tool", "noop", "-trap=sud")),
		// The trap path: SIGSYS at every call.
		call("trapline run -no-patch", s.verb("run", "-no-patch")),
		call("SIGSYS and a handler in C", nil, "handler", s.file(handlerFilter)),
		// ptrace.
		s.call("strace -f", mean, []string{"strace", "-f", "-o", "/dev/null"}, "getpid"),
		call("strace -f --seccomp-bpf -e trace=openat", []string{
			"strace", "-f", "--seccomp-bpf", "-e", "trace=openat", "-o", "/dev/null",
		}),
	)
	e.floor = floorWay
	return e
}

func (s *session) libc() *experiment {
	return s.callExperiment("libc", "getpid by libc's syscall()",
		s.call("native", slices.Min, nil, "libc"),
		s.call("trapline run", slices.Min, s.verb("run"), "libc"),
	)
}

func (s *session) access() *experiment {
	return s.callExperiment("access", "access of a path that does not exist",
		s.call("native", slices.Min, nil, "access"),
		s.call("trapline run", slices.Min, s.verb("run"), "access"),
		s.call("trapline count", slices.Min, s.verb("count", "-o", "/dev/null"), "access"),
		s.call("trapline trace, bursts", slices.Min, s.verb("trace", "-o", "/dev/null"), "access", "burst"),
		s.call("trapline trace, sustained", mean, s.verb("trace", "-o", "/dev/null"), "access"),
		s.call("strace -f", mean, []string{"strace", "-f", "-o", "/dev/null"}, "access"),
	)
}

// first measures what a site costs when it is used for the first time.
func (s *session) first() *experiment {
	batches := strconv.Itoa(s.size(8, 2))
	e := s.callExperiment("first", "the first getpid of a site")
	e.prepare = func() error { return s.build("first") }
	first := func(name string, prefix []string) *way {
		return s.batches(name, slices.Min, prefix, s.file("first"), batches)
	}
	e.ways = []*way{
		first("native", nil),
		first("trapline run", s.verb("run")),
		first("trapline run -no-patch", s.verb("run", "-no-patch")),
	}
	return e
}

// call is a run of testdata/calls.c.
func (s *session) call(name string, of statistic, prefix []string, call string, setup ...string) *way {
	argv := []string{s.file("calls"), call, strconv.Itoa(s.size(50, 5))}
	return s.batches(name, of, prefix, append(argv, setup...)...)
}

// A statistic makes one value of the batches of a run. The fastest batch is the one that nothing disturbed, above all
// no hyperthread on the same core. Where another process takes part in the call, the mean counts.
type statistic func([]float64) float64

// batches is a program that prints one value a batch.
func (s *session) batches(name string, of statistic, prefix []string, argv ...string) *way {
	run := func() (float64, error) {
		out, _, err := s.output(s.dir, prefix, argv...)
		if err != nil {
			return 0, err
		}
		var values []float64
		for _, word := range strings.Fields(out) {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return 0, fmt.Errorf("%s printed: %w", argv[0], err)
			}
			values = append(values, v)
		}
		if len(values) == 0 {
			return 0, fmt.Errorf("%s printed nothing", argv[0])
		}
		return of(values), nil
	}
	return &way{name: name, run: run}
}
