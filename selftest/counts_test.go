package selftest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// counted is what count says in JSON.
type counted struct {
	Calls  []countedRow
	Total  countedRow
	Groups []struct {
		PID, TID int
		Comm     string
		Total    countedRow
		Calls    []countedRow
	}
}

type countedRow struct {
	Name      string
	Calls     int64 `json:"calls,string"`
	Errors    int64 `json:"errors,string"`
	Total     int64 `json:"total_ns,string"`
	Min       int64 `json:"min_ns,string"`
	P50       int64 `json:"p50_ns,string"`
	P90       int64 `json:"p90_ns,string"`
	P99       int64 `json:"p99_ns,string"`
	Max       int64 `json:"max_ns,string"`
	Histogram []struct {
		Calls int64 `json:"calls,string"`
	}
}

// countJSON runs a command under count --json.
func countJSON(t *testing.T, flags []string, argv ...string) counted {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report")
	line := append([]string{trapline(), "count", "--json", "-o", report}, flags...)
	expect(t, "exit 0", command{argv: append(append(line, "--"), argv...)}.mustRun(t).Status)
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var c counted
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func rowNamed(t *testing.T, rows []countedRow, name string) countedRow {
	t.Helper()
	i := slices.IndexFunc(rows, func(r countedRow) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no row for %s", name)
	}
	return rows[i]
}

// TestCountOfThreads: the threads' tables add up to the one of all, and each histogram has every call once.
func TestCountOfThreads(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	g := target{name: "counts", source: "counts.c"}
	c := countJSON(t, []string{"--by", "thread"}, g.program(built(t, []target{g})), "threads", "1000")
	threads, total := 0, int64(0)
	for _, g := range c.Groups {
		total += g.Total.Calls
		for _, r := range g.Calls {
			if r.Name == "getppid" && r.Calls == 1000 {
				threads++
			}
		}
	}
	if diff := cmp.Diff([]any{8, c.Total.Calls}, []any{threads, total}); diff != "" {
		t.Errorf("threads with all their calls, and calls of all threads (-want +got):\n%s", diff)
	}
	r := rowNamed(t, c.Calls, "getppid")
	inBuckets := int64(0)
	for _, b := range r.Histogram {
		inBuckets += b.Calls
	}
	expect(t, r.Calls, inBuckets)
	if order := []int64{1, r.Min, r.P50, r.P90, r.P99, r.Max, r.Total}; !slices.IsSorted(order) {
		t.Errorf("not in order: shortest, p50, p90, p99, longest, all: %v", order[1:])
	}
}

// TestClocks: a call that sleeps takes the time of the wall, and none of a processor.
func TestClocks(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	const slept = 300e6
	wall := rowNamed(t, countJSON(t, nil, "/bin/sleep", "0.3").Calls, "clock_nanosleep")
	if wall.Min < slept || wall.P50 < slept || wall.Max < slept || wall.Calls != 1 {
		t.Errorf("wall clock: %+v, want one call of at least %v ns", wall, slept)
	}
	cpu := rowNamed(t, countJSON(t, []string{"--cpu-time"}, "/bin/sleep", "0.3").Calls, "clock_nanosleep")
	if cpu.Min < 1 || cpu.Max > slept/2 || cpu.Calls != 1 {
		t.Errorf("processor time: %+v, want one call of less than %v ns", cpu, slept/2)
	}
}

// TestNamesOfThreads: groups have the names that threads give themselves.
func TestNamesOfThreads(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	const script = `import ctypes; ctypes.CDLL(None).prctl(15, b"renamed", 0, 0, 0)`
	c := countJSON(t, []string{"--by", "process"}, "/usr/bin/python3", "-I", "-S", "-c", script)
	if diff := cmp.Diff([]any{1, "renamed"}, []any{len(c.Groups), c.Groups[0].Comm}); diff != "" {
		t.Errorf("processes and their name (-want +got):\n%s", diff)
	}
}

// TestInterval: tables come while the target runs, with what it has done so far.
func TestInterval(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report")
	argv := []string{trapline(), "count", "--interval", "100ms", "-o", report, "--", "/bin/sh", "-c",
		`until grep -q " wait4$" "$0"; do sleep 0.1; done`, report}
	got := command{argv: argv}.mustRun(t)
	expect(t, outcome{Status: "exit 0"}, got)
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
