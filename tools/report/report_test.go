package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCells: when cells become wider nothing of what they count is lost, and there are no more than the limit and what one call fills.
func TestCells(t *testing.T) {
	t.Parallel()
	line := timeline{width: firstWidth}
	for range 3 {
		line.lanes = append(line.lanes, &lane{})
	}
	var calls, errs uint32
	var busy time.Duration
	for i := range 200_000 {
		s := span{lane: line.lanes[i%3], start: time.Duration(i) * 40 * time.Microsecond, spent: time.Duration(i%90) * time.Microsecond, class: class(i % 5)}
		if i%7 == 0 {
			s.errno = "EAGAIN"
			errs++
		}
		if i == 100_000 {
			s.spent = time.Minute
		}
		line.fill(&s)
		calls++
		busy += s.spent
		if line.cells > maxCells+longest {
			t.Fatalf("%d cells after %d calls", line.cells, calls)
		}
	}
	var gotCalls, gotErrs uint32
	var gotBusy time.Duration
	for _, l := range line.lanes {
		for _, c := range l.cells {
			gotCalls, gotErrs = gotCalls+c.calls, gotErrs+c.errors
			for _, d := range c.busy {
				gotBusy += d
			}
		}
	}
	if diff := cmp.Diff([]any{calls, errs, busy}, []any{gotCalls, gotErrs, gotBusy}); diff != "" {
		t.Errorf("calls, errors and time in cells (-want +got):\n%s", diff)
	}
}

// TestFewerFiles: of too many files those stay that took the most time or moved the most bytes; the others are one.
func TestFewerFiles(t *testing.T) {
	t.Parallel()
	f := files{byPath: map[string]*file{}}
	for i := range 100 {
		f.byPath[fmt.Sprint(i)] = &file{calls: 1, spent: time.Duration(i), read: uint64(max(10-i, 0))}
	}
	f.keep(2)
	var kept []string
	for _, u := range f.sorted() {
		kept = append(kept, u.Path)
	}
	if diff := cmp.Diff([]string{"99", "98", "1", "0"}, kept); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	want := fileUse{Path: "rest", Calls: 96, Read: 55 - 10 - 9, Spent: 99*100/2 - 99 - 98 - 1}
	if diff := cmp.Diff(want, f.rest.use("rest")); diff != "" {
		t.Errorf("others (-want +got):\n%s", diff)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	got := commandLine([]string{"sh", "-c", "echo 'a' | wc", "", "x=1"})
	if diff := cmp.Diff(`sh -c 'echo '\''a'\'' | wc' '' x=1`, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
