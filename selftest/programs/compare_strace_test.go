package programs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A sequenced program makes the same calls in every run.
type sequenced struct {
	name     string
	packages []string
	setup    string
	argv     []string
}

var sequences = []sequenced{
	{name: "true", argv: []string{"/bin/true"}},
	{name: "echo", argv: []string{"/bin/echo", "one", "two"}},
	{name: "cat", argv: []string{"cat", "data/f1", "data/nothing"}},
	{name: "ls", argv: []string{"ls", "-l", "data"}},
	{name: "cp", argv: []string{"cp", "-a", "data", "copy"}},
	{name: "mv", argv: []string{"mv", "data/f1", "data/f2", "dir"}},
	{name: "mkdir", argv: []string{"mkdir", "-p", "a/b/c", "dir"}},
	{name: "rmdir", argv: []string{"rmdir", "dir", "data"}},
	{name: "dash-pipe", packages: []string{"dash"}, argv: []string{"dash", "-c", "cat data/f1 | tr a-z A-Z >out; wc -l <out; (exit 3); echo $?"}},
	{name: "dash-substitution", packages: []string{"dash"}, argv: []string{"dash", "-c", `x=$(cat data/f1); for i in 1 2 3; do /bin/true; done; [ "$x" ] && exec /bin/echo last`}},
	{name: "python", packages: []string{"python3"}, argv: []string{"/usr/bin/python3", "-I", "-S", "-c", "1"}},
	{name: "perl", packages: []string{"perl"}, argv: []string{"perl", "-e", `open F, "<", "data/f1"; print while <F>; mkdir "x"; rmdir "x"`}},
	{name: "static", packages: []string{"gcc", "libc6-dev"}, setup: `gcc -static -o prog "$SRC/hello.c"`, argv: []string{"./prog", "a", "b"}},
	{name: "vfork", packages: []string{"gcc", "libc6-dev"}, setup: `gcc -O1 -o prog "$SRC/vforkexec.c"`, argv: []string{"./prog"}},
	{name: "threads", packages: []string{"gcc", "libc6-dev"}, setup: `gcc -O1 -pthread -o prog "$SRC/handover.c"`, argv: []string{"./prog"}},
	{name: "sqlite", packages: []string{"sqlite3"}, argv: []string{"sqlite3", "d.db", "create table t(a); insert into t values(1),(2); select sum(a) from t"}},
	{name: "sed", packages: []string{"sed"}, argv: []string{"sed", "-n", "-s", "s/f/g/p;$=", "data/f1", "data/f2"}},
	{name: "awk", packages: []string{"mawk"}, argv: []string{"awk", "{n += length} END {print n}", "data/f1", "data/f2"}},
	{name: "sort", argv: []string{"sort", "--parallel=1", "-r", "data/f1", "data/f2"}},
	{name: "tar", packages: []string{"tar"}, argv: []string{"tar", "-cf", "a.tar", "--sort=name", "data"}},
	{name: "gzip", packages: []string{"gzip"}, argv: []string{"gzip", "-k", "data/f1"}},
	{name: "git", packages: []string{"git"}, argv: []string{"git", "version"}},
	{name: "make", packages: []string{"make"}, setup: `printf 'all:\n\t@echo one; exit 0\n' >makefile`, argv: []string{"make", "all"}},
}

const sequenceSetup = `mkdir data dir; for i in 1 2; do for n in 1 2 3 4 5 6; do echo "file $i line $n"; done >data/f$i; done; `

// TestSameSequence: trace and strace see the same calls of every thread, in the same order.
func TestSameSequence(t *testing.T) {
	needTrapline(t)
	for _, q := range sequences {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			if missing := missingPackages(append(q.packages, "strace")); len(missing) > 0 {
				t.Skipf("not installed: %s (install.sh does)", strings.Join(missing, " "))
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			want := lines(q.trace(t, "strace", "-f"))
			got := lines(q.trace(t, trapline(), "trace"))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("strace (-) and trapline (+) see different calls:\n%s", diff)
			}
		})
	}
}

// TestSameCounts: count's table has the calls and the errors that strace sees.
func TestSameCounts(t *testing.T) {
	needTrapline(t)
	for _, q := range sequences {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			if missing := missingPackages(append(q.packages, "strace")); len(missing) > 0 {
				t.Skipf("not installed: %s (install.sh does)", strings.Join(missing, " "))
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			want := tally(q.trace(t, "strace", "-f"))
			got, err := parseTable(q.report(t, trapline(), "count"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("strace (-) and trapline count (+) see different numbers of calls:\n%s", diff)
			}
		})
	}
}

// trace runs the program under a wrapper that writes a trace.
func (q *sequenced) trace(t *testing.T, wrapper ...string) []traced {
	t.Helper()
	threads, err := parseTrace(strings.NewReader(q.report(t, wrapper...)))
	if err != nil {
		t.Fatalf("%s: %v", wrapper[0], err)
	}
	return threads
}

// report runs the program under a wrapper, and returns what that writes to the file of its option -o.
func (q *sequenced) report(t *testing.T, wrapper ...string) string {
	t.Helper()
	base := t.TempDir()
	s := &suite{program: &program{name: q.name, setup: sequenceSetup + q.setup}, dir: base}
	dir := filepath.Join(base, "run")
	for _, d := range []string{dir, dir + "/home", dir + "/tmp"} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.prepare(dir); err != nil {
		t.Fatal(err)
	}
	argv := slices.Concat(wrapper, []string{"-o", s.report(""), "--"}, q.argv)
	got, err := execute(argv, dir, environment(dir, nil), defaultLimit)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.report(""))
	if err != nil {
		t.Fatalf("%v\n%s", err, got.Stderr)
	}
	return string(text)
}

// lines is a trace as a diff can show it.
func lines(threads []traced) (all []string) {
	for _, th := range threads {
		all = append(all, th.text()...)
	}
	return all
}

// A count is a line of count's table.
type count struct{ Calls, Errors int }

func tally(threads []traced) map[string]count {
	sum := make(map[string]count)
	for _, th := range threads {
		for _, c := range th.calls {
			n := sum[c.name]
			n.Calls++
			if c.result == "-1" {
				n.Errors++
			}
			sum[c.name] = n
		}
	}
	return sum
}

// parseTable reads the table that count shares with strace -c:
//
//	% time     seconds  usecs/call     calls    errors syscall
//
// The column errors is blank where there are none. rt_sigreturn is left out, as in traces.
func parseTable(text string) (map[string]count, error) {
	table := make(map[string]count)
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 5 || !isNumber(f[3]) {
			continue
		}
		name := f[len(f)-1]
		if name == "total" || name == "rt_sigreturn" {
			continue
		}
		var c count
		c.Calls, _ = strconv.Atoi(f[3])
		if len(f) == 6 {
			var err error
			if c.Errors, err = strconv.Atoi(f[4]); err != nil {
				return nil, fmt.Errorf("column errors of %q: %w", line, err)
			}
		}
		table[name] = c
	}
	if len(table) == 0 {
		return nil, fmt.Errorf("no table: %q", text)
	}
	return table, nil
}
