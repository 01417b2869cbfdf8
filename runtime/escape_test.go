package runtime_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNothingEscapes asks the compiler which variables of freestanding code it would allocate: in
// the target there is no allocator.
func TestNothingEscapes(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{".", "../ucontext", "../patch", "../tools/histogram", "../tools/count", "../tools/trace"} {
		cmd := exec.Command("go", "build", "-gcflags=-m", ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", dir, err, out)
		}
		for _, line := range strings.Split(string(out), "\n") {
			file, _, _ := strings.Cut(line, ":")
			escapes := strings.Contains(line, "moved to heap") || strings.Contains(line, "escapes to heap")
			if escapes && freestanding(filepath.Join(dir, file)) {
				t.Errorf("%s: %s", dir, line)
			}
		}
	}
}

// freestanding reports whether a file's first line says that it runs in the target.
func freestanding(file string) bool {
	src, err := os.ReadFile(file)
	return err == nil && strings.HasPrefix(string(src), "// Runs in the target")
}
