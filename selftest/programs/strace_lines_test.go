package programs

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A call is one system call as strace prints it: name(arguments) = result.
type call struct {
	name   string
	result string
	text   string // the line, its two halves put together
}

// A traced is what a trace says of one thread.
type traced struct {
	key     string // place in the tree of creation: 1 is the first thread, 1.2 the second one it made
	calls   []call
	signals []string // the lines --- ... ---
	end     string   // of the line +++ ... +++
}

// Lines of `strace -f -o`: PID, then a call, its beginning, its end, a signal, or the thread's end.
var (
	prefixed   = regexp.MustCompile(`^(\d+) +(.*)$`)
	whole      = regexp.MustCompile(`^(\w+)\(.*\) += (\S+)`)
	unfinished = regexp.MustCompile(`^(\w+)\(.* <unfinished \.\.\.>(?:\) += \?)?$`)
	resumed    = regexp.MustCompile(`^<\.\.\. (\w+) resumed>.*\) += (\S+)`)
	ended      = regexp.MustCompile(`^\+\+\+ (.*) \+\+\+$`)
	signalled  = regexp.MustCompile(`^--- .* ---$`)
)

// parseTrace reads the lines into threads, which are in the order of their keys. The first execve of the first thread
// (the tracer's own, in a child it made) is left out.
func parseTrace(r io.Reader) ([]traced, error) {
	p := traceParser{threads: make(map[string]*traced), begun: make(map[string]call)}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		m := prefixed.FindStringSubmatch(s.Text())
		if m == nil {
			return nil, fmt.Errorf("no process id: %q", s.Text())
		}
		if err := p.line(m[1], m[2]); err != nil {
			return nil, err
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return p.tree()
}

type traceParser struct {
	order   []string // thread ids as they appear first
	threads map[string]*traced
	begun   map[string]call // thread id: the call of its <unfinished ...> line
}

func (p *traceParser) line(tid, text string) error {
	th := p.threads[tid]
	if th == nil {
		th = new(traced)
		p.threads[tid] = th
		p.order = append(p.order, tid)
	}
	if m := unfinished.FindStringSubmatch(text); m != nil {
		p.begun[tid] = call{m[1], "?", strings.TrimSuffix(text, " <unfinished ...>")}
		return nil
	}
	if m := resumed.FindStringSubmatch(text); m != nil {
		if p.begun[tid].name != m[1] {
			return fmt.Errorf("thread %s: %s resumed, but %q had begun", tid, m[1], p.begun[tid].name)
		}
		_, rest, _ := strings.Cut(text, " resumed>")
		th.add(call{m[1], m[2], p.begun[tid].text + rest})
		delete(p.begun, tid)
		return nil
	}
	if m := whole.FindStringSubmatch(text); m != nil {
		th.add(call{m[1], m[2], text})
		return nil
	}
	if m := ended.FindStringSubmatch(text); m != nil {
		if c, ok := p.begun[tid]; ok {
			c.text += ") = ?"
			th.add(c) // killed in it, or its exit took effect at once
		}
		th.end = m[1]
		return nil
	}
	if strings.HasPrefix(text, "???(") || strings.HasPrefix(text, "<... ??? resumed>") {
		return nil // a thread that ended before strace could ask what it was doing
	}
	if signalled.MatchString(text) {
		th.signals = append(th.signals, text)
		return nil
	}
	return fmt.Errorf("thread %s: not a line of strace's: %q", tid, text)
}

// add appends a call. The return from a handler counts with the lines of signals: between which calls a signal comes is a
// matter of the moment.
func (th *traced) add(c call) {
	if c.name == "rt_sigreturn" {
		th.signals = append(th.signals, c.text)
		return
	}
	th.calls = append(th.calls, c)
}

// makers are the calls whose result is a new thread.
var makers = map[string]bool{"fork": true, "vfork": true, "clone": true, "clone3": true}

// tree gives every thread its key, and puts keys for thread ids in results.
func (p *traceParser) tree() ([]traced, error) {
	if len(p.order) == 0 {
		return nil, fmt.Errorf("no lines")
	}
	keys := make(map[string]string)
	var list []traced
	var walk func(tid, key string)
	walk = func(tid, key string) {
		th := p.threads[tid]
		if th == nil {
			return // it never made a call, nor ended, in sight of the tracer
		}
		keys[tid] = key
		th.key = key
		list = append(list, *th)
		n := 0
		for _, c := range th.calls {
			if makers[c.name] && isNumber(c.result) && c.result != "0" {
				n++
				walk(c.result, fmt.Sprintf("%s.%d", key, n))
			}
		}
	}
	walk(p.order[0], "1")
	if len(list) != len(p.order) {
		return nil, fmt.Errorf("%d threads, of which %d have no parent", len(p.order), len(p.order)-len(list))
	}
	if first := list[0].calls; len(first) > 0 && first[0].name == "execve" {
		list[0].calls = first[1:]
	}
	for i := range list {
		for j := range list[i].calls {
			c := &list[i].calls[j]
			c.result = plainResult(*c, keys)
			c.text = plainText(c.text, keys)
		}
		for j := range list[i].signals {
			list[i].signals[j] = plainText(list[i].signals[j], keys)
		}
	}
	return list, nil
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// plainResult is the result without what differs from run to run: addresses and process ids.
func plainResult(c call, keys map[string]string) string {
	if strings.HasPrefix(c.result, "0x") {
		return "ADDRESS"
	}
	switch c.name {
	case "getppid", "getpgrp", "getpgid", "getsid", "setsid":
		return "PROCESS"
	case "fork", "vfork", "clone", "clone3", "getpid", "gettid", "set_tid_address":
		if key, ok := keys[c.result]; ok {
			return "thread " + key
		}
	case "wait4": // which of two children ends first is not the program's doing
		if _, ok := keys[c.result]; ok {
			return "CHILD"
		}
	case "time", "times":
		return "TIME"
	}
	return c.result
}

// TestParseTrace: lines that strace printed.
func TestParseTrace(t *testing.T) {
	t.Parallel()
	const text = `100   execve("/bin/sh", ["sh", "-c", "x) = 3"], 0x7ffd /* 9 vars */) = 0
100   brk(NULL)                         = 0x5581
100   openat(AT_FDCWD, "/nothing", O_RDONLY) = -1 ENOENT (No such file or directory)
100   clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>
101   set_robust_list(0x7f, 24 <unfinished ...>
100   <... clone resumed>, child_tidptr=0x7f) = 101
101   <... set_robust_list resumed>)    = 0
100   wait4(-1,  <unfinished ...>
101   write(1, "a) = 7\n", 7)           = 7
101   exit_group(3 <unfinished ...>
101   +++ exited with 3 +++
100   <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 101
100   --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=101} ---
100   exit_group(0)                     = ?
100   +++ exited with 0 +++
`
	want := []traced{
		{"1", []call{
			{"brk", "ADDRESS", "brk(NULL) = 0x5581"},
			{"openat", "-1", `openat(AT_FDCWD, "/nothing", O_RDONLY) = -1 ENOENT (No such file or directory)`},
			{"clone", "thread 1.1", "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = THREAD"},
			{"wait4", "CHILD", "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = THREAD"},
			{"exit_group", "?", "exit_group(0) = ?"},
		}, []string{"--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=THREAD} ---"}, "exited with 0"},
		{"1.1", []call{
			{"set_robust_list", "0", "set_robust_list(0x7f, 24) = 0"},
			{"write", "7", `write(1, "a) = 7\n", 7) = 7`},
			{"exit_group", "?", "exit_group(3) = ?"},
		}, nil, "exited with 3"},
	}
	got, err := parseTrace(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(traced{}, call{})); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "execve()\n", "1 nonsense\n", "1 <... read resumed>) = 1\n", "1 getpid() = 1\n2 getpid() = 2\n"} {
		if _, err := parseTrace(strings.NewReader(bad)); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}
