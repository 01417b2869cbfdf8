package programs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A program is one case: a script that runs natively and under every mode.
type program struct {
	name     string
	packages []string      // what it needs of packages.txt
	soak     bool          // left out with -short
	root     bool          // needs root
	setup    string        // bash text; runs natively, once; every run starts with a copy of what it left
	script   string        // bash text, run as: WRAPPER bash -c script
	argv     []string      // instead of a script: WRAPPER argv...
	self     bool          // the script is not wrapped; it says $W before each command that is to be
	notice   string        // trapline has to say one line with this text on stderr (and natively nothing does)
	limit    time.Duration // for each run; 0: defaultLimit
	untraced bool          // a tracer as the wrapper would be in the way: the case does without the mode strace
}

// defaultLimit is the time a run may take. The longest quick case takes some seconds natively; a run that hangs costs
// this much.
const defaultLimit = 90 * time.Second

// slots bounds the runs at one time: more would only measure the scheduler.
var slots = make(chan struct{}, 2)

// A suite keeps what the runs of one case share: its directory, what setup left, and the native outcome.
type suite struct {
	*program
	once   sync.Once
	dir    string
	native outcome
	err    error
}

// want runs setup and the native side, on the first call.
func (s *suite) want(base string) (outcome, error) {
	s.once.Do(func() {
		s.dir = filepath.Join(base, s.name)
		seed := filepath.Join(s.dir, "seed")
		for _, d := range []string{seed, seed + "/home", seed + "/tmp"} {
			if s.err = os.MkdirAll(d, 0o755); s.err != nil {
				return
			}
		}
		// A launcher that runs as another user writes its report here.
		if s.err = os.Chmod(s.dir, 0o777); s.err != nil {
			return
		}
		if s.err = s.prepare(seed); s.err != nil {
			return
		}
		s.native, s.err = s.run(native, "0")
		if s.err == nil && len(s.native.Left) > 0 {
			s.err = fmt.Errorf("the case itself leaves processes: %q", s.native.Left)
		}
		if s.err == nil && s.native.Status != 0 {
			s.err = fmt.Errorf("status %d\n%s%s", s.native.Status, s.native.Stdout, s.native.Stderr)
		}
	})
	return s.native, s.err
}

// prepare runs the case's setup in the directory seed.
func (s *suite) prepare(seed string) error {
	if s.setup == "" {
		return nil
	}
	cmd := exec.Command("bash", "-ec", s.setup)
	// The caller's build cache: Go's standard library need not be compiled for every case.
	cmd.Dir, cmd.Env = seed, append(environment(seed, nil), "GOCACHE="+goEnv("GOCACHE"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("setup: %w\n%s", err, out)
	}
	return nil
}

// run executes the case once in a fresh copy of what setup left. id names the directory: all names have one length, so
// that paths in the output do not change its shape.
func (s *suite) run(m mode, id string) (outcome, error) {
	dir := filepath.Join(s.dir, id)
	if out, err := exec.Command("cp", "-a", filepath.Join(s.dir, "seed"), dir).CombinedOutput(); err != nil {
		return outcome{}, fmt.Errorf("copy: %w\n%s", err, out)
	}
	wrap := m.wrap(s.report(id))
	argv := s.argv
	if argv == nil {
		argv = []string{"bash", "-c", s.script}
	}
	if !s.self {
		argv = append(wrap, argv...)
	}
	limit := s.limit
	if limit == 0 {
		limit = defaultLimit
	}
	got, err := execute(argv, dir, environment(dir, wrap), limit)
	got.Stdout = strings.ReplaceAll(got.Stdout, dir, "$RUN")
	got.Stderr = strings.ReplaceAll(got.Stderr, dir, "$RUN")
	return got, err
}

// TestPrograms is the table, in every mode.
func TestPrograms(t *testing.T) {
	cases := selected(t)
	base, err := os.MkdirTemp("", "programs")
	if err != nil {
		t.Fatal(err)
	}
	// The cases that change their user have to get in.
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the directories are left in %s", base)
			return
		}
		os.RemoveAll(base)
	})
	for i, m := range modes(t) {
		if m.name != straceMode.name {
			needTrapline(t)
		}
		t.Run(m.name, func(t *testing.T) {
			for _, s := range cases {
				if m.name == straceMode.name && s.untraced {
					continue
				}
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					s.test(t, base, m, strconv.Itoa(i+1))
				})
			}
		})
	}
}

// selected returns the cases of this invocation.
func selected(t *testing.T) []*suite {
	var cases []*suite
	for i := range programs {
		p := &programs[i]
		if p.soak && testing.Short() {
			continue
		}
		cases = append(cases, &suite{program: p})
	}
	if len(cases) == 0 {
		t.Fatal("no case selected")
	}
	return cases
}

// test compares one mode with the native side.
func (s *suite) test(t *testing.T, base string, m mode, id string) {
	if missing := missingPackages(s.packages); len(missing) > 0 {
		t.Skipf("not installed: %s (install.sh does)", strings.Join(missing, " "))
	}
	if s.root && os.Getuid() != 0 {
		t.Skip("needs root")
	}
	slots <- struct{}{}
	defer func() { <-slots }()

	want, err := s.want(base)
	if s.notice == "32-bit" && (errors.Is(err, syscall.ENOEXEC) || strings.Contains(want.Stderr, "Exec format error")) {
		t.Skip("the kernel runs no 32-bit programs")
	}
	if err != nil {
		t.Fatalf("native: %v", err)
	}
	start := time.Now()
	got, err := s.run(m, id)
	if err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	t.Logf("%.2fs", time.Since(start).Seconds())
	if s.notice != "" && m.name != straceMode.name {
		got.Stderr, err = takeNotice(got.Stderr, s.notice)
		if err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("native (-) and %s (+) differ:\n%s", m.name, diff)
	}
	if s.notice == "" && m.seen != "" && !strings.Contains(contents(s.report(id)), m.seen) {
		t.Errorf("the report %s does not have %q: was anything intercepted?", s.report(id), m.seen)
	}
}

// report is the file of the tool's report of a run.
func (s *suite) report(id string) string { return filepath.Join(s.dir, "report"+id) }

// takeNotice removes the one line of trapline's that has the text in it.
func takeNotice(stderr, text string) (rest string, err error) {
	var found []string
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "trapline") && strings.Contains(line, text) {
			found = append(found, line)
			continue
		}
		rest += line
	}
	if len(found) != 1 {
		return rest, fmt.Errorf("stderr has %d lines that begin with trapline and say %q, want 1: %q", len(found), text, found)
	}
	return rest, nil
}
