package selftest

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProbes: each probe must find its thing, but for FSGSBASE, which not every processor has.
func TestProbes(t *testing.T) {
	processor, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range probes {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if p.name == "FSGSBASE" && !bytes.Contains(processor, []byte(" fsgsbase")) {
				t.Skip("the processor has none")
			}
			if got := p.find(); got == "" || strings.HasPrefix(got, "no: ") {
				t.Errorf("%s: %q", p.name, got)
			}
		})
	}
}

// TestBehaviours has no wrapper but env, which changes nothing: all behaviours must be the same every time.
func TestBehaviours(t *testing.T) {
	env, err := exec.LookPath("env")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range behaviours {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			want, err := b.run(nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.run([]string{env})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Errorf("not the same twice:\n%s", diff)
			}
		})
	}
}

// TestCompare has a wrapper that is wrong: compare must say so.
func TestCompare(t *testing.T) {
	var out strings.Builder
	passed, failed := compare(io.MultiWriter(&out, testWriter{t}), "/bin/false")
	if want := len(behaviours) * len(modes); passed+failed != want {
		t.Errorf("%d passed and %d failed, want %d in all", passed, failed, want)
	}
	if failed < passed {
		t.Errorf("%d passed with a wrapper that runs nothing", passed)
	}
}

// TestVerb runs the verb of the command.
func TestVerb(t *testing.T) {
	needTrapline(t)
	got, err := command{argv: []string{trapline(), "selftest"}, limit: 5 * defaultLimit}.run(t)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != "exit 0" || !regexp.MustCompile(`\n[1-9]\d* passed, 0 failed\n$`).MatchString(got.Stdout) {
		t.Errorf("trapline selftest: %s\n%s%s", got.Status, got.Stdout, got.Stderr)
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
