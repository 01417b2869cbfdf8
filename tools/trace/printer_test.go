package trace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/launcher"
	rt "github.com/trapline/trapline/runtime"
)

// story is a sequence of records of several threads.
type story struct{ events []launcher.Event }

func (s *story) add(pid, tid int, kind uint16, data []byte) {
	s.events = append(s.events, launcher.Event{PID: pid, TID: tid, Kind: kind, Data: data})
}

func (s *story) enter(pid, tid, nr int, args ...uint64) {
	s.add(pid, tid, recordEnter, enterData(nr, [6]uint64(append(args, make([]uint64, 6-len(args))...))))
}

func (s *story) exit(pid, tid int, result int64, out ...mem) {
	s.add(pid, tid, recordExit, exitData(result, out...))
}

func (s *story) born(pid, tid, birth int) {
	s.add(pid, tid, recordThread, words(0, uint64(birth), 0).data)
}

func (s *story) signal(pid, tid int, info ...uint32) {
	b := make([]byte, siginfoSize)
	for i, v := range info {
		binary.LittleEndian.PutUint32(b[4*i:], v)
	}
	data := binary.LittleEndian.AppendUint64(nil, uint64(info[0]))
	data = binary.LittleEndian.AppendUint64(data, siginfoSize)
	s.add(pid, tid, recordSignal, binary.LittleEndian.AppendUint64(append(data, b...), 0x401000))
}

