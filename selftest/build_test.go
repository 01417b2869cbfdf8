package selftest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A target is one row of targets/targets.tsv.
type target struct {
	name   string
	source string   // a file or, for Go, a folder of targets/
	flags  []string // for the compiler; the first may be musl: build with musl-gcc
	args   []string
	status string // as statusText gives it
	storm  string // "storm": runs under a signal every millisecond, too; "soak": in make soak
}

// table reads targets/targets.tsv: name, source, flags, args, status and, for some, when they run in the storm; separated by
// tabs; "-" is empty.
func table(t testing.TB) []target {
	t.Helper()
	text, err := os.ReadFile("targets/targets.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []target
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) == 5 {
			f = append(f, "")
		} else if len(f) != 6 || f[5] != "storm" && f[5] != "soak" {
			t.Fatalf("targets.tsv:%d: %q, want 5 columns, or storm or soak in a sixth", i+1, f)
		}
		rows = append(rows, target{f[0], f[1], words(f[2]), words(f[3]), f[4], f[5]})
	}
	return rows
}

func words(s string) []string {
	if s == "-" {
		return nil
	}
	return strings.Fields(s)
}

// program is the file a source and its flags are built into: targets that differ only in arguments share it.
func (g target) program(dir string) string {
	name := strings.TrimSuffix(g.source, filepath.Ext(g.source))
	for _, flag := range g.flags {
		name += "." + strings.Trim(flag, "-")
	}
	return filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
}

// build makes the program of g in dir.
func (g target) build(dir string) error {
	out := g.program(dir)
	var cmd *exec.Cmd
	switch filepath.Ext(g.source) {
	case ".sh": // its first line says which shell
		text, err := os.ReadFile(filepath.Join("targets", g.source))
		if err != nil {
			return err
		}
		return os.WriteFile(out, text, 0o755)
	case "":
		cmd = exec.Command("go", "build", "-o", out, "./"+g.source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	default:
		cc, std, flags := "gcc", "-std=gnu11", g.flags
		switch {
		case filepath.Ext(g.source) == ".cc":
			cc, std = "g++", "-std=gnu++14"
		case len(flags) > 0 && flags[0] == "musl":
			cc, flags = "musl-gcc", flags[1:]
		}
		args := []string{std, "-O1", "-g", "-Wall", "-Wextra", "-Werror",
			"-Wno-nonnull", "-Wno-stringop-overread", "-Wno-clobbered", "-pthread", "-o", out, g.source}
		cmd = exec.Command(cc, append(args, flags...)...)
	}
	cmd.Dir = "targets"
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", g.source, err, text)
	}
	return nil
}

// compilers are the commands that build targets, with the Debian package of each.
var compilers = [][2]string{{"gcc", "gcc libc6-dev"}, {"g++", "g++"}, {"musl-gcc", "musl-tools"}, {"go", "golang-go"}}

// needCompilers fails the test when a compiler is missing.
func needCompilers(t testing.TB) {
	t.Helper()
	for _, c := range compilers {
		if _, err := exec.LookPath(c[0]); err != nil {
			t.Fatalf("find %s: %v (apt-get install %s)", c[0], err, c[1])
		}
	}
}

// built builds every program of the table once, two at a time, and returns the folder with them.
func built(t testing.TB, rows []target) string {
	t.Helper()
	needCompilers(t)
	dir := t.TempDir()
	if err := openPath(dir); err != nil {
		t.Fatal(err)
	}
	unique := map[string]target{}
	for _, g := range rows {
		unique[g.program(dir)] = g
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		slot = make(chan struct{}, 2)
	)
	for _, g := range unique {
		wg.Go(func() {
			slot <- struct{}{}
			defer func() { <-slot }()
			if err := g.build(dir); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return dir
}

// openPath lets every user reach dir: some targets and tests change theirs.
func openPath(dir string) error {
	for d := dir; strings.HasPrefix(d, os.TempDir()+"/"); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			return err
		}
	}
	return nil
}
