// Runs in the target, on the tool stack, before the program's first instruction, with every signal blocked.

package runtime

import "unsafe"

// The new program's side of an exec without a helper (load.go). The kernel has started a loadFile with the arguments and
// the environment of the program; here the program takes its place, mapped as load_elf_binary would have done it
// (fs/binfmt_elf.c, 6.18). What fails now ends the process by SIGSEGV, as it does in the kernel.

// load maps the program and goes on as a program that a helper brought the image into. sp is the stack as the kernel left it.
func load(sp uintptr) {
	f := (*loadFile)(at(loadBase))
	p := &f.plan
	mapSharedMemory(uintptr(p.files >> 32))
	mapImage()
	var program, interp placed
	ip := p.mapFiles(&program, &interp)
	s := newStack{sp: sp}
	s.rebuild(p)
	s.point(p, &program, &interp)
	var m memoryMap
	m.fill(&program, &s)
	m.chooseBrk(p.interp.fd < 0 && p.program.kind == elfDyn)
	h := handoff{ip: uint64(ip), sp: uint64(s.sp), mask: p.mask, files: p.files, flags: p.flags}
	name, self, fd, interpFD := p.name, p.self, uintptr(p.program.fd), p.interp.fd
	sys(sysMunmap, loadBase, pageUp(unsafe.Sizeof(*f)), 0, 0, 0, 0)
	if !m.tell(fd) {
		keepExeLink(fd, self)
	}
	const prSetName = 15
	sys(sysPrctl, prSetName, addrOf(&name), 0, 0, 0, 0)
	sys(sysClose, fd, 0, 0, 0, 0, 0)
	if interpFD >= 0 {
		sys(sysClose, uintptr(interpFD), 0, 0, 0, 0, 0)
	}
	begin(&h)
}

// mapFiles maps the program and its interpreter, and returns the address of the first instruction.
func (p *loadPlan) mapFiles(program, interp *placed) uintptr {
	program.file = &p.program
	if p.interp.fd < 0 {
		program.place(0)
		return program.bias + p.program.entry
	}
	program.place(elfDynBase + randomPages(shared().RandomBase))
	interp.file = &p.interp
	interp.place(0)
	return interp.bias + p.interp.entry
}

// elfDynBase is ELF_ET_DYN_BASE (arch/x86/include/asm/elf.h): two thirds of the address space.
const elfDynBase = 0x555555554000

// randomPages returns up to 1<<bits pages in bytes, or 0 if the process has its addresses not randomized.
func randomPages(bits uint8) uintptr {
	const noRandomize, query = 0x40000, 0xffffffff
	var v uint64
	if bits == 0 || sys(sysPersonality, query, 0, 0, 0, 0, 0)&noRandomize != 0 {
		return 0
	}
	sys(sysGetrandom, addrOf(&v), unsafe.Sizeof(v), 0, 0, 0, 0)
	return uintptr(v&(1<<bits-1)) * pageSize
}

// placed is an ELF file that has been mapped.
type placed struct {
	file               *elfProgram
	bias               uintptr
	low, high          uintptr // of all segments, without the bias
	align              uintptr
	headers            uintptr // address of the program headers, 0 if no segment has them
	startCode, endCode uintptr
	startData, endData uintptr
}

// place maps the file: at base if that is not 0 and the file can lie anywhere.
func (m *placed) place(base uintptr) {
	m.measure()
	if m.file.kind == elfDyn {
		m.reserve(base)
	}
	end := m.low + m.bias
	var s segment
	for i := uint16(0); i < m.file.phnum; i++ {
		if !m.file.segment(i, &s) {
			dieUnloaded()
		}
		if s.kind != ptLoad {
			continue
		}
		if from := (s.vaddr + m.bias) &^ (pageSize - 1); from > end && m.file.kind == elfDyn {
			sys(sysMunmap, end, from-end, 0, 0, 0, 0)
		}
		m.mapSegment(&s)
		end = pageUp(s.vaddr + s.memsz + m.bias)
	}
}

// measure finds out what the file takes.
func (m *placed) measure() {
	m.low, m.startCode, m.align = ^uintptr(0), ^uintptr(0), pageSize
	var s segment
	for i := uint16(0); i < m.file.phnum; i++ {
		if !m.file.segment(i, &s) || s.kind == ptLoad && (s.filesz > s.memsz || s.vaddr+s.memsz < s.vaddr) {
			dieUnloaded()
		}
		if s.kind == ptLoad {
			m.measureSegment(&s)
		}
	}
	if m.low >= m.high {
		dieUnloaded()
	}
}

