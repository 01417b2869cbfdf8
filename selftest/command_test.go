package selftest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// under is the command line that runs a shell text in the mode m.
func under(t *testing.T, m mode, script string, args ...string) []string {
	t.Helper()
	argv := append(m.wrap(filepath.Join(t.TempDir(), "report")), "/bin/sh", "-c", script)
	return append(argv, args...)
}

// eachMode runs f as a subtest for every mode of trapline's.
func eachMode(t *testing.T, f func(t *testing.T, m mode)) {
	t.Helper()
	needTrapline(t)
	t.Parallel()
	for _, m := range allModes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			f(t, m)
		})
	}
}

// mustRun runs c, which has to end in time.
func (c command) mustRun(t *testing.T) outcome {
	t.Helper()
	got, err := c.run(t)
	if err != nil {
		t.Fatalf("%q: %v\n%s%s", c.argv, err, got.Stdout, got.Stderr)
	}
	return got
}

func expect[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExitStatus(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		for _, status := range []int{0, 1, 2, 77, 125, 126, 127, 128, 255} {
			got := command{argv: under(t, m, "exit "+strconv.Itoa(status))}.mustRun(t)
			expect(t, outcome{Status: fmt.Sprintf("exit %d", status)}, got)
		}
	})
}

func TestDeathBySignal(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		for _, name := range []string{"KILL", "SEGV", "TERM", "INT", "HUP", "PIPE", "SYS", "USR1", "ABRT"} {
			got := command{argv: under(t, m, "kill -"+name+" $$; sleep 5")}.mustRun(t)
			expect(t, outcome{Status: "SIG" + name}, got)
		}
	})
}

// TestRefusals: what the command says, and returns, when it does not come to run a program.
func TestRefusals(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	dir := t.TempDir()
	if err := openPath(dir); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"garbage": 0o755, "private": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("\x7fELF and then nothing of the kind\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "orphan"), []byte("#!/no/such/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		args   string
		status int
	}{
		{"no verb", "", 2},
		{"unknown verb", "fly", 2},
		{"no program", "run", 2},
		{"no program behind the dashes", "run --", 2},
		{"unknown flag", "run -fly -- true", 2},
		{"flag without value", "count -o", 2},
		{"unknown trap source", "run -trap=ptrace -- true", 2},
		{"trap source that has no guard", "trace -guard -trap=sud -- true", 2},
		{"wrong set of calls", "trace -e trace=no_such_call -- true", 2},
		{"unknown letter behind a known one", "trace -fk -- true", 2},
		{"qualifier that is not there", "trace -e verbose=none -- true", 2},
		{"rule that changes nothing", "trace -e inject=read -- true", 2},
		{"rule with a clause that is not there", "inject read:fly=1 -- true", 2},
		{"rule without a command", "inject read:error=EIO", 2},
		{"rules without end", "inject $(seq -f read:retval=%g 97) -- true", 2},
		{"no rule", "inject -- true", 2},
		{"no policy", "policy -- true", 2},
		{"policy that is not there", "policy -f ./missing -- true", 125},
		{"policy that is none", "policy -f ./garbage -- true", 125},
		{"options that exclude each other", "trace -cC -- true", 2},
		{"user who is not there", "trace -u no-such-user -- true", 125},
		{"not in PATH", "run -- no-such-program-anywhere", 127},
		{"no such file", "run -- ./missing", 127},
		{"no such folder", "count -- /no/such/folder/program", 127},
		{"no such interpreter", "run -- ./orphan", 127},
		{"empty name", "run -- ''", 127},
		{"not executable", "run -- ./private", 126},
		{"folder", "trace -- ./", 126},
		{"garbage", "run -- ./garbage", 126},
		{"garbage to count", "count -- ./garbage", 126},
		{"garbage to count in JSON", "count --json -- ./garbage", 126},
		{"garbage to trace", "trace -c -- ./garbage", 126},
		{"garbage to report", "report -o page -- ./garbage", 126},
		{"loop of links", "run -- ./loop", 126},
		{"file as a folder", "run -- ./private/x", 126},
		{"report that cannot be written", "count -o /no/such/folder/file -- true", 125},
		{"report on a full disk", "count -o /dev/full -- true", 125},
		{"JSON report on a full disk", "count --json -o /dev/full -- true", 125},
		{"tables on a full disk", "count --interval 50ms -o /dev/full -- sleep 0.2", 125},
		{"trace on a full disk", "trace -o /dev/full -- true", 125},
		{"JSON trace on a full disk", "trace --json -o /dev/full -- true", 125},
		{"trace events on a full disk", "trace --perfetto /dev/full -- true", 125},
		{"trace events that cannot be written", "trace --perfetto /no/such/folder/file -- true", 125},
		{"no file for the page", "report -- true", 2},
		{"page that cannot be written", "report -o /no/such/folder/file -- true", 125},
		{"page on a full disk", "report -o /dev/full -- true", 125},
		{"formats that exclude each other", "count --json --csv -- true", 2},
		{"sites in JSON", "count -sites --json -- true", 2},
		{"interval that is none", "count --interval soon -- true", 2},
		{"interval of nothing", "count --interval 0s -- true", 2},
		{"column that is not there", "count -S beauty -- true", 2},
		{"column twice", "count -U calls,count -- true", 2},
		{"unknown groups", "count --by user -- true", 2},
		{"cache in a file", "run -cache ./garbage -- true", 125},
		{"no file for sites", "sites", 2},
		{"no file for sites behind a flag", "sites -json", 2},
		{"sites of a missing file", "sites ./missing", 125},
		{"sites of a folder", "sites ./", 125},
		{"sites of a device", "sites /dev/zero", 125},
		{"sites of garbage", "sites ./garbage", 125},
		{"sites of a script", "sites ./orphan --json", 125},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := command{argv: []string{"/bin/sh", "-c", trapline() + " " + c.args}, dir: dir}.mustRun(t)
			expect(t, fmt.Sprintf("exit %d", c.status), got.Status)
			expect(t, "", got.Stdout)
			if !regexp.MustCompile(`^trapline: [^\n]{8,200}\n$`).MatchString(got.Stderr) {
				t.Errorf("standard error is not one clear line: %q", got.Stderr)
			}
		})
	}
}

