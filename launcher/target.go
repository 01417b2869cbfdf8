package launcher

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// target is the first process of the target.
type target struct {
	pid int
	sig unix.Signal // came while the launcher traced; delivered when it lets go

	loads string // the program that it is about to load without a tracer; "": it has it already
}

// startTarget executes the program and brings the image in before its first instruction. All of
// it happens on one thread: ptrace takes orders only from the thread that traces.
func startTarget(cfg *Config, files hiddenFiles) (*target, error) {
	type result struct {
		t   *target
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		t, err := startTraced(cfg, files)
		if errors.Is(err, unix.EPERM) {
			t, err = execLoaded(cfg, files)
		}
		done <- result{t, err}
	}()
	r := <-done
	return r.t, r.err
}

// startTraced executes the program under ptrace. That fails with EPERM in a process that another one traces, and where Yama
// forbids it.
func startTraced(cfg *Config, files hiddenFiles) (*target, error) {
	if cfg.NoHelper {
		return nil, unix.EPERM
	}
	start := execTraced
	if cfg.Guard {
		start = execGuarded
	}
	t, err := start(cfg)
	if err == nil {
		err = t.inject(cfg, files)
	}
	return t, err
}

// checkProgram refuses programs that cannot become targets: those that the launcher may not read,
// and those that would run without rights that they natively have.
func checkProgram(path string) error {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return &NotStartedError{path, err}
	}
	if err := unix.Access(path, unix.X_OK); err != nil {
		return &NotStartedError{path, err}
	}
	if err := unix.Access(path, unix.R_OK); err != nil {
		return fmt.Errorf("exec %s: %w", path, ErrUnreadable)
	}
	if rt.Withheld(path+"\x00", &st) {
		return fmt.Errorf("exec %s: %w", path, ErrRights)
	}
	return nil
}

// Programs that cannot become targets.
var (
	ErrUnreadable = errors.New("a program that may not be read cannot be followed")
	ErrRights     = errors.New("a program with rights of its own (set-user-ID, set-group-ID, capabilities) would run without them")
)

// execTraced starts the program, stopped at its exec.
func execTraced(cfg *Config) (*target, error) {
	pid, err := syscall.ForkExec(cfg.Path, cfg.Args, &syscall.ProcAttr{
		Env:   cfg.environment(),
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Ptrace: true, Pdeathsig: deathSignal, Credential: cfg.User},
	})
	if err != nil {
		return nil, &NotStartedError{cfg.Path, err}
	}
	t := &target{pid: pid}
	for err = t.stopped(); err == errNotYet; err = t.stopped() {
		if err := unix.PtraceCont(pid, 0); err != nil {
			return nil, fmt.Errorf("exec %s: %w", cfg.Path, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("exec %s: %w", cfg.Path, err)
	}
	if err := unix.PtraceSetOptions(pid, unix.PTRACE_O_EXITKILL); err != nil {
		t.kill()
		return nil, fmt.Errorf("trace the target: %w", err)
	}
	return t, nil
}

func (cfg *Config) environment() []string {
	if cfg.Env == nil {
		return os.Environ()
	}
	return cfg.Env
}

// deathSignal is the signal that the launcher gets when its parent dies. The program would have it without the launcher in
// between; so it is to have it when the launcher dies. It belongs to the first thread, on which packages are initialised:
// others start without (copy_process, kernel/fork.c).
var deathSignal = parentDeathSignal()

func parentDeathSignal() syscall.Signal {
	var sig int32
	if err := unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&sig)), 0, 0, 0); err != nil {
		return 0
	}
	return syscall.Signal(sig)
}

// errNotYet reports a stop that is not the one awaited: another signal, or the guard filter,
// which stops before the call it is about.
var errNotYet = errors.New("stopped for another reason")

var errEnded = errors.New("the target ended before it could be intercepted")

// stopped waits for the SIGTRAP of an exec or a single step.
func (t *target) stopped() error {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(t.pid, &ws, unix.WALL, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case !ws.Stopped():
			return errEnded
		case ws.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
			return errNotYet
		case ws.StopSignal() == unix.SIGTRAP:
			return nil
		}
		t.sig = ws.StopSignal()
		return errNotYet
	}
}

// step executes one instruction, or lets the call that the target is in return.
func (t *target) step() error {
	for {
		if err := unix.PtraceSingleStep(t.pid); err != nil {
			return err
		}
		if err := t.stopped(); err != errNotYet {
			return err
		}
	}
}

