package trace

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/tools/syscalls"
)

// errnoName returns the name of an error number.
func errnoName(e uint32) string {
	if n := errnoSymbol(e); n != "" {
		return n
	}
	return strconv.Itoa(int(e))
}

// errnoSymbol returns the name of an error number, nothing if it has none. Of two names
// for EOPNOTSUPP x/sys prefers the other.
func errnoSymbol(e uint32) string {
	if unix.Errno(e) == unix.EOPNOTSUPP {
		return "EOPNOTSUPP"
	}
	return unix.ErrnoName(unix.Errno(e))
}

// errnoText returns an error number as a result shows it: its name and what the C
// library says of it, which is what Go says with a capital letter.
func errnoText(e uint32) string {
	n := errnoSymbol(e)
	if n == "" {
		return fmt.Sprintf("(errno %d)", e)
	}
	text := unix.Errno(e).Error()
	return fmt.Sprintf("%s (%s)", n, strings.ToUpper(text[:1])+text[1:])
}

func callName(nr int) string { return syscalls.Name(nr) }
