package selftest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestVia: trace --json says by which way each call came.
func TestVia(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	g := target{name: "counts", source: "counts.c"}
	counts := g.program(built(t, []target{g}))
	// The clock of a process is none that the vDSO reads: its function makes the call.
	const clock = `import time; [time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) for i in range(20)]`
	python := []string{"/usr/bin/python3", "-I", "-S", "-c", clock}
	for _, c := range []struct {
		name, call string
		flags      []string
		argv       []string
		want       map[string]bool
	}{
		{"patched", "getppid", nil, []string{counts, "hot", "50"}, map[string]bool{"trap": true, "patch": true}},
		{"not patched", "getppid", []string{"-no-patch"}, []string{counts, "hot", "50"}, map[string]bool{"trap": true}},
		{"vDSO", "clock_gettime", nil, python, map[string]bool{"vdso": true}},
		{"vDSO, not patched", "clock_gettime", []string{"-no-patch"}, python, map[string]bool{"vdso": true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "trace")
			argv := append([]string{trapline(), "trace", "--json", "-e", c.call, "-o", file}, c.flags...)
			expect(t, "exit 0", command{argv: append(append(argv, "--"), c.argv...)}.mustRun(t).Status)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, calls := map[string]bool{}, 0
			for line := range strings.Lines(string(text)) {
				var l struct{ Type, Via string }
				if err := json.Unmarshal([]byte(line), &l); err != nil {
					t.Fatal(err)
				}
				if l.Type == "call" {
					got[l.Via] = true
					calls++
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || calls < 20 {
				t.Errorf("ways of %d calls (-want +got):\n%s", calls, diff)
			}
		})
	}
}
