package trace

import (
	"testing"

	"github.com/trapline/trapline/tools/syscalls"
)

// eachRow calls f for every row there is: those of calls and those of their variants.
func eachRow(f func(name string, r *row)) {
	for nr := range rows {
		if rows[nr].known() {
			f(syscalls.Name(nr), &rows[nr])
		}
	}
	for i := range variants {
		f("variant "+string(rune('0'+variants[i].vary)), &variants[i].row)
	}
}

// TestRows checks that what the hook copies can be printed: that every parameter is one
// that its kind can have.
func TestRows(t *testing.T) {
	t.Parallel()
	eachRow(func(name string, r *row) {
		for i, a := range r.args {
			switch a.kind() {
			case aIn, aOut, aUpdated, aOutIfPositive, aRemaining:
				if a.param() >= len(structPrinters) || structPrinters[a.param()] == nil || structSizes[a.param()] == 0 {
					t.Errorf("%s: argument %d is a structure without size or printer", name, i)
				}
			case aFlags, aFlags64, aEnum, aEnum64, aIPCFlags:
				if a.param() >= len(sets) || len(sets[a.param()].names) == 0 {
					t.Errorf("%s: argument %d has no names", name, i)
				}
			default:
				if a.param() >= len(r.args) {
					t.Errorf("%s: argument %d refers to argument %d", name, i, a.param())
				}
			}
			if i > 0 && a != aNone && r.args[i-1] <= aEnd {
				t.Errorf("%s: argument %d is behind the last one", name, i)
			}
		}
	})
}

// TestRowCounts compares the number of arguments with the table of package syscalls.
func TestRowCounts(t *testing.T) {
	t.Parallel()
	for nr := range rows {
		if r := &rows[nr]; r.known() && r.count() > syscalls.NumArgs(nr) {
			t.Errorf("%s: %d arguments, want at most %d", syscalls.Name(nr), r.count(), syscalls.NumArgs(nr))
		}
	}
}

// TestVariants checks the index of the variants.
func TestVariants(t *testing.T) {
	t.Parallel()
	seen := map[[2]uint32]bool{}
	for i, v := range variants {
		if first, end := firstVariant[v.vary], firstVariant[v.vary+1]; i < int(first) || i >= int(end) {
			t.Errorf("variant %d belongs to %d, which has %d to %d", i, v.vary, first, end-1)
		}
		key := [2]uint32{uint32(v.vary), v.value}
		if seen[key] {
			t.Errorf("variant %d: value %#x of %d is there twice", i, v.value, v.vary)
		}
		seen[key] = true
	}
	if got := int(firstVariant[variesCount]); got != len(variants) {
		t.Errorf("the index ends at %d, want %d", got, len(variants))
	}
}

// TestRecordLimits checks that one argument's copies never ask for more than a record
// holds.
func TestRecordLimits(t *testing.T) {
	t.Parallel()
	for s := range structSizes {
		if n := copySpace(int(structSizes[s])); n > maxRecord/6 {
			t.Errorf("structure %d takes %d bytes, too much for six of them in a record", s, n)
		}
	}
	if n := copySpace(longestString + 1); n > maxRecord {
		t.Errorf("the longest string takes %d bytes of a record of %d", n, maxRecord)
	}
}
