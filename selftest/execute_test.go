package selftest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain keeps descriptors that this process was started with from the targets: they look at theirs.
func TestMain(m *testing.M) {
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		fmt.Fprintf(os.Stderr, "close descriptors on exec: %v\n", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// An outcome is what the world sees of one run.
type outcome struct {
	Status         string // "exit 0", "SIGKILL"
	Stdout, Stderr string
	Left           []string // command lines of processes that were still there
}

// A command is one process to run: its own group, its own directory, nothing of the caller's environment.
type command struct {
	argv  []string
	dir   string              // "": a fresh one
	stdin string              // contents
	env   []string            // in addition to environment
	limit time.Duration       // 0: defaultLimit
	attr  syscall.SysProcAttr // Setpgid is always set
	setup func(*exec.Cmd)     // last changes
}

// defaultLimit is what a run may take; natively none takes a tenth of it.
const defaultLimit = 60 * time.Second

// slots bounds the runs at one time.
var slots = make(chan struct{}, 4)

// maxOutput is what a run may write; more is a loop that prints.
const maxOutput = 16 << 20

// The outcomes of runs that were ended from outside.
var (
	errHang  = errors.New("hangs")
	errFlood = errors.New("prints without end")
)

// markName is the variable by which the processes of one run are found again.
const markName = "SELFTEST_RUN"

var marks atomic.Int64

// run executes c and waits for it. The error is errHang or errFlood, or tells that the run never
// started.
func (c command) run(t testing.TB) (outcome, error) {
	t.Helper()
	slots <- struct{}{}
	defer func() { <-slots }()
	p, err := c.start(t)
	if err != nil {
		return outcome{}, err
	}
	return p.wait(c.limit)
}

// A process is a command that was started.
type process struct {
	cmd         *exec.Cmd
	mark        string
	out, errOut *os.File
}

// start starts c. Output goes to files: a process left over that holds a pipe open would stop the wait.
func (c command) start(t testing.TB) (*process, error) {
	t.Helper()
	dir := c.dir
	if dir == "" {
		dir = t.TempDir()
		if err := os.Chmod(dir, 0o777); err != nil {
			return nil, err
		}
	}
	p := &process{mark: fmt.Sprintf("%d.%d", os.Getpid(), marks.Add(1))}
	var err error
	if p.out, err = os.CreateTemp(t.TempDir(), "out"); err != nil {
		return nil, err
	}
	if p.errOut, err = os.CreateTemp(t.TempDir(), "err"); err != nil {
		return nil, err
	}
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, p.out, p.errOut
	if c.stdin != "" {
		cmd.Stdin = strings.NewReader(c.stdin)
	}
	cmd.Env = append(environment(), markName+"="+p.mark)
	cmd.Env = append(cmd.Env, c.env...)
	attr := c.attr
	attr.Setpgid = true
	cmd.SysProcAttr = &attr
	if c.setup != nil {
		c.setup(cmd)
	}
	p.cmd = cmd
	return p, cmd.Start()
}

// environment is what every run finds.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}
}

// wait waits for the process, ends what is left of its run, and collects the outcome.
func (p *process) wait(limit time.Duration) (outcome, error) {
	if limit == 0 {
		limit = defaultLimit
	}
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	var err error
	deadline := time.After(limit)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for running := true; running && err == nil; {
		select {
		case <-done:
			running = false
		case <-deadline:
			err = fmt.Errorf("%w: not done after %v\n%s", errHang, limit, describe(p.members()))
		case <-look.C:
			if n := size(p.out) + size(p.errOut); n > maxOutput {
				err = fmt.Errorf("%w: wrote %d bytes", errFlood, n)
			}
		}
	}
	if err != nil {
		p.kill()
		<-done
	}
	got := outcome{Status: statusText(p.cmd.ProcessState)}
	if err == nil {
		got.Left = p.leftovers()
	}
	p.kill()
	got.Stdout, got.Stderr = contents(p.out), contents(p.errOut)
	return got, err
}

// kill ends every process of the run: the group, and those that left it but carry the mark.
func (p *process) kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	for _, pid := range p.members() {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// leftovers waits a moment for processes that are about to end, and returns the others' command lines.
func (p *process) leftovers() []string {
	var left []string
	for range 40 {
		left = nil
		for _, pid := range p.members() {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			left = append(left, strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))))
		}
		if left == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return left
}

