package selftest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// countsProgram builds targets/counts.c, which makes as many getppid calls as it is told.
func countsProgram(t *testing.T) string {
	t.Helper()
	g := target{name: "counts", source: "counts.c"}
	return g.program(built(t, []target{g}))
}

// TestOneProcessor: where target and launcher share a processor no record is lost, and neither waits for the other for good.
func TestOneProcessor(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	const calls = 20_000
	report := filepath.Join(t.TempDir(), "report")
	got := command{argv: []string{
		"taskset", "-c", "0", trapline(), "trace", "--lossless", "-e", "trace=getppid", "-o", report, "--", countsProgram(t), "hot", strconv.Itoa(calls),
	}}.mustRun(t)
	expect(t, outcome{Status: "exit 0"}, outcome{Status: got.Status, Stderr: got.Stderr})
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, calls, finishedCalls(string(text)))
}

// TestKilledInTraffic: when the launcher is killed while events come its target goes on, untraced, and so does what it starts later.
func TestKilledInTraffic(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	program := countsProgram(t)
	calls := 1_000_000
	if testing.Short() {
		calls = 100_000
	}
	for _, options := range []string{"--lossless", "--drop", "-trap=sud", "-e inject=getppid:delay_exit=1ns:when=1"} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			script := fmt.Sprintf("echo ready >ready; %s hot %d && %s hot 10 && (exec sh -c 'echo done >done')", program, calls, program)
			argv := append([]string{trapline(), "trace", "-o", filepath.Join(t.TempDir(), "report")}, strings.Fields(options)...)
			c := command{argv: append(argv, "sh", "-c", script), dir: t.TempDir()}
			p, err := c.start(t)
			if err != nil {
				t.Fatal(err)
			}
			waitFor(t, filepath.Join(c.dir, "ready"))
			p.cmd.Process.Kill()
			waitFor(t, filepath.Join(c.dir, "done"))
			got, err := p.wait(0)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, outcome{Status: "SIGKILL", Stdout: "counts hot ok\ncounts hot ok\n"}, got)
		})
	}
}

// TestDrop: with --drop the target does not wait for a trace that nobody reads, and the trace says what is missing.
func TestDrop(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	const calls = 100_000
	dir := t.TempDir()
	// The trace is read when the program has ended: until then the pipe to its reader is full.
	reader := "while test ! -e ended; do sleep 0.05; done; cat >report"
	script := countsProgram(t) + " hot " + strconv.Itoa(calls) + "; echo >ended"
	got := command{dir: dir, argv: []string{
		trapline(), "trace", "--drop", "-e", "trace=getppid", "-o", "|" + reader, "--", "sh", "-c", script,
	}}.mustRun(t)
	expect(t, outcome{Status: "exit 0", Stdout: "counts hot ok\n"}, outcome{Status: got.Status, Stdout: got.Stdout})
	m := regexp.MustCompile(`^trapline: (\d+) records are missing in the trace\n$`).FindStringSubmatch(got.Stderr)
	if m == nil {
		t.Fatalf("standard error: %q", got.Stderr)
	}
	missing, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	report, err := os.ReadFile(filepath.Join(dir, "report"))
	if err != nil {
		t.Fatal(err)
	}
	gaps := regexp.MustCompile(`\+\+\+ (\d+) records lost \+\+\+`).FindAllSubmatch(report, -1)
	told := 0
	for _, g := range gaps {
		n, err := strconv.Atoi(string(g[1]))
		if err != nil {
			t.Fatal(err)
		}
		told += n
	}
	expect(t, missing, told)
	// A call has two records. Of one that is lost in half the end is not shown.
	shown := 2*finishedCalls(string(report)) + strings.Count(string(report), "getppid( <unfinished") + strings.Count(string(report), "= ?\n")
	if most := 2*calls - missing + len(gaps); shown > most || shown < most-3*len(gaps) {
		t.Errorf("%d of %d records are missing and %d shown, with %d gaps", missing, 2*calls, shown, len(gaps))
	}
}

// TestManyEvents: ten million calls in one run, and none is lost. The launcher needs less than 200 MB.
func TestManyEvents(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	needTrapline(t)
	const calls, threads = 10_000_000, 8
	dir := t.TempDir()
	p, err := command{dir: dir, argv: []string{
		trapline(), "trace", "-e", "trace=getppid", "-o", "|grep -c 'getppid() *=\\|getppid resumed>' >number", "--", countsProgram(t), "threads",
		strconv.Itoa(calls / threads),
	}}.start(t)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.wait(20 * defaultLimit)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, outcome{Status: "exit 0"}, outcome{Status: got.Status, Stderr: got.Stderr})
	number, err := os.ReadFile(filepath.Join(dir, "number"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, fmt.Sprintln(calls), string(number))
	const limit = 200_000 // KiB
	if peak := p.cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; peak > limit {
		t.Errorf("the launcher needed %d KiB", peak)
	}
}