// TestPath: the program is looked up as execvp does, and argv[0] is as it was given.
func TestPath(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		dir := t.TempDir()
		script := filepath.Join(dir, "looked-up")
		if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$0 $*\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		wrap := m.wrap(filepath.Join(t.TempDir(), "report"))
		got := command{argv: append(wrap, "looked-up", "a", "b c"), env: []string{"PATH=/nonexistent:" + dir}}.mustRun(t)
		expect(t, outcome{Status: "exit 0", Stdout: script + " a b c\n"}, got)
		got = command{argv: append(wrap, "sh", "-c", "tr '\\0' ' ' </proc/$$/cmdline")}.mustRun(t)
		expect(t, outcome{Status: "exit 0", Stdout: "sh -c tr '\\0' ' ' </proc/$$/cmdline "}, got)
	})
}

// TestStandardDescriptors: those that are closed when trapline starts are closed in the target.
func TestStandardDescriptors(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		for _, closing := range []string{"<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-", "<&- 2>&-"} {
			// The inner shell writes what it has open to a file: its descriptors are in question.
			inner := `for f in /proc/self/fd/*; do echo ${f##*/}; done >list 2>/dev/null; exit 9`
			want := command{argv: []string{"/bin/sh", "-c", `sh -c "$0" ` + closing + `; s=$?; cat list; exit $s`, inner}}.mustRun(t)
			wrapped := strings.Join(m.wrap(filepath.Join(t.TempDir(), "report")), " ")
			got := command{argv: []string{"/bin/sh", "-c", wrapped + ` sh -c "$0" ` + closing + `; s=$?; cat list; exit $s`, inner}}.mustRun(t)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-native +%s):\n%s", closing, m.name, diff)
			}
			expect(t, "exit 9", want.Status)
		}
	})
}

// TestInheritance: descriptors, ignored signals, mask, limits, folder, umask, priority are the caller's.
func TestInheritance(t *testing.T) {
	script := `exec 2>&1; ulimit -a; umask; pwd -P; nice; for f in /proc/self/fd/*; do echo $f; done; cat <&7
		grep -E '^(SigBlk|SigIgn|ShdPnd)' /proc/self/status; kill -USR1 $$; echo alive; cat /proc/self/oom_score_adj`
	outer := `umask 027; ulimit -n 77 -s 4096; trap '' USR1; exec 7<<E 9>/dev/null
text on 7
E
exec nice -n 3 "$@"`
	eachMode(t, func(t *testing.T, m mode) {
		dir := t.TempDir()
		native := command{argv: []string{"/bin/bash", "-c", outer, "outer", "/bin/sh", "-c", script}, dir: dir}.mustRun(t)
		argv := append([]string{"/bin/bash", "-c", outer, "outer"}, under(t, m, script)...)
		expect(t, native, command{argv: argv, dir: dir}.mustRun(t))
	})
}

