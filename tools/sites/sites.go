// Package sites says of an ELF file how each of its system call sites would be patched at run time. It finds the
// instructions with a disassembler and everything the file tells of functions, of which the runtime knows only the
// unwind table; the plans are those of package patch, made from the same bytes that the runtime gives it.
package sites

import "github.com/trapline/trapline/patch"

// Site is a syscall instruction.
type Site struct {
	Addr     uintptr
	Function string // empty: in none that has a name
	Offset   uintptr
	Plan     patch.Plan
}

// File is what was found in one file.
type File struct {
	Path  string
	Sites []Site // in the order of addresses
	Data  int    // bytes 0f 05 that are no instruction
}

// Analyze looks at one file.
func Analyze(path string) (*File, error) {
	img, err := openImage(path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path}
	f.analyze(img)
	return f, nil
}

func (f *File) analyze(img *image) {
	fns := img.functions()
	for _, text := range img.texts {
		p := planner{img: img}
		for _, code := range img.codeIn(text) {
			sites, data := scan(code, fns)
			f.Data += data
			for _, addr := range sites {
				s := Site{Addr: addr, Plan: p.plan(addr, text)}
				if n := nearest(fns, addr); n >= 0 && addr < fns[n].end {
					s.Function, s.Offset = fns[n].name, addr-fns[n].start
				}
				f.Sites = append(f.Sites, s)
			}
		}
	}
}
