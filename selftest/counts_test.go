package selftest

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExactCounts: count's report and trace's lines have every call of a target that makes a known number of them.
func TestExactCounts(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	var rows []target
	for _, g := range table(t) {
		if g.source == "counts.c" || g.source == "stress.c" {
			rows = append(rows, g)
		}
	}
	dir := built(t, rows)
	for _, c := range []struct {
		mode  string
		calls func(report string) int
	}{
		{"count", countedCalls},
		{"trace", finishedCalls},
	} {
		for _, g := range rows {
			t.Run(c.mode+"/"+g.name, func(t *testing.T) {
				t.Parallel()
				want, err := strconv.Atoi(g.args[1])
				if err != nil {
					t.Fatal(err)
				}
				if threads := 8; g.args[0] == "threads" || g.args[0] == "common" || g.args[0] == "fresh" {
					want *= threads
				}
				report := filepath.Join(t.TempDir(), "report")
				argv := append([]string{trapline(), c.mode, "-o", report, "--", g.program(dir)}, g.args...)
				expect(t, g.status, command{argv: argv}.mustRun(t).Status)
				text, err := os.ReadFile(report)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, want, c.calls(string(text)))
			})
		}
	}
}

// TestStress: 64 threads make 100000 calls each while signals come to the process and to each of them. No call and no signal
// is lost, and none comes twice.
func TestStress(t *testing.T) {
	needTrapline(t)
	calls := 64 * 100_000
	if testing.Short() {
		calls /= 20
	}
	g := target{name: "stress", source: "stress.c"}
	program := g.program(built(t, []target{g}))
	for _, m := range []mode{native, modeNamed(t, "run"), modeNamed(t, "run-no-patch"), modeNamed(t, "count")} {
		t.Run(m.name, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "report")
			argv := append(m.wrap(report), program, "64", strconv.Itoa(calls))
			got := command{argv: argv, limit: 10 * defaultLimit}.mustRun(t)
			if diff := cmp.Diff(outcome{Status: "exit 0", Stdout: "stress ok\n"}, got); diff != "" {
				t.Errorf("stress (-want +got):\n%s", diff)
			}
			if m.name == "count" {
				text, err := os.ReadFile(report)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, calls, countedCalls(string(text)))
			}
		})
	}
}

// finishedCalls is the number of getppid calls that trace printed a result of. A call that a signal came before may have
// been begun twice.
func finishedCalls(report string) int {
	return strings.Count(report, "getppid() ") + strings.Count(report, "<... getppid resumed>")
}

// countedCalls is the number of getppid calls in count's report, or -1.
func countedCalls(report string) int {
	m := regexp.MustCompile(`(?m)^ *[0-9.]+ +[0-9.]+ +[0-9]+ +([0-9]+) +getppid$`).FindStringSubmatch(report)
	if m == nil {
		return -1
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return -1
	}
	return n
}