// TestSignalsToLauncher: a signal that is sent to the launcher is the target's; the launcher ends as the target does.
func TestSignalsToLauncher(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT} {
			short := strings.TrimPrefix(unix.SignalName(sig), "SIG")
			dir := t.TempDir()
			script := fmt.Sprintf("trap 'echo caught; exit 5' %s; echo ready >ready; while :; do sleep 0.05; done", short)
			got := signalled(t, command{argv: under(t, m, script), dir: dir}, sig)
			expect(t, outcome{Status: "exit 5", Stdout: "caught\n"}, got)
			// Without a trap both die of it.
			got = signalled(t, command{argv: under(t, m, "ulimit -c 0; echo ready >ready; exec sleep 20"), dir: t.TempDir()}, sig)
			expect(t, outcome{Status: "SIG" + short}, got)
			// A target that ignores it goes on.
			script = fmt.Sprintf("trap '' %s; echo ready >ready; sleep 0.3; exit 6", short)
			got = signalled(t, command{argv: under(t, m, script), dir: t.TempDir()}, sig)
			expect(t, outcome{Status: "exit 6"}, got)
		}
	})
}

// signalled starts c, waits for the file ready in its folder, and sends sig to the first process only.
func signalled(t *testing.T, c command, sig syscall.Signal) outcome {
	t.Helper()
	p, err := c.start(t)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, filepath.Join(c.dir, "ready"))
	p.cmd.Process.Signal(sig)
	got, err := p.wait(0)
	if err != nil {
		t.Fatalf("%v: %v", sig, err)
	}
	return got
}

// waitFor waits until a file has a line in it.
func waitFor(t *testing.T, name string) string {
	t.Helper()
	for end := time.Now().Add(defaultLimit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(name); err == nil && bytes.HasSuffix(text, []byte("\n")) {
			return string(text)
		}
	}
	t.Fatalf("%s did not appear", name)
	return ""
}

// TestTerminalSignal: what comes to the whole group is handled once.
func TestTerminalSignal(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		dir := t.TempDir()
		script := "trap 'echo caught' INT; echo ready >ready; sleep 0.5 & wait; wait; exit 4"
		p, err := command{argv: under(t, m, script), dir: dir}.start(t)
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, filepath.Join(dir, "ready"))
		unix.Kill(-p.cmd.Process.Pid, unix.SIGWINCH) // harmless to everybody
		got, err := p.wait(0)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, outcome{Status: "exit 4"}, got)
	})
}

// TestLauncherKilled: the target lives on and finishes its work, programs that it executes included.
func TestLauncherKilled(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		dir := t.TempDir()
		script := `echo ready >ready; sleep 0.5; i=0; while [ $i -lt 20 ]; do /bin/true; i=$((i+1)); done; (echo done $i >done)`
		p, err := command{argv: under(t, m, script), dir: dir}.start(t)
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, filepath.Join(dir, "ready"))
		p.cmd.Process.Kill()
		p.cmd.Wait()
		expect(t, "done 20\n", waitFor(t, filepath.Join(dir, "done")))
		expect(t, nil, p.leftovers())
	})
}

// TestParentDeath: a signal that the death of the parent brings is the target's, with the launcher in between.
func TestParentDeath(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		dir := t.TempDir()
		outer := []string{"/bin/sh", "-c", `setpriv --pdeathsig KILL "$@" & wait`, "outer"}
		p, err := command{argv: append(outer, under(t, m, "echo ready >ready; exec sleep 30")...), dir: dir}.start(t)
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, filepath.Join(dir, "ready"))
		p.cmd.Process.Kill()
		p.cmd.Wait()
		expect(t, nil, p.leftovers())
	})
}

