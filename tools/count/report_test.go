package count

import (
	"regexp"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/launcher"
)

// harvest gives a summary the counters of one thread.
func harvest(s *Summary, th launcher.Thread, counts map[int]entry) {
	var st state
	for nr, e := range counts {
		st.calls[nr] = e
	}
	s.Harvest(th, unsafe.Slice((*byte)(unsafe.Pointer(&st)), unsafe.Sizeof(st)))
}

// TestPrint: threads of a process are added up, processes too; a call that took no time counts. Times
// depend on the clock and are masked.
func TestPrint(t *testing.T) {
	t.Parallel()
	s := NewSummary()
	harvest(s, launcher.Thread{PID: 7, TID: 7, Comm: "one"}, map[int]entry{
		unix.SYS_READ:  {calls: 10, errors: 3, ticks: 3e9},
		unix.SYS_CLOSE: {calls: 1},
	})
	harvest(s, launcher.Thread{PID: 7, TID: 8, Comm: "one"}, map[int]entry{unix.SYS_READ: {calls: 5, ticks: 1e9}})
	harvest(s, launcher.Thread{PID: 9, TID: 9, Comm: "two"}, map[int]entry{unknown: {calls: 2, errors: 2, ticks: 1e9}})
	var out strings.Builder
	if err := s.Print(&out, true); err != nil {
		t.Fatal(err)
	}
	want := `process 7 (one)
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
100.00 TIME EACH        15         3 read
  0.00 TIME EACH         1           close
------ ----------- ----------- --------- --------- ----------------
100.00 TIME EACH        16         3 total

process 9 (two)
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
100.00 TIME EACH         2         2 (unknown)
------ ----------- ----------- --------- --------- ----------------
100.00 TIME EACH         2         2 total

% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 80.00 TIME EACH        15         3 read
 20.00 TIME EACH         2         2 (unknown)
  0.00 TIME EACH         1           close
------ ----------- ----------- --------- --------- ----------------
100.00 TIME EACH        18         5 total
`
	got := regexp.MustCompile(`(?m)^( *[0-9.]+) +[0-9.]+ +[0-9]+`).ReplaceAllString(out.String(), "$1 TIME EACH")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
