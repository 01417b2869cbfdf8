package selftest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// injections are the cases of strace's manual page: rules, and what targets/injected.c is to do under them.
var injections = []struct{ name, rule, args string }{
	{"error", "chdir:error=ENOENT", "calls"},
	{"error by number", "chdir:error=13", "calls"},
	{"error of letters of any size", "chdir:error=enoent", "calls"},
	{"value", "chdir:retval=7", "calls"},
	{"value in hexadecimal", "chdir:retval=0x11", "calls"},
	{"value that looks like an error", "chdir:retval=-2", "calls"},
	{"the third and all that follow", "chdir:error=ENOENT:when=3+", "calls"},
	{"the third", "chdir:error=ENOENT:when=3", "calls"},
	{"the second to the fourth", "chdir:error=ENOENT:when=2..4", "calls"},
	{"the second to the fourth, one behind the other", "chdir:error=ENOENT:when=2..4+", "calls"},
	{"every second", "chdir:error=ENOENT:when=1+2", "calls"},
	{"every second up to the fourth", "chdir:error=ENOENT:when=2..4+2", "calls"},
	{"the last when counts", "chdir:error=ENOENT:when=1:when=2", "calls"},
	{"each call is counted for itself", "chdir,getppid,close:error=EIO:when=4", "calls"},
	{"each thread and process counts for itself", "chdir:error=EIO:when=4..8", "several"},
	{"the count goes on in the next program", "chdir:error=EIO:when=8", "calls exec"},
	{"a class of calls", "%file:error=EIO:when=12+", "calls"},
	{"a call without effects", "chdir:error=EIO:syscall=getppid:when=2", "calls"},
	{"a value and a call without effects", "chdir:retval=3:syscall=getuid:when=2", "calls"},
	{"signal", "chdir:signal=USR1:when=2", "calls"},
	{"signal by number", "chdir:signal=10:when=2", "calls"},
	{"signal in real time", "chdir:signal=SIGRT_2:when=2", "calls"},
	{"signal of a fault", "chdir:signal=SEGV:when=2", "calls"},
	{"signal of a debugger", "chdir:signal=SIGTRAP:when=2", "calls"},
	{"signal that nobody waits for", "chdir:signal=CHLD", "calls"},
	{"signal that ends the program behind the call", "write:signal=TERM:when=3", "calls"},
	{"signal that kills at once", "write:signal=KILL:when=3", "calls"},
	{"signal and error", "chdir:signal=USR1:error=EIO:when=2+2", "calls"},
	{"signal of a fault and value", "chdir:signal=SEGV:retval=5:when=2+2", "calls"},
	{"signal, too late", "exit_group:signal=TERM", "calls"},
	{"signal over a failing exec", "execve:signal=USR1:error=EPERM", "processes"},
	{"signal that interrupts", "nanosleep,poll,read,wait4:signal=USR1:when=1", "sleeps"},
	{"signal that interrupts what is made again", "read,wait4:signal=USR1:when=2..3", "restart sleeps"},
	{"signal that interrupts nothing", "nanosleep,poll,wait4:signal=WINCH:when=1", "sleeps"},
	{"delay before", "chdir:delay_enter=150ms:when=1", "alarm delayed chdir"},
	{"delay behind", "chdir:delay_exit=0.15s:when=2", "chdir alarm delayed chdir"},
	{"delays without unit, and an error", "chdir:delay_enter=80000:delay_exit=80000us:error=EIO", "alarm delayed"},
	{"short delay", "chdir:delay_enter=100ns", "calls"},
	{"memory before", "write:poke_enter=@arg2=5859:when=1", "memory"},
	{"memory behind", "read:poke_exit=@arg2=0A58:when=4+", "memory"},
	{"memory that is constant", "chdir:poke_enter=@arg1=2f00", "memory"},
	{"memory and error", "chdir:poke_exit=@arg1=2e00:error=EIO:when=1", "memory"},
	{"memory that is none", "close:poke_enter=@arg1=58:poke_exit=@arg2=58", "memory"},
	{"no process", "clone,clone3:error=EAGAIN", "processes"},
	{"a process that is none", "clone,clone3:retval=2000000", "processes"},
	{"no program", "execve:error=ENOENT", "processes"},
	{"a delayed program", "execve:delay_enter=1ms:delay_exit=1ms", "processes"},
	{"no end", "exit_group:error=EIO:when=1", "calls"},
	{"a signal frame that is not taken", "rt_sigprocmask,rt_sigaction:error=EIO:when=40", "several"},
	{"memory that is not mapped", "mmap:error=ENOMEM:when=4+", "calls"},
}

