package selftest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/trapline/trapline/launcher"
)

// dispatch builds the target of that name. Linked below 4 GiB, its int 0x80 looks like a 32-bit program's.
func dispatch(t *testing.T, flags ...string) string {
	t.Helper()
	return buildOne(t, target{name: "dispatch", source: "dispatch.c", flags: flags})
}

// buildOne builds one target for a test of its own.
func buildOne(t *testing.T, g target) string {
	t.Helper()
	needTrapline(t)
	needCompilers(t)
	dir := t.TempDir()
	if err := openPath(dir); err != nil {
		t.Fatal(err)
	}
	if err := g.build(dir); err != nil {
		t.Fatal(err)
	}
	return g.program(dir)
}

// TestTrapSees: whatever way a thread or process comes from, its calls are seen, once each, also after it has switched
// off Syscall User Dispatch.
func TestTrapSees(t *testing.T) {
	t.Parallel()
	program := dispatch(t)
	var want []string
	for _, who := range []string{"first", "thread", "fork", "thread", "clone", "vfork", "int80", "traced", "parent", "exec"} {
		want = append(want, who, who+"-off")
	}
	slices.Sort(want)
	for _, name := range []string{"trace", "trace-sud"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := filepath.Join(t.TempDir(), "report")
			argv := append(modeNamed(t, name).wrap(report), program)
			expect(t, outcome{Status: "exit 0", Stdout: "dispatch ok\n"}, command{argv: argv}.mustRun(t))
			text, err := os.ReadFile(report)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range regexp.MustCompile(`access\("/seen/([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
				got = append(got, m[1])
			}
			slices.Sort(got)
			expect(t, want, got)
		})
	}
}

// TestTrapRefuses: what would take a target's calls away ends the process with one line that says so.
func TestTrapRefuses(t *testing.T) {
	t.Parallel()
	program := dispatch(t, "-no-pie")
	const dispatched = ": Syscall User Dispatch would take the program's calls away from trapline"
	for _, c := range []struct{ mode, arg, line string }{
		{"run", "on", "prctl(PR_SET_SYSCALL_USER_DISPATCH)" + dispatched},
		{"run-sud", "on", "prctl(PR_SET_SYSCALL_USER_DISPATCH)" + dispatched},
		{"run", "remote", "ptrace(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG)" + dispatched},
		{"run-sud", "remote", "ptrace(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG)" + dispatched},
	} {
		t.Run(c.arg+"/"+c.mode, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, c.line, append(modeNamed(t, c.mode).wrap(""), program, c.arg))
		})
	}
}

// expectRefusal runs argv and expects that it ends with one line about a site.
func expectRefusal(t *testing.T, want string, argv []string) {
	t.Helper()
	got := command{argv: argv}.mustRun(t)
	line := regexp.MustCompile(`^trapline: pid \d+: (.*) at site 0x[0-9a-f]+\n$`).FindStringSubmatch(got.Stderr)
	if line == nil {
		t.Fatalf("standard error is not one line about a site: %q", got.Stderr)
	}
	expect(t, want, line[1])
	got.Stderr = ""
	expect(t, outcome{Status: "exit 125"}, got)
}

// TestStrictMode: the calls of strict mode go on, on both trap sources.
func TestStrictMode(t *testing.T) {
	t.Parallel()
	program := dispatch(t)
	for _, m := range []mode{native, modeNamed(t, "run"), modeNamed(t, "run-sud")} {
		expect(t, outcome{Status: "exit 0", Stdout: "strict\n"}, command{argv: append(m.wrap(""), program, "strict")}.mustRun(t))
	}
}

// Test32BitCode: in a 64-bit program it runs unintercepted with a filter, and is refused with Syscall User Dispatch.
func Test32BitCode(t *testing.T) {
	t.Parallel()
	program := dispatch(t, "-no-pie")
	want := command{argv: []string{program, "compat"}}.mustRun(t)
	if want.Stdout == "no i386\n" {
		t.Skip("the kernel has no 32-bit calls")
	}
	expect(t, outcome{Status: "exit 0", Stdout: "compat ok\n"}, want)
	expect(t, want, command{argv: append(modeNamed(t, "run").wrap(""), program, "compat")}.mustRun(t))
	expectRefusal(t, "a system call of 32-bit code in a 64-bit program", append(modeNamed(t, "run-sud").wrap(""), program, "compat"))
}

// TestDispatchOfOthers: a target may trace a process that is none, and make it dispatch.
func TestDispatchOfOthers(t *testing.T) {
	t.Parallel()
	program := dispatch(t, "-no-pie")
	for _, name := range []string{"run", "run-sud"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stranger := exec.Command("sleep", "100")
			if err := stranger.Start(); err != nil {
				t.Fatal(err)
			}
			defer stranger.Wait()
			defer stranger.Process.Kill()
			argv := append(modeNamed(t, name).wrap(""), program, "other", strconv.Itoa(stranger.Process.Pid))
			expect(t, outcome{Status: "exit 0", Stdout: "other ok\n"}, command{argv: argv}.mustRun(t))
		})
	}
}

// TestNoDispatch: where the kernel does not have Syscall User Dispatch nothing is started.
func TestNoDispatch(t *testing.T) {
	t.Parallel()
	program := dispatch(t, "-no-pie")
	for _, name := range []string{"run-sud", "trace-sud"} {
		argv := append([]string{program, "without"}, under(t, modeNamed(t, name), "echo started")...)
		expect(t, outcome{
			Status: "exit 125",
			Stderr: "trapline: the kernel has no Syscall User Dispatch (Linux 5.11 and later): invalid argument\n",
		}, command{argv: argv}.mustRun(t))
	}
	argv := append([]string{program, "without"}, under(t, modeNamed(t, "run"), "echo started")...)
	expect(t, outcome{Status: "exit 0", Stdout: "started\n"}, command{argv: argv}.mustRun(t))
}

// TestPrivilegesKept: with SUD there is no filter, and no_new_privs is as it was, without any right too.
func TestPrivilegesKept(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	needTrapline(t)
	t.Parallel()
	dir := t.TempDir()
	if err := openPath(dir); err != nil {
		t.Fatal(err)
	}
	attr := syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	for name, status := range map[string]string{
		"run":     "NoNewPrivs:\t1\nSeccomp_filters:\t1\n",
		"run-sud": "NoNewPrivs:\t0\nSeccomp_filters:\t0\n",
	} {
		t.Run(name, func(t *testing.T) {
			wrap := modeNamed(t, name).inside(reachable(t, dir), "")
			argv := append(wrap, "/bin/sh", "-c", `exec grep -E "NoNewPrivs|Seccomp_filters" /proc/self/status`)
			expect(t, outcome{Status: "exit 0", Stdout: status}, command{argv: argv, dir: "/", attr: attr}.mustRun(t))
		})
	}
}

// TestSetuid: a set-user-ID program keeps its rights if the caller is root, and is refused for everybody else.
func TestSetuid(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to give a program to somebody else")
	}
	needTrapline(t)
	t.Parallel()
	dir := t.TempDir()
	if err := openPath(dir); err != nil {
		t.Fatal(err)
	}
	trapline := reachable(t, dir)
	text, err := os.ReadFile("/usr/bin/id")
	if err != nil {
		t.Fatal(err)
	}
	for name, owner := range map[string]int{"id-of-root": 0, "id-of-65534": 65534} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(file, owner, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, 0o755|os.ModeSetuid); err != nil {
			t.Fatal(err)
		}
	}
	user := syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	for _, name := range []string{"run", "run-sud"} {
		t.Run(name, func(t *testing.T) {
			wrap := modeNamed(t, name).inside(trapline, "")
			for _, argv := range [][]string{{"./id-of-65534", "-u"}, {"/bin/sh", "-c", "./id-of-65534 -u; id -u"}} {
				want := command{argv: argv, dir: dir}.mustRun(t)
				expect(t, "65534\n", want.Stdout[:6])
				expect(t, want, command{argv: append(wrap, argv...), dir: dir}.mustRun(t))
			}
			got := command{argv: append(wrap, "./id-of-root", "-u"), dir: dir, attr: user}.mustRun(t)
			expect(t, outcome{
				Status: "exit 125",
				Stderr: fmt.Sprintf("trapline: exec %s: %v\n", "./id-of-root", launcher.ErrRights),
			}, got)
			got = command{argv: append(wrap, "/bin/sh", "-c", "./id-of-root -u; echo $?"), dir: dir, attr: user}.mustRun(t)
			if !regexp.MustCompile(`^trapline: pid \d+: exec of a program with rights of its own \(set-user-ID, set-group-ID, capabilities\): .*\n$`).MatchString(got.Stderr) {
				t.Errorf("standard error: %q", got.Stderr)
			}
			expect(t, "125\n", got.Stdout)
		})
	}
}
