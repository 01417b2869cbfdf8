package selftest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What runs below: a program that is waited for, one in its place, and a script.
const tracedScript = `read x; /bin/echo "$x"; printf '#!/bin/sh\nexit 3\n' >s; chmod +x s; exec ./s`

// TestUnderTracer: a launcher that is traced itself, with all it starts, starts its target all the same.
func TestUnderTracer(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	for _, verb := range [][]string{{"run"}, {"run", "-trap=sud"}, {"run", "-guard"}, {"trace", "-o", "/dev/null"}} {
		t.Run(strings.Join(verb[:min(2, len(verb))], " "), func(t *testing.T) {
			t.Parallel()
			argv := append([]string{"strace", "-f", "-qq", "-o", "/dev/null", trapline()}, verb...)
			c := command{argv: append(argv, "--", "/bin/sh", "-c", tracedScript), stdin: "text\n"}
			expect(t, outcome{Status: "exit 3", Stdout: "text\n"}, c.mustRun(t))
			c = command{argv: append(argv, "--", "/dev/null")}
			expect(t, outcome{Status: "exit 126", Stderr: "trapline: exec /dev/null: permission denied\n"}, c.mustRun(t))
		})
	}
}

// TestTracerAttached: a tracer that attaches to a target follows it, its children and their programs.
func TestTracerAttached(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	for _, m := range allModes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, out, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			argv := append(m.wrap(filepath.Join(dir, "report")), "/bin/sh", "-c", tracedScript)
			p, err := command{argv: argv, setup: func(c *exec.Cmd) { c.Stdin = in }}.start(t)
			if err != nil {
				t.Fatal(err)
			}
			log := filepath.Join(dir, "strace")
			strace := exec.Command("strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", log, "-p", fmt.Sprint(p.target(t)))
			if err := strace.Start(); err != nil {
				t.Fatal(err)
			}
			p.awaitTracer(t)
			fmt.Fprintln(out, "text")
			out.Close()
			in.Close()
			got, err := p.wait(0)
			if err != nil {
				t.Error(err)
			}
			expect(t, outcome{Status: "exit 3", Stdout: "text\n"}, got)
			if err := strace.Wait(); err != nil {
				t.Error(err)
			}
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			var seen []string
			for _, s := range regexp.MustCompile(`execveat\(\d+, "", (\[.*?\]).*= 0`).FindAllStringSubmatch(string(text), -1) {
				seen = append(seen, s[1])
			}
			expect(t, []string{`["./s"]`}, seen[max(0, len(seen)-1):])
		})
	}
}

// target waits until the run's first target reads its input, and returns its process ID.
func (p *process) target(t *testing.T) int {
	t.Helper()
	for range 400 {
		for _, pid := range p.members() {
			call, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid))
			if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); string(comm) == "sh\n" && strings.HasPrefix(string(call), "0 0x0 ") {
				return pid
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the target does not read its input")
	return 0
}

// awaitTracer waits until one of the run's processes is traced.
func (p *process) awaitTracer(t *testing.T) {
	t.Helper()
	traced := regexp.MustCompile(`TracerPid:\t[1-9]`)
	for range 400 {
		for _, pid := range p.members() {
			if status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); traced.Match(status) {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("no tracer comes")
}
