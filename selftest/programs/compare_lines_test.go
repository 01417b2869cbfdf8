package programs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Two traces of the same program, compared line by line.

// replacements take out of a line what differs from run to run.
var replacements = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\) += `), `) = `},
	{regexp.MustCompile(`0x[0-9a-f]{5,}`), `ADDRESS`},
	{regexp.MustCompile(`/\* \d{4}-\d\d-\d\dT\S+ \*/`), `/* DATE */`},
	{regexp.MustCompile(`tv_(sec|nsec|usec)=\d+`), `tv_${1}=N`},
	{regexp.MustCompile(`si_([us])time=\d+( /\*.*?\*/)?`), `si_${1}time=N`},
	{regexp.MustCompile(`^(time|times|getppid|getpgrp|getsid|setsid)\((.*)\) = \d+.*`), `$1($2) = N`},
	{regexp.MustCompile(`^rt_sigreturn\((.*)\) = .*`), `rt_sigreturn($1) = N`}, // of the call that was interrupted
	{regexp.MustCompile(`^getrandom\("[^"]*"`), `getrandom("RANDOM"`},
}

// someNumber is a number that may be a thread's.
var someNumber = regexp.MustCompile(`\b\d{3,}\b`)

// plainText is a line without what differs from run to run. keys has the threads of the trace.
func plainText(line string, keys map[string]string) string {
	for _, r := range replacements {
		line = r.pattern.ReplaceAllString(line, r.with)
	}
	return someNumber.ReplaceAllStringFunc(line, func(n string) string {
		if _, ok := keys[n]; ok {
			return "THREAD"
		}
		return n
	})
}

// A likeness says how far two traces of a program agree.
type likeness struct {
	lines     int // of strace
	same      int // of them, also in trace's
	known     int // not the same, for one of knownDifferences
	different []string
	missing   []string // calls that only strace has
	extra     []string // calls that only trace has
}

// share is how many of a hundred lines are the same.
func (l *likeness) share() float64 {
	if l.lines == 0 {
		return 100
	}
	return 100 * float64(l.same) / float64(l.lines)
}

// misfits is how many calls only one of them has.
func (l *likeness) misfits() int { return len(l.missing) + len(l.extra) }

func (l *likeness) add(o likeness) {
	l.lines += o.lines
	l.same += o.same
	l.known += o.known
	l.different = append(l.different, o.different...)
	l.missing = append(l.missing, o.missing...)
	l.extra = append(l.extra, o.extra...)
}

// knownDifferences are the lines in which trace cannot be like strace; docs/compatibility.md has the reasons.
var knownDifferences = []struct{ strace, trace *regexp.Regexp }{
	// A signal that the target ignores: the kernel keeps it for a tracer only.
	{regexp.MustCompile(`^--- SIG(CHLD|WINCH|URG|CONT) `), regexp.MustCompile(`^$`)},
	// A signal that ends the program: no handler runs, and the call that sent it does not return.
	{regexp.MustCompile(`^--- SIG\w+ .*si_code=SI_(TKILL|USER)`), regexp.MustCompile(`^$`)},
	{regexp.MustCompile(`^(kill|tkill|tgkill)\(.*\) = 0$`), regexp.MustCompile(`^(kill|tkill|tgkill)\(.*\) = \?$`)},
	// The trap filter is there, and so are the runtime's mappings.
	{regexp.MustCompile(`^prctl\(PR_GET_SECCOMP\) = 0$`), regexp.MustCompile(`^prctl\(PR_GET_SECCOMP\) = 2$`)},
	{regexp.MustCompile(`^read\(\d+, ("[0-9a-f]+-[0-9a-f]+ r|"", )`), regexp.MustCompile(`^read\(\d+, ("[0-9a-f]+-[0-9a-f]+ r|"", )`)},
}

func knownDifference(strace, trace string) bool {
	return slices.ContainsFunc(knownDifferences, func(k struct{ strace, trace *regexp.Regexp }) bool {
		return k.strace.MatchString(strace) && k.trace.MatchString(trace)
	})
}