// members returns the live processes that carry the run's mark.
func (p *process) members() []int {
	want := []byte(markName + "=" + p.mark + "\x00")
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	var pids []int
	for _, file := range files {
		env, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(env, want) {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
		pids = append(pids, pid)
	}
	return pids
}

// describe says where the threads of these processes are: the first thing to know about a hang.
func describe(pids []int) string {
	var b strings.Builder
	for _, pid := range pids {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		for _, task := range tasks {
			fmt.Fprintf(&b, "  thread %s of %d:", filepath.Base(task), pid)
			for _, name := range []string{"comm", "wchan", "syscall"} {
				text, _ := os.ReadFile(filepath.Join(task, name))
				fmt.Fprintf(&b, " %s %q", name, strings.TrimSpace(string(text)))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func size(f *os.File) int64 {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

func contents(f *os.File) string {
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxOutput))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// A mode is one way to run a target.
type mode struct {
	name    string
	wrap    func(report string) []string // what stands before the command line; the tool's report goes to the file report
	targets *regexp.Regexp               // sources of the table to run; nil: all
	env     []string                     // in addition to environment
	soak    bool                         // left out of TestTargets with -short
}

var (
	native   = mode{name: "native", wrap: func(string) []string { return nil }}
	allModes = []mode{
		{name: "run", wrap: func(string) []string { return []string{trapline(), "run", "--"} }},
		{name: "count", wrap: func(r string) []string { return []string{trapline(), "count", "-o", r, "--"} }, soak: true},
		{name: "trace", wrap: func(r string) []string { return []string{trapline(), "trace", "-o", r, "--"} }},
		{name: "run-sud", wrap: func(string) []string { return []string{trapline(), "run", "-trap=sud", "--"} }},
		{name: "run-no-patch", wrap: func(string) []string { return []string{trapline(), "run", "-no-patch", "--"} }},
		{name: "run-no-helper", wrap: func(string) []string { return []string{trapline(), "run", "-no-helper", "--"} }, targets: executing},
		{name: "trace-sud", wrap: func(r string) []string { return []string{trapline(), "trace", "-trap=sud", "-o", r, "--"} }, soak: true},
	}
	straceMode = mode{name: "strace", wrap: func(string) []string {
		return []string{"strace", "-f", "-qq", "-o", "/dev/null"}
	}}
)

// executing are the targets whose behaviour depends on how programs are executed.
var executing = regexp.MustCompile(`^(exec|scripts|spawn|self|vfork|limits|jobs|loops|libraries|nostack|goroutines|deaths|sigsys|code|pagezero|setxid)`)

// testModes returns those that TRAPLINE_MODES names, or all of trapline's; with -short without some that have little of their
// own.
func testModes(t *testing.T) []mode {
	t.Helper()
	list := os.Getenv("TRAPLINE_MODES")
	if list == "" {
		return slices.DeleteFunc(slices.Clone(allModes), func(m mode) bool { return m.soak && testing.Short() })
	}
	var ms []mode
	for name := range strings.SplitSeq(list, ",") {
		ms = append(ms, modeNamed(t, name))
	}
	return ms
}

// modeNamed returns the mode of that name.
func modeNamed(t *testing.T, name string) mode {
	t.Helper()
	known := append([]mode{native, straceMode}, allModes...)
	i := slices.IndexFunc(known, func(m mode) bool { return m.name == name })
	if i < 0 {
		t.Fatalf("no mode %q", name)
	}
	return known[i]
}

// trapline is the absolute path of the command under test.
var trapline = sync.OnceValue(func() string {
	if path := os.Getenv("TRAPLINE"); path != "" {
		return path
	}
	path, err := filepath.Abs("../bin/trapline")
	if err != nil {
		panic(err)
	}
	return path
})

// needTrapline fails the test when there is no command to test.
func needTrapline(t *testing.T) {
	t.Helper()
	if os.Getenv("TRAPLINE_MODES") == "strace" {
		return
	}
	if _, err := os.Stat(trapline()); err != nil {
		t.Fatalf("find the command under test: %v (run make first, or set TRAPLINE)", err)
	}
}
