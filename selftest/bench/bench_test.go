package bench

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// trapline runs the command under test: bin/trapline, or $TRAPLINE.
func trapline(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path := os.Getenv("TRAPLINE")
	if path == "" {
		path = "../../bin/trapline"
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v (make builds it)", err)
	}
	return exec.Command(path, args...)
}

// TestQuick runs one experiment of each kind and reads what is printed. It looks at no figure but for its sign.
func TestQuick(t *testing.T) {
	t.Parallel()
	const only = `^(getpid/.*(floor|noop|empty|C$)|first/|dd/.* run|redis/.* count|memory-fork/.* run)`
	out, err := trapline(t, "bench", "-quick", "-rounds", "2", "-json", "-only", only).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	var got struct {
		Machine     machine
		Experiments []struct {
			Name    string
			Results []struct {
				Way    string
				Values []float64
			}
		}
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	ways := map[string][]string{}
	for _, e := range got.Experiments {
		for _, r := range e.Results {
			ways[e.Name] = append(ways[e.Name], r.Way)
			if len(r.Values) != 2 || slices.Min(r.Values) <= 0 {
				t.Errorf("%s, %s: %v, want two figures", e.Name, r.Way, r.Values)
			}
		}
	}
	want := map[string][]string{
		"getpid": {
			"native", floorWay, "trapline, empty hook", "trapline, empty hook, -trap=sud", "SIGSYS and a handler in C",
		},
		"first":       {"native", "trapline run", "trapline run -no-patch"},
		"dd":          {"native", "trapline run", "trapline run -trap=sud"},
		"redis":       {"native", "trapline count"},
		"memory-fork": {"native", "trapline run"},
	}
	if diff := cmp.Diff(want, ways); diff != "" {
		t.Errorf("ways (-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`^trapline: bench: [^\n]+\n$`)
	for _, args := range [][]string{
		{"-only", "no such experiment"}, {"-only", "("}, {"-rounds", "0"}, {"-rounds", "many"}, {"-fly"}, {"word"},
	} {
		cmd := trapline(t, append([]string{"bench"}, args...)...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		cmd.Run()
		if cmd.ProcessState.ExitCode() != 2 || !line.MatchString(stderr.String()) {
			t.Errorf("bench %q: %v, standard error %q", args, cmd.ProcessState, &stderr)
		}
	}
}

// TestPrint: all ways are compared to the first one and to the floor; without the floor there is one column less.
func TestPrint(t *testing.T) {
	t.Parallel()
	e := experiment{name: "name", about: "about, ns", compare: difference, floor: "floor", ways: []*way{
		{name: "native", values: []float64{9, 100, 101}},
		{name: "floor", values: []float64{120, 120, 120}},
		{name: "hook", values: []float64{150, 150, 151}},
	}}
	var out strings.Builder
	e.print(&out)
	e.ways, e.compare, e.digits = e.ways[:1], share, 1
	e.print(&out)
	want := `
name: about, ns, median of 3
                                                               to native     to floor
  native                                                100           +0          -20
  floor                                                 120          +20           +0
  hook                                                  150          +50          +30

name: about, ns, median of 3
                                                               to native
  native                                              100.0       100.0%
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	got := []float64{median([]float64{3, 1, 2}), median([]float64{4, 1, 2, 3}), mean([]float64{1, 2, 6})}
	want := []float64{2, 2.5, 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPackages: every command that an experiment needs has its package, and the list installs it.
func TestPackages(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("packages.txt")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 0 {
			listed = append(listed, f[0])
		}
	}
	for _, e := range new(session).experiments() {
		for _, c := range e.needs {
			if !slices.Contains(listed, packages[c]) {
				t.Errorf("%s needs %s: packages.txt lacks %q", e.name, c, packages[c])
			}
		}
	}
}
