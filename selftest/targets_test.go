package selftest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTargets runs every target natively and under every mode, and compares.
func TestTargets(t *testing.T) {
	needTrapline(t)
	rows := table(t)
	dir := built(t, rows)
	natively := checks(t, rows, dir)
	for _, m := range append([]mode{native}, testModes(t)...) {
		t.Run(m.name, func(t *testing.T) {
			for _, g := range rows {
				if m.targets != nil && !m.targets.MatchString(g.source) {
					continue
				}
				t.Run(g.name, func(t *testing.T) {
					t.Parallel()
					if m.name == straceMode.name && (g.source == "tracer.c" || g.source == "tracing.c") {
						t.Skip("one tracer at a time")
					}
					want, err := natively[g.name]()
					if err != nil {
						t.Fatalf("the target itself is wrong: %v", err)
					}
					if m.name == native.name {
						return
					}
					got, err := g.run(t, m, dir)
					if err != nil {
						t.Errorf("%v", err)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("not as natively (-native +%s):\n%s", m.name, diff)
					}
				})
			}
		})
	}
}

// TestTargetsInStorm runs the targets that can take it under a signal every millisecond, natively and intercepted.
func TestTargetsInStorm(t *testing.T) {
	needTrapline(t)
	rows := slices.DeleteFunc(table(t), func(g target) bool {
		return g.storm != "storm" && (g.storm != "soak" || testing.Short())
	})
	dir := built(t, rows)
	natively := checks(t, rows, dir)
	for _, m := range []mode{native, modeNamed(t, "run"), modeNamed(t, "run-no-patch")} {
		m.env = []string{"SELFTEST_STORM=1"}
		t.Run(m.name, func(t *testing.T) {
			for _, g := range rows {
				t.Run(g.name, func(t *testing.T) {
					t.Parallel()
					want, err := natively[g.name]()
					if err != nil {
						t.Fatalf("the target itself is wrong: %v", err)
					}
					got, err := g.run(t, m, dir)
					if err != nil {
						t.Errorf("%v", err)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("not as without the storm (-without +%s):\n%s", m.name, diff)
					}
				})
			}
		})
	}
}

// TestTargetsListed: every program of targets/ has a row, or a test of its own that builds it.
func TestTargetsListed(t *testing.T) {
	t.Parallel()
	used := []string{"chroot.c", "i386.S", "injected.c"} // built in command_test.go and inject_test.go
	for _, g := range table(t) {
		used = append(used, g.source)
	}
	files, err := os.ReadDir("targets")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := f.Name()
		if ext := filepath.Ext(name); ext != ".h" && ext != ".tsv" && !slices.Contains(used, name) {
			t.Errorf("targets.tsv has no row for %s", name)
		}
	}
}

// checks has a function for each target that returns what check does, and runs it once.
func checks(t *testing.T, rows []target, dir string) map[string]func() (outcome, error) {
	m := make(map[string]func() (outcome, error))
	for _, g := range rows {
		m[g.name] = sync.OnceValues(func() (outcome, error) { return g.check(t, dir) })
	}
	return m
}

// check runs the target natively and compares with what the table says.
func (g target) check(t *testing.T, dir string) (outcome, error) {
	got, err := g.run(t, native, dir)
	if err == nil && (got.Status != g.status || len(got.Left) > 0) {
		err = fmt.Errorf("%s, want %s; left over: %q", got.Status, g.status, got.Left)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s%s", err, got.Stdout, got.Stderr)
	}
	return got, err
}

// run executes the target once under m.
func (g target) run(t *testing.T, m mode, dir string) (outcome, error) {
	argv := append(m.wrap(filepath.Join(t.TempDir(), "report")), g.program(dir))
	got, err := command{argv: append(argv, g.args...), env: m.env}.run(t)
	if m.name == straceMode.name {
		got.Stderr = straceNotes.ReplaceAllString(got.Stderr, "")
	}
	return got, err
}

// straceNotes are lines of strace's own, about memory it could not read.
var straceNotes = regexp.MustCompile(`(?m)^strace: .*\n`)
