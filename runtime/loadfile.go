// Runs in the target, on the tool stack, with every signal blocked.

package runtime

import "unsafe"

// loadBase is where a loadFile is mapped while it runs: in the reserved range, and free until the stubs come.
const loadBase = StubBase

// loadFile is the ELF file that a thread executes in place of a program which it is about to map itself
// (load.go). The kernel maps it as it lies here; its code maps the image and goes on at loadEntry.
type loadFile struct {
	header   elfHeader
	segments [2]segment // PT_LOAD of all of this, and the program's PT_GNU_STACK
	code     [loadCodeSize]byte
	plan     loadPlan
	complain [64]byte // what code says if the image does not fit
	text     [loadTextSize]byte
}

// loadPlan is what the new program's side has to know.
type loadPlan struct {
	entry       uintptr // loadEntry
	imageLength uintptr
	complaint   uintptr // length of complain
	files       uint64  // as in handoff
	mask        uint64
	flags       uint64
	program     elfProgram
	interp      elfProgram // fd is negative if there is none
	path        uintptr    // address of the path for AT_EXECFN
	args        uintptr    // address of the strings that take the place of argv[0]
	argCount    uintptr    // how many; 0: argv[0] stays
	name        [16]byte   // of the thread
	self        fileID     // this very file
}

// elfHeader is Elf64_Ehdr.
type elfHeader struct {
	magic                          uint32
	class                          [12]byte
	kind, machine                  uint16
	version                        uint32
	entry, phoff, shoff            uintptr
	flags                          uint32
	ehsize, phentsize, phnum       uint16
	shentsize, shnum, shStringsNdx uint16
}

// elfProgram is an open ELF file, and what its header says.
type elfProgram struct {
	fd           int32
	kind, phnum  uint16
	entry, phoff uintptr
}

const (
	loadCodeSize = 112
	loadCodeAt   = unsafe.Offsetof(loadFile{}.code)
	loadPlanAddr = loadBase + unsafe.Offsetof(loadFile{}.plan)
	loadTextSize = pathMax + 32 + maxScripts*(headSize+2)
	loadSayAddr  = loadBase + unsafe.Offsetof(loadFile{}.complain)

	pathMax    = 4096 // PATH_MAX
	maxScripts = 6    // the last one is too many (exec_binprm, fs/exec.c)

	elfExec     = 2 // ET_EXEC
	elfDyn      = 3 // ET_DYN
	elfX86      = 3 // EM_386
	elfX86_64   = 62
	ptInterp    = 3
	ptGNUStack  = 0x6474e551
	maxPhdrSize = 65536
)

// segment reads program header i. It reports false if the file has not all of it.
func (e *elfProgram) segment(i uint16, s *segment) bool {
	size := unsafe.Sizeof(*s)
	return sys(sysPread64, uintptr(e.fd), addrOf(s), size, e.phoff+uintptr(i)*size, 0, 0) == size
}

// take reads what matters of an open file's header. It reports false for what the kernel does not take for an ELF file of
// this machine (load_elf_binary and load_elf_phdrs, fs/binfmt_elf.c, 6.18).
func (e *elfProgram) take(fd uintptr, h *elfHeader) bool {
	e.fd, e.kind, e.phnum, e.entry, e.phoff = int32(fd), h.kind, h.phnum, h.entry, h.phoff
	var last segment
	return h.magic == elfMagic && (h.kind == elfExec || h.kind == elfDyn) && h.machine == elfX86_64 &&
		uintptr(h.phentsize) == unsafe.Sizeof(last) &&
		h.phnum > 0 && uintptr(h.phnum)*unsafe.Sizeof(last) <= maxPhdrSize && e.segment(h.phnum-1, &last)
}
