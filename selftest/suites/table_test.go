package suites

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A suite is somebody else's: a command, and a way to read its results.
type suite struct {
	name  string
	soak  bool                   // left out with -short
	limit time.Duration          // for each run
	build func(dir string) error // nil: nothing to build
	argv  func(dir string, report string) []string
	// again returns the command for some of the tests; nil: only all of them can be run.
	again func(dir, report string, tests []string) []string
	dir   string   // where it runs; "": in a fresh directory
	env   []string // besides the caller's
	parse func(output, report string) results
}

// A result is that of one test.
type result string

const (
	pass       result = "pass"
	fail       result = "fail"
	skip       result = "skip"
	unfinished result = "unfinished" // began and did not end
	missing    result = "missing"    // the other side has it
)

type results map[string]result

// suites lists all.
func suites() []suite {
	var all []suite
	for _, p := range goPackages {
		all = append(all, p.suite())
	}
	for _, m := range pythonModules {
		all = append(all, m.suite())
	}
	return append(all, stressors()...)
}

// goRoot is where the Go command's sources are.
var goRoot = sync.OnceValue(func() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(out))
})

// A goPackage is one of the standard library's.
type goPackage struct {
	path  string
	soak  bool
	limit time.Duration
}

var goPackages = []goPackage{
	{"internal/poll", false, time.Minute},
	{"os", false, 2 * time.Minute},
	{"os/exec", false, 2 * time.Minute},
	{"os/signal", false, 2 * time.Minute},
	{"os/user", false, time.Minute},
	{"net", true, 5 * time.Minute},
	{"runtime", true, 30 * time.Minute},
	{"syscall", true, 5 * time.Minute},
	{"time", true, 5 * time.Minute},
}

func (p goPackage) suite() suite {
	binary := func(dir string) string { return filepath.Join(dir, "package.test") }
	command := func(dir, _ string) []string {
		return []string{binary(dir), "-test.v", "-test.short", "-test.timeout=" + p.limit.String()}
	}
	env := []string{"CGO_ENABLED=1", "GOFLAGS="}
	return suite{
		name:  "go-" + strings.ReplaceAll(p.path, "/", "-"),
		soak:  p.soak,
		limit: p.limit,
		dir:   filepath.Join(goRoot(), "src", p.path),
		env:   env,
		build: func(dir string) error {
			cmd := exec.Command("go", "test", "-c", "-o", binary(dir), p.path)
			cmd.Env = append(cmd.Environ(), env...)
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("build the tests of %s: %w\n%s", p.path, err, out)
			}
			return nil
		},
		argv: command,
		again: func(dir, report string, tests []string) []string {
			return append(command(dir, report), "-test.run=^("+strings.Join(topLevel(tests), "|")+")$")
		},
		parse: goResults,
	}
}

// A pythonModule is one of CPython's package test.
type pythonModule struct {
	name string
	soak bool
}

var pythonModules = []pythonModule{
	{"test_asyncio", true},
	{"test_concurrent_futures", true},
	{"test_eintr", true},
	{"test_epoll", false},
	{"test_faulthandler", true},
	{"test_fcntl", false},
	{"test_fork1", true},
	{"test_ioctl", false},
	{"test_mmap", true},
	{"test_multiprocessing_fork", true},
	{"test_multiprocessing_forkserver", true},
	{"test_multiprocessing_spawn", true},
	{"test_openpty", false},
	{"test_os", true},
	{"test_poll", true},
	{"test_popen", false},
	{"test_posix", true},
	{"test_pty", false},
	{"test_resource", false},
	{"test_select", true},
	{"test_selectors", true},
	{"test_signal", true},
	{"test_socket", true},
	{"test_socketserver", true},
	{"test_subprocess", true},
	{"test_thread", false},
	{"test_threading", true},
	{"test_threadsignals", false},
	{"test_wait3", true},
	{"test_wait4", true},
}

// No test of the modules takes as long as that for all of them.
const pythonLimit = 15 * time.Minute

func (m pythonModule) suite() suite {
	command := func(_, report string) []string {
		return []string{"/usr/bin/python3", "-m", "test", "-v", "--junit-xml", report, m.name}
	}
	return suite{
		name:  "python-" + m.name,
		soak:  m.soak,
		limit: pythonLimit,
		argv:  command,
		again: func(dir, report string, tests []string) []string {
			argv := command(dir, report)
			for _, t := range tests {
				argv = append(argv, "-m", withoutSubtest(t))
			}
			return argv
		},
		parse: pythonResults,
	}
}
