package launcher

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/bpf"
	rt "github.com/trapline/trapline/runtime"
)

// With Config.Guard the target runs under a first filter from before its exec: a call from
// outside the runtime stops at the launcher, or fails if there is none, until the trap
// filter outranks it. A filter can be installed only by the process itself, so the launcher starts
// its own binary once more as a stage, which installs the filter and executes the program. The
// stage's own calls come from the reserved range.

func installGuard() error {
	s := new(rt.Shared)
	if err := fillImage(s); err != nil {
		return err
	}
	p, err := bpf.Guard(bpf.Layout{Lo: uint32(s.TextStart), Hi: rt.StubLimit})
	if err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(p.Insns)), Filter: (*unix.SockFilter)(unsafe.Pointer(&p.Insns[0]))}
	const setModeFilter = 1
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, 0, uintptr(unsafe.Pointer(&prog)))
	if errno == unix.EACCES {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("guard filter: %w", err)
		}
		_, _, errno = unix.Syscall(unix.SYS_SECCOMP, setModeFilter, 0, uintptr(unsafe.Pointer(&prog)))
	}
	if errno != 0 {
		return fmt.Errorf("guard filter: %w", errno)
	}
	return nil
}

// execGuarded starts the program through the stage, stopped behind its exec.
func execGuarded(cfg *Config) (*target, error) {
	self, err := ownPath()
	if err != nil {
		return nil, err
	}
	stage := *cfg
	stage.Path, stage.Args = self, append([]string{guardStage, cfg.Path}, cfg.Args...)
	t, err := execTraced(&stage)
	if err != nil {
		return nil, err
	}
	const options = unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACESECCOMP
	if err := unix.PtraceSetOptions(t.pid, options); err != nil {
		t.kill()
		return nil, fmt.Errorf("trace the target: %w", err)
	}
	if err := t.awaitExec(cfg.Path); err != nil {
		return nil, err
	}
	// The exec has not returned yet: a register written now would be overwritten.
	return t, t.step()
}

// awaitExec lets the stage run until it has executed the program.
func (t *target) awaitExec(path string) error {
	sig := 0
	for {
		if err := unix.PtraceCont(t.pid, sig); err != nil {
			return fmt.Errorf("trace the target: %w", err)
		}
		var ws unix.WaitStatus
		if _, err := unix.Wait4(t.pid, &ws, unix.WALL, nil); err != nil && err != unix.EINTR {
			return fmt.Errorf("trace the target: %w", err)
		}
		switch {
		case ws.Exited() && ws.ExitStatus() < stageFailed:
			return &NotStartedError{path, syscall.Errno(ws.ExitStatus())}
		case ws.Exited() || ws.Signaled():
			return errEnded
		case ws.TrapCause() == unix.PTRACE_EVENT_EXEC:
			return nil
		case ws.TrapCause() > 0:
			sig = 0
		default:
			sig = int(ws.StopSignal())
		}
	}
}
