package patch

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// loaded is a file's memory, at the addresses that the file gives.
type loaded struct {
	segments []loadedSegment
	header   uintptr // of PT_GNU_EH_FRAME
}

type loadedSegment struct {
	base uintptr
	data []byte
}

func load(t *testing.T, path string) *loaded {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := &loaded{}
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_LOAD:
			data := make([]byte, p.Filesz)
			if _, err := p.ReadAt(data, 0); err != nil {
				t.Fatal(err)
			}
			l.segments = append(l.segments, loadedSegment{uintptr(p.Vaddr), data})
		case elf.PT_GNU_EH_FRAME:
			l.header = uintptr(p.Vaddr)
		}
	}
	return l
}

// word is a Reader.
func (l *loaded) word(addr uintptr) (uint32, bool) {
	for _, s := range l.segments {
		if at := addr - s.base; addr >= s.base && at+4 <= uintptr(len(s.data)) {
			return binary.LittleEndian.Uint32(s.data[at:]), true
		}
	}
	return 0, false
}

// TestUnwindAgainstReadelf compares all functions of the table with those of the frames that binutils finds.
func TestUnwindAgainstReadelf(t *testing.T) {
	t.Parallel()
	eachFile(t, func(t *testing.T, path string) {
		want := frames(t, path)
		l := load(t, path)
		u := OpenUnwind(l.header, l.word)
		got := []Function{}
		for i := range u.Count {
			if f, ok := u.Function(i, l.word); ok {
				got = append(got, f)
			}
		}
		t.Logf("%d functions", len(got))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for i, f := range got {
			for _, addr := range []uintptr{f.Start, f.End - 1} {
				if n := u.Search(addr, l.word); n != i {
					t.Errorf("%#x is in function %d, found in %d", addr, i, n)
				}
			}
		}
		if n := u.Search(0, l.word); n != -1 {
			t.Errorf("address 0 is in function %d", n)
		}
	})
}

func frames(t *testing.T, path string) []Function {
	t.Helper()
	out, err := exec.Command("readelf", "--debug-dump=frames", path).Output()
	// Where the file names another one with its symbols, readelf fails when that is not there, after all the rest.
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	all := []Function{}
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		_, pc, ok := strings.Cut(lines.Text(), " pc=")
		if !ok {
			continue
		}
		var f Function
		if _, err := fmt.Sscanf(pc, "%x..%x", &f.Start, &f.End); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Function) int { return int(a.Start) - int(b.Start) })
	for i := 1; i < len(all); i++ {
		all[i-1].Next = all[i].Start
		all[i-1].End = min(all[i-1].End, all[i].Start)
	}
	return all
}

// fakeTable is the memory of a table at tableBase for the functions given as pairs of start and length.
const tableBase = 0x500000

func fakeTable(pairs ...uint32) *loaded {
	words := []uint32{0x3b031b01, 0, uint32(len(pairs) / 2)}
	fdes := uint32(12 + 4*len(pairs))
	for i := 0; i < len(pairs); i += 2 {
		words = append(words, pairs[i]-tableBase, fdes+uint32(8*i))
	}
	for i := 0; i < len(pairs); i += 2 {
		place := tableBase + fdes + uint32(8*i) + fdeStart
		words = append(words, 12, 0, pairs[i]-place, pairs[i+1])
	}
	var data []byte
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	return &loaded{header: tableBase, segments: []loadedSegment{{tableBase, data}}}
}

func TestUnwind(t *testing.T) {
	t.Parallel()
	l := fakeTable(0x401000, 0x20, 0x401020, 0x40, 0x401050, 0x10)
	u := OpenUnwind(l.header, l.word)
	got := []Function{}
	for i := -1; i <= u.Count; i++ {
		if f, ok := u.Function(i, l.word); ok {
			got = append(got, f)
		}
	}
	want := []Function{
		{Start: 0x401000, End: 0x401020, Next: 0x401020},
		{Start: 0x401020, End: 0x401050, Next: 0x401050}, // cut at the next one's start
		{Start: 0x401050, End: 0x401060},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUnwindDamaged: from tables that are damaged come functions or none, nothing else.
func TestUnwindDamaged(t *testing.T) {
	t.Parallel()
	whole := fakeTable(0x401000, 0x20, 0x401020, 0x40, 0x401050, 0x10).segments[0].data
	for n := range whole {
		checkUnwind(t, whole[:n])
		for bit := range 8 {
			b := slices.Clone(whole)
			b[n] ^= 1 << bit
			checkUnwind(t, b)
		}
	}
}

func checkUnwind(t *testing.T, data []byte) {
	t.Helper()
	l := &loaded{segments: []loadedSegment{{tableBase, data}}}
	u := OpenUnwind(tableBase, l.word)
	for _, addr := range []uintptr{0, 0x401000, 0x401030, 1 << 47, ^uintptr(0)} {
		i := u.Search(addr, l.word)
		if i < -1 || i >= max(u.Count, 1) {
			t.Errorf("% x: address %#x is in function %d of %d", data, addr, i, u.Count)
		}
		if f, ok := u.Function(i, l.word); ok && (f.Start > addr || f.End < f.Start) {
			t.Errorf("% x: address %#x is in %+v", data, addr, f)
		}
	}
}
