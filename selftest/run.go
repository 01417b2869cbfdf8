package selftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A behaviour is a shell text that gives the same output and ends in the same way natively and intercepted.
type behaviour struct{ name, script string }

// Nothing here needs more than a POSIX shell and cat, wc, ls, sleep.
var behaviours = []behaviour{
	{"exit status 0", `exit 0`},
	{"exit status 1", `exit 1`},
	{"exit status 77", `exit 77`},
	{"exit status 255", `exit 255`},
	{"death by SIGKILL", `kill -KILL $$; sleep 5`},
	{"death by SIGTERM", `kill -TERM $$; sleep 5`},
	{"death by SIGSEGV", `kill -SEGV $$; sleep 5`},
	{"death by SIGSYS", `kill -SYS $$; sleep 5`},
	{"arguments and environment", `echo "$0 $# $1 $2 $BEHAVIOUR"`},
	{"both outputs", `echo out; echo err >&2; echo out; echo err >&2`},
	{"input", `cat | wc -c`},
	{"a dynamic program", `ls /; ls /nonexistent; echo $?`},
	{"subshells", `for i in 1 2 3 4 5; do (exit $i); echo $?; done; (((exit 9); exit $?); exit $?); echo $?`},
	{"substitutions", `i=0; while [ $i -lt 50 ]; do i=$(($(echo $i) + 1)); done; echo $i`},
	{"pipes", `i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo line $i; done | cat | cat | wc -l`},
	{"a hundred programs", `i=0; while [ $i -lt 100 ]; do sh -c : || echo bad; i=$((i+1)); done; echo $i`},
	{"jobs", `for i in 1 2 3 4; do (sleep 0; exit $i) & p="$p $!"; done; for i in $p; do wait $i; echo $?; done; wait; echo $?`},
	{"a job that is killed", `sleep 10 & kill $!; wait $! 2>/dev/null; echo $?`},
	{"stop and continue", `sleep 1 & kill -STOP $!; kill -CONT $!; wait $!; echo $?`},
	{"traps", `trap 'echo caught' USR1; kill -USR1 $$; sh -c 'kill -USR1 $PPID'; trap 'echo end' EXIT; exit 4`},
	{"a trap while waiting", `trap 'echo caught' TERM; (sleep 1; kill -TERM $$; sleep 1) & wait; echo $?; wait`},
	{"ignored signals", `trap '' USR1; sh -c 'kill -USR1 $$; echo alive'; trap - USR1; sh -c 'kill -USR1 $$; echo alive'; echo $?`},
	{"exec", `exec sh -c 'exec sh -c "exec sh -c \"echo last; exit 5\""'`},
	{"exec that fails", `/nonexistent; echo $?; / ; echo $?; exec /nonexistent`},
	{"scripts", `printf '#!/bin/sh -u\necho "$0 $*"\n' >s; printf '#! ./s two\n' >t; chmod +x s t; ./s one; ./t three; echo $?`},
	{"descriptors", `exec 3>file 4<&3; echo /proc/self/fd/*; exec 3>&- 4<&-; echo /proc/self/fd/*; echo x >file; cat file`},
	{"closed descriptors", `exec <&-; read x; echo $?; cat; echo $?; exec 2>&-; cat /nonexistent; echo $?`},
	{"a limit on descriptors", `ulimit -n 32; sh -c 'ulimit -n; ls /proc/self/fd | wc -l'`},
	{"here documents", "cat <<E\n$(echo text)\nE\nwc -l <<E\n1\n2\nE"},
}

// modes are the verbs that start a program, and their arguments in front of it; FILE takes the report.
var modes = [][]string{{"run"}, {"count", "-o", "FILE"}, {"trace", "-o", "FILE"}}

// Run says on w what the kernel offers, runs behaviours of programs that are on every machine natively and under this
// executable, compares, and returns how many were the same and how many were not.
func Run(w io.Writer) (passed, failed int) {
	for _, p := range probes {
		fmt.Fprintf(w, "%-15s %s\n", p.name, p.find())
	}
	trapline, err := os.Executable()
	if err == nil {
		passed, failed = compare(w, trapline)
		printSites(w, trapline)
	} else {
		fmt.Fprintf(w, "FAIL find this executable: %v\n", err)
		failed = 1
	}
	fmt.Fprintf(w, "%d passed, %d failed\n", passed, failed)
	return passed, failed
}

// printSites says how the sites of a few programs were patched.
func printSites(w io.Writer, trapline string) {
	lines, err := siteReport(trapline)
	if err != nil {
		lines = []string{err.Error()}
	}
	for i, line := range lines {
		fmt.Fprintf(w, "%-15s %s\n", []string{"sites", ""}[min(i, 1)], line)
	}
}

// compare runs every behaviour, and one line about each to w.
func compare(w io.Writer, trapline string) (passed, failed int) {
	for _, b := range behaviours {
		want, err := b.run(nil)
		for _, m := range modes {
			line := fmt.Sprintf("%s, %s", b.name, m[0])
			var got result
			if err == nil {
				got, err = b.run(append([]string{trapline}, m...))
			}
			switch {
			case err != nil:
				failed++
				fmt.Fprintf(w, "FAIL %s: %v\n", line, err)
			case got != want:
				failed++
				fmt.Fprintf(w, "FAIL %s: %s, natively %s\n", line, got, want)
			default:
				passed++
				fmt.Fprintf(w, "PASS %s\n", line)
			}
		}
	}
	return passed, failed
}

// A result is what the world sees of one run.
type result struct{ status, stdout, stderr string }

// String shows all of a result on one line.
func (r result) String() string {
	return fmt.Sprintf("%s, output %q, errors %q", r.status, r.stdout, r.stderr)
}

const behaviourLimit = 30 * time.Second

// run runs the behaviour in a folder of its own, behind the words of wrap.
func (b behaviour) run(wrap []string) (result, error) {
	dir, err := os.MkdirTemp("", "trapline-selftest")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		return result{}, err
	}
	var argv []string
	for _, word := range wrap {
		if word == "FILE" {
			word = filepath.Join(dir, "report")
		}
		argv = append(argv, word)
	}
	if wrap != nil {
		argv = append(argv, "--")
	}
	argv = append(argv, "/bin/sh", "-c", b.script, "name", "one", "two words")
	return execute(argv, work)
}

// execute runs argv in dir, with a process group of its own that is killed when time is up.
func execute(argv []string, dir string) (result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), behaviourLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(strings.Repeat("some input\n", 10000)), &stdout, &stderr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "BEHAVIOUR=of this"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return result{}, fmt.Errorf("hangs: not done after %v", behaviourLimit)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return result{}, err
	}
	// The shell names itself and the number of a process it reports on.
	pid := strconv.Itoa(cmd.Process.Pid)
	return result{statusText(cmd.ProcessState), stdout.String(), strings.ReplaceAll(stderr.String(), pid, "PID")}, nil
}

// statusText is how a process ended: "exit 0", "SIGKILL".
func statusText(s *os.ProcessState) string {
	ws := s.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return unix.SignalName(ws.Signal())
	}
	return fmt.Sprintf("exit %d", ws.ExitStatus())
}
