package programs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A sequenced program makes the same calls in every run.
type sequenced struct {
	name     string
	packages []string
	setup    string
	argv     []string
	chance   bool // it does not, really: only what the lines look like can be compared
	uneven   bool // the number of calls or of errors varies: by the heap's address, who comes first, what a signal interrupts
}

var sequences = []sequenced{
	{name: "true", argv: []string{"/bin/true"}},
	{name: "echo", argv: []string{"/bin/echo", "one", "two"}},
	{name: "cat", argv: []string{"cat", "data/f1", "data/nothing"}},
	{name: "ls", argv: []string{"ls", "-l", "data"}},
	{name: "cp", argv: []string{"cp", "-a", "data", "copy"}},
	{name: "mv", argv: []string{"mv", "data/f1", "data/f2", "dir"}},
	{name: "mkdir", argv: []string{"mkdir", "-p", "a/b/c", "dir"}},
	{name: "rmdir", argv: []string{"rmdir", "dir", "data"}},
	{name: "dash-pipe", packages: []string{"dash"}, argv: []string{"dash", "-c", "cat data/f1 | tr a-z A-Z >out; wc -l <out; (exit 3); echo $?"}},
	{name: "dash-substitution", packages: []string{"dash"}, argv: []string{"dash", "-c", `x=$(cat data/f1); for i in 1 2 3; do /bin/true; done; [ "$x" ] && exec /bin/echo last`}},
	{name: "python", packages: []string{"python3"}, argv: []string{"/usr/bin/python3", "-I", "-S", "-c", "1"}},
	{name: "perl", packages: []string{"perl"}, argv: []string{"perl", "-e", `open F, "<", "data/f1"; print while <F>; mkdir "x"; rmdir "x"`}},
	{name: "static", packages: []string{"gcc", "libc6-dev"}, setup: `gcc -static -o prog "$SRC/hello.c"`, argv: []string{"./prog", "a", "b"}},
	{name: "vfork", packages: []string{"gcc", "libc6-dev"}, setup: `gcc -O1 -o prog "$SRC/vforkexec.c"`, argv: []string{"./prog"}},
	{name: "threads", packages: []string{"gcc", "libc6-dev"}, setup: `gcc -O1 -pthread -o prog "$SRC/handover.c"`, argv: []string{"./prog"}},
	{name: "sqlite", packages: []string{"sqlite3"}, argv: []string{"sqlite3", "d.db", "create table t(a); insert into t values(1),(2); select sum(a) from t"}},
	{name: "sed", packages: []string{"sed"}, argv: []string{"sed", "-n", "-s", "s/f/g/p;$=", "data/f1", "data/f2"}},
	{name: "awk", packages: []string{"mawk"}, argv: []string{"awk", "{n += length} END {print n}", "data/f1", "data/f2"}},
	{name: "sort", argv: []string{"sort", "--parallel=1", "-r", "data/f1", "data/f2"}},
	{name: "tar", packages: []string{"tar"}, argv: []string{"tar", "-cf", "a.tar", "--sort=name", "data"}},
	{name: "gzip", packages: []string{"gzip"}, argv: []string{"gzip", "-k", "data/f1"}},
	{name: "git", packages: []string{"git"}, argv: []string{"git", "version"}},
	{name: "git-init", packages: []string{"git"}, argv: []string{"git", "init", "-q", "repo"}},
	{name: "gcc", packages: []string{"gcc", "libc6-dev"}, setup: `cp "$SRC/hello.c" .`, argv: []string{"gcc", "-O1", "-c", "-o", "hello.o", "hello.c"}, uneven: true},
	{name: "as", packages: []string{"binutils"}, setup: `echo .long 1 >a.s`, argv: []string{"as", "-o", "a.o", "a.s"}},
	{name: "bash", packages: []string{"bash"}, argv: []string{"bash", "-c", `trap "echo caught" USR1; kill -USR1 $$; ls data | wc -l; [ -d /etc ]`}},
	{name: "find", packages: []string{"findutils"}, argv: []string{"find", ".", "-name", "f*", "-exec", "/bin/echo", "{}", ";"}},
	{name: "dd", argv: []string{"dd", "if=/dev/zero", "of=zeros", "bs=4096", "count=20", "status=none"}},
	{name: "stat", argv: []string{"stat", "-L", "data/f1", "/dev/null", "/"}},
	{name: "touch", argv: []string{"touch", "-d", "2020-02-02 02:02:02", "data/f1", "new"}},
	{name: "openssl", packages: []string{"openssl"}, argv: []string{"openssl", "dgst", "-sha256", "data/f1"}},
	{name: "python-subprocess", packages: []string{"python3"}, argv: []string{"/usr/bin/python3", "-I", "-S", "-c", `import subprocess; print(subprocess.call(["/bin/echo", "x"]))`}},
	{name: "python-threads", packages: []string{"python3"}, argv: []string{"/usr/bin/python3", "-I", "-S", "-c", `import threading
for i in range(3):
    t = threading.Thread(target=open, args=("data/f1",)); t.start(); t.join()`}, uneven: true},
	{name: "python-sockets", packages: []string{"python3"}, argv: []string{"/usr/bin/python3", "-I", "-S", "-c", `import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", 0)); s.listen(5)
c = socket.create_connection(s.getsockname()); d, a = s.accept(); c.sendall(b"hello"); d.recv(100); c.shutdown(1); d.recv(1)
u, v = socket.socketpair(); socket.send_fds(u, [b"x"], [0, 1]); socket.recv_fds(v, 10, 2)`}},
	{name: "python-signals", packages: []string{"python3"}, argv: []string{"/usr/bin/python3", "-I", "-S", "-c", `import signal, time
signal.signal(signal.SIGALRM, lambda *a: None); signal.setitimer(signal.ITIMER_REAL, 0.05); signal.pause()
signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.3); signal.raise_signal(signal.SIGTERM)`}, uneven: true},
	{name: "python-select", packages: []string{"python3"}, argv: []string{"/usr/bin/python3", "-I", "-S", "-c", `import select, os
r, w = os.pipe(); os.write(w, b"x"); select.select([r], [w], [], 1); p = select.poll(); p.register(r, 1); p.poll(10)
e = select.epoll(); e.register(r, 1); e.poll(0.01); os.read(r, 1); p.poll(1); select.select([r], [], [], 0.001)`}},
	{name: "calls", packages: []string{"gcc", "libc6-dev"}, setup: `gcc -O1 -w -static -o prog "$SRC/calls.c"`, argv: []string{"./prog"}, uneven: true},
	{name: "go", argv: []string{"go", "version"}, chance: true},
	{name: "node", packages: []string{"nodejs"}, argv: []string{"/usr/bin/node", "-e", `require("fs").writeFileSync("n", "x"); setTimeout(() => console.log("done"), 5)`}, chance: true},
	{name: "make", packages: []string{"make"}, setup: `printf 'all:\n\t@echo one; exit 0\n' >makefile`, argv: []string{"make", "all"}},
}

