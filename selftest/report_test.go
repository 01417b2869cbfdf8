package selftest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/tools/report"
)

// reportScript does things whose numbers are known. $1 is the program that counts.
const reportScript = `dd if=/dev/zero of="$PWD/written" bs=1000 count=50 2>/dev/null
cat /no/such/file /no/such/file /no/such/file 2>/dev/null
sh -c 'kill -9 $$'
sh -c 'exit 7; # <b>"'
$1 threads 1000
exit 3`

// TestReport: the page says what the program did: calls, bytes, errors, processes with their ends, threads.
func TestReport(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	g := target{name: "counts", source: "counts.c"}
	counts := g.program(built(t, []target{g}))
	dir := t.TempDir()
	page := filepath.Join(dir, "page.html")
	argv := []string{trapline(), "report", "-o", page, "--", "/bin/sh", "-c", reportScript, "sh", counts}
	expect(t, "exit 3", command{argv: argv, dir: dir}.mustRun(t).Status)
	d := pageData(t, page)

	getppid := d.Calls[slices.IndexFunc(d.Calls, func(c report.Call) bool { return c.Name == "getppid" })]
	inBuckets := uint64(0)
	for _, b := range getppid.Histogram {
		inBuckets += b[2]
	}
	const all = 8*1000 + 3 // the three shells make one each
	if diff := cmp.Diff([]uint64{all, all, 0}, []uint64{getppid.Calls, inBuckets, d.Lost}); diff != "" {
		t.Errorf("getppid, its buckets, lost records (-want +got):\n%s", diff)
	}
	files := map[string][]uint64{}
	for _, f := range d.Files {
		files[f.Path] = []uint64{f.Read, f.Written, f.Errors}
	}
	for path, want := range map[string][]uint64{filepath.Join(dir, "written"): {0, 50000, 0}, "/no/such/file": {0, 0, 3}} {
		if diff := cmp.Diff(want, files[path]); diff != "" {
			t.Errorf("%s: bytes read, written, errors (-want +got):\n%s", path, diff)
		}
	}
	ends, own := map[string]string{}, uint64(0)
	for i, p := range d.Processes {
		own += p.Calls
		words := strings.Fields(p.Programs[len(p.Programs)-1].Line)
		ends[strings.Join(words[:min(len(words), 4)], " ")] = fmt.Sprintf("%s, child of %d", p.How, p.Parent)
		if p.Programs[len(p.Programs)-1].Line == counts+" threads 1000" {
			threads := 0
			for _, l := range d.Lanes {
				if l.Process == i {
					threads++
				}
			}
			expect(t, 9, threads)
		}
	}
	want := map[string]string{
		"/bin/sh -c 'dd if=/dev/zero":                    "exited with 3, child of -1",
		"dd if=/dev/zero of=" + dir + "/written bs=1000": "exited with 0, child of 0",
		"cat /no/such/file /no/such/file /no/such/file":  "exited with 1, child of 0",
		"sh -c 'kill -9":         "killed by SIGKILL, child of 0",
		"sh -c 'exit 7;":         "exited with 7, child of 0",
		counts + " threads 1000": "exited with 0, child of 0",
	}
	if diff := cmp.Diff(want, ends); diff != "" {
		t.Errorf("processes and their ends (-want +got):\n%s", diff)
	}
	shown := uint64(0)
	for _, l := range d.Lanes {
		shown += uint64(len(l.Spans))
		for _, c := range l.Cells {
			shown += uint64(c[1])
		}
	}
	if diff := cmp.Diff([]uint64{d.Total.Calls, d.Total.Calls}, []uint64{own, shown}); diff != "" {
		t.Errorf("all calls, those of all processes, those on the timeline (-want +got):\n%s", diff)
	}
}

// pageData returns what a page shows.
func pageData(t *testing.T, page string) *report.Data {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no data in a page of %d bytes", len(text))
	}
	d := new(report.Data)
	if err := json.Unmarshal(m[1], d); err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`(src|href)=\S*|@import|url\([^)]*\)`).FindAll(text, -1); len(m) != 1 || string(m[0]) != `href="data:,">` {
		t.Errorf("the page refers to something outside: %q", m)
	}
	return d
}
