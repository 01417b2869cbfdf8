package count

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/histogram"
)

// thread is what one thread has counted: times by number, negative ones of calls that failed.
type thread struct {
	launcher.Thread
	times map[int][]int64
}

// harvest gives a summary the state of a thread, as the hook leaves it.
func (th *thread) harvest(s *Summary) {
	st := new(state)
	for nr, times := range th.times {
		e := &st.calls[nr]
		for _, v := range times {
			spent := uint64(max(v, -v))
			e.calls++
			if v < 0 {
				e.errors++
			}
			e.spent, e.longest, e.leastInverted = e.spent+spent, max(e.longest, spent), max(e.leastInverted, ^spent)
			octave, sub := histogram.Bucket(spent)
			if st.index[nr][octave] == 0 {
				st.newOctave(uint(nr), octave)
			}
			st.octaves[st.index[nr][octave]-1][sub]++
		}
	}
	st.calls[unix.SYS_EXIT_GROUP].calls++ // without a time
	s.Harvest(th.Thread, unsafe.Slice((*byte)(unsafe.Pointer(st)), unsafe.Sizeof(*st)))
}

// story is three threads of two processes.
func story(opts *Options) *Summary {
	opts.CPU = true // nanoseconds
	s := NewSummary(opts)
	for _, th := range []thread{
		{launcher.Thread{PID: 7, TID: 7, Comm: "one"}, map[int][]int64{unix.SYS_READ: {1e6, -2e6}, unix.SYS_CLOSE: {0}}},
		{launcher.Thread{PID: 7, TID: 8, Comm: "helper"}, map[int][]int64{unix.SYS_READ: {3e6}}},
		{launcher.Thread{PID: 9, TID: 9, Comm: "two"}, map[int][]int64{unknown: {-1e6, -1e6}}},
	} {
		th.harvest(s)
	}
	return s
}

func written(t *testing.T, opts Options) string {
	t.Helper()
	var out strings.Builder
	if err := story(&opts).Write(&out, 5*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestTable: threads of a process are added up, processes too; a call that took no time counts.
func TestTable(t *testing.T) {
	t.Parallel()
	const rule = "------ ----------- ----------- --------- --------- ----------------\n"
	const head = "% time     seconds  usecs/call     calls    errors syscall\n" + rule
	want := `process 7 (one)
` + head + `100.00    0.006000        2000         3         1 read
  0.00    0.000000           0         2           exit_group
  0.00    0.000000           0         1           close
` + rule + `100.00    0.006000        1000         6         1 total

process 9 (two)
` + head + `100.00    0.002000        1000         2         2 (unknown)
  0.00    0.000000           0         1           exit_group
` + rule + `100.00    0.002000         666         3         2 total

` + head + ` 75.00    0.006000        2000         3         1 read
 25.00    0.002000        1000         2         2 (unknown)
  0.00    0.000000           0         3           exit_group
  0.00    0.000000           0         1           close
` + rule + `100.00    0.008000         888         9         3 total
`
	if diff := cmp.Diff(want, written(t, Options{By: ByProcess})); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestLatency: how times are spread, for each thread.
func TestLatency(t *testing.T) {
	t.Parallel()
	o := Options{By: ByThread}
	o.SetLatency()
	if err := errors.Join(o.SetSort("calls"), o.SetColumns("calls,min,avg,p50,p99,max")); err != nil {
		t.Fatal(err)
	}
	const rule = "--------- ----------- ----------- ----------- ----------- ----------- ----------------\n"
	const head = "    calls         min         avg         p50         p99         max syscall\n" + rule
	want := `process 7 thread 7 (one)
` + head + `        2      1.00ms      1.50ms      1.02ms      2.00ms      2.00ms read
        1         0ns         0ns         0ns         0ns         0ns close
        1         0ns         0ns         0ns         0ns         0ns exit_group
` + rule + `        4         0ns       750us      1.02ms      2.00ms      2.00ms total
`
	got, _, _ := strings.Cut(written(t, o), "\nprocess")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestForMachines: JSON with histograms, and comma-separated values.
func TestForMachines(t *testing.T) {
	t.Parallel()
	var got jsonSummary
	if err := json.Unmarshal([]byte(written(t, Options{Format: FormatJSON, By: ByThread})), &got); err != nil {
		t.Fatal(err)
	}
	read := jsonRow{
		Name: "read", Calls: "2", Errors: "1", Total: "3000000", Min: "1000000", Avg: "1500000", P50: "1015808", P90: "2000000",
		P99: "2000000", Max: "2000000", Buckets: []jsonBucket{{"1048576", "1"}, {"2097152", "1"}},
	}
	if diff := cmp.Diff([]any{3, 8, read, "9"}, []any{len(got.Groups), got.Groups[1].TID, got.Groups[0].Calls[0], got.Total.Calls}); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	lines := strings.Split(written(t, Options{Format: FormatCSV, By: ByThread}), "\n")
	want := []string{
		"elapsed_ns,pid,tid,comm,name,calls,errors,total_ns,min_ns,avg_ns,p50_ns,p90_ns,p99_ns,max_ns",
		"5000000,7,7,one,read,2,1,3000000,1000000,1500000,1015808,2000000,2000000,2000000",
	}
	if diff := cmp.Diff(want, lines[:2]); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("5000000,,,,read,3,1,6000000,1000000,2000000,2031616,3000000,3000000,3000000", lines[8]); diff != "" {
		t.Errorf("CSV of all (-want +got):\n%s", diff)
	}
}

// TestManyKinds: when all octaves are in use, calls still count.
func TestManyKinds(t *testing.T) {
	t.Parallel()
	s := new(state)
	for i := range uint(maxOctaves + 10) {
		want := min(i, maxOctaves)
		if diff := cmp.Diff(want, s.newOctave(i/histogram.Octaves, i%histogram.Octaves)); diff != "" {
			t.Fatalf("octave %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestScreen: no more lines go to a terminal than it has room for.
func TestScreen(t *testing.T) {
	t.Parallel()
	got := []string{string(screen([]byte("a\nb\nc\n"), 3)), string(screen([]byte("a\nb\n"), 24))}
	if diff := cmp.Diff([]string{"\x1b[H\x1b[Ja\nb\n", "\x1b[H\x1b[Ja\nb\n"}, got); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
}
