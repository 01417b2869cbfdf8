package bpf

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Guard assembles the first filter, for targets that must not run unseen even for an
// instant: it allows every call from inside r and answers every other one with
// SECCOMP_RET_TRACE, whatever its number and architecture.
//
// The launcher's child installs it before exec, and that exec comes from outside too,
// like everything the child does in between: the launcher must trace with
// PTRACE_O_TRACESECCOMP and let those calls go on. Without a tracer that asked for it a
// call fails with ENOSYS (__seccomp_filter, kernel/seccomp.c).
//
// The trap filter outranks it (TRAP is stronger than TRACE, and TRACE is stronger
// than ALLOW), with three consequences. The trap filter has to be one for All, or the
// numbers nobody subscribed to end here. The mmap that brings the image in after an
// exec stops here as well. 32-bit programs stop here for good.
func Guard(r Layout) (Program, error) {
	if err := r.check(); err != nil {
		return Program{}, fmt.Errorf("assemble guard filter: %w", err)
	}
	var a assembler
	trace := a.ret(unix.SECCOMP_RET_TRACE)
	a.instructionPointer(r, a.ret(unix.SECCOMP_RET_ALLOW), trace)
	return a.program()
}
