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
	runs  int // so far
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
	limit time.Duration // a machine that does much else takes its time
	known []string      // tests left out for a limit in docs/compatibility.md
}

var goPackages = []goPackage{
	{"internal/poll", false, 10 * time.Minute, nil},
	{"os", false, 10 * time.Minute, nil},
	{"os/exec", false, 10 * time.Minute, nil},
	{"os/signal", false, 10 * time.Minute, nil},
	{"os/user", false, 10 * time.Minute, nil},
	{"net", true, 10 * time.Minute, nil},
	{"runtime", true, 30 * time.Minute, []string{"TestCgoPprofPIE"}}, // /proc/self/maps shows the runtime first
	{"syscall", true, 10 * time.Minute, nil},
	{"time", true, 10 * time.Minute, nil},
}

func (p goPackage) suite() suite {
	binary := func(dir string) string { return filepath.Join(dir, "package.test") }
	command := func(dir, _ string) []string {
		argv := []string{binary(dir), "-test.v", "-test.short", "-test.timeout=" + p.limit.String()}
		if len(p.known) > 0 {
			argv = append(argv, "-test.skip=^("+strings.Join(p.known, "|")+")$")
		}
		return argv
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
	name   string
	soak   bool
	ignore []string // tests that can hang natively
}

var pythonModules = []pythonModule{
	{"test_asyncio", true, nil},
	{"test_concurrent_futures", true, nil},
	{"test_eintr", true, nil},
	{"test_epoll", false, nil},
	{"test_faulthandler", true, nil},
	{"test_fcntl", false, nil},
	{"test_fork1", true, nil},
	{"test_ioctl", false, nil},
	{"test_mmap", true, nil},
	{"test_multiprocessing_fork", true, nil},
	{"test_multiprocessing_forkserver", true, nil},
	{"test_multiprocessing_spawn", true, nil},
	{"test_openpty", false, nil},
	{"test_os", true, nil},
	{"test_poll", true, nil},
	{"test_popen", false, nil},
	{"test_posix", true, nil},
	{"test_pty", false, nil},
	{"test_resource", false, nil},
	{"test_select", true, nil},
	{"test_selectors", true, nil},
	{"test_signal", true, nil},
	{"test_socket", true, []string{"test_sendall_interrupted*", "*VSOCK*"}},
	{"test_socketserver", true, nil},
	{"test_subprocess", true, nil},
	{"test_thread", false, nil},
	{"test_threading", true, nil},
	{"test_threadsignals", false, nil},
	{"test_wait3", true, nil},
	{"test_wait4", true, nil},
}

// No test of the modules takes as long as that for all of them.
const pythonLimit = 30 * time.Minute

func (m pythonModule) suite() suite {
	command := func(_, report string) []string {
		argv := []string{"/usr/bin/python3", "-m", "test", "-v", "--junit-xml", report}
		for _, pattern := range m.ignore {
			argv = append(argv, "-i", pattern)
		}
		return append(argv, m.name)
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
