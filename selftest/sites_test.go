package selftest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// siteTally is what count -sites says.
type siteTally struct{ Patched, Refused, Ahead, Trapped, Fast int }

var tallyLines = regexp.MustCompile(`\nsites: (\d+) patched.*\n +(\d+) refused.*\n +(\d+) patched before their first call\n` +
	`calls: (\d+) on the trap path, (\d+) on the fast path\n$`)

// tallySites runs a command under count -sites, with further flags.
func tallySites(t *testing.T, flags []string, argv ...string) siteTally {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report")
	line := append([]string{trapline(), "count", "-sites", "-o", report}, flags...)
	expect(t, "exit 0", command{argv: append(append(line, "--"), argv...)}.mustRun(t).Status)
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	m := tallyLines.FindSubmatch(text)
	if m == nil {
		t.Fatalf("no tally of sites in:\n%s", text)
	}
	var n [5]int
	for i := range n {
		n[i], _ = strconv.Atoi(string(m[i+1])) // digits
	}
	return siteTally{n[0], n[1], n[2], n[3], n[4]}
}

// TestHotSiteTrapsOnce: 50,000 calls of one site take the trap path as often as one call does.
func TestHotSiteTrapsOnce(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	for _, flags := range [][]string{nil, {"-trap=sud"}} {
		t.Run(fmt.Sprint(flags), func(t *testing.T) {
			t.Parallel()
			var hot target
			for _, g := range table(t) {
				if g.name == "counts-hot" {
					hot = g
				}
			}
			program := hot.program(built(t, []target{hot}))
			one, many := tallySites(t, flags, program, "hot", "1"), tallySites(t, flags, program, "hot", "50000")
			expect(t, one.Trapped, many.Trapped)
			expect(t, one.Fast+49999, many.Fast)
		})
	}
}

const startsPrograms = `i=0; while [ $i -lt 5 ]; do /bin/true; i=$((i+1)); done`

// TestNoPatch: with -no-patch no site is touched, and every call traps.
func TestNoPatch(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	got := tallySites(t, []string{"-no-patch"}, "/bin/sh", "-c", startsPrograms)
	if got.Trapped < 100 {
		t.Errorf("%d calls on the trap path", got.Trapped)
	}
	got.Trapped = 0
	expect(t, siteTally{}, got)
}

// TestSitesOfEarlierRuns: what one run learns saves the next one traps, and a damaged file is as good as none.
func TestSitesOfEarlierRuns(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	flags := []string{"-cache", dir}
	first := tallySites(t, flags, "/bin/sh", "-c", startsPrograms)
	second := tallySites(t, flags, "/bin/sh", "-c", startsPrograms)
	if second.Ahead <= first.Ahead || second.Trapped >= first.Trapped {
		t.Errorf("first run %+v, second run %+v", first, second)
	}
	expect(t, first.Trapped+first.Fast, second.Trapped+second.Fast)

	file := filepath.Join(dir, "sites")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, first, tallySites(t, flags, "/bin/sh", "-c", startsPrograms))
}

// TestSitesOfAnotherFile: plans that belong to other bytes are not followed.
func TestSitesOfAnotherFile(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	var rows []target
	for _, g := range table(t) {
		if g.name == "sites" || g.name == "edges" {
			rows = append(rows, g)
		}
	}
	dir := built(t, rows)
	cache := filepath.Join(t.TempDir(), "cache")
	for _, g := range rows {
		argv := append([]string{trapline(), "run", "-cache", cache, "--", g.program(dir)}, g.args...)
		first := command{argv: argv}.mustRun(t)
		expect(t, g.status, first.Status)
		program, err := os.ReadFile(g.program(dir))
		if err != nil {
			t.Fatal(err)
		}
		// The same headers, the same build ID, other code: each nop that a plan may rest on is another one.
		other := strings.ReplaceAll(string(program), "\x90\x90\x90", "\x66\x90\x90")
		if err := os.WriteFile(g.program(dir)+"2", []byte(other), 0o755); err != nil {
			t.Fatal(err)
		}
		argv[5] += "2"
		expect(t, first, command{argv: argv}.mustRun(t))
	}
}