// print returns the text of the story, with pauses between the batches.
func (s *story) print(t *testing.T, opts Options, batch int, after func(p *Printer)) string {
	t.Helper()
	if opts.MaxString == 0 {
		opts.MaxString = DefaultMaxString
	}
	opts.Column, opts.QuietAttach = DefaultColumn, true
	var out bytes.Buffer
	p := NewPrinter(&out, opts)
	for events := s.events; len(events) > 0; events = events[min(batch, len(events)):] {
		p.Events(events[:min(batch, len(events))])
	}
	if after != nil {
		after(p)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// expect compares the text of a story, however it is cut into batches.
func (s *story) expect(t *testing.T, opts Options, want string) {
	t.Helper()
	for _, batch := range []int{1, 2, 1000} {
		if diff := cmp.Diff(want, s.print(t, opts, batch, nil)); diff != "" {
			t.Errorf("batches of %d (-want +got):\n%s", batch, diff)
		}
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	var s story
	s.born(7, 7, rt.BirthExec)
	s.enter(7, 7, unix.SYS_EXIT_GROUP, 3)
	s.expect(t, Options{Path: "/bin/a", Args: []string{"a", "b\n"}, Env: []string{"A=1"}}, ""+
		"execve(\"/bin/a\", [\"a\", \"b\\n\"], [/* 1 var */]) = 0\n"+
		"exit_group(3)                           = ?\n"+
		"+++ exited with 3 +++\n")
}

func TestUnfinished(t *testing.T) {
	t.Parallel()
	var s story
	s.born(7, 7, rt.BirthExec)
	s.enter(7, 7, unix.SYS_CLONE, unix.CLONE_VM|unix.CLONE_THREAD, a1)
	s.exit(7, 7, 8)
	s.enter(7, 7, unix.SYS_READ, 0, a1, 4)
	s.born(7, 8, rt.BirthThread)
	s.enter(7, 8, unix.SYS_CLOSE, 5)
	s.exit(7, 7, 2, raw(a1, "ab"))
	s.exit(7, 8, 0)
	s.enter(7, 8, unix.SYS_EXIT, 0)
	s.enter(7, 7, unix.SYS_GETPID)
	s.exit(7, 7, 7)
	s.expect(t, Options{}, ""+
		"clone(child_stack=0x7000, flags=CLONE_VM|CLONE_THREAD) = 8\n"+
		"[pid     7] read(0,  <unfinished ...>\n"+
		"[pid     8] close(5 <unfinished ...>\n"+
		"[pid     7] <... read resumed>\"ab\", 4)  = 2\n"+
		"[pid     8] <... close resumed>)        = 0\n"+
		"[pid     8] exit(0)                     = ?\n"+
		"[pid     8] +++ exited with 0 +++\n"+
		"getpid()                                = 7\n")
}

func TestExitGroup(t *testing.T) {
	t.Parallel()
	var s story
	s.born(7, 7, rt.BirthExec)
	s.born(7, 8, rt.BirthThread)
	s.born(7, 9, rt.BirthThread)
	s.enter(7, 8, unix.SYS_PAUSE)
	s.enter(7, 7, unix.SYS_READ, 0, a1, 4)
	s.enter(7, 9, unix.SYS_EXIT_GROUP, 0x1ff)
	s.expect(t, Options{ShowPID: true}, ""+
		"8     pause( <unfinished ...>\n"+
		"7     read(0,  <unfinished ...>\n"+
		"9     exit_group(511)                   = ?\n"+
		"8     <... pause resumed>)              = ?\n"+
		"8     +++ exited with 255 +++\n"+
		"7     <... read resumed> <unfinished ...>) = ?\n"+
		"7     +++ exited with 255 +++\n"+
		"9     +++ exited with 255 +++\n")
}

func TestExec(t *testing.T) {
	t.Parallel()
	var s story
	s.born(7, 7, rt.BirthExec)
	s.enter(7, 7, unix.SYS_EXECVE, 0, 0, 0)
	s.born(7, 7, rt.BirthExec)
	s.enter(7, 7, unix.SYS_EXECVE, 0, 0, 0)
	s.exit(7, 7, -2)
	s.expect(t, Options{}, ""+
		"execve(NULL, NULL, NULL)                = 0\n"+
		"execve(NULL, NULL, NULL)                = -1 ENOENT (No such file or directory)\n")
}

func TestExecOfThread(t *testing.T) {
	t.Parallel()
	var s story
	s.born(7, 7, rt.BirthExec)
	s.born(7, 8, rt.BirthThread)
	s.born(7, 9, rt.BirthThread)
	s.enter(7, 7, unix.SYS_PAUSE)
	s.enter(7, 8, unix.SYS_EXECVE, 0, 0, 0)
	s.born(7, 7, rt.BirthExec)
	s.enter(7, 7, unix.SYS_GETPID)
	s.exit(7, 7, 7)
	s.expect(t, Options{ShowPID: true}, ""+
		"7     pause( <unfinished ...>\n"+
		"8     execve(NULL, NULL, NULL <unfinished ...>\n"+
		"7     <... pause resumed>)              = ?\n"+
		"9     +++ exited with 0 +++\n"+
		"7     +++ superseded by execve in pid 8 +++\n"+
		"7     <... execve resumed>)             = 0\n"+
		"7     getpid()                          = 7\n")
}

// TestNotRun checks that a call that a signal kept from starting is printed once.
func TestNotRun(t *testing.T) {
	t.Parallel()
	var s story
	s.enter(7, 7, unix.SYS_CLOSE, 5)
	s.exit(7, 7, -rt.ENOTRUN)
	s.signal(7, 7, uint32(unix.SIGUSR1), 0, 0, 0, 9, 1000)
	s.enter(7, 7, unix.SYS_CLOSE, 5)
	s.exit(7, 7, 0)
	signal := "--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=9, si_uid=1000} ---\n"
	want := signal + "close(5)                                = 0\n"
	if diff := cmp.Diff(want, s.print(t, Options{}, 1000, nil)); diff != "" {
		t.Errorf("taken back before it was written (-want +got):\n%s", diff)
	}
	want = "close(5 <unfinished ...>\n" + signal + "<... close resumed>)                    = 0\n"
	if diff := cmp.Diff(want, s.print(t, Options{}, 1, nil)); diff != "" {
		t.Errorf("taken back after it was written (-want +got):\n%s", diff)
	}
}

// TestNotRunHandler checks that the same holds when the signal's handler makes calls, and when it jumps away.
func TestNotRunHandler(t *testing.T) {
	t.Parallel()
	begin := func(s *story) {
		s.enter(7, 7, unix.SYS_CLOSE, 5)
		s.exit(7, 7, -rt.ENOTRUN)
		s.signal(7, 7, uint32(unix.SIGUSR1), 0, 0, 0, 9, 1000)
		s.enter(7, 7, unix.SYS_GETPID)
		s.exit(7, 7, 7)
	}
	want := "close(5 <unfinished ...>\n" +
		"--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=9, si_uid=1000} ---\n" +
		"getpid()                                = 7\n"
	var s story
	begin(&s)
	s.add(7, 7, recordEnter, enterData(unix.SYS_RT_SIGRETURN, [6]uint64{}, words(noteBit|frameAX, 3), words(noteBit|frameMask, 1)))
	s.enter(7, 7, unix.SYS_CLOSE, 5)
	s.exit(7, 7, 0)
	returned := want + "rt_sigreturn({mask=[HUP]})              = 3\n<... close resumed>)                    = 0\n"
	if diff := cmp.Diff(returned, s.print(t, Options{}, 1, nil)); diff != "" {
		t.Errorf("the handler returns (-want +got):\n%s", diff)
	}
	var j story
	begin(&j)
	j.enter(7, 7, unix.SYS_GETPPID)
	j.exit(7, 7, 1)
	if diff := cmp.Diff(want+"getppid()                               = 1\n", j.print(t, Options{}, 1, nil)); diff != "" {
		t.Errorf("the handler jumps away (-want +got):\n%s", diff)
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		info []uint32
		want string
	}{
		{[]uint32{17, 0, 1, 0, 9, 0, 3, 0, 1, 0, 205, 0},
			"SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=9, si_uid=0, si_status=3, si_utime=1 /* 0.01 s */, si_stime=205 /* 2.05 s */}"},
		{[]uint32{17, 0, 2, 0, 9, 0, 15},
			"SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=9, si_uid=0, si_status=SIGTERM, si_utime=0, si_stime=0}"},
		{[]uint32{11, 0, 1, 0, 0x10}, "SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10}"},
		{[]uint32{10, 0, 0xfffffffa, 0, 9, 5}, "SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=9, si_uid=5}"},
		{[]uint32{34, 0, 0xffffffff, 0, 9, 5, 7}, "SIGRT_2 {si_signo=SIGRT_2, si_code=SI_QUEUE, si_pid=9, si_uid=5, si_int=7, si_ptr=0x7}"},
		{[]uint32{14, 0, 0x80}, "SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL}"},
		{[]uint32{14, 0, 0xfffffffe, 0, 3, 1, 7}, "SIGALRM {si_signo=SIGALRM, si_code=SI_TIMER, si_timerid=0x3, si_overrun=1, si_int=7, si_ptr=0x7}"},
	} {
		var s story
		s.signal(7, 7, c.info...)
		s.expect(t, Options{}, "--- "+c.want+" ---\n")
	}
}

// TestKilled checks that the death of a child is printed when its parent learns of it.
func TestKilled(t *testing.T) {
	t.Parallel()
	var s story
	s.born(7, 7, rt.BirthExec)
	s.born(8, 8, rt.BirthFork)
	s.enter(8, 8, unix.SYS_PAUSE)
	s.enter(7, 7, unix.SYS_WAIT4, 8, a1, 0, 0)
	s.exit(7, 7, 8, ints(a1, 0x8b))
	s.expect(t, Options{ShowPID: true}, ""+
		"8     pause( <unfinished ...>\n"+
		"7     wait4(8,  <unfinished ...>\n"+
		"8     <... pause resumed>)              = ?\n"+
		"8     +++ killed by SIGSEGV (core dumped) +++\n"+
		"7     <... wait4 resumed>[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}], 0, NULL) = 8\n")
}

func TestKilledBy(t *testing.T) {
	t.Parallel()
	var s story
	s.born(7, 7, rt.BirthExec)
	s.enter(7, 7, unix.SYS_PAUSE)
	got := s.print(t, Options{}, 1, func(p *Printer) {
		p.Ended(7)
		p.KilledBy(unix.SIGTERM)
	})
	want := "pause()                                 = ?\n+++ killed by SIGTERM +++\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEnded checks that a thread that is gone no longer makes lines name their thread.
func TestEnded(t *testing.T) {
	t.Parallel()
	var s story
	s.born(7, 7, rt.BirthExec)
	s.born(8, 8, rt.BirthFork)
	s.enter(7, 7, unix.SYS_PAUSE)
	got := s.print(t, Options{}, 1000, func(p *Printer) {
		p.Ended(8)
		p.Events([]launcher.Event{{PID: 7, TID: 7, Kind: recordExit, Data: exitData(-4)}})
		var after story
		after.enter(7, 7, unix.SYS_GETPID)
		after.exit(7, 7, 7)
		p.Events(after.events)
	})
	want := "[pid     7] pause()                     = ? ERESTARTNOHAND (To be restarted if no handler)\n" +
		"getpid()                                = 7\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMaxString(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit int
		want  string
	}{
		{0, `""...`}, {2, `"ab"...`}, {4, `"abcd"`}, {100, `"abcd"`},
	} {
		var out bytes.Buffer
		p := NewPrinter(&out, Options{MaxString: c.limit, Column: DefaultColumn})
		p.Events([]launcher.Event{
			{PID: 1, TID: 1, Kind: recordEnter, Data: enterData(unix.SYS_WRITE, [6]uint64{1, a1, 4}, raw(a1, "abcd"))},
			{PID: 1, TID: 1, Kind: recordExit, Data: exitData(4)},
		})
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if want := "write(1, " + c.want + ", 4)"; !bytes.HasPrefix(out.Bytes(), []byte(want)) {
			t.Errorf("limit %d: %s, want %s", c.limit, out.String(), want)
		}
	}
}

// failingWriter fails on every write.
type failingWriter struct{}

var errFull = errors.New("full")

func (failingWriter) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	t.Parallel()
	var s story
	s.enter(7, 7, unix.SYS_GETPID)
	p := NewPrinter(failingWriter{}, Options{})
	p.Events(s.events)
	if err := p.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close: %v, want %v", err, errFull)
	}
}

func BenchmarkEvents(b *testing.B) {
	enter := enterData(unix.SYS_READ, [6]uint64{3, a1, 832})
	exit := exitData(32, raw(a1, "0123456789abcdef0123456789abcdef"))
	events := []launcher.Event{
		{PID: 1, TID: 1, Kind: recordEnter, Data: enter},
		{PID: 1, TID: 1, Kind: recordExit, Data: exit},
	}
	var out bytes.Buffer
	p := NewPrinter(&out, Options{MaxString: 32, Column: DefaultColumn})
	for b.Loop() {
		p.Events(events)
		out.Reset()
	}
}
