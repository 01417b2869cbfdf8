package launcher

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// limit reads a resource limit, and replaces it if next is not nil. It does not go through the
// syscall package, which would then no longer restore the target's limit of open files.
func limit(resource int, next *unix.Rlimit) (old unix.Rlimit, err error) {
	_, _, errno := unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, uintptr(resource),
		uintptr(unsafe.Pointer(next)), uintptr(unsafe.Pointer(&old)), 0, 0)
	if errno != 0 {
		return old, fmt.Errorf("resource limit %d: %w", resource, errno)
	}
	return old, nil
}

// withLimit calls do while a limit is at least want, as far as the launcher may raise it.
func withLimit(resource int, want uint64, do func() error) error {
	old, err := limit(resource, nil)
	if err != nil {
		return err
	}
	if old.Cur < want {
		if _, err := limit(resource, &unix.Rlimit{Cur: want, Max: max(want, old.Max)}); err != nil {
			limit(resource, &unix.Rlimit{Cur: old.Max, Max: old.Max})
		}
		defer limit(resource, &old)
	}
	return do()
}

// mayRaise reports whether the launcher may raise a limit as far as want.
func mayRaise(resource int, want uint64) bool {
	old, err := limit(resource, nil)
	if err != nil {
		return false
	}
	if old.Max >= want {
		return true
	}
	if _, err := limit(resource, &unix.Rlimit{Cur: want, Max: want}); err != nil {
		return false
	}
	limit(resource, &old)
	return true
}