// TestTargetOutlives: a process that the target left behind is the launcher's business no longer.
func TestTargetOutlives(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		dir := t.TempDir()
		script := `(sleep 0.5; /bin/true; echo late >late) >/dev/null 2>&1 & echo early; exit 3`
		p, err := command{argv: under(t, m, script), dir: dir}.start(t)
		if err != nil {
			t.Fatal(err)
		}
		p.cmd.Wait()
		expect(t, "exit 3", statusText(p.cmd.ProcessState))
		expect(t, "early\n", contents(p.out))
		expect(t, "late\n", waitFor(t, filepath.Join(dir, "late")))
		expect(t, nil, p.leftovers())
	})
}

// TestManyPrograms: two hundred executions leave no zombie, no descriptor, no child behind, in target and launcher.
func TestManyPrograms(t *testing.T) {
	script := `i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done
		echo "children: $(cat /proc/$$/task/$$/children)"; ls /proc/$$/fd; echo ready >ready; read x <go; exit 3`
	eachMode(t, func(t *testing.T, m mode) {
		dir := t.TempDir()
		if err := unix.Mkfifo(filepath.Join(dir, "go"), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := command{argv: under(t, m, script), dir: dir}.start(t)
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, filepath.Join(dir, "ready"))
		zombies, children := offspring(t, p.cmd.Process.Pid)
		if err := os.WriteFile(filepath.Join(dir, "go"), []byte("x\n"), 0); err != nil {
			t.Fatal(err)
		}
		got, err := p.wait(0)
		if err != nil {
			t.Fatal(err)
		}
		if len(zombies) > 0 || children != 1 {
			t.Errorf("the launcher has %d children, want 1; zombies: %q", children, zombies)
		}
		// The substitution that reads the list is a child itself.
		got.Stdout = regexp.MustCompile(`children: \d+ \n`).ReplaceAllString(got.Stdout, "children: one\n")
		expect(t, outcome{Status: "exit 3", Stdout: "children: one\n0\n1\n2\n"}, got)
	})
}

// offspring returns the zombies below pid, by name, and how many children pid itself has.
func offspring(t *testing.T, pid int) (zombies []string, children int) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, word := range strings.Fields(string(text)) {
			children++
			child, _ := strconv.Atoi(word)
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
			if bytes.Contains(stat, []byte(") Z ")) {
				zombies = append(zombies, string(stat))
			}
			below, _ := offspring(t, child)
			zombies = append(zombies, below...)
		}
	}
	return zombies, children
}

// reachable copies trapline to a folder that every user can get at.
func reachable(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(trapline())
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "trapline")
	if err := os.WriteFile(name, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// inside is m with another path of trapline and of the report.
func (m mode) inside(command, report string) []string {
	argv := m.wrap(report)
	argv[0] = command
	return argv
}

// TestUnprivileged runs as a user without any right.
func TestUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	eachMode(t, func(t *testing.T, m mode) {
		dir := t.TempDir()
		if err := openPath(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		wrap := m.inside(reachable(t, dir), filepath.Join(dir, "report"))
		attr := syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
		script := `id -u; id -g; i=0; while [ $i -lt 30 ]; do /bin/true; i=$((i+1)); done; echo $i | cat; cat /proc/self/status | grep -E '^(Cap|Uid|Gid|Groups)'
			exec sh -c 'kill -TERM $$'`
		argv := []string{"/bin/sh", "-c", script}
		want := command{argv: argv, dir: dir, attr: attr}.mustRun(t)
		expect(t, "SIGTERM", want.Status)
		expect(t, want, command{argv: append(wrap, argv...), dir: dir, attr: attr}.mustRun(t))
	})
}

// TestTargetsUnprivileged runs targets of the table as a user without any right.
func TestTargetsUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	needTrapline(t)
	t.Parallel()
	names := []string{"execthread", "execchain", "execfail", "execsignals", "spawn", "clone", "vfork", "setxid", "threads", "storm", "goroutines", "fds", "waits"}
	var rows []target
	for _, g := range table(t) {
		for _, name := range names {
			if g.name == name {
				rows = append(rows, g)
			}
		}
	}
	expect(t, len(names), len(rows))
	dir := built(t, rows)
	command0 := reachable(t, dir)
	attr := syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	for _, g := range rows {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			work := t.TempDir()
			if err := openPath(work); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(work, 0o777); err != nil {
				t.Fatal(err)
			}
			argv := append([]string{g.program(dir)}, g.args...)
			want := command{argv: argv, dir: sub(t, work, "native"), attr: attr}.mustRun(t)
			expect(t, g.status, want.Status)
			for _, m := range allModes {
				wrap := m.inside(command0, filepath.Join(work, "report."+m.name))
				got, err := command{argv: append(wrap, argv...), dir: sub(t, work, m.name), attr: attr}.run(t)
				if err != nil {
					t.Errorf("%s: %v", m.name, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("not as natively (-native +%s):\n%s", m.name, diff)
				}
			}
		})
	}
}

