package count

import (
	"fmt"
	"io"
	"strings"

	"github.com/trapline/trapline/patch"
	rt "github.com/trapline/trapline/runtime"
)

// PrintSites says what became of the system call sites of all processes. calls is how many calls were counted, if all were
// to be; else -1.
func PrintSites(w io.Writer, s *rt.SiteCounts, calls int64) error {
	fmt.Fprintf(w, "\nsites: %s", tally("patched", s.Patched[:], func(i int) string { return patch.Tactic(i).String() }))
	fmt.Fprintf(w, "       %s", tally("refused", s.Refused[:], func(i int) string { return patch.Reason(i).String() }))
	_, err := fmt.Fprintf(w, "       %d patched before their first call\n", s.Ahead)
	if calls < 0 {
		_, err = fmt.Fprintf(w, "calls: %d on the trap path\n", s.Traps)
	} else {
		_, err = fmt.Fprintf(w, "calls: %d on the trap path, %d on the fast path\n", s.Traps, max(calls-int64(s.Traps), 0))
	}
	return err
}

// tally is one line: a total and what it consists of.
func tally(what string, counts []uint32, name func(int) string) string {
	var parts []string
	total := uint32(0)
	for i, n := range counts {
		if total += n; n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, name(i)))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%d %s\n", total, what)
	}
	return fmt.Sprintf("%d %s: %s\n", total, what, strings.Join(parts, ", "))
}
