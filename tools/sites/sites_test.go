package sites

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/trapline/trapline/patch"
)

const (
	libc = "/lib/x86_64-linux-gnu/libc.so.6"
	ld   = "/lib64/ld-linux-x86-64.so.2"
)

var goCommand = filepath.Join(runtime.GOROOT(), "bin", "go")

func analyzeFile(t *testing.T, path string) *File {
	t.Helper()
	f, err := Analyze(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestPatchableShare: what patching is worth. Whoever makes plans stricter sees here what that costs.
func TestPatchableShare(t *testing.T) {
	t.Parallel()
	for path, percent := range map[string]int{libc: 95, ld: 95, goCommand: 95} {
		var c counts
		c.add(analyzeFile(t, path))
		t.Logf("%s: %v", path, &c)
		if c.sites == 0 || 100*c.reason[patch.Patchable] < percent*c.sites {
			t.Errorf("%s: %v, want at least %d %%", path, &c, percent)
		}
	}
}

// TestSitesAgainstObjdump: the sites are those that binutils finds.
func TestSitesAgainstObjdump(t *testing.T) {
	t.Parallel()
	files := []string{libc, ld, "/bin/bash", "/bin/busybox"}
	if !testing.Short() {
		files = append(files, goCommand)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			var got []uintptr
			for _, s := range analyzeFile(t, path).Sites {
				got = append(got, s.Addr)
			}
			if diff := cmp.Diff(objdumpSites(t, path), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func objdumpSites(t *testing.T, path string) []uintptr {
	t.Helper()
	out, err := exec.Command("objdump", "-d", "--no-show-raw-insn", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var sites []uintptr
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		where, op, _ := strings.Cut(lines.Text(), ":\t")
		if strings.TrimSpace(op) != "syscall" {
			continue
		}
		addr, err := strconv.ParseUint(strings.TrimSpace(where), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		sites = append(sites, uintptr(addr))
	}
	return sites
}

// small analyses the small program after a change.
func small(t *testing.T, change func(b []byte)) (*File, error) {
	t.Helper()
	b := smallELF()
	change(b)
	img, err := newImage(b)
	if err != nil {
		return nil, err
	}
	f := analyze(img)
	f.Path = "small"
	return f, nil
}

func TestReport(t *testing.T) {
	t.Parallel()
	f, err := small(t, func([]byte) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		json bool
		want string
	}{
		{false, `
  0x400105        forward +15             0x400100+0x5
  0x400111        forward +8              0x400100+0x11
  0x400125        no padding in reach     tail+0x5
small: 3 sites, 2 patchable (66.7 %): 2 forward; 1 no padding in reach, 1 data
  0x400105        forward +15             0x400100+0x5
  0x400111        forward +8              0x400100+0x11
  0x400125        no padding in reach     tail+0x5
small: 3 sites, 2 patchable (66.7 %): 2 forward; 1 no padding in reach, 1 data
2 files: 6 sites, 4 patchable (66.7 %): 4 forward; 2 no padding in reach, 2 data
`},
		{true, strings.Repeat(`
{"file":"small","sites":[`+
			`{"address":4194565,"function":"0x400100","offset":5,"tactic":"forward","hops":[15]},`+
			`{"address":4194577,"function":"0x400100","offset":17,"tactic":"forward","hops":[8]},`+
			`{"address":4194597,"function":"tail","offset":5,"reason":"no padding in reach"}],`+
			`"patchable":2,"tactics":{"forward":2},"refused":{"no padding in reach":1},"data":1}`, 2) + "\n"},
	} {
		var out strings.Builder
		w := bufio.NewWriter(&out)
		r := NewReport(w, row.json)
		r.Add(f)
		r.Add(f)
		r.Close()
		w.Flush()
		if diff := cmp.Diff(row.want[1:], out.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestNoSections: without a section table the whole segment is code, and the symbols are gone.
func TestNoSections(t *testing.T) {
	t.Parallel()
	f, err := small(t, func(b []byte) {
		clear(b[0x28:0x30]) // e_shoff
		clear(b[0x3c:0x40]) // e_shnum, e_shstrndx
	})
	if err != nil {
		t.Fatal(err)
	}
	var c counts
	c.add(f)
	want := "3 sites, 2 patchable (66.7 %): 2 forward; 1 no padding in reach, 1 data"
	if diff := cmp.Diff(want, c.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(b []byte)
		want   error
	}{
		{"32 bits", func(b []byte) { b[4] = 1 }, errFormat},
		{"big-endian", func(b []byte) { b[5] = 2 }, errDamaged},
		{"another machine", func(b []byte) { b[0x12] = 0xb7 }, errFormat},
		{"not ELF", func(b []byte) { b[0] = '#' }, errFormat},
		{"segment behind the end", func(b []byte) { b[0x40+0x21] = 0xff }, errDamaged},
		{"segment that is not aligned", func(b []byte) { b[0x40+8] = 1 }, errDamaged},
	} {
		if _, err := small(t, row.change); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	dir := t.TempDir()
	for _, path := range []string{dir, "/dev/zero", filepath.Join(dir, "missing")} {
		if f, err := Analyze(path); err == nil {
			t.Errorf("%s: %+v", path, f)
		}
	}
}

// TestDamagedFiles: every truncation and every changed bit of a small program, and some of a large one, is an error or
// a result.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	whole := smallELF()
	for n := range whole {
		tryImage(whole[:n])
		for bit := range 8 {
			b := slices.Clone(whole)
			b[n] ^= 1 << bit
			tryImage(b)
		}
	}
	for _, path := range []string{ld, "/bin/busybox"} {
		large, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(3, 4))
		for range 100 {
			b := slices.Clone(large)
			for range 1 + random.IntN(8) {
				b[random.IntN(1+random.IntN(len(b)))] = byte(random.IntN(256))
			}
			tryImage(b[:len(b)-random.IntN(2)*random.IntN(len(b))])
		}
	}
}

func tryImage(b []byte) {
	if img, err := newImage(b); err == nil {
		analyze(img)
	}
}

func FuzzImage(f *testing.F) {
	f.Add(smallELF())
	f.Fuzz(func(_ *testing.T, b []byte) { tryImage(b) })
}
