package patch

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAround(t *testing.T) {
	t.Parallel()
	const start, end = 0x401000, 0x40a000
	table := fakeTable(0x401000, 0x20, 0x401020, 0x100, 0x401200, 0x3000, 0x404300, 0x10, 0x404320, 0x100, 0x404500, 0x10)
	type around struct {
		Low, High uintptr
		Functions []uintptr
	}
	for _, row := range []struct {
		name string
		site uintptr
		wide bool
		want around
	}{
		{"from the function's start", 0x401050, false, around{0x401020, 0x401050 + behindSite, []uintptr{0x401020}}},
		{"from the text's start", 0x401010, true,
			around{0x401000, 0x401010 + aroundSite, []uintptr{0x401000, 0x401020, 0x401200}}},
		{"in a long function", 0x404100, false, around{0x404100 - beforeSite, 0x404100 + behindSite, []uintptr{0x401200}}},
		{"in a long function, wide", 0x404100, true,
			around{0x404100 - aroundSite, 0x404100 + aroundSite, []uintptr{0x401200, 0x404300, 0x404320}}},
		{"in no function", 0x401180, false, around{0x401180 - beforeSite, 0x401180 + behindSite, nil}},
		{"in no function, wide", 0x401180, true,
			around{0x401000, 0x401180 + aroundSite, []uintptr{0x401000, 0x401020, 0x401200}}},
		{"behind all functions", 0x409000, true, around{0x409000 - aroundSite, 0x409000 + aroundSite, []uintptr{0x404500}}},
		{"to the text's end", 0x409ff0, false, around{0x409ff0 - beforeSite, end, nil}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			u := OpenUnwind(table.header, table.word)
			var text Text
			text.Around(row.site, start, end, &u, table.word, row.wide)
			got := around{Low: text.Base, High: text.Base + uintptr(text.N)}
			for _, f := range text.Functions[:text.FunctionCount] {
				got.Functions = append(got.Functions, f.Start)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
