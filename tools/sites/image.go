package sites

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/trapline/trapline/patch"
)

const pageSize = 4096

// image is an ELF file as it lies in memory.
type image struct {
	segments []segment
	texts    []segment // the executable ones, in the order of addresses
	unwind   patch.Unwind
	elf      *elf.File
}

// segment is a mapping of the file: whole pages.
type segment struct {
	start uintptr
	bytes []byte
}

func (s segment) end() uintptr { return s.start + uintptr(len(s.bytes)) }

func (s segment) holds(addr uintptr) bool { return addr >= s.start && addr < s.end() }

var (
	errFormat  = errors.New("not an ELF file of 64 bits for x86-64")
	errDamaged = errors.New("damaged ELF file")
	errKind    = errors.New("not a regular file")
)

// openImage reads a file.
func openImage(path string) (*image, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, errKind)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	img, err := newImage(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

// newImage takes a file's content apart.
func newImage(content []byte) (*image, error) {
	if !bytes.HasPrefix(content, []byte(elf.ELFMAG)) {
		return nil, errFormat
	}
	f, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 || f.ByteOrder != binary.LittleEndian {
		return nil, errFormat
	}
	img := &image{elf: f}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Filesz > 0 {
			if err := img.load(p, content); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(img.texts, func(a, b segment) int { return cmp.Compare(a.start, b.start) })
	for _, p := range f.Progs {
		if p.Type == elf.PT_GNU_EH_FRAME {
			img.unwind = patch.OpenUnwind(uintptr(p.Vaddr), img.word)
		}
	}
	return img, nil
}

// load maps a segment as the kernel does: its pages show the file's bytes to their ends, and zeroes behind the file's.
func (img *image) load(p *elf.Prog, content []byte) error {
	if p.Off%pageSize != p.Vaddr%pageSize || p.Filesz > p.Memsz || p.Off+p.Filesz < p.Off ||
		p.Off+p.Filesz > uint64(len(content)) || p.Vaddr >= 1<<47 {
		return fmt.Errorf("%w: segment at %#x", errDamaged, p.Vaddr)
	}
	low, high := p.Off&^(pageSize-1), (p.Off+p.Filesz+pageSize-1)&^(pageSize-1)
	b := content[low:min(high, uint64(len(content)))]
	b = append(b[:len(b):len(b)], make([]byte, high-low-uint64(len(b)))...)
	s := segment{start: uintptr(p.Vaddr &^ (pageSize - 1)), bytes: b}
	img.segments = append(img.segments, s)
	if p.Flags&elf.PF_X != 0 {
		img.texts = append(img.texts, s)
	}
	return nil
}

// word is a patch.Reader.
func (img *image) word(addr uintptr) (uint32, bool) {
	for _, s := range img.segments {
		if s.holds(addr) && s.end()-addr >= 4 {
			return binary.LittleEndian.Uint32(s.bytes[addr-s.start:]), true
		}
	}
	return 0, false
}

// codeIn returns the parts of a text that hold code: its executable sections, or all of it if there are no sections.
func (img *image) codeIn(text segment) []segment {
	var parts []segment
	for _, s := range img.elf.Sections {
		start, end := max(uintptr(s.Addr), text.start), min(uintptr(s.Addr+s.Size), text.end())
		if s.Type == elf.SHT_PROGBITS && s.Flags&elf.SHF_EXECINSTR != 0 && start < end {
			parts = append(parts, segment{start, text.bytes[start-text.start : end-text.start]})
		}
	}
	if parts == nil {
		return []segment{text}
	}
	slices.SortFunc(parts, func(a, b segment) int { return cmp.Compare(a.start, b.start) })
	return parts
}
