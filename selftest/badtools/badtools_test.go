package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFailingHooks: whatever a hook does wrong ends the process with one line that names it, and
// status 125.
func TestFailingHooks(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(t.TempDir(), "badtools")
	build := exec.Command("go", "build", "-ldflags=-T=0x70001000 -E=trapline_start", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	const prefix = `^trapline: pid \d+: `
	for _, c := range []struct{ tool, line string }{
		{"index", prefix + `index out of range in main\.index at site 0x[0-9a-f]+\n$`},
		{"nil", prefix + `memory fault at address 0x0 in main\.nilPointer at site 0x[0-9a-f]+\n$`},
		{"divide", prefix + `integer divide by zero in main\.divide at site 0x[0-9a-f]+\n$`},
		{"overflow", prefix + `stack overflow in main\.recurse at site 0x[0-9a-f]+\n$`},
		{"allocate", prefix + `memory allocation in main\.allocate at site 0x[0-9a-f]+\n$`},
		{"panic", prefix + `panic in main\.explicit at site 0x[0-9a-f]+\n$`},
	} {
		t.Run(c.tool, func(t *testing.T) {
			t.Parallel()
			status, out, errs := run(t, bin, c.tool)
			if diff := cmp.Diff([]any{125, ""}, []any{status, out}); diff != "" {
				t.Errorf("status and output (-want +got):\n%s", diff)
			}
			if !regexp.MustCompile(c.line).MatchString(errs) {
				t.Errorf("stderr %q does not match %q", errs, c.line)
			}
		})
	}
	t.Run("read", func(t *testing.T) {
		t.Parallel()
		status, out, errs := run(t, bin, "read")
		if diff := cmp.Diff([]any{0, "alive\n", ""}, []any{status, out, errs}); diff != "" {
			t.Errorf("status and output (-want +got):\n%s", diff)
		}
	})
}

// run runs a shell, which calls getppid when it starts, under a tool.
func run(t *testing.T, bin, tool string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(bin, tool, "/bin/dash", "-c", "echo alive")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}
