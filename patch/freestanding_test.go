package patch

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestImports: what runs in the target has nothing to stand on.
func TestImports(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", `{{join .Imports " "}}`, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"math/bits"}, strings.Fields(string(out))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
