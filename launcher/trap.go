package launcher

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// Trap is what sends the target's system calls to the runtime.
type Trap uint32

const (
	TrapSeccomp Trap = rt.SourceSeccomp // a filter, inherited by all that the target starts
	TrapSUD     Trap = rt.SourceSUD     // Syscall User Dispatch, armed by the runtime in every thread
)

// ErrGuardedSUD reports a configuration that cannot be: the guard is a filter, and the trap filter is what outranks it.
var ErrGuardedSUD = errors.New("the guard needs the trap source seccomp")

// checkTrap reports whether the kernel has the trap source.
func checkTrap(cfg *Config) error {
	if cfg.Trap != TrapSUD {
		return nil
	}
	if cfg.Guard {
		return ErrGuardedSUD
	}
	return ProbeSUD()
}

// ProbeSUD arms Syscall User Dispatch on this thread, in a way that lets every call through, and disarms it.
func ProbeSUD() error {
	const everywhere = 1 << 47 // TASK_SIZE: no call comes from further up
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_SYSCALL_USER_DISPATCH, unix.PR_SYS_DISPATCH_ON, 0, everywhere, 0, 0)
	if errno == unix.EINVAL {
		return fmt.Errorf("the kernel has no Syscall User Dispatch (Linux 5.11 and later): %w", errno)
	}
	if errno != 0 {
		return fmt.Errorf("arm Syscall User Dispatch: %w", errno)
	}
	_, _, errno = unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_SYSCALL_USER_DISPATCH, unix.PR_SYS_DISPATCH_OFF, 0, 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("disarm Syscall User Dispatch: %w", errno)
	}
	return nil
}
