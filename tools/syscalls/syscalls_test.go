package syscalls

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTableAgainstSys compares the table with the constants of x/sys.
func TestTableAgainstSys(t *testing.T) {
	t.Parallel()
	want := sysNumbers(t)
	got := map[string]int{}
	for _, nr := range All() {
		got[Name(nr)] = nr
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("numbers differ from x/sys (-x/sys +table):\n%s", diff)
	}
}

// sysNumbers reads the SYS_ constants out of the source of x/sys.
func sysNumbers(t *testing.T) map[string]int {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatalf("find x/sys: %v", err)
	}
	source := filepath.Join(strings.TrimSpace(string(dir)), "unix", "zsysnum_linux_amd64.go")
	tree, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
	if err != nil {
		t.Fatalf("read x/sys: %v", err)
	}
	numbers := map[string]int{}
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		nr, err := strconv.Atoi(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatalf("read x/sys: %v", err)
		}
		numbers[strings.ToLower(strings.TrimPrefix(spec.Names[0].Name, "SYS_"))] = nr
		return false
	})
	return numbers
}

func TestName(t *testing.T) {
	t.Parallel()
	for nr, want := range map[int]string{
		0: "read", 59: "execve", 435: "clone3", 469: "file_setattr",
		400: "syscall_0x190", 9999: "syscall_0x270f", -1: "syscall_0xffffffff", 1 << 30: "syscall_0x40000000",
	} {
		if got := Name(nr); got != want {
			t.Errorf("Name(%d) = %q, want %q", nr, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for _, nr := range All() {
		if got, ok := Number(Name(nr)); !ok || got != nr {
			t.Errorf("Number(%q) = %d, %v, want %d", Name(nr), got, ok, nr)
		}
	}
	for _, name := range []string{"", "foo", "READ"} {
		if nr, ok := Number(name); ok {
			t.Errorf("Number(%q) = %d, want nothing", name, nr)
		}
	}
}

func TestNumArgs(t *testing.T) {
	t.Parallel()
	for nr, want := range map[int]int{0: 3, 9: 6, 39: 0, 400: 6, 9999: 6} {
		if got := NumArgs(nr); got != want {
			t.Errorf("NumArgs(%d) = %d, want %d", nr, got, want)
		}
	}
}

func TestParseSet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expr, want string }{
		{"none", ""},
		{"!all", ""},
		{"read", "read"},
		{"write,read,openat", "read write openat"},
		{"1", "write"},
		{"open@64", "open"},
		{"?nosuch", ""},
		{"?nosuch,close", "close"},
		{"?%nosuch,close", "close"},
		{"/^get.*uid$", "getuid geteuid getresuid"},
		{"?/nosuch", ""},
		{"/fork,/^wait", "fork vfork wait4 waitid"},
		{"%clock", "gettimeofday adjtimex settimeofday time clock_settime clock_gettime clock_getres clock_adjtime"},
		{"%pure", "getpid getuid getgid geteuid getegid getppid getpgrp gettid"},
		{"%process", "clone fork vfork execve exit wait4 kill rt_sigqueueinfo tkill exit_group tgkill waitid" +
			" rt_tgsigqueueinfo execveat pidfd_send_signal clone3"},
		{"process", "clone fork vfork execve exit wait4 kill rt_sigqueueinfo tkill exit_group tgkill waitid" +
			" rt_tgsigqueueinfo execveat pidfd_send_signal clone3"},
		{"stat", "stat"},
		{"%stat", "stat"},
		{"%lstat", "lstat"},
		{"%fstat", "fstat newfstatat statx"},
		{"%%stat", "stat fstat lstat newfstatat statx"},
		{"%statfs", "statfs"},
		{"%fstatfs", "fstatfs"},
		{"%%statfs", "ustat statfs fstatfs"},
		{"%ipc", "shmget shmat shmctl semget semop semctl shmdt msgget msgsnd msgrcv msgctl semtimedop"},
	} {
		set, err := ParseSet(c.expr)
		if err != nil {
			t.Errorf("ParseSet(%q): %v", c.expr, err)
			continue
		}
		if diff := cmp.Diff(c.want, names(set)); diff != "" {
			t.Errorf("ParseSet(%q) (-want +got):\n%s", c.expr, diff)
		}
	}
}

func names(set Set) string {
	var list []string
	for _, nr := range set.Numbers() {
		list = append(list, Name(nr))
	}
	return strings.Join(list, " ")
}

func TestParseSetNegation(t *testing.T) {
	t.Parallel()
	all, err := ParseSet("all")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(All(), all.Numbers()); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	rest, err := ParseSet("!%file,read")
	if err != nil {
		t.Fatal(err)
	}
	part, err := ParseSet("%file,read")
	if err != nil {
		t.Fatal(err)
	}
	for _, nr := range All() {
		if rest.Has(nr) == part.Has(nr) {
			t.Errorf("%s is in both or neither of a set and its negation", Name(nr))
		}
	}
}

func TestParseSetErrors(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"foo":         `unknown system call "foo"`,
		"!foo":        `unknown system call "foo"`,
		"read,foo":    `unknown system call "foo"`,
		"%foo":        `unknown system call "%foo"`,
		"999":         `unknown system call "999"`,
		"open@32":     `unknown system call "open@32"`,
		"/nosuch":     `unknown system call "/nosuch"`,
		"":            `empty system call name`,
		"read,,write": `empty system call name`,
		"/[":          "parse system call pattern: error parsing regexp: missing closing ]: `[`",
	} {
		_, err := ParseSet(expr)
		if err == nil || err.Error() != want {
			t.Errorf("ParseSet(%q): error %v, want %s", expr, err, want)
		}
	}
}

func TestSetBounds(t *testing.T) {
	t.Parallel()
	var set Set
	for _, nr := range []int{-1, 511, 512, 1 << 40} {
		set.Add(nr)
		if got, want := set.Has(nr), nr == 511; got != want {
			t.Errorf("after Add(%d): Has = %v, want %v", nr, got, want)
		}
	}
}