func (t *target) kill() {
	unix.Kill(t.pid, unix.SIGKILL)
	unix.Wait4(t.pid, nil, unix.WALL, nil)
}

// Err32 reports a 32-bit program, which cannot run under the guard filter.
var Err32 = errors.New("a 32-bit program cannot run under the guard")

// inject maps the image with the target's own hands and lets it go at the runtime's bootstrap.
func (t *target) inject(cfg *Config, files hiddenFiles) error {
	var saved unix.PtraceRegs
	if err := unix.PtraceGetRegs(t.pid, &saved); err != nil {
		t.kill()
		return fmt.Errorf("read the target's registers: %w", err)
	}
	const code64 = 0x33
	if saved.Cs != code64 && cfg.Guard {
		t.kill()
		return Err32
	}
	if saved.Cs != code64 {
		fmt.Fprintf(os.Stderr, "trapline: pid %d: is a 32-bit program and runs unintercepted\n", t.pid)
		return t.detach()
	}
	if err := t.mapImage(&saved, files.image); err != nil {
		t.kill()
		return fmt.Errorf("map the runtime into the target: %w", err)
	}
	r := saved
	r.R8, r.R10 = saved.Rip, uint64(files.image)|uint64(files.shared)<<32
	r.Rip, r.Orig_rax = uint64(rt.Bootstrap()), ^uint64(0)
	if err := unix.PtraceSetRegs(t.pid, &r); err != nil {
		t.kill()
		return fmt.Errorf("send the target to the runtime: %w", err)
	}
	return t.detach()
}

// detach lets the target go on, untraced.
func (t *target) detach() error {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_DETACH, uintptr(t.pid), 0, uintptr(t.sig), 0, 0)
	if errno != 0 {
		return fmt.Errorf("let go of the target: %w", errno)
	}
	return nil
}

// mapImage has the target execute one mmap, written over its first instruction for the
// moment.
func (t *target) mapImage(saved *unix.PtraceRegs, image int) error {
	ip := uintptr(saved.Rip)
	var original [2]byte
	if _, err := unix.PtracePeekText(t.pid, ip, original[:]); err != nil {
		return err
	}
	if _, err := unix.PtracePokeText(t.pid, ip, []byte{0x0f, 0x05}); err != nil {
		return err
	}
	start, err := imageLength()
	if err != nil {
		return err
	}
	r := *saved
	r.Rax, r.Rdi, r.Rsi, r.Rdx = unix.SYS_MMAP, rt.ImageBase, start, unix.PROT_READ|unix.PROT_EXEC
	r.R10, r.R8, r.R9, r.Orig_rax = rt.ImageMmapFlags, uint64(image), 0, ^uint64(0)
	if err := unix.PtraceSetRegs(t.pid, &r); err != nil {
		return err
	}
	if err := t.step(); err != nil {
		return err
	}
	if err := unix.PtraceGetRegs(t.pid, &r); err != nil {
		return err
	}
	if r.Rax != rt.ImageBase {
		return fmt.Errorf("mmap at %#x: %w", rt.ImageBase, syscall.Errno(-int64(r.Rax)))
	}
	_, err = unix.PtracePokeText(t.pid, ip, original[:])
	return err
}

// imageLength returns the length of the mapping that brings the image in.
func imageLength() (uint64, error) {
	s := new(rt.Shared)
	err := fillImage(s)
	return uint64(s.ImageLength), err
}

// wait waits for the end of the target.
func (t *target) wait(s *rt.Shared) (Status, error) {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(t.pid, &ws, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return Status{}, fmt.Errorf("wait for the target: %w", err)
		case t.loads != "" && s.MainPID == 0 && ws.ExitStatus() != rt.AbortStatus:
			return Status{}, t.notLoaded(ws)
		case ws.Exited():
			return Status{Code: ws.ExitStatus()}, nil
		case ws.Signaled():
			return Status{Signal: ws.Signal()}, nil
		}
	}
}

// notLoaded is why a target ended before its program was there.
func (t *target) notLoaded(ws unix.WaitStatus) error {
	if ws.Exited() && ws.ExitStatus() < stageFailed {
		return &NotStartedError{t.loads, syscall.Errno(ws.ExitStatus())}
	}
	return errEnded
}
