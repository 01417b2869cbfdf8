package suites

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGoResults(t *testing.T) {
	output := "=== RUN   TestA\n=== RUN   TestA/b\nno newline--- PASS: TestA (0.00s)\n    --- SKIP: TestA/b (0.01s)\n" +
		"=== RUN   TestC\n--- FAIL: TestC (1.00s)\n=== RUN   TestDies\npanic: x\n"
	want := results{"TestA": pass, "TestA/b": skip, "TestC": fail, "TestDies": unfinished}
	if diff := cmp.Diff(want, goResults(output, "")); diff != "" {
		t.Error(diff)
	}
}

func TestPythonResults(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report")
	output := "test_a (test.test_x.X.test_a) ... ok\ntest_b (test.test_x.X.test_b) ... "
	want := results{"test_a.test.test_x.X.test_a": unfinished, "test_b.test.test_x.X.test_b": unfinished}
	if diff := cmp.Diff(want, pythonResults(output, report)); diff != "" {
		t.Errorf("without a report: %s", diff)
	}
	text := `<testsuites><testsuite><testcase name="a" /><testcase name="b"><skipped>no</skipped></testcase>` +
		`<testcase name="c"><failure message="x">y</failure></testcase><testcase name="d"><error/></testcase></testsuite></testsuites>`
	if err := os.WriteFile(report, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	want = results{"a": pass, "b": skip, "c": fail, "d": fail}
	if diff := cmp.Diff(want, pythonResults(output, report)); diff != "" {
		t.Errorf("with a report: %s", diff)
	}
}

func TestStressResults(t *testing.T) {
	for _, c := range []struct {
		output string
		want   result
	}{
		{"stress-ng: info:  [1] successful run completed in 2.04s\n", pass},
		{"stress-ng: info:  [1] unsuccessful run completed in 0.03s\n", fail},
		{"stress-ng: info:  [1] uprobe: not permitted, skipped\nstress-ng: info:  [1] successful run completed\n", skip},
		{"stress-ng: info:  [1] dispatching hogs\n", unfinished},
	} {
		if diff := cmp.Diff(results{"x": c.want}, stressResults("x", c.output)); diff != "" {
			t.Errorf("%q: %s", c.output, diff)
		}
	}
}

func TestDifferences(t *testing.T) {
	native := results{"a": pass, "b": fail, "c": skip}
	got := results{"a": pass, "b": pass, "d": pass}
	if diff := cmp.Diff([]string{"b", "c", "d"}, differences(native, got)); diff != "" {
		t.Error(diff)
	}
}
