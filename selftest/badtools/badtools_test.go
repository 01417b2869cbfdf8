package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

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
	const getppid = `, call 110 at site 0x[0-9a-f]+\n$`
	const noCall = ` at site 0x[0-9a-f]+\n$`
	for _, c := range []struct{ tool, line string }{
		{"index", `index out of range in main\.index of tool index` + getppid},
		{"nil", `memory fault at address 0x0 in main\.nilPointer of tool nil` + getppid},
		{"divide", `integer divide by zero in main\.divide of tool divide` + getppid},
		{"overflow", `stack overflow in main\.recurse of tool overflow` + getppid},
		{"allocate", `memory allocation in main\.allocate of tool allocate` + getppid},
		{"panic", `panic in main\.explicit of tool panic` + getppid},
		{"illegal", `illegal instruction in main\.undefined of tool illegal` + getppid},
		{"breakpoint", `breakpoint in main\.trap of tool breakpoint` + getppid},
		{"lost", `jump to address 0x1000 in main\.lost of tool lost` + getppid},
		{"wild", `memory fault at address 0x0 in main\.wild of tool wild` + getppid},
		{"exit", `memory fault at address 0x0 in main\.failingExit of tool exit` + getppid},
		{"thread", `memory fault at address 0x0 in main\.failingThread of tool thread` + noCall},
		{"signal", `memory fault at address 0x0 in main\.failingSignal of tool signal` + noCall},
	} {
		t.Run(c.tool, func(t *testing.T) {
			t.Parallel()
			status, out, errs := run(t, bin, c.tool)
			if diff := cmp.Diff([]any{125, ""}, []any{status, out}); diff != "" {
				t.Errorf("status and output (-want +got):\n%s", diff)
			}
			if !regexp.MustCompile(prefix + c.line).MatchString(errs) {
				t.Errorf("stderr %q does not match %q", errs, prefix+c.line)
			}
		})
	}
	for _, c := range []struct{ tool, out string }{{"read", "alive"}, {"calls", "alive 4242"}} {
		t.Run(c.tool, func(t *testing.T) {
			t.Parallel()
			status, out, errs := run(t, bin, c.tool)
			if diff := cmp.Diff([]any{0, c.out, ""}, []any{status, out[:min(len(out), len(c.out))], errs}); diff != "" {
				t.Errorf("status and output (-want +got):\n%s", diff)
			}
		})
	}
	for _, c := range []struct{ tool, script string }{
		{"loop", `trap : USR1; echo $$; umask`},
		{"threadloop", `:`},
		{"signalloop", `trap : USR1; echo $$; while :; do sleep 1; done`},
	} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
			t.Run(fmt.Sprintf("%s, %v", c.tool, sig), func(t *testing.T) {
				t.Parallel()
				if diff := cmp.Diff(128+int(sig), interrupt(t, bin, c.tool, c.script, sig)); diff != "" {
					t.Errorf("status (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// interrupt runs a shell under a tool that loops for good, sends the shell a signal that it handles, and then the launcher
// sig, which it passes on. It returns the launcher's status.
func interrupt(t *testing.T, bin, tool, script string, sig syscall.Signal) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, tool, "/bin/dash", "-c", script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if tool != "threadloop" {
		if _, err := fmt.Fscan(out, &pid); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(300 * time.Millisecond) // into the loop
	if pid != 0 {
		if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// run runs a shell, which calls getppid when it starts, under a tool.
func run(t *testing.T, bin, tool string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(bin, tool, "/bin/dash", "-c", "trap : USR1; kill -USR1 $$; echo alive $PPID")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}