const sequenceSetup = `mkdir data dir; for i in 1 2; do for n in 1 2 3 4 5 6; do echo "file $i line $n"; done >data/f$i; done; `

// TestCompareStrace: trace prints the lines that strace prints, and misses and invents no call.
func TestCompareStrace(t *testing.T) {
	needTrapline(t)
	var total likeness
	t.Run("programs", func(t *testing.T) {
		for _, q := range sequences {
			t.Run(q.name, func(t *testing.T) {
				if missing := missingPackages(append(q.packages, "strace")); len(missing) > 0 {
					t.Skipf("not installed: %s (install.sh does)", strings.Join(missing, " "))
				}
				total.add(q.compare(t))
			})
		}
	})
	t.Logf("all programs: %s", total.String())
	if total.share() < 99 {
		t.Errorf("%.2f %% of the lines are strace's, want 99 %%", total.share())
	}
}

// What calls a program makes may be a matter of chance: so often strace and trace may run until they see the same ones.
const (
	straceRuns = 5
	traceRuns  = 3
)

// compare runs the program under both and says how far they agree.
func (q *sequenced) compare(t *testing.T) likeness {
	base := t.TempDir()
	l := q.compareOnce(t, base)
	for n := 1; l.misfits() > 0 && n < traceRuns; n++ {
		l = q.compareOnce(t, base)
	}
	t.Logf("%s\n%s", l.String(), strings.Join(l.different, "\n"))
	if len(l.missing) > 0 {
		t.Errorf("missing calls:\n%s", strings.Join(l.missing, "\n"))
	}
	if len(l.extra) > 0 {
		t.Errorf("calls too many:\n%s", strings.Join(l.extra, "\n"))
	}
	return l
}

