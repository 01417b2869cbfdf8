// Package sites says of an ELF file how each of its system call sites would be patched at run time. It finds the
// instructions with a disassembler and all that the file tells of functions, of which the runtime knows only the unwind
// table; the plans are those of package patch, made from the same bytes that the runtime gives it.
package sites

import (
	"bytes"

	"github.com/trapline/trapline/patch"
)

// Site is a syscall instruction.
type Site struct {
	Addr     uintptr
	Function string  // "": in none
	Offset   uintptr // in the function
	Plan     patch.Plan
}

// File is what was found in one file.
type File struct {
	Path  string
	Sites []Site // in the order of addresses
	Data  int    // the same bytes elsewhere in executable memory
}

// Analyze looks at one file.
func Analyze(path string) (*File, error) {
	img, err := openImage(path)
	if err != nil {
		return nil, err
	}
	f := analyze(img)
	f.Path = path
	return f, nil
}

func analyze(img *image) *File {
	f, fns := &File{}, img.functions()
	for _, text := range img.texts {
		p := planner{img: img, in: text}
		found := 0
		for _, code := range img.codeIn(text) {
			sites := scan(code, fns)
			found += len(sites)
			for _, addr := range sites {
				f.Sites = append(f.Sites, newSite(addr, fns, p.plan(addr)))
			}
		}
		f.Data += bytes.Count(text.bytes, callBytes) - found
	}
	return f
}

func newSite(addr uintptr, fns []function, plan patch.Plan) Site {
	s := Site{Addr: addr, Plan: plan}
	if n := nearest(fns, addr); n >= 0 && fns[n].holds(addr) {
		s.Function, s.Offset = fns[n].name, addr-fns[n].start
	}
	return s
}