// TestInject: a program does the same with a rule of strace's under strace and under both of trapline's verbs; with -short each
// case takes one of them.
func TestInject(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	g := target{name: "injected", source: "injected.c"}
	program := g.program(built(t, []target{g}))
	for i, c := range injections {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			argv := append([]string{program}, strings.Fields(c.args)...)
			want := command{argv: append([]string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=" + c.rule}, argv...)}.mustRun(t)
			want.Stderr = straceNotes.ReplaceAllString(want.Stderr, "")
			report := filepath.Join(t.TempDir(), "report")
			ways := [][]string{
				{"inject", c.rule, "--"}, {"trace", "-o", report, "-e", "inject=" + c.rule, "--"},
				{"inject", "-trap=sud", "inject=" + c.rule, "--"},
			}
			if testing.Short() {
				ways = ways[i%2:][:1]
			}
			for _, way := range ways {
				got := command{argv: append(append([]string{trapline()}, way...), argv...)}.mustRun(t)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%q (-strace +trapline):\n%s", way, diff)
				}
			}
		})
	}
}

// TestInjectLines: what was injected is marked as strace marks it.
func TestInjectLines(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	g := target{name: "injected", source: "injected.c"}
	program := g.program(built(t, []target{g}))
	addresses := regexp.MustCompile(`0x[0-9a-f]+`)
	for _, c := range []struct{ options, args string }{
		{"-e trace=chdir -e inject=chdir:error=EIO:when=2+2", "calls"},
		{"-e trace=chdir,rt_sigreturn -e inject=chdir:signal=USR1:error=EIO:when=2", "calls"},
		{"-e trace=chdir -e fault=chdir:when=2", "calls"},
		{"-e trace=chdir -e fault=chdir:error=EPERM:when=2", "calls"},
		{"-e trace=chdir --inject=chdir:retval=7:delay_exit=1", "calls"},
		{"-e trace=chdir --fault=chdir", "calls"},
		{"-e trace=chdir -e inject=chdir:retval=-1", "calls"},
		{"-e trace=chdir -e inject=chdir:delay_enter=1ms:when=2", "calls"},
		{"-e trace=close -e inject=chdir:error=EIO", "memory"}, // a call that is not traced is left alone
		{"-e trace=chdir -P / -e inject=all:error=EIO:when=2", "calls"},
		{"-e trace=chdir -P /nowhere -e inject=chdir:error=EIO", "calls"},
		{"-e trace=chdir -z -e inject=chdir:error=EIO:when=2+2", "calls"},
		{"-e trace=chdir -Z -e inject=chdir:error=EIO:when=2+2", "calls"},
		{"-e trace=exit_group -e inject=exit_group:error=EIO:when=2", "calls"},
		{"-e trace=exit_group -e inject=exit_group:delay_enter=1", "calls"},
		{"-e trace=chdir -e inject=chdir:poke_enter=@arg1=2f746d7000", "memory"},
		{"-e trace=chdir -e inject=chdir:poke_exit=@arg1=2e00:error=EIO", "memory"},
		{"-e trace=nanosleep,poll -e signal=none -e inject=nanosleep,poll:error=EINTR", "sleeps"},
	} {
		t.Run(c.options, func(t *testing.T) {
			t.Parallel()
			lines := func(argv ...string) string {
				report := filepath.Join(t.TempDir(), "report")
				argv = append(append(argv, "-f", "-qq", "-o", report), strings.Fields(c.options)...)
				command{argv: append(append(argv, program), strings.Fields(c.args)...)}.mustRun(t)
				text, err := os.ReadFile(report)
				if err != nil {
					t.Fatal(err)
				}
				kept := regexp.MustCompile(`(?m)^\d+ +`).ReplaceAllString(string(text), "")
				return addresses.ReplaceAllString(kept, "ADDR")
			}
			if diff := cmp.Diff(lines("strace"), lines(trapline(), "trace")); diff != "" {
				t.Errorf("(-strace +trapline):\n%s", diff)
			}
		})
	}
}