// compareOnce compares one trace. strace runs at least twice: what differs between its traces is chance. Where even the calls
// differ, only what the lines look like can be compared.
func (q *sequenced) compareOnce(t *testing.T, base string) likeness {
	trace := q.trace(t, base, trapline(), "trace")
	runs := [][]traced{q.trace(t, base, "strace", "-f"), q.trace(t, base, "strace", "-f")}
	l := compareTraces(runs[0], trace, runs[1])
	for n := 1; l.misfits() > 0 && n < straceRuns; n++ {
		if n == len(runs) {
			runs = append(runs, q.trace(t, base, "strace", "-f"))
		}
		if again := compareTraces(runs[n], trace, runs[0]); again.misfits() < l.misfits() {
			l = again
		}
	}
	if noise := compareTraces(runs[0], runs[1], nil); l.misfits() > 0 && (q.chance || noise.misfits() > 0) {
		l = compareShapes(slices.Concat(runs...), trace)
	}
	return l
}

func (l *likeness) String() string {
	return fmt.Sprintf("%6.2f %% of %d lines the same, %d different, %d known differences, %d calls missing, %d too many",
		l.share(), l.lines, len(l.different), l.known, len(l.missing), len(l.extra))
}

// TestSameCounts: count's table has the calls and the errors that strace sees.
func TestSameCounts(t *testing.T) {
	needTrapline(t)
	for _, q := range sequences {
		if q.chance || q.uneven {
			continue
		}
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			if missing := missingPackages(append(q.packages, "strace")); len(missing) > 0 {
				t.Skipf("not installed: %s (install.sh does)", strings.Join(missing, " "))
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			base, diff := t.TempDir(), ""
			for n := 0; n == 0 || diff != "" && n < traceRuns; n++ {
				want := tally(q.trace(t, base, "strace", "-f"))
				got, err := parseTable(q.report(t, base, trapline(), "count"))
				if err != nil {
					t.Fatal(err)
				}
				diff = cmp.Diff(want, got)
			}
			if diff != "" {
				t.Errorf("strace (-) and trapline count (+) see different numbers of calls:\n%s", diff)
			}
		})
	}
}

// trace runs the program under a wrapper that writes a trace.
func (q *sequenced) trace(t *testing.T, base string, wrapper ...string) []traced {
	t.Helper()
	threads, err := parseTrace(strings.NewReader(q.report(t, base, wrapper...)))
	if err != nil {
		t.Fatalf("%s: %v", wrapper[0], err)
	}
	return threads
}

// report runs the program under a wrapper, and returns what that writes to the file of its option -o. The directory is
// the same in each run: its name is in the trace.
func (q *sequenced) report(t *testing.T, base string, wrapper ...string) string {
	t.Helper()
	s := &suite{program: &program{name: q.name, setup: sequenceSetup + q.setup}, dir: base}
	seed, dir := filepath.Join(base, "seed"), filepath.Join(base, "run")
	if _, err := os.Stat(seed); err != nil {
		for _, d := range []string{seed, seed + "/home", seed + "/tmp"} {
			if err := os.Mkdir(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.prepare(seed); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{dir, dir + ".out", dir + ".err"} {
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("cp", "-a", seed, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	argv := slices.Concat(wrapper, []string{"-o", s.report(""), "--"}, q.argv)
	got, err := execute(argv, dir, environment(dir, nil), defaultLimit)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.report(""))
	if err != nil {
		t.Fatalf("%v\n%s", err, got.Stderr)
	}
	return string(text)
}

// A count is a line of count's table.
type count struct{ Calls, Errors int }

func tally(threads []traced) map[string]count {
	sum := make(map[string]count)
	for _, th := range threads {
		for _, c := range th.calls {
			n := sum[c.name]
			n.Calls++
			if c.result == "-1" {
				n.Errors++
			}
			sum[c.name] = n
		}
	}
	return sum
}

// parseTable reads the table that count shares with strace -c:
//
//	% time     seconds  usecs/call     calls    errors syscall
//
// The column errors is blank where there are none. rt_sigreturn is left out, as in traces.
func parseTable(text string) (map[string]count, error) {
	table := make(map[string]count)
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 5 || !isNumber(f[3]) {
			continue
		}
		name := f[len(f)-1]
		if name == "total" || name == "rt_sigreturn" {
			continue
		}
		var c count
		c.Calls, _ = strconv.Atoi(f[3])
		if len(f) == 6 {
			var err error
			if c.Errors, err = strconv.Atoi(f[4]); err != nil {
				return nil, fmt.Errorf("column errors of %q: %w", line, err)
			}
		}
		table[name] = c
	}
	if len(table) == 0 {
		return nil, fmt.Errorf("no table: %q", text)
	}
	return table, nil
}