func (m *placed) measureSegment(s *segment) {
	m.low, m.high = min(m.low, s.vaddr&^(pageSize-1)), max(m.high, s.vaddr+s.memsz)
	if s.align&(s.align-1) == 0 {
		m.align = max(m.align, uintptr(s.align))
	}
	if d := m.file.phoff - uintptr(s.offset); m.file.phoff >= uintptr(s.offset) && d < s.filesz {
		m.headers = s.vaddr + d
	}
	if s.flags&pfExec != 0 {
		m.startCode, m.endCode = min(m.startCode, s.vaddr), max(m.endCode, s.vaddr+s.filesz)
	}
	m.startData, m.endData = max(m.startData, s.vaddr), max(m.endData, s.vaddr+s.filesz)
}

// reserve finds room for a file that can lie anywhere.
func (m *placed) reserve(base uintptr) {
	const flags = mapPrivate | mapAnonymous | mapNoreserve
	size := pageUp(m.high) - m.low
	if base == 0 && m.align > pageSize {
		if base = sys(sysMmap, 0, size, protNone, flags, ^uintptr(0), 0); failed(base) {
			dieUnloaded()
		}
		sys(sysMunmap, base, size, 0, 0, 0, 0)
	}
	base &^= m.align - 1
	r := sys(sysMmap, base, size, protNone, flags|fixedIf(base != 0), ^uintptr(0), 0)
	if failed(r) || base != 0 && r != base {
		dieUnloaded()
	}
	m.bias = r - m.low
}

// mapSegment maps what the file has of a segment, and memory for what it has not.
func (m *placed) mapSegment(s *segment) {
	start, fileEnd, end := s.vaddr+m.bias, s.vaddr+s.filesz+m.bias, s.vaddr+s.memsz+m.bias
	within := start & (pageSize - 1)
	prot := uintptr(0)
	if s.flags&pfRead != 0 {
		prot |= protRead
	}
	if s.flags&pfWrite != 0 {
		prot |= protWrite
	}
	if s.flags&pfExec != 0 {
		prot |= protExec
	}
	if s.filesz > 0 {
		const flags = mapPrivate | mapFixed
		r := sys(sysMmap, start-within, s.filesz+within, prot, flags, uintptr(m.file.fd), uintptr(s.offset)-within)
		if failed(r) {
			dieUnloaded()
		}
		if end > fileEnd && prot&protWrite != 0 {
			zero(fileEnd, pageUp(fileEnd))
		}
	}
	if from := pageUp(fileEnd); pageUp(end) > from {
		const flags = mapPrivate | mapFixed | mapAnonymous
		if failed(sys(sysMmap, from, pageUp(end)-from, protRead|protWrite|prot&protExec, flags, ^uintptr(0), 0)) {
			dieUnloaded()
		}
	}
}

// dieUnloaded ends a process that has left its old program and cannot have the new one, as the kernel does
// (bprm_execve, fs/exec.c).
func dieUnloaded() { *(*byte)(at(poisonM)) = 0 }

// memoryMap is struct prctl_mm_map (include/uapi/linux/prctl.h): what the kernel notes of a program's memory.
type memoryMap struct {
	startCode, endCode, startData, endData uintptr
	startBrk, brk, startStack              uintptr
	argStart, argEnd, envStart, envEnd     uintptr
	auxv                                   uintptr
	auxvSize                               uint32
	exe                                    int32
}

func (m *memoryMap) fill(p *placed, s *newStack) {
	m.startCode, m.endCode = p.startCode+p.bias, p.endCode+p.bias
	m.startData, m.endData = p.startData+p.bias, p.endData+p.bias
	m.startBrk = pageUp(p.high + p.bias)
	m.startStack, m.argStart, m.argEnd = s.sp, s.args, s.env
	m.envStart, m.envEnd = s.env, s.path
	m.auxv, m.auxvSize = s.auxv, uint32(s.end-s.auxv)
}

// chooseBrk puts the heap behind the program, with a random gap, or where programs with an interpreter lie if the program lies
// among the mappings.
func (m *memoryMap) chooseBrk(among bool) {
	if among {
		m.startBrk = elfDynBase + pageSize
	}
	if gap := randomPages(shared().RandomHeap); gap != 0 {
		if !among {
			gap += pageSize
		}
		m.startBrk += gap
	}
	m.brk = m.startBrk
}

// tell tells the kernel. It reports whether /proc/PID/exe leads to the program: that may be changed only with
// CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN (prctl_set_mm_map, kernel/sys.c, 5.9), and while the old file is not mapped any more.
func (m *memoryMap) tell(program uintptr) bool {
	const prSetMM, prSetMMMap = 35, 14
	m.exe = int32(program)
	if sys(sysPrctl, prSetMM, prSetMMMap, addrOf(m), unsafe.Sizeof(*m), 0, 0) == 0 {
		return true
	}
	m.exe = -1
	if r := sys(sysPrctl, prSetMM, prSetMMMap, addrOf(m), unsafe.Sizeof(*m), 0, 0); failed(r) {
		abortErrno("exec without a helper: the kernel does not take the program's memory map", r, 0)
	}
	return false
}
