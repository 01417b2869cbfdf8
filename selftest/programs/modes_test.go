package programs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A mode is one way to run a case.
type mode struct {
	name string
	wrap func(report string) []string // command prefix; the tool's report goes to the file report
	seen string                       // text of every report: without it nothing was intercepted
}

var (
	native   = mode{name: "native", wrap: func(string) []string { return nil }}
	allModes = []mode{
		{"run", func(string) []string { return []string{trapline(), "run", "--"} }, ""},
		{"trace", func(r string) []string { return []string{trapline(), "trace", "-o", r, "--"} }, " +++\n"},
		{"count-sud", func(r string) []string { return []string{trapline(), "count", "-trap=sud", "-o", r, "--"} }, " mmap\n"},
	}
	// soakModes are left out with -short.
	soakModes = []mode{
		{"count", func(r string) []string { return []string{trapline(), "count", "-o", r, "--"} }, " mmap\n"},
		{"count-no-patch", func(r string) []string { return []string{trapline(), "count", "-no-patch", "-o", r, "--"} }, " mmap\n"},
	}
	straceMode = mode{"strace", func(string) []string { return []string{"strace", "-f", "-qq", "-o", "/dev/null"} }, ""}
)

// modes returns what TRAPLINE_MODES names, or all of trapline's; with -short without soakModes.
func modes(t *testing.T) []mode {
	list := os.Getenv("TRAPLINE_MODES")
	switch {
	case list == "" && testing.Short():
		return allModes
	case list == "":
		return slices.Concat(allModes, soakModes)
	}
	var ms []mode
	for name := range strings.SplitSeq(list, ",") {
		m, ok := modeByName(name)
		if !ok {
			t.Fatalf("TRAPLINE_MODES: no mode %q", name)
		}
		ms = append(ms, m)
	}
	return ms
}

func modeByName(name string) (mode, bool) {
	for _, m := range slices.Concat(allModes, soakModes, []mode{straceMode}) {
		if m.name == name {
			return m, true
		}
	}
	return mode{}, false
}

// trapline is the absolute path of the command under test.
var trapline = sync.OnceValue(func() string {
	if path := os.Getenv("TRAPLINE"); path != "" {
		return path
	}
	path, err := filepath.Abs("../../bin/trapline")
	if err != nil {
		panic(err)
	}
	return path
})

// needTrapline fails the test when there is no command to test.
func needTrapline(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(trapline()); err != nil {
		t.Fatalf("find the command under test: %v (run make first, or set TRAPLINE)", err)
	}
}
