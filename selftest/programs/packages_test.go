package programs

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A debianPackage is a line of a package list.
type debianPackage struct {
	name string
	path string // having this file is as good as having the package
}

// The package lists: what every run of the suite needs, and what is for the cases that -short leaves out.
const (
	quickList = "packages.txt"
	soakList  = "soakpackages.txt"
)

func debianPackages(list string) []debianPackage {
	b, err := os.ReadFile(list)
	if err != nil {
		panic(err)
	}
	var packages []debianPackage
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		p := debianPackage{name: f[0]}
		if len(f) > 1 {
			p.path = f[1]
		}
		packages = append(packages, p)
	}
	return packages
}

// installed holds the packages of both lists that are there.
var installed = sync.OnceValue(func() map[string]bool {
	have := make(map[string]bool)
	for _, p := range slices.Concat(debianPackages(quickList), debianPackages(soakList)) {
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
	quick := []string{"strace", "g++"} // by TestCompareStrace, TestSameCounts and the mode strace; by targets in C++
	var soak []string
	for i := range programs {
		if p := &programs[i]; p.soak {
			soak = append(soak, p.packages...)
		} else {
			quick = append(quick, p.packages...)
		}
	}
	for i := range sequences {
		quick = append(quick, sequences[i].packages...)
	}
	soak = slices.DeleteFunc(soak, func(name string) bool { return slices.Contains(quick, name) })
	for list, used := range map[string][]string{quickList: quick, soakList: soak} {
		var listed []string
		for _, p := range debianPackages(list) {
			listed = append(listed, p.name)
		}
		slices.Sort(used)
		slices.Sort(listed)
		if diff := cmp.Diff(slices.Compact(used), listed); diff != "" {
			t.Errorf("what the cases need (-) and %s (+) differ:\n%s", list, diff)
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
