package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/syscalls"
)

// interception is the flags that say how a target is intercepted.
type interception struct {
	trap     launcher.Trap
	guard    bool
	noPatch  bool
	noHelper bool
	cache    string
}

const (
	trapUsage   = "trap by `SOURCE`: seccomp, a filter; or sud, Syscall User Dispatch, with no filter (default seccomp)"
	guardUsage  = "install a first filter before exec, so that nothing runs unseen even if the launcher dies"
	helperUsage = "execute programs without ptrace and helper processes, as is done by itself where these are impossible"
)

func (h *interception) addTo(f *optionSet) {
	f.Func("trap", trapUsage, func(s string) error {
		switch s {
		case "seccomp":
			h.trap = launcher.TrapSeccomp
		case "sud":
			h.trap = launcher.TrapSUD
		default:
			return errors.New("neither seccomp nor sud")
		}
		return nil
	})
	f.BoolVar(&h.noPatch, "no-patch", "leave the program's code as it is: every call takes the trap path")
	f.BoolVar(&h.noHelper, "no-helper", helperUsage)
	f.StringVar(&h.cache, "cache", "keep what is known of system call sites in `DIR`, for later runs")
	f.BoolVar(&h.guard, "guard", guardUsage)
}

// command parses a verb's arguments, finds the program to run behind the flags and says how.
func (v *verb) command(f *optionSet, args []string, how *interception) (*launcher.Config, error) {
	args, err := v.parse(f, args)
	if err != nil {
		return nil, err
	}
	return v.program(args, how)
}

// program finds the program to run.
func (v *verb) program(args []string, how *interception) (*launcher.Config, error) {
	if how.guard && how.trap == launcher.TrapSUD {
		return nil, &usageError{fmt.Sprintf("%s: -guard: %v", v.name, launcher.ErrGuardedSUD)}
	}
	if len(args) == 0 {
		return nil, &usageError{v.name + ": no command given"}
	}
	path, err := exec.LookPath(args[0])
	if errors.Is(err, exec.ErrDot) {
		err = nil // as execvp
	}
	if err != nil {
		return nil, &launcher.NotStartedError{Path: args[0], Err: lookupError(args[0], err)}
	}
	return &launcher.Config{
		Path: path, Args: args, Trap: how.trap, Guard: how.guard, NoPatch: how.noPatch, NoHelper: how.noHelper,
		Cache: how.cache,
	}, nil
}

// lookupError turns the error of a search along PATH into the kernel's.
func lookupError(name string, err error) error {
	if info, e := os.Stat(name); e == nil && strings.Contains(name, "/") && info.IsDir() {
		return syscall.EISDIR
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return syscall.EACCES
	case errors.Is(err, syscall.EISDIR):
		return syscall.EISDIR
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT
	}
	return err
}

// gcLimit is the size of the heap from which on garbage is collected more often.
const gcLimit = 100 << 20

// run runs the target, has finish write what is to be written unless it did not run, and turns the way it ended into a status.
func run(cfg *launcher.Config, finish func(launcher.Status) error) (int, error) {
	// Records are short-lived garbage beside a small heap; with Go's setting it would be collected all the time.
	debug.SetGCPercent(800)
	debug.SetMemoryLimit(gcLimit)
	status, err := launcher.Run(cfg)
	if err == nil || status.Started {
		err = cmp.Or(err, finish(status))
	}
	if err != nil {
		return 0, err
	}
	if status.Signal != 0 {
		launcher.DieOf(status.Signal)
	}
	return status.Code, nil
}

// traceSet is the flag -e.
type traceSet struct {
	set   syscalls.Set
	given bool
}

// Set parses trace=SET, or SET alone.
func (t *traceSet) Set(s string) error {
	if kind, set, ok := strings.Cut(s, "="); ok {
		if kind != "trace" && kind != "t" {
			return fmt.Errorf("unknown qualifier %q", kind)
		}
		s = set
	}
	set, err := syscalls.ParseSet(s)
	t.set, t.given = set, true
	return err
}

// hooked returns the numbers to hook, nil for all.
func (t *traceSet) hooked() []int {
	if !t.given {
		return nil
	}
	return append([]int{}, t.set.Numbers()...)
}

const traceUsage = "trace only `trace=SET`: names, %classes, /regex, ! to negate, as strace -e"

// output opens the file of the flag -o; without one it is standard error.
func output(name string) (*os.File, error) {
	if name == "" {
		return os.Stderr, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_CLOEXEC, 0o666)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return f, nil
}
