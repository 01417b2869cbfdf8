package launcher

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// Some things a process can only do to itself before it executes the program. For them the launcher starts its own binary once
// more, as a stage.

// The names by which stages are started.
const (
	guardStage = "trapline-guard-stage" // PATH ARG...: installs the guard filter; traced by the launcher
	loadStage  = "trapline-load-stage"  // IMAGE SHARED GUARD PATH ARG...: executes the program without a tracer
)

// stageFailed is a stage's exit status when it has printed why; a lower one is the error number of its exec.
const stageFailed = 250

func init() {
	if isStage() {
		runtime.LockOSThread() // init runs on the main thread
	}
}

func isStage() bool {
	return len(os.Args) > 2 && (os.Args[0] == guardStage || os.Args[0] == loadStage)
}

// Stage turns the process into a stage if it was started as one. It must be called first in main, on the main
// thread: the launcher traces that thread only.
func Stage() {
	if !isStage() {
		return
	}
	run := runGuardStage
	if os.Args[0] == loadStage {
		run = runLoadStage
	}
	err := run(os.Args[1:])
	if errno, ok := err.(syscall.Errno); ok && errno < stageFailed {
		os.Exit(int(errno))
	}
	fmt.Fprintf(os.Stderr, "trapline: %v\n", err)
	os.Exit(stageFailed)
}

func runGuardStage(args []string) error {
	if err := installGuard(); err != nil {
		return err
	}
	return syscall.Exec(args[0], args[1:], os.Environ())
}

func runLoadStage(args []string) error {
	image, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	shared, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	if _, err := mapFile(shared, rt.SharedBase, 0, rt.SharedLimit-rt.SharedBase, unix.MAP_FIXED_NOREPLACE); err != nil {
		return err
	}
	if args[2] != "" {
		if err := installGuard(); err != nil {
			return err
		}
	}
	path, argv, envp, err := pointers(args[3], args[4:], os.Environ())
	if err != nil {
		return err
	}
	// The Go runtime has raised the soft limit of open files.
	start, _ := rt.Started()
	if old, err := limit(unix.RLIMIT_NOFILE, nil); err == nil {
		limit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: min(start.OpenFiles, old.Max), Max: old.Max})
	}
	// Freestanding code keeps addresses of its variables as integers: the stack must not move.
	debug.SetGCPercent(-1)
	growStack()
	return syscall.Errno(rt.LoadFirst(path, argv, envp, image, shared))
}

// pointers makes of Go's strings what execve takes.
func pointers(path string, args, env []string) (*byte, []*byte, []*byte, error) {
	p, err := syscall.BytePtrFromString(path)
	if err != nil {
		return nil, nil, nil, err
	}
	argv, err := syscall.SlicePtrFromStrings(args)
	if err != nil {
		return nil, nil, nil, err
	}
	envp, err := syscall.SlicePtrFromStrings(env)
	return p, argv, envp, err
}

// growStack makes the stack so large that what is called next fits.
//
//go:noinline
func growStack() byte {
	var room [256 << 10]byte
	return room[len(os.Args)]
}

// execLoaded starts the program where the launcher cannot trace it. It needs no more help: the program is loaded with the
// runtime in place.
func execLoaded(cfg *Config, files hiddenFiles) (*target, error) {
	self, err := ownPath()
	if err != nil {
		return nil, err
	}
	guard := ""
	if cfg.Guard {
		guard = "guard"
	}
	args := []string{loadStage, strconv.Itoa(files.image), strconv.Itoa(files.shared), guard, cfg.Path}
	pid, err := syscall.ForkExec(self, append(args, cfg.Args...), &syscall.ProcAttr{
		Env:   cfg.environment(),
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Pdeathsig: deathSignal, Credential: cfg.User},
	})
	if err != nil {
		return nil, fmt.Errorf("start own file: %w", err)
	}
	return &target{pid: pid, loads: cfg.Path}, nil
}

// ownPath returns a path to this binary's file.
func ownPath() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self, nil
	}
	return startPath()
}
