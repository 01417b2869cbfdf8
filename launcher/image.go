package launcher

import (
	"debug/elf"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// fillImage notes the layout of this very binary, from the program headers that lie in
// memory at its start.
func fillImage(s *rt.Shared) error {
	h := (*elf.Header64)(pointer(rt.ImageBase))
	headers := unsafe.Slice((*elf.Prog64)(pointer(rt.ImageBase+uintptr(h.Phoff))), int(h.Phnum))
	for _, p := range headers {
		if elf.ProgType(p.Type) != elf.PT_LOAD {
			continue
		}
		start, file, end := uintptr(p.Vaddr), uintptr(p.Vaddr+p.Filesz), uintptr(p.Vaddr+p.Memsz)
		if p.Off != p.Vaddr-rt.ImageBase {
			return fmt.Errorf("segment at %#x is at offset %#x of the file", p.Vaddr, p.Off)
		}
		switch elf.ProgFlag(p.Flags) {
		case elf.PF_R | elf.PF_X:
			s.TextStart, s.TextEnd = start&^4095, pageUp(end)
		case elf.PF_R | elf.PF_W:
			s.DataStart, s.DataFileEnd, s.BSSEnd = start&^4095, file, end
		}
	}
	if s.TextStart != rt.ImageBase || s.DataStart <= s.TextEnd || s.BSSEnd > rt.ImageLimit {
		return ErrLayout
	}
	s.ImageLength = pageUp(s.DataFileEnd) - rt.ImageBase
	return nil
}

func pageUp(a uintptr) uintptr { return (a + 4095) &^ 4095 }

// fillWindows notes where the routines end in which an interrupted thread is treated in a
// way of its own.
func fillWindows(s *rt.Shared) {
	for i, start := range rt.WindowStarts() {
		end, f := start, runtime.FuncForPC(start)
		for runtime.FuncForPC(end) == f {
			end++
		}
		s.Windows[i] = rt.Range{Start: start, End: end}
	}
}

// openImage opens this binary's file. Without /proc the path it was started by has to do.
func openImage() (*os.File, error) {
	f, err := os.Open("/proc/self/exe")
	if err == nil {
		return f, nil
	}
	path, err := startPath()
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// startPath returns AT_EXECFN, the path that the launcher was executed by.
func startPath() (string, error) {
	aux, err := unix.Auxv()
	if err != nil {
		return "", fmt.Errorf("find own file: %w", err)
	}
	const execFn = 31 // AT_EXECFN, include/uapi/linux/auxvec.h
	for _, v := range aux {
		if v[0] == execFn {
			return unix.BytePtrToString((*byte)(pointer(v[1]))), nil
		}
	}
	return "", fmt.Errorf("find own file: no /proc and no AT_EXECFN")
}
