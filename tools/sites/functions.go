package sites

import (
	"cmp"
	"debug/elf"
	"debug/gosym"
	"fmt"
	"slices"
	"sort"

	"github.com/trapline/trapline/patch"
)

// function is what the file tells of one: a symbol, an entry of Go's table of functions, or of the unwind table. A table
// of constants that has a symbol is one, too.
type function struct {
	start, end uintptr
	name       string
	data       bool
}

func (f *function) holds(addr uintptr) bool { return addr >= f.start && addr < f.end }

// functions returns those of the file in the order of addresses, no two with the same start.
func (img *image) functions() []function {
	all := symbols(img.file)
	all = append(all, goFunctions(img.file)...)
	all = append(all, unwindFunctions(&img.unwind, img.word)...)
	slices.SortStableFunc(all, func(a, b function) int { return cmp.Compare(a.start, b.start) })
	return slices.CompactFunc(all, func(a, b function) bool { return a.start == b.start })
}

// symbols returns the functions and tables of both symbol tables.
func symbols(f *elf.File) []function {
	static, _ := f.Symbols() // that there is no table is no error here
	dynamic, _ := f.DynamicSymbols()
	var all []function
	for _, s := range slices.Concat(static, dynamic) {
		if s.Section == elf.SHN_UNDEF {
			continue
		}
		f := function{start: uintptr(s.Value), end: uintptr(s.Value + s.Size), name: s.Name}
		switch elf.ST_TYPE(s.Info) {
		case elf.STT_OBJECT:
			f.data = true
			all = append(all, f)
		case elf.STT_FUNC, elf.STT_GNU_IFUNC:
			all = append(all, f)
		}
	}
	return all
}

// goFunctions returns the functions of a Go program. The table is there in stripped ones, too.
func goFunctions(f *elf.File) []function {
	lines, text := f.Section(".gopclntab"), f.Section(".text")
	if lines == nil || text == nil {
		return nil
	}
	data, err := lines.Data()
	if err != nil {
		return nil
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		return nil
	}
	var all []function
	for _, fn := range table.Funcs {
		all = append(all, function{start: uintptr(fn.Entry), end: uintptr(fn.End), name: fn.Name})
	}
	return all
}

// unwindFunctions returns the functions of the unwind table, which has no names: the address serves.
func unwindFunctions(u *patch.Unwind, read patch.Reader) []function {
	var all []function
	for i := range u.Count {
		if f, ok := u.Function(i, read); ok {
			all = append(all, function{start: f.Start, end: f.End, name: fmt.Sprintf("%#x", f.Start)})
		}
	}
	return all
}

// nearest returns the index of the last function that does not begin behind an address, -1 if there is none.
func nearest(fns []function, addr uintptr) int {
	return sort.Search(len(fns), func(i int) bool { return fns[i].start > addr }) - 1
}
