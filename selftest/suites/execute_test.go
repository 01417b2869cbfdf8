package suites

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// A run is what came of running a suite once.
type run struct {
	results results
	status  string
	output  string
}

// exitStatus is how a suite's own status appears among its results: it is compared like a test's.
const exitStatus = "(exit status)"

// notDone begins the status of a run that took too long.
const notDone = "not done after "

// run runs the suite under m, or only the tests given if it can.
func (s *suite) run(t *testing.T, m mode, dir string, tests []string) run {
	t.Helper()
	s.runs++
	work := filepath.Join(dir, strconv.Itoa(s.runs%10)) // one digit: paths have the same length on both sides
	if err := errors.Join(os.RemoveAll(work), os.Mkdir(work, 0o755)); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(work, "report")
	argv := s.argv(dir, report)
	if tests != nil && s.again != nil && !onlyStatus(tests) {
		argv = s.again(dir, report, withoutStatus(tests))
	}
	argv = append(m.wrap(filepath.Join(work, "counts")), argv...)
	output, status := execute(t, argv, s.dir, work, s.env, s.limit)
	r := run{s.parse(output, report), status, output}
	if len(r.results) > 0 {
		r.results[exitStatus] = result(status)
	}
	return r
}

func onlyStatus(tests []string) bool { return len(tests) == 1 && tests[0] == exitStatus }

func withoutStatus(tests []string) (names []string) {
	for _, name := range tests {
		if name != exitStatus {
			names = append(names, name)
		}
	}
	return names
}

// execute runs argv in a session of its own, at most for limit. A shell leads the session: a leader that opens a terminal
// gets it for its own, and natively that would be the suite, otherwise trapline. The output goes to a file: a pipe would be
// held open by what a test leaves behind. All that, known by its TMPDIR, is killed at the end.
func execute(t *testing.T, argv []string, dir, work string, env []string, limit time.Duration) (output, status string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(work, "output"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	temporary := filepath.Join(work, "t")
	if err := os.Mkdir(temporary, 0o777); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", `"$@"; exit $?`, "sh"}, argv...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, file, file
	if dir == "" {
		cmd.Dir = temporary
	}
	cmd.Env = append(append(os.Environ(), env...), "TMPDIR="+temporary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	status = cmd.ProcessState.String()
	if ctx.Err() != nil {
		status = notDone + limit.String()
	}
	killMarked("TMPDIR=" + temporary)
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.ToValidUTF8(text, []byte("?"))), status
}

// killMarked kills the processes that have the entry in their environment.
func killMarked(entry string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range files {
		b, _ := os.ReadFile(name)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err == nil && bytes.Contains(append([]byte{0}, b...), []byte("\x00"+entry+"\x00")) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// tail is the end of an output, for messages.
func tail(output string) string {
	const most = 3000
	return output[max(0, len(output)-most):]
}
