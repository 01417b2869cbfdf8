package trace

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The same program is run under strace -f and under trapline trace, and what they print is
// compared call by call in each thread, after what differs from run to run has been made equal.

// comparison is one program to run.
type comparison struct {
	name string
	args []string
	long bool // not with -short
}

func comparisons(calls string) []comparison {
	return []comparison{
		{name: "calls", args: []string{calls}},
		{name: "ls", args: []string{"ls", "-la", "/"}},
		{name: "sh", args: []string{"sh", "-c", "for i in 1 2 3; do echo $i | cat; done; x=$(uname); (exit 3); test $? = 3"}},
		{name: "bash", args: []string{"bash", "-c", "trap 'echo caught' USR1; kill -USR1 $$; ls / | wc -l; [ -d /etc ]"}},
		{name: "tar", args: []string{"tar", "cf", "/dev/null", "-C", "/etc", "."}, long: true},
		{name: "perl", args: []string{"perl", "-e", "my @a = stat('/'); system('true'); open(F, '/etc/passwd'); print <F>"}},
		{name: "git", args: []string{"git", "init", "-q", "."}, long: true},
		{name: "gcc", args: []string{"gcc", "-x", "c", "-E", "/dev/null"}, long: true},
	}
}

func TestAgainstStrace(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("find strace: %v (apt-get install strace)", err)
	}
	trapline := commandUnderTest(t)
	calls := filepath.Join(t.TempDir(), "calls")
	if out, err := exec.Command("gcc", "-O1", "-w", "-static", "-o", calls, "testdata/calls.c").CombinedOutput(); err != nil {
		t.Fatalf("build testdata/calls.c: %v\n%s", err, out)
	}
	for _, c := range comparisons(calls) {
		t.Run(c.name, func(t *testing.T) {
			if c.long && testing.Short() {
				t.Skip("long")
			}
			if _, err := exec.LookPath(c.args[0]); err != nil {
				t.Skipf("%v", err)
			}
			want := record(t, c, strace, "-f", "-o")
			got := record(t, c, trapline, "trace", "-o")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v (-strace +trapline):\n%s", c.args, diff)
			}
		})
	}
}

// commandUnderTest returns the path of trapline.
func commandUnderTest(t *testing.T) string {
	t.Helper()
	path := os.Getenv("TRAPLINE")
	if path == "" {
		path = "../../bin/trapline"
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("find the command under test: %v (run make first, or set TRAPLINE)", err)
	}
	return path
}

// record runs a program under a tracer and returns the trace, made comparable.
func record(t *testing.T, c comparison, tracer ...string) [][]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	args := append(append(tracer[1:], file, "--"), c.args...)
	cmd := exec.CommandContext(ctx, tracer[0], args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C", "PERL_HASH_SEED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return normalise(string(text), cmd.Dir)
}

// traced is what one thread did.
type traced struct {
	lines []string
	open  string // an unfinished line
}

var (
	threadLine = regexp.MustCompile(`^(\d+) +(.*)$`)
	resumed    = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	number     = regexp.MustCompile(`\b\d+\b`)
)

// normalise splits a trace by threads. They are ordered by what they did: which one was
// first is chance.
func normalise(text, dir string) [][]string {
	threads := map[string]*traced{}
	for line := range strings.Lines(text) {
		m := threadLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		th := threads[m[1]]
		if th == nil {
			th = &traced{}
			threads[m[1]] = th
		}
		th.take(m[2])
	}
	var all [][]string
	for _, th := range threads {
		var lines []string
		for _, l := range th.lines {
			if l = neutral(l, dir, threads); l != "" {
				lines = append(lines, l)
			}
		}
		all = append(all, lines)
	}
	slices.SortFunc(all, slices.Compare[[]string])
	return all
}

// take adds a line, and puts the halves of an unfinished one together.
func (th *traced) take(line string) {
	if rest, ok := strings.CutSuffix(line, " <unfinished ...>"); ok {
		th.open = rest
		return
	}
	if m := resumed.FindStringSubmatch(line); m != nil {
		line, th.open = th.open+m[1], ""
	}
	th.lines = append(th.lines, line)
}

// replacements make equal what differs between two runs, or between the two tracers for a
// reason: when a child ends is chance, and trapline sees a signal only if the target has a handler
// for it, gives the result of an interrupted call as the target sees it, and does not know the
// address that its own exec passed.
var replacements = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\) += `), `) = `},
	{regexp.MustCompile(`^--- SIGCHLD .*`), ``},
	{regexp.MustCompile(`^rt_sigreturn\(.*`), ``},
	{regexp.MustCompile(`(0x[0-9a-f]{5,}|\[)( ?/\* \d+ vars? \*/)\]?`), `ENV`},
	{regexp.MustCompile(`0x[0-9a-f]{5,}`), `ADDR`},
	{regexp.MustCompile(`= \? ERESTART.*`), `= EINTR`},
	{regexp.MustCompile(`= -1 EINTR.*`), `= EINTR`},
	{regexp.MustCompile(`tv_(sec|nsec|usec)=\d+`), `tv_$1=N`},
	{regexp.MustCompile(`^getrandom\("[^"]*".*`), ``},
	{regexp.MustCompile(`^read\(3, ".*", 4\) = 4`), `read of random bytes`},
	{regexp.MustCompile(`calls\.[A-Za-z0-9]{6}|cc[A-Za-z0-9]{6}\b|\.git/t[A-Za-z0-9]{6}\b`), `TEMPORARY`},
	{regexp.MustCompile(`si_[us]time=\d+( /\*.*?\*/)?`), `si_time=N`},
	{regexp.MustCompile(`^(sysinfo|times|time|getppid|brk|[fs]*statfs|add_key|quotactl|sethostname)\(.*`), `$1`},
	{regexp.MustCompile(`^((shm|sem|msg)\w+\().*`), `$1`},
	{regexp.MustCompile(`^prctl\(PR_GET_SECCOMP\).*`), `prctl(PR_GET_SECCOMP)`},
	{regexp.MustCompile(`st_size=\d+`), `st_size=N`},
}

func neutral(line, dir string, threads map[string]*traced) string {
	line = strings.ReplaceAll(line, dir, "DIR")
	for _, r := range replacements {
		line = r.pattern.ReplaceAllString(line, r.with)
	}
	return number.ReplaceAllStringFunc(line, func(n string) string {
		if threads[n] != nil {
			return "PID"
		}
		return n
	})
}
