package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A workload is one program, and what is measured of it.
type workload struct {
	name   string
	unit   string
	digits int // behind the point
	argv   []string
	value  func(stdout string, wall time.Duration) (float64, error)
}

//go:embed testdata/getpid.c
var getpidSource []byte

// calls is how many bytes dd copies one by one, with two system calls each.
const calls = 200000

// execs is how many programs the shell starts.
const execs = 300

// workloads builds what the workloads need in dir.
func workloads(dir string) ([]*workload, error) {
	getpid := filepath.Join(dir, "getpid")
	if err := os.WriteFile(getpid+".c", getpidSource, 0o644); err != nil {
		return nil, err
	}
	if out, err := exec.Command("gcc", "-O2", "-o", getpid, getpid+".c").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build getpid.c: %w\n%s", err, out)
	}
	loop := fmt.Sprintf("i=0; while [ $i -lt %d ]; do /bin/true; i=$((i+1)); done", execs)
	return []*workload{
		{"getpid in a loop", "ns a call", 0, []string{getpid, "200"}, printed},
		{fmt.Sprintf("dd bs=1 count=%d", calls), "ms from start to end", 0, []string{
			"dd", "bs=1", fmt.Sprintf("count=%d", calls), "if=/dev/zero", "of=/dev/null", "status=none",
		}, milliseconds},
		{fmt.Sprintf("sh starts /bin/true %d times", execs), "ms from start to end", 0, []string{"sh", "-c", loop}, milliseconds},
	}, nil
}

// printed takes the figure from what the program printed.
func printed(stdout string, _ time.Duration) (float64, error) {
	return strconv.ParseFloat(strings.TrimSpace(stdout), 64)
}

func milliseconds(_ string, wall time.Duration) (float64, error) {
	return float64(wall) / float64(time.Millisecond), nil
}

// run runs the workload once behind a prefix.
func (w *workload) run(prefix []string) (float64, error) {
	argv := append(append([]string{}, prefix...), w.argv...)
	cmd := exec.Command(argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, stderr.Bytes())
	}
	return w.value(stdout.String(), wall)
}
