package programs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// useOfPage is what a person does with the page: looks closer, points at calls, sorts, filters. It ends in the page's text.
const useOfPage = `<script>
for (const by of [0.5, 0.001, 4]) {
  zoom(by, 600);
  const r = canvas.getBoundingClientRect();
  for (let y = 5; y < r.height; y += 10)
    for (let x = 5; x < r.width; x += 20)
      canvas.dispatchEvent(new PointerEvent("pointermove", {clientX: r.left + x, clientY: r.top + y}));
}
for (const head of [...document.querySelectorAll("th")]) head.click();
for (const row of [...document.querySelectorAll("#calls tbody tr")]) row.click();
$("filter").value = "/"; drawFiles();
document.title = "used to the end";
</script>`

// TestReportInBrowser: the page is drawn, and can be used, without an error.
func TestReportInBrowser(t *testing.T) {
	needTrapline(t)
	if testing.Short() {
		t.Skip("needs a browser, for make soak")
	}
	if missing := missingPackages([]string{"chromium"}); len(missing) > 0 {
		t.Skipf("not installed: %s (install.sh does)", strings.Join(missing, " "))
	}
	dir := t.TempDir()
	page := filepath.Join(dir, "page.html")
	must := func(argv ...string) outcome {
		o, err := execute(argv, dir, environment(dir, nil), time.Minute)
		if err != nil || o.Status != 0 {
			t.Fatalf("%s: status %d, %v\n%s", argv[0], o.Status, err, o.Stderr)
		}
		return o
	}
	must(trapline(), "report", "-o", page, "--", "/bin/sh", "-c", "dd if=/dev/zero of=/dev/null bs=1 count=20000 2>/dev/null; ls / | wc -l")
	must("/bin/mkdir", filepath.Join(dir, "home"), filepath.Join(dir, "tmp"))
	must("/bin/sh", "-c", `sed -i "s|</body>|$0</body>|" "$1"`, strings.NewReplacer("\n", " ", "&", `\&`, "|", `\|`).Replace(useOfPage), page)
	o := must("/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--dump-dom", "file://"+page)
	if m := regexp.MustCompile(`(?m)^.*CONSOLE.*$`).FindAllString(o.Stderr, -1); m != nil {
		t.Errorf("console:\n%s", strings.Join(m, "\n"))
	}
	got := []bool{}
	for _, part := range []string{`data-drawn="4"`, "<title>used to the end</title>", "/dev/zero", "<td class=\"left mono\">write</td>", "exited with 0"} {
		got = append(got, strings.Contains(o.Stdout, part))
	}
	if diff := cmp.Diff([]bool{true, true, true, true, true}, got); diff != "" {
		t.Errorf("parts of the page that are there (-want +got):\n%s", diff)
	}
}
