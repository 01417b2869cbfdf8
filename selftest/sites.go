package selftest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// siteReport runs a shell under count -sites and returns what that says of its sites.
func siteReport(trapline string) ([]string, error) {
	const script = `i=0; while [ $i -lt 5 ]; do /bin/true; i=$((i+1)); done`
	dir, err := os.MkdirTemp("", "trapline-selftest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "report")
	got, err := execute([]string{trapline, "count", "-sites", "-o", file, "--", "/bin/sh", "-c", script}, dir)
	if err != nil {
		return nil, err
	}
	if got.status != "exit 0" {
		return nil, fmt.Errorf("count -sites: %s", got)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	_, sites, found := strings.Cut(string(text), "\nsites: ")
	if !found {
		return nil, fmt.Errorf("count -sites says nothing of sites")
	}
	var lines []string
	for line := range strings.Lines(sites) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines, nil
}
