package suites

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// A mode is one way to run a suite; the tool's report goes to the file report.
type mode struct {
	name string
	wrap func(report string) []string
}

var (
	native   = mode{"native", func(string) []string { return nil }}
	allModes = []mode{
		{"run", func(string) []string { return []string{trapline(), "run", "--"} }},
		{"count", func(r string) []string { return []string{trapline(), "count", "-o", r, "--"} }},
		{"run-sud", func(string) []string { return []string{trapline(), "run", "-trap=sud", "--"} }},
	}
	straceMode = mode{"strace", func(string) []string { return []string{"strace", "-f", "-qq", "-o", "/dev/null"} }}
)

// modes returns what TRAPLINE_MODES names, or all of trapline's.
func modes(t *testing.T) []mode {
	list := os.Getenv("TRAPLINE_MODES")
	if list == "" {
		return allModes
	}
	var ms []mode
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(append(allModes, straceMode), func(m mode) bool { return m.name == name })
		if i < 0 {
			t.Fatalf("TRAPLINE_MODES: no mode %q", name)
		}
		ms = append(ms, append(allModes, straceMode)[i])
	}
	return ms
}

// trapline is the absolute path of the command under test.
var trapline = sync.OnceValue(func() string {
	if path := os.Getenv("TRAPLINE"); path != "" {
		return path
	}
	path, err := filepath.Abs("../../bin/trapline")
	if err != nil {
		panic(err)
	}
	return path
})

// slots bounds the runs at one time: the tests of others count on some speed.
var slots = make(chan struct{}, 2)

// attempts is how often the tests that differ are run again.
const attempts = 3

// A row is a suite's line of the table.
type row struct {
	suite   string
	results map[string]results // by mode
	notes   []string
}

func TestSuites(t *testing.T) {
	if _, err := os.Stat(trapline()); err != nil {
		t.Fatalf("find the command under test: %v (run make first, or set TRAPLINE)", err)
	}
	for _, name := range []string{"/usr/bin/python3", "/usr/lib/python3.11/test/test_os.py", "stress-ng", "gcc"} {
		if _, err := exec.LookPath(name); err != nil && !exists(name) {
			t.Fatalf("%v (run ../programs/install.sh packages.txt)", err)
		}
	}
	ms := modes(t)
	var rows []*row
	t.Cleanup(func() { t.Logf("passed/failed/skipped (+unfinished)\n%s", format(rows, ms)) })
	for _, s := range suites() {
		if s.soak && testing.Short() {
			continue
		}
		r := &row{suite: s.name, results: make(map[string]results)}
		t.Run(s.name, func(t *testing.T) {
			rows = append(rows, r) // here, since -run may leave it out
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			s.compare(t, ms, r)
		})
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// compare runs a suite natively and under every mode.
func (s *suite) compare(t *testing.T, ms []mode, r *row) {
	// Not t.TempDir: Unix sockets have room for 107 bytes of a path.
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if s.build != nil {
		if err := s.build(dir); err != nil {
			t.Fatal(err)
		}
	}
	want := s.run(t, native, dir, nil)
	r.results[native.name] = want.results
	if len(want.results) == 0 || strings.HasPrefix(want.status, notDone) {
		t.Fatalf("the suite has no results of its own to compare with: status %s\n%s", want.status, tail(want.output))
	}
	for _, m := range ms {
		t.Run(m.name, func(t *testing.T) {
			got := s.run(t, m, dir, nil)
			r.results[m.name] = got.results
			differ, flaky := s.settle(t, m, dir, want, got)
			for _, d := range differ {
				t.Errorf("%s\n%s", d, tail(got.output))
			}
			for _, d := range append(differ, flaky...) {
				r.notes = append(r.notes, m.name+": "+d)
			}
		})
	}
}

// settle runs the tests that differ again, on both sides, until the sides agree. It returns those that never did and those
// that did in the end.
func (s *suite) settle(t *testing.T, m mode, dir string, want, got run) (differ, flaky []string) {
	tests := differences(want.results, got.results)
	said := make(map[string]string)
	for _, name := range tests {
		said[name] = fmt.Sprintf("%s: natively %s, now %s", name, want.results.of(name), got.results.of(name))
	}
	for range attempts {
		if len(tests) == 0 {
			break
		}
		want, got := s.run(t, native, dir, tests), s.run(t, m, dir, tests)
		tests = slices.DeleteFunc(tests, func(name string) bool { return want.results.of(name) == got.results.of(name) })
	}
	for name, text := range said {
		if slices.Contains(tests, name) {
			differ = append(differ, text)
		} else {
			flaky = append(flaky, text+"; the same when run again")
		}
	}
	slices.Sort(differ)
	slices.Sort(flaky)
	return differ, flaky
}

// format writes the table.
func format(rows []*row, ms []mode) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "suite\ttests\tnative")
	for _, m := range ms {
		fmt.Fprintf(w, "\t%s", m.name)
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d\t%v", r.suite, len(r.results[native.name])-1, r.results[native.name])
		for _, m := range ms {
			fmt.Fprintf(w, "\t%v", r.results[m.name])
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	for _, r := range rows {
		for _, n := range r.notes {
			fmt.Fprintf(&text, "%s: %s\n", r.suite, n)
		}
	}
	return text.String()
}