// line compares a line that both have, or that one has and the other lacks (""). again is what strace said another time.
func (l *likeness) line(thread, strace, trace, again string) {
	l.lines++
	switch {
	case strace == trace, again != "" && strace != again && shape(strace) == shape(trace):
		l.same++
	case knownDifference(strace, trace):
		l.lines--
		l.known++
	default:
		l.different = append(l.different, fmt.Sprintf("thread %s\n  - %s\n  + %s", thread, strace, trace))
	}
}

// compareTraces compares what strace and trace say of the same program; again is another trace by strace.
func compareTraces(strace, trace, again []traced) (l likeness) {
	threads := func(list []traced) map[string]traced {
		byKey := make(map[string]traced)
		for _, th := range list {
			byKey[th.key] = th
		}
		return byKey
	}
	left, other := threads(trace), threads(again)
	for _, th := range strace {
		l.thread(th, left[th.key], other[th.key])
		delete(left, th.key)
	}
	for _, th := range left {
		l.thread(traced{key: th.key}, th, traced{})
	}
	return l
}

func (l *likeness) thread(strace, trace, again traced) {
	l.calls(strace.key, strace.calls, trace.calls, again.calls)
	l.line(strace.key, strace.end, trace.end, "")
	// When a signal comes is chance, and with several so is their order.
	want, got := slices.Sorted(slices.Values(strace.signals)), slices.Sorted(slices.Values(trace.signals))
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(got) == 0 || len(want) > 0 && want[0] < got[0] && !slices.Contains(got, want[0]):
			l.line(strace.key, want[0], "", "")
			want = want[1:]
		case len(want) == 0 || want[0] > got[0] && !slices.Contains(want, got[0]):
			l.line(strace.key, "", got[0], "")
			got = got[1:]
		default:
			l.line(strace.key, want[0], got[0], "")
			want, got = want[1:], got[1:]
		}
	}
}

// calls pairs the calls of a thread by name, as many as possible in order, and compares them.
func (l *likeness) calls(key string, strace, trace, again []call) {
	for len(strace) > 0 || len(trace) > 0 {
		if len(strace) > 0 && len(trace) > 0 && strace[0].name == trace[0].name {
			other := ""
			if len(again) > 0 && again[0].name == strace[0].name {
				other = again[0].text
			}
			l.line(key, strace[0].text, trace[0].text, other)
			strace, trace, again = strace[1:], trace[1:], again[min(1, len(again)):]
			continue
		}
		skip, drop := nextPair(strace, trace)
		for _, c := range strace[:skip] {
			l.lines++
			l.missing = append(l.missing, key+" "+c.text)
		}
		for _, c := range trace[:drop] {
			l.extra = append(l.extra, key+" "+c.text)
		}
		strace, trace, again = strace[skip:], trace[drop:], again[min(skip, len(again)):]
	}
}

// nextPair returns how many calls to leave out of each list so that the lists go on with the same one.
func nextPair(a, b []call) (int, int) {
	for n := 1; n < len(a)+len(b); n++ {
		for i := max(0, n-len(b)); i <= min(n, len(a)); i++ {
			if j := n - i; i < len(a) && j < len(b) && a[i].name == b[j].name {
				return i, j
			}
		}
	}
	return len(a), len(b)
}

// compareShapes compares two traces of a program that does not make the same calls twice: each line of trace has to be one
// that strace has seen too, anywhere. Numbers are left out.
func compareShapes(strace, trace []traced) (l likeness) {
	seen := make(map[string]bool)
	for _, th := range strace {
		for _, c := range th.calls {
			seen[shape(c.text)] = true
		}
	}
	for _, th := range trace {
		for _, c := range th.calls {
			l.lines++
			if seen[shape(c.text)] {
				l.same++
			} else {
				l.different = append(l.different, fmt.Sprintf("thread %s\n  + %s", th.key, c.text))
			}
		}
	}
	return l
}

var (
	quoted     = regexp.MustCompile(`"(\\.|[^"\\])*"(\.\.\.)?`)
	allNumbers = regexp.MustCompile(`-?\b(0x[0-9a-f]+|\d+)\b`)
	repeated   = regexp.MustCompile(`(\{[^{}]*\}|N|S)((,)? (\{[^{}]*\}|N|S))+`)
)

func shape(text string) string {
	text = strings.ReplaceAll(allNumbers.ReplaceAllString(quoted.ReplaceAllString(text, "S"), "N"), "ADDRESS", "N")
	return repeated.ReplaceAllString(text, "...")
}
