package programs

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A debianPackage is a line of packages.txt.
type debianPackage struct {
	name string
	path string // having this file is as good as having the package
}

var debianPackages = sync.OnceValue(func() []debianPackage {
	b, err := os.ReadFile("packages.txt")
	if err != nil {
		panic(err)
	}
	var list []debianPackage
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		p := debianPackage{name: f[0]}
		if len(f) > 1 {
			p.path = f[1]
		}
		list = append(list, p)
	}
	return list
})

// installed holds the packages of packages.txt that are there.
var installed = sync.OnceValue(func() map[string]bool {
	have := make(map[string]bool)
	for _, p := range debianPackages() {
		if p.path != "" {
			if _, err := os.Stat(p.path); err == nil {
				have[p.name] = true
				continue
			}
		}
		out, err := exec.Command("dpkg-query", "-W", "-f", "${db:Status-Status}", p.name).Output()
		have[p.name] = err == nil && string(out) == "installed"
	}
	return have
})

func missingPackages(names []string) (missing []string) {
	for _, n := range names {
		if !installed()[n] {
			missing = append(missing, n)
		}
	}
	return missing
}

// TestPackages: install.sh installs what the cases name, and nothing else.
func TestPackages(t *testing.T) {
	t.Parallel()
	used := []string{"strace"} // by TestCompareStrace and the mode strace
	for i := range programs {
		p := &programs[i]
		used = append(used, p.packages...)
	}
	for i := range sequences {
		used = append(used, sequences[i].packages...)
	}
	var listed []string
	for _, p := range debianPackages() {
		listed = append(listed, p.name)
	}
	slices.Sort(used)
	slices.Sort(listed)
	used = slices.Compact(used)
	for _, n := range used {
		if !slices.Contains(listed, n) {
			t.Errorf("packages.txt lacks %s", n)
		}
	}
	for _, n := range listed {
		if !slices.Contains(used, n) {
			t.Errorf("packages.txt has %s, which no case needs", n)
		}
	}
}

// TestNames: the name of a case is a directory and a subtest.
func TestNames(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for i := range programs {
		name := programs[i].name
		if seen[name] || strings.ContainsAny(name, "/ ") || name == "" {
			t.Errorf("case name %q is used twice, or is no file name", name)
		}
		seen[name] = true
	}
}
