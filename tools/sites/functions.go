package sites

import (
	"cmp"
	"debug/elf"
	"debug/gosym"
	"slices"
	"sort"

	"github.com/trapline/trapline/patch"
)

// function is what the file says of one: a symbol, an entry of the unwind table, or of Go's table of functions.
type function struct {
	start, end uintptr
	name       string
}

// functions returns those of the file in the order of addresses, no two with the same start.
func (img *image) functions() []function {
	var all []function
	all = append(all, img.symbols()...)
	all = append(all, goFunctions(img.elf)...)
	all = append(all, unwindFunctions(&img.unwind, img.word)...)
	slices.SortStableFunc(all, func(a, b function) int { return cmp.Compare(a.start, b.start) })
	return slices.CompactFunc(all, func(a, b function) bool { return a.start == b.start })
}

// symbols returns the functions of both symbol tables.
func (img *image) symbols() []function {
	static, _ := img.elf.Symbols() // no table is no error here
	dynamic, _ := img.elf.DynamicSymbols()
	var all []function
	for _, s := range append(static, dynamic...) {
		kind := elf.ST_TYPE(s.Info)
		if (kind == elf.STT_FUNC || kind == elf.STT_GNU_IFUNC) && s.Section != elf.SHN_UNDEF && s.Value != 0 {
			all = append(all, function{uintptr(s.Value), uintptr(s.Value + s.Size), s.Name})
		}
	}
	return all
}

// goFunctions returns the functions of a Go program, which are there in stripped ones too.
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
		all = append(all, function{uintptr(fn.Entry), uintptr(fn.End), fn.Name})
	}
	return all
}

// unwindFunctions returns the functions of the unwind table. It has no names.
func unwindFunctions(u *patch.Unwind, read patch.Reader) []function {
	var all []function
	for i := range u.Count {
		if f, ok := u.Function(i, read); ok {
			all = append(all, function{start: f.Start, end: f.End})
		}
	}
	return all
}

// nearest returns the index of the last function that does not begin behind an address, -1 if there is none.
func nearest(fns []function, addr uintptr) int {
	return sort.Search(len(fns), func(i int) bool { return fns[i].start > addr }) - 1
}