// TestInjectConditions: rules that strace does not have.
func TestInjectConditions(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	script := `printf a >>log && printf b >log && cat log && cat ./log && cat <log && (cd / && pwd) && cd /tmp && pwd; echo $?`
	plain := "bbb/\n/tmp\n0\n"
	for _, c := range []struct {
		name, rules, want string
	}{
		{"flags of an open file", `openat:error=EIO:if=arg3&O_APPEND`, "2\n"},
		{"flags that no file has", `openat:error=EIO:if=arg3&O_PATH`, plain},
		{"path", `openat:error=EIO:if=path=="./log"`, "b1\n"},
		{"path by a pattern", `openat:error=EIO:if=path~"*/l?[f-h]"`, "b1\n"},
		{"path of a descriptor", `read,copy_file_range:error=EIO:if=path~"*/log"&&comm=="cat"`, "1\n"},
		{"not the path of a descriptor", `read:error=EIO:if=!path~"*"`, plain},
		{"name of the program", `chdir:error=EIO:comm=c?t`, plain},
		{"name of the shell", `chdir:error=EIO:comm=sh:when=1`, "bbb2\n"},
		{"a constant and a parenthesis", `openat:error=EIO:if=(arg1==AT_FDCWD&&(arg3&O_ACCMODE)==O_RDONLY)&&path=="log"`, "1\n"},
		{"comparisons", `chdir:error=EIO:if=arg1<0||arg1<=0||arg2>9223372036854775807&&fd>=0`, plain},
		{"a descriptor", `dup2:error=EIO:if=fd>=3&&fd==arg1&&arg2==0`, "bb1\n"},
		{"never", `openat:error=EIO:prob=0.0000000001`, plain},
		{"always", `chdir:error=EIO:prob=1:seed=9`, "bbb2\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			here := t.TempDir()
			got := command{argv: []string{trapline(), "inject", c.rules, "--", "sh", "-c", script}, dir: here}.mustRun(t)
			expect(t, c.want, got.Stdout)
			expect(t, "exit 0", got.Status)
		})
	}
}

// TestInjectOrder: of several rules the first one that applies counts, and each counts calls for itself.
func TestInjectOrder(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	g := target{name: "injected", source: "injected.c"}
	program := g.program(built(t, []target{g}))
	argv := []string{trapline(), "inject", "chdir:error=EIO:when=2", "chdir:error=ENOSPC:when=2..3", "fault=chdir:when=5+", "--", program, "calls"}
	got := command{argv: argv}.mustRun(t)
	want := ""
	for i, r := range []string{"0", "-1 EIO", "-1 ENOSPC", "0", "-1 ENOSYS", "-1 ENOSYS"} {
		want += fmt.Sprintf("main chdir %d: %s\n", i+1, r)
	}
	expect(t, outcome{Status: "exit 0", Stdout: want}, got)
}

// TestInjectChance: the same calls meet the same fate in every run with the same seed, in threads, processes and programs, and
// another one with another seed.
func TestInjectChance(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	g := target{name: "injected", source: "injected.c"}
	program := g.program(built(t, []target{g}))
	run := func(verb []string, seed string) string {
		argv := append(append([]string{trapline()}, verb...), "chdir:error=EIO:prob=0.5:seed="+seed, "--", program, "several", "processes", "exec")
		return command{argv: argv}.mustRun(t).Stdout
	}
	inject := []string{"inject"}
	first := run(inject, "7")
	for range 3 {
		expect(t, first, run(inject, "7"))
	}
	expect(t, first, run([]string{"inject", "-no-helper"}, "7"))
	if n := strings.Count(first, "EIO"); n < 8 || n > 28 {
		t.Errorf("%d of 36 calls fail, half of them were to:\n%s", n, first)
	}
	if first == run(inject, "8") {
		t.Errorf("the seed does not matter")
	}
}
