package trace

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// timed gives the records of a story times, a millisecond apart.
func (s *story) timed() *story {
	for i := range s.events {
		s.events[i].Time = time.Date(2024, 2, 3, 4, 5, 6, i*1e6, time.UTC)
	}
	return s
}

// optionStory has a call that succeeds, one that fails, a signal, and an end.
func optionStory() *story {
	var s story
	s.enter(7, 7, unix.SYS_CLOSE, 5)
	s.exit(7, 7, 0)
	s.enter(7, 7, unix.SYS_CLOSE, 6)
	s.exit(7, 7, -int64(unix.EBADF))
	s.signal(7, 7, uint32(unix.SIGUSR1), 0, 0, 0, 9, 1000)
	s.enter(7, 7, unix.SYS_EXIT_GROUP, 1)
	return s.timed()
}

// TestOptions checks what each option does to the lines of a story.
func TestOptions(t *testing.T) {
	t.Parallel()
	const (
		good   = "close(5) = 0\n"
		bad    = "close(6) = -1 EBADF (Bad file descriptor)\n"
		signal = "--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=9, si_uid=1000} ---\n"
		exit   = "exit_group(1) = ?\n"
		end    = "+++ exited with 1 +++\n"

		unknown = "[????????????????] "
	)
	for _, c := range []struct {
		name string
		set  func(o *Options) error
		want string
	}{
		{"nothing", func(o *Options) error { return nil }, good + bad + signal + exit + end},
		{"-z", func(o *Options) error { return o.SetStatus("successful") }, good + signal + end},
		{"-Z", func(o *Options) error { return o.SetStatus("failed") }, bad + signal + end},
		{"status=!failed", func(o *Options) error { return o.SetStatus("!failed") }, good + signal + exit + end},
		{"status=unfinished", func(o *Options) error { return o.SetStatus("unfinished") }, signal + exit + end},
		{"signal=none", func(o *Options) error { return o.SetSignals("none") }, good + bad + exit + end},
		{"signal=!USR1", func(o *Options) error { return o.SetSignals("!USR1") }, good + bad + exit + end},
		{"signal=sigusr1", func(o *Options) error { return o.SetSignals("sigusr1,15") }, good + bad + signal + exit + end},
		{"-qq", func(o *Options) error { o.Quiet = 2; return nil }, good + bad + signal + exit},
		{"quiet=exit", func(o *Options) error { return o.SetQuiet("exit") }, good + bad + signal + exit},
		{"--whole-lines", func(o *Options) error { o.Whole = true; return nil }, good + bad + signal + exit + end},
		{"-T", func(o *Options) error { o.Spent = true; return nil },
			"close(5) = 0 <0.001000>\nclose(6) = -1 EBADF (Bad file descriptor) <0.001000>\n" + signal + exit + end},
		{"-n", func(o *Options) error { o.Numbers = true; return nil },
			"[   3] " + good + "[   3] " + bad + "[   3] " + signal + "[ 231] " + exit + "[ 231] " + end},
		{"-i", func(o *Options) error { o.Site = true; return nil }, unknown + good + unknown + bad + "[0000000000401000] " + signal +
			unknown + exit + unknown + end},
		{"raw=close", func(o *Options) error { o.Raw.Add(unix.SYS_CLOSE); return nil },
			"close(0x5) = 0\nclose(0x6) = -1 EBADF (Bad file descriptor)\n" + signal + exit + end},
		{"-t", func(o *Options) error { return o.SetClock("") },
			"04:05:06 " + good + "04:05:06 " + bad + "04:05:06 " + signal + "04:05:06 " + exit + "04:05:06 " + end},
		{"-tt", func(o *Options) error { return o.SetClock("us") }, "04:05:06.000000 " + good + "04:05:06.002000 " + bad +
			"04:05:06.004000 " + signal + "04:05:06.005000 " + exit + "04:05:06.005000 " + end},
		{"-ttt", func(o *Options) error { return o.SetClock("unix") }, "1706933106.000000 " + good + "1706933106.002000 " + bad +
			"1706933106.004000 " + signal + "1706933106.005000 " + exit + "1706933106.005000 " + end},
		{"-r", func(o *Options) error { o.Relative = true; return nil }, "     0.000000 " + good + "     0.002000 " + bad +
			"     0.002000 " + signal + "     0.001000 " + exit + "     0.000000 " + end},
	} {
		o := Options{MaxString: DefaultMaxString}
		if err := c.set(&o); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var out bytes.Buffer
		p := NewPrinter(&out, o)
		p.Events(optionStory().events)
		if err := p.Close(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestOptionErrors checks what is refused.
func TestOptionErrors(t *testing.T) {
	t.Parallel()
	var o Options
	for name, err := range map[string]error{
		"status": o.SetStatus("fine"), "signal": o.SetSignals("SIGNOTHING"), "quiet": o.SetQuiet("loud"), "hex": o.SetHex("some"),
		"clock": o.SetClock("moon"), "sort": o.SetSort("beauty"), "columns": o.SetColumns("calls,calls"), "names": o.SetNames("x"),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestSeparate checks that each thread has an output of its own, whose lines are whole.
func TestSeparate(t *testing.T) {
	t.Parallel()
	var s story
	s.enter(7, 7, unix.SYS_PAUSE)
	s.enter(7, 8, unix.SYS_CLOSE, 5)
	s.exit(7, 8, 0)
	s.exit(7, 7, 0)
	outputs := map[int]*bytes.Buffer{}
	p := NewPrinter(io.Discard, Options{Separate: true})
	p.Open = func(tid int) (io.Writer, error) {
		outputs[tid] = new(bytes.Buffer)
		return outputs[tid], nil
	}
	for i := range s.events {
		p.Events(s.events[i : i+1])
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	got := map[int]string{}
	for tid, b := range outputs {
		got[tid] = b.String()
	}
	if diff := cmp.Diff(map[int]string{7: "pause() = 0\n", 8: "close(5) = 0\n"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSummary checks the table.
func TestSummary(t *testing.T) {
	t.Parallel()
	o := Options{MaxString: DefaultMaxString, CountOnly: true}
	o.SetColumns("calls,errors,min-time,time")
	var out bytes.Buffer
	p := NewPrinter(&out, o)
	p.Events(optionStory().events)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	want := `    calls    errors    shortest % time syscall
--------- --------- ----------- ------ ----------------
        2         1    0.001000 100.00 close
--------- --------- ----------- ------ ----------------
        2         1    0.001000 100.00 total
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLost: where records are missing a line says so, and the call before is left as it is.
func TestLost(t *testing.T) {
	t.Parallel()
	var s story
	s.enter(7, 7, unix.SYS_CLOSE, 5)
	s.add(7, 7, rt.KindLost, words(0, 3).data)
	s.exit(7, 7, 0)
	s.enter(7, 7, unix.SYS_CLOSE, 6)
	s.exit(7, 7, 0)
	s.timed()
	var out bytes.Buffer
	p := NewPrinter(&out, Options{MaxString: DefaultMaxString})
	p.Events(s.events)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	want := "close(5) = ?\n+++ 3 records lost +++\nclose(6) = 0\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRecorders checks the lines for machines.
func TestRecorders(t *testing.T) {
	t.Parallel()
	record := func(make func(io.Writer) Recorder) string {
		var out bytes.Buffer
		p := NewPrinter(io.Discard, Options{MaxString: DefaultMaxString})
		p.Recorder = make(&out)
		p.Events(optionStory().events)
		p.Lost(3)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	want := `{"type":"call","pid":7,"tid":7,"start_ns":"1706933106000000000","duration_ns":"1000000","nr":3,"name":"close","via":"patch","raw":["0x5"],"args":["5"],"result":"0"}
{"type":"call","pid":7,"tid":7,"start_ns":"1706933106002000000","duration_ns":"1000000","nr":3,"name":"close","via":"patch","raw":["0x6"],"args":["6"],"result":"-1","errno":"EBADF"}
{"type":"signal","pid":7,"tid":7,"time_ns":"1706933106004000000","signal":"SIGUSR1","info":"{si_signo=SIGUSR1, si_code=SI_USER, si_pid=9, si_uid=1000}"}
{"type":"call","pid":7,"tid":7,"start_ns":"1706933106005000000","duration_ns":"0","nr":231,"name":"exit_group","via":"patch","raw":["0x1"],"args":["1"]}
{"type":"end","pid":7,"tid":7,"time_ns":"1706933106005000000","how":"exited with 1"}
{"type":"lost","records":"3"}
`
	if diff := cmp.Diff(want, record(NewJSON)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	want = `{"traceEvents":[
{"name":"close","ph":"X","ts":1706933106000000.000,"dur":1000.000,"pid":7,"tid":7,"args":{"args":"5","result":"0"}},
{"name":"close","ph":"X","ts":1706933106002000.000,"dur":1000.000,"pid":7,"tid":7,"args":{"args":"6","result":"-1 EBADF (Bad file descriptor)"}},
`
	if got := record(NewPerfetto); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\n]}\n") {
		t.Errorf("Chrome trace events:\n%s\nwant at the start:\n%s", got, want)
	}
}

func TestSplitArguments(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                                  {},
		"1":                                 {"1"},
		`3, "a, \"b\", (", {x=1, y=[2, 3]}`: {"3", `"a, \"b\", ("`, "{x=1, y=[2, 3]}"},
		"NULL, 0x1 /* a, b */":              {"NULL", "0x1 /* a, b */"},
	} {
		if diff := cmp.Diff(want, splitArguments(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