// TestRights executes programs that have rights of their own, as the first program and later: root's run as natively, everybody
// else's would be withheld and are refused. On a file system that gives no rights, and after no_new_privs, there are none.
func TestRights(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to give rights to files")
	}
	const capChown = 1 << 0
	attribute := make([]byte, 20) // struct vfs_cap_data
	binary.LittleEndian.PutUint32(attribute, 0x02000001)
	binary.LittleEndian.PutUint32(attribute[4:], capChown)
	text, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := openPath(dir); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]uint32{"user": 0o4755, "group": 0o2755, "group-no-exec": 0o2745, "capable": 0o755} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chown(path, 65533, 65533), unix.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Setxattr(filepath.Join(dir, "capable"), "security.capability", attribute, 0); err != nil {
		t.Fatal(err)
	}
	somebody := []string{"setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--inh-caps=-all"}
	script := ` -pc 'id -u; id -g; grep ^CapPrm /proc/self/status; exit 3'`
	eachMode(t, func(t *testing.T, m mode) {
		wrap := m.inside(reachable(t, sub(t, dir, m.name)), "/dev/null")
		for _, c := range []struct {
			name    string
			outer   []string
			refused bool
		}{
			{"user", nil, false}, {"group", nil, false}, {"group-no-exec", nil, false}, {"capable", nil, false},
			{"user", somebody, true}, {"group", somebody, true}, {"group-no-exec", somebody, false}, {"capable", somebody, true},
			{"user", append(somebody, "--no-new-privs"), false}, {"capable", append(somebody, "--no-new-privs"), false},
		} {
			for place, before := range map[string]string{"first": "", "later": "exec "} {
				argv := []string{"/bin/sh", "-c", before + filepath.Join(dir, c.name) + script}
				if place == "first" {
					argv = []string{filepath.Join(dir, c.name), "-pc", "id -u; id -g; grep ^CapPrm /proc/self/status; exit 3"}
				}
				want := command{argv: append(slices.Clone(c.outer), argv...)}.mustRun(t)
				got := command{argv: append(append(slices.Clone(c.outer), wrap...), argv...)}.mustRun(t)
				// Without a helper the kernel does not start the program, so it changes nobody's users.
				alone := m.name == "run-no-helper" && c.outer == nil && (c.name == "user" || c.name == "group")
				if c.refused || alone {
					expect(t, "exit 125", got.Status)
					if !regexp.MustCompile(`^trapline: [^\n]*rights of its own[^\n]*\n$`).MatchString(got.Stderr) {
						t.Errorf("%s, %s: no line says why: %q", c.name, place, got.Stderr)
					}
					continue
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s of %q, %s (-native +%s):\n%s", c.name, c.outer, place, m.name, diff)
				}
			}
		}
	})
}

// sub makes a folder for everybody.
func sub(t *testing.T, dir, name string) string {
	t.Helper()
	d := filepath.Join(dir, name)
	if err := os.Mkdir(d, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(d, 0o777); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestChroot runs trapline where there is nothing but itself and a static target: no /proc, no /dev, no /tmp.
func TestChroot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to change the root folder")
	}
	needTrapline(t)
	needCompilers(t)
	t.Parallel()
	names := []string{"fork-static", "rawthreads", "registers-static", "storm-static", "vfork-chroot"}
	root := t.TempDir()
	reachable(t, root)
	rows := []target{{name: "vfork-chroot", source: "chroot.c", flags: []string{"-static"}, status: "exit 0"}}
	for _, g := range table(t) {
		for _, name := range names {
			if g.name == name {
				rows = append(rows, g)
			}
		}
	}
	expect(t, len(names), len(rows))
	for _, g := range rows {
		if err := g.build(root); err != nil {
			t.Fatal(err)
		}
	}
	for _, g := range rows {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			argv := []string{"/" + filepath.Base(g.program(root))}
			in := func(c *exec.Cmd) { c.Dir = "/"; c.SysProcAttr.Chroot = root }
			want := command{argv: argv, setup: in}.mustRun(t)
			expect(t, g.status, want.Status)
			for _, m := range allModes {
				got, err := command{argv: append(m.inside("/trapline", "/report."+g.name+m.name), argv...), setup: in}.run(t)
				if err != nil {
					t.Errorf("%s: %v", m.name, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("not as natively (-native +%s):\n%s", m.name, diff)
				}
			}
		})
	}
}

