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

const (
	pageSize    = 4096
	maxSegments = 65536 / 56 // as load_elf_phdrs of fs/binfmt_elf.c
	maxAddress  = 1 << 47
)

// image is an ELF file as it lies in memory.
type image struct {
	file     *elf.File
	segments []segment
	texts    []segment // the executable ones
	unwind   patch.Unwind
}

// segment is [start, end) of memory. Behind the last of its bytes there are zeroes.
type segment struct {
	start, end uintptr
	bytes      []byte
}

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
	const class = elf.EI_CLASS
	if !bytes.HasPrefix(content, []byte(elf.ELFMAG)) || len(content) > class && content[class] == byte(elf.ELFCLASS32) {
		return nil, errFormat
	}
	f, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 || f.ByteOrder != binary.LittleEndian {
		return nil, errFormat
	}
	img := &image{file: f}
	if err := img.load(content); err != nil {
		return nil, err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_GNU_EH_FRAME {
			img.unwind = patch.OpenUnwind(uintptr(p.Vaddr), img.word)
		}
	}
	return img, nil
}

// load maps the segments as the kernel does: whole pages, which show what the file has there.
func (img *image) load(content []byte) error {
	for _, p := range img.file.Progs {
		if p.Type != elf.PT_LOAD || p.Filesz == 0 {
			continue
		}
		size := uint64(len(content))
		if p.Off%pageSize != p.Vaddr%pageSize || p.Off > size || p.Filesz > size-p.Off || p.Vaddr > maxAddress ||
			len(img.segments) == maxSegments {
			return fmt.Errorf("%w: segment of %#x bytes at %#x", errDamaged, p.Filesz, p.Vaddr)
		}
		low, high := p.Off&^(pageSize-1), (p.Off+p.Filesz+pageSize-1)&^(pageSize-1)
		s := segment{start: uintptr(p.Vaddr &^ (pageSize - 1)), bytes: content[low:min(high, size)]}
		s.end = s.start + uintptr(high-low)
		if n := len(img.segments); n > 0 && s.start < img.segments[n-1].start {
			return fmt.Errorf("%w: segments out of order", errDamaged)
		}
		img.segments = append(img.segments, s)
		if p.Flags&elf.PF_X != 0 {
			img.texts = append(img.texts, s)
		}
	}
	return nil
}

// word is a patch.Reader.
func (img *image) word(addr uintptr) (uint32, bool) {
	for _, s := range img.segments {
		if at := addr - s.start; addr >= s.start && addr < s.end && at+4 <= uintptr(len(s.bytes)) {
			return binary.LittleEndian.Uint32(s.bytes[at:]), true
		}
	}
	return 0, false
}

// codeIn returns the parts of a text that hold code: its executable sections, or all of it if the file has none.
func (img *image) codeIn(text segment) []segment {
	sections := slices.Clone(img.file.Sections)
	slices.SortFunc(sections, func(a, b *elf.Section) int { return cmp.Compare(a.Addr, b.Addr) })
	var parts []segment
	done, last := text.start, text.start+uintptr(len(text.bytes))
	for _, s := range sections {
		start, end := max(uintptr(s.Addr), done), min(uintptr(s.Addr+s.Size), last)
		if s.Type != elf.SHT_PROGBITS || s.Flags&elf.SHF_EXECINSTR == 0 || start >= end {
			continue
		}
		parts = append(parts, segment{start, end, text.bytes[start-text.start : end-text.start]})
		done = end
	}
	if parts == nil {
		return []segment{text}
	}
	return parts
}
