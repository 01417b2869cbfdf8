// Runs in the target, on any stack.

package runtime

import (
	"unsafe"

	"github.com/trapline/trapline/patch"
)

// loadedFile is an ELF file as it lies in memory (System V ABI, chapter 4 and 5).
type loadedFile struct {
	header  uintptr // address of the ELF header
	bias    uintptr // what is added to the file's addresses
	count   int     // of segments
	segment [maxSegments]segment
}

// segment is Elf64_Phdr.
type segment struct {
	kind, flags   uint32
	offset        uint64
	vaddr, paddr  uintptr
	filesz, memsz uintptr
	align         uint64
}

const (
	maxSegments = 24

	elfMagic      = 0x464c457f
	elfHeaderSize = 64

	ptLoad       = 1
	ptGNUEHFrame = 0x6474e550

	pfExec  = 1
	pfWrite = 2
	pfRead  = 4
)

// open reads the program headers of the file whose first byte is at header. It reports false for everything that does not
// look like one.
func (f *loadedFile) open(header uintptr) bool {
	const offsetPhoff, offsetPhentsize, offsetPhnum = 32, 54, 56
	var h [elfHeaderSize]byte
	if header == 0 || safeCopy(addrOf(&h), header, elfHeaderSize) != elfHeaderSize {
		return false
	}
	if *(*uint32)(unsafe.Pointer(&h)) != elfMagic {
		return false
	}
	phoff := *(*uintptr)(unsafe.Pointer(&h[offsetPhoff]))
	size := *(*uint16)(unsafe.Pointer(&h[offsetPhentsize]))
	f.count = int(*(*uint16)(unsafe.Pointer(&h[offsetPhnum])))
	if uintptr(size) != unsafe.Sizeof(segment{}) || f.count > maxSegments || phoff > pageSize {
		return false
	}
	n := uintptr(f.count) * unsafe.Sizeof(segment{})
	if safeCopy(addrOf(&f.segment), header+phoff, n) != n {
		return false
	}
	f.header = header
	for i := range f.segment[:f.count] {
		if s := &f.segment[i]; s.kind == ptLoad && s.offset == 0 {
			f.bias = header - s.vaddr
			return true
		}
	}
	return false
}

// unwind opens the file's unwind table.
func (f *loadedFile) unwind() patch.Unwind {
	for i := range f.segment[:f.count] {
		if s := &f.segment[i]; s.kind == ptGNUEHFrame {
			return patch.OpenUnwind(f.bias+s.vaddr, readWord)
		}
	}
	return patch.Unwind{}
}

// readWord is a patch.Reader.
func readWord(addr uintptr) (uint32, bool) {
	var w uint32
	ok := safeCopy(addrOf(&w), addr, 4) == 4
	return w, ok
}

// key tells files apart: a sum of the file's first bytes, which hold its headers and, where linkers put it, the
// build ID. It is 0 if they cannot be read.
func (f *loadedFile) key() uint64 {
	const size = 1024
	var b [size / 8]uint64
	if safeCopy(addrOf(&b), f.header, size) != size {
		return 0
	}
	sum := uint64(sumStart)
	for _, w := range b {
		sum = addToSum(sum, w)
	}
	return sum | 1
}

// FNV-1a, 64 bits, by words instead of bytes.
const sumStart = 0xcbf29ce484222325

func addToSum(sum, w uint64) uint64 {
	sum = (sum ^ w) * 0x100000001b3
	return sum ^ sum>>29
}