// Test32Bit: a 32-bit program runs, as natively, and one line says that it is not intercepted.
func Test32Bit(t *testing.T) {
	needTrapline(t)
	needCompilers(t)
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "i386")
	cmd := exec.Command("gcc", "-m32", "-nostdlib", "-static", "-o", program, "i386.S")
	cmd.Dir = "targets"
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build i386.S: %v\n%s", err, text)
	}
	if err := exec.Command(program).Run(); errors.Is(err, unix.ENOEXEC) {
		t.Skip("the kernel runs no 32-bit programs")
	}
	want := command{argv: []string{program}}.mustRun(t)
	expect(t, outcome{Status: "exit 6", Stdout: "32 bits\n"}, want)
	for _, m := range allModes {
		for name, argv := range map[string][]string{"first": {program}, "child": {"/bin/sh", "-c", program + "; exit $?"}} {
			t.Run(m.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				got := command{argv: append(m.wrap(filepath.Join(t.TempDir(), "report")), argv...)}.mustRun(t)
				if !regexp.MustCompile(`^trapline: [^\n]*32-bit[^\n]*\n$`).MatchString(got.Stderr) {
					t.Errorf("no line says that the program is not intercepted: %q", got.Stderr)
				}
				got.Stderr = ""
				expect(t, want, got)
			})
		}
	}
}

// TestCorners starts trapline in surroundings that take something away from it.
func TestCorners(t *testing.T) {
	work := `i=0; while [ $i -lt 20 ]; do /bin/true; i=$((i+1)); done; echo $i | cat; exit 3`
	for _, c := range []struct{ name, outer string }{
		{"few descriptors", `ulimit -n 16; exec "$@"`},
		{"small files", `ulimit -f 100; exec "$@"`},
		{"no core files", `ulimit -c 0; exec "$@"`},
		{"small stack", `ulimit -s 256; exec "$@"`},
		{"no queued signals", `ulimit -i 0; exec "$@"`},
		{"no locked memory", `ulimit -l 0; exec "$@"`},
		{"no randomization", `exec setarch -R "$@"`},
		{"old layout", `exec setarch -L "$@"`},
		{"no environment", `exec env -i "$@"`},
		{"many descriptors in use", `for i in $(seq 10 300); do eval "exec $i</dev/null"; done; exec "$@"`},
		{"children ignored", `trap '' CHLD; exec "$@"`},
		{"everything ignored", `for s in HUP INT QUIT USR1 USR2 PIPE ALRM TERM CHLD CONT TSTP TTIN TTOU SYS SEGV BUS FPE ILL TRAP; do trap '' $s; done; exec "$@"`},
		{"deleted folder", `mkdir gone; cd gone; rmdir ../gone; exec "$@"`},
		{"own session", `exec setsid -w "$@"`},
		{"PID namespace", `exec unshare -p -f "$@"`},
		{"user namespace", `exec unshare -U "$@"`},
		{"user namespace as root", `exec unshare -Ur "$@"`},
		{"PID and mount namespace with /proc", `exec unshare -p -f -m --mount-proc "$@"`},
		{"no capabilities", `exec setpriv --bounding-set=-all --inh-caps=-all --reuid 65534 --regid 65534 --clear-groups "$@"`},
		{"no new privileges", `exec setpriv --no-new-privs "$@"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m mode) {
				dir := t.TempDir()
				if err := openPath(dir); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(dir, 0o777); err != nil {
					t.Fatal(err)
				}
				wrap := m.inside(reachable(t, dir), filepath.Join(dir, "report"))
				outer := []string{"/bin/bash", "-c", c.outer, "outer"}
				inner := []string{"/bin/sh", "-c", work}
				want := command{argv: append(outer, inner...), dir: dir}.mustRun(t)
				expect(t, "exit 3", want.Status)
				expect(t, want, command{argv: append(append(outer, wrap...), inner...), dir: dir}.mustRun(t))
			})
		})
	}
}
