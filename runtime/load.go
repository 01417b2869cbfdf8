// Runs in the target, on the tool stack, with every signal blocked.

package runtime

import (
	"syscall"
	"unsafe"
)

// The second way into a new program, without a helper: where the thread may not be traced, or no process can be started.
// Nobody can then bring the image into a program that the kernel has started. So the kernel starts something else:
//
//  1. The thread opens the program, and an ELF program's interpreter, as the kernel would, with the errors that the kernel
//     would find. Nothing has changed until here.
//  2. It writes a small ELF file into anonymous memory, a loadFile, and executes that with the program's arguments and
//     environment. The real exec does what only an exec can do: other threads, close-on-exec, signals, vfork.
//  3. The file's code maps the image, and loadEntry maps the program as the kernel would have, puts stack,
//     auxiliary vector and the kernel's notes of them right, and goes on as behind a helper (placed.go, newstack.go).

// loading is one exec of this kind. It lies where a helper's stack would.
type loading struct {
	file    loadFile
	at      uintptr // file.text is used from here on
	memory  int32   // descriptor that holds file, negative if there is none
	is386   bool    // it is a 32-bit program, which the kernel has to start itself
	closes  bool    // the path leads through a descriptor that the exec closes
	site    uintptr
	files   rlimit
	size    rlimit
	scratch [pathMax]byte
}

// loadProgram executes a program without a helper. It returns if that fails, and then nothing has changed.
func (t *Thread) loadProgram(c *Call, f *execFile) int64 {
	l := (*loading)(at(t.slot() + slotHelper))
	argv, envp := c.args[1], c.args[2]
	if c.nr == sysExecveat {
		argv, envp = c.args[2], c.args[3]
	}
	if a := &c.args; t.filters&filtersNotify != 0 &&
		int64(judgeNotice(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5])) == -judgedNotify {
		abort("a filter of the program asks a supervisor about an exec without a helper", t.site)
	}
	// No other thread forks while the process has descriptors that the program does not know. A process that only shares
	// memory with others has a table of its own.
	shares := t.birth == BirthThread && t.clone.flags&cloneThread == 0
	if !shares {
		waitPatchLock()
	}
	l.reset(t.site)
	r := l.open(f)
	if r == 0 && !l.is386 {
		l.plan(&t.files, t.exec.mask, t.exec.flags)
		t.sighand.restoreIgnored(false)
		r = l.execute(argv, envp)
		t.sighand.restoreIgnored(true)
	}
	l.close()
	if !shares {
		unlockPatches()
	}
	if r == 0 {
		return t.exec386(c)
	}
	return r
}

// exec386 executes a 32-bit program, which runs unintercepted in any case.
func (t *Thread) exec386(c *Call) int64 {
	pid := sys(sysGetpid, 0, 0, 0, 0, 0, 0)
	if shared().Guard != 0 {
		abort("exec of a 32-bit program, which cannot run under the guard", t.site)
	}
	warn("is a 32-bit program and runs unintercepted", pid)
	dropHandover(t.exec.flags)
	t.exec.flags &= 1<<handoffMemory - 1
	t.sighand.restoreIgnored(false)
	setKernelMask(t.mask)
	a := &c.args
	r := doCall(uintptr(c.nr), a[0], a[1], a[2], a[3], a[4], a[5])
	t.sighand.restoreIgnored(true)
	return int64(r)
}

func (l *loading) reset(site uintptr) {
	start := addrOf(l)
	zero(start, start+unsafe.Sizeof(*l))
	l.at, l.site = loadTextSize, site
	l.memory, l.file.plan.program.fd, l.file.plan.interp.fd = -1, -1, -1
	l.files.read(rlimitNofile)
	l.files.raise(l.files.cur + 8)
	l.size.read(rlimitFsize)
	l.size.raise(uint64(unsafe.Sizeof(l.file)))
}

// Resource limits, include/uapi/asm-generic/resource.h.
const (
	rlimitFsize  = 1
	rlimitNofile = 7
)

// rlimit is a resource limit that may be in the way.
type rlimit struct {
	cur, max uint64 // struct rlimit64
	resource uintptr
	raised   bool
}

func (r *rlimit) read(resource uintptr) {
	r.resource = resource
	sys(sysPrlimit64, 0, resource, 0, addrOf(r), 0, 0)
}

// raise raises the limit as far as want, or as far as the process may.
func (r *rlimit) raise(want uint64) {
	if r.cur >= want {
		return
	}
	next := [2]uint64{want, max(want, r.max)}
	if failed(sys(sysPrlimit64, 0, r.resource, addrOf(&next), 0, 0, 0)) {
		next = [2]uint64{r.max, r.max}
		sys(sysPrlimit64, 0, r.resource, addrOf(&next), 0, 0, 0)
	}
	r.raised = true
}

func (r *rlimit) restore() {
	if r.raised {
		sys(sysPrlimit64, 0, r.resource, addrOf(r), 0, 0, 0)
		r.raised = false
	}
}

func (l *loading) restoreLimits() {
	l.files.restore()
	l.size.restore()
}

// close closes what the loading has opened.
func (l *loading) close() {
	for _, fd := range [...]int32{l.memory, l.file.plan.program.fd, l.file.plan.interp.fd} {
		if fd >= 0 {
			sys(sysClose, uintptr(fd), 0, 0, 0, 0, 0)
		}
	}
	l.restoreLimits()
}

// push puts the string of n bytes at p before those that are there, and returns its address.
func (l *loading) push(p, n uintptr) uintptr {
	l.at -= n + 1
	dst := addrOf(&l.file.text) + l.at
	copyDown(dst, p, n)
	*(*byte)(at(dst + n)) = 0
	return dst
}

func stringLength(p uintptr) uintptr {
	n := uintptr(0)
	for *(*byte)(at(p + n)) != 0 {
		n++
	}
	return n
}

// open opens the program: of a script its interpreter, and so on.
func (l *loading) open(f *execFile) int64 {
	name, path, e := l.takePath(f)
	if e != 0 {
		return e
	}
	p := &l.file.plan
	p.path = l.inFile(name)
	fd := l.openExecutable(f.dir, path, f.flags)
	for scripts := 0; ; scripts++ {
		if failed(fd) {
			return int64(fd)
		}
		p.program.fd = int32(fd)
		if scripts == maxScripts {
			return -int64(eLOOP)
		}
		var head fileHead
		if r := sys(sysPread64, fd, addrOf(&head), headSize, 0, 0, 0); failed(r) {
			return l.unreadable(r)
		}
		if !head.isScript() {
			l.checkRights(fd)
			l.takeName(name, *(*byte)(at(path)) == 0)
			return l.openELF((*elfHeader)(unsafe.Pointer(&head)))
		}
		interp, e := l.takeScript(&head)
		if e != 0 {
			return e
		}
		sys(sysClose, fd, 0, 0, 0, 0, 0)
		p.program.fd = -1
		fd = l.openExecutable(atFDCWD, interp, 0)
	}
}

// unreadable ends the process if a descriptor that stands for the program does not let it be read, and is the only way to it.
func (l *loading) unreadable(r uintptr) int64 {
	if -r == eBADF {
		abort("exec by a descriptor that cannot be read, without /proc", l.site)
	}
	return int64(r)
}

// checkRights ends the process if the kernel would give the program rights: it cannot do that for a program that it does
// not start itself.
func (l *loading) checkRights(fd uintptr) {
	var st syscall.Stat_t
	sys(sysFstat, fd, addrOf(&st), 0, 0, 0, 0)
	f, own := execFile{fd, 0, atEmptyPath}, ownCapabilities()
	if s := shared(); s.NoNewPrivs == 0 && !currentThread().noNewPrivs && f.grants(&st, &own) {
		abort("exec, without a helper, of a program with rights of its own (set-user-ID, set-group-ID, capabilities)", l.site)
	}
}

// inFile turns an address in the text into the one that the new program finds it at.
func (l *loading) inFile(addr uintptr) uintptr { return addr - addrOf(&l.file) + loadBase }

// takePath copies the path into the text, as the kernel hands it on in AT_EXECFN (alloc_bprm, fs/exec.c). path is
// that part of it that the caller gave.
func (l *loading) takePath(f *execFile) (name, path uintptr, e int64) {
	buf := addrOf(&l.scratch)
	n, how := safeString(buf, f.path, pathMax)
	switch how {
	case CopyFault:
		return 0, 0, -int64(eFAULT)
	case CopyFull:
		return 0, 0, -int64(eNAMETOOLONG)
	}
	name = l.push(buf, n)
	path = name
	if ofFolder(f.dir) || l.scratch[0] == '/' {
		return name, path, 0
	}
	var prefix line
	prefix.str("/dev/fd/")
	prefix.dec(uint64(uint32(f.dir)))
	if n > 0 {
		prefix.str("/")
	}
	const getfd, cloexec = 1, 1
	l.closes = sys(sysFcntl, f.dir, getfd, 0, 0, 0, 0) == cloexec
	l.at -= uintptr(prefix.n)
	name = addrOf(&l.file.text) + l.at
	copyDown(name, addrOf(&prefix.text), uintptr(prefix.n))
	return name, path, 0
}

// ofFolder reports whether a directory descriptor is AT_FDCWD, an int for the kernel.
func ofFolder(dir uintptr) bool { return int32(dir) == int32(-100) }

// takeName notes what the thread will be called: by the path's last part or, if the path is only a descriptor, by the name of
// the file (begin_new_exec, fs/exec.c, 6.14).
func (l *loading) takeName(name uintptr, descriptor bool) {
	if descriptor {
		if n := l.linkOf(uintptr(l.file.plan.program.fd)); n > 0 {
			name = addrOf(&l.scratch)
		}
	}
	for p := name; *(*byte)(at(p)) != 0; p++ {
		if *(*byte)(at(p)) == '/' {
			name = p + 1
		}
	}
	dst := &l.file.plan.name
	for i := 0; i < len(dst)-1; i++ {
		b := *(*byte)(at(name + uintptr(i)))
		if b == 0 {
			break
		}
		dst[i] = b
	}
}

// linkOf reads the path of an open file into scratch, without what says that it was removed. It returns 0 without /proc.
func (l *loading) linkOf(fd uintptr) uintptr {
	var path procPath
	n := sys(sysReadlink, path.of(fd), addrOf(&l.scratch), pathMax-1, 0, 0, 0)
	if failed(n) {
		return 0
	}
	const deleted = " (deleted)"
	l.scratch[n&(pathMax-1)] = 0
	if i := int(n) - len(deleted); i > 0 && unsafe.String(&l.scratch[i&(pathMax-1)], len(deleted)) == deleted {
		l.scratch[i&(pathMax-1)] = 0
	}
	return n
}

// procPath is the path of a descriptor in /proc.
type procPath line

func (p *procPath) of(fd uintptr) uintptr {
	l := (*line)(p)
	l.n = 0
	l.str("/proc/self/fd/")
	l.dec(uint64(uint32(fd)))
	l.text[l.n] = 0
	return addrOf(&l.text)
}

// takeScript puts the script's interpreter and its argument before the arguments, and returns the address of its
// name.
func (l *loading) takeScript(head *fileHead) (name uintptr, e int64) {
	s, ok := head.parse()
	switch {
	case !ok:
		return 0, -int64(eNOEXEC)
	case l.closes:
		return 0, -int64(eNOENT)
	}
	p := &l.file.plan
	if p.argCount == 0 {
		p.argCount = 1 // the script's path
	}
	if s.arg != 0 {
		arg := addrOf(&head[s.arg&(headSize-1)])
		l.push(arg, stringLength(arg))
		p.argCount++
	}
	start := addrOf(&head[s.name&(headSize-1)])
	p.argCount++
	name = l.push(start, stringLength(start))
	p.args = l.inFile(name)
	return name, 0
}

// openExecutable opens a file to be executed. Whether it may be is for the kernel to say, which opens it before it looks at
// the arguments (do_execveat_common, fs/exec.c, 6.8); these no process can have.
func (l *loading) openExecutable(dir, path, flags uintptr) uintptr {
	const nowhere = ^uintptr(7)
	var r uintptr
	if flags == 0 && ofFolder(dir) {
		r = sys(sysExecve, path, nowhere, nowhere, 0, 0, 0)
	} else {
		r = sys(sysExecveat, dir, path, nowhere, nowhere, flags, 0)
	}
	if -r != eFAULT {
		return r
	}
	if *(*byte)(at(path)) == 0 {
		return reopen(dir)
	}
	how := uintptr(oCloexec)
	if flags&atSymlinkNofollow != 0 {
		how |= oNofollow
	}
	r = sys(sysOpenat, dir, path, how, 0, 0, 0)
	switch -r {
	case eACCES:
		abort("exec of a program or interpreter that may not be read", l.site)
	case eMFILE:
		abort("exec: no descriptor is left to open the program with", l.site)
	}
	return r
}

// reopen opens the file of a descriptor, which may be one that cannot be read.
func reopen(fd uintptr) uintptr {
	const dupfdCloexec = 1030
	var path procPath
	r := sys(sysOpen, path.of(fd), oCloexec, 0, 0, 0, 0)
	if failed(r) {
		r = sys(sysFcntl, fd, dupfdCloexec, 0, 0, 0, 0)
	}
	return r
}

// openELF checks the program, opens its interpreter, and notes what it asks for its stack.
func (l *loading) openELF(h *elfHeader) int64 {
	p := &l.file.plan
	if h.magic == elfMagic && h.machine == elfX86 {
		l.is386 = true
		return 0
	}
	if !p.program.take(uintptr(p.program.fd), h) {
		return -int64(eNOEXEC)
	}
	stack := &l.file.segments[1]
	for i := uint16(0); i < p.program.phnum; i++ {
		var s segment
		if !p.program.segment(i, &s) {
			return -int64(eNOEXEC)
		}
		if s.kind == ptLoad && p.program.kind == elfExec && meets(s.vaddr, s.vaddr+s.memsz, ImageBase, SlotLimit) {
			abort("exec of a program whose address range is the runtime's", l.site)
		}
		if s.kind == ptGNUStack && stack.kind == 0 {
			stack.kind, stack.flags = s.kind, s.flags
		}
		if s.kind == ptInterp && p.interp.fd < 0 {
			if e := l.openInterp(&s); e != 0 {
				return e
			}
		}
	}
	return 0
}

// openInterp opens the interpreter that a program names.
func (l *loading) openInterp(s *segment) int64 {
	p := &l.file.plan
	if s.filesz > pathMax || s.filesz < 2 {
		return -int64(eNOEXEC)
	}
	if sys(sysPread64, uintptr(p.program.fd), addrOf(&l.scratch), s.filesz, uintptr(s.offset), 0, 0) != s.filesz {
		return -int64(eIO)
	}
	if l.scratch[(s.filesz-1)&(pathMax-1)] != 0 {
		return -int64(eNOEXEC)
	}
	fd := l.openExecutable(atFDCWD, addrOf(&l.scratch), 0)
	if failed(fd) {
		return int64(fd)
	}
	p.interp.fd = int32(fd)
	var h elfHeader
	if sys(sysPread64, fd, addrOf(&h), unsafe.Sizeof(h), 0, 0, 0) != unsafe.Sizeof(h) {
		return -int64(eIO)
	}
	if !p.interp.take(fd, &h) {
		return -int64(eLIBBAD)
	}
	return 0
}

// plan completes the file that is executed.
func (l *loading) plan(files *hiddenFiles, mask, flags uint64) {
	f := &l.file
	size := unsafe.Sizeof(*f)
	f.header = elfHeader{
		magic: elfMagic, class: [12]byte{2, 1, 1}, kind: elfExec, machine: elfX86_64, version: 1,
		entry: loadBase + loadCodeAt, phoff: unsafe.Offsetof(f.segments),
		ehsize: elfHeaderSize, phentsize: uint16(unsafe.Sizeof(segment{})), phnum: uint16(len(f.segments)),
	}
	f.segments[0] = segment{
		kind: ptLoad, flags: pfRead | pfExec, vaddr: loadBase, paddr: loadBase, filesz: size, memsz: size, align: pageSize,
	}
	copyDown(addrOf(&f.code), loadCodeAddr, loadCodeSize)
	const complaint = "trapline: the runtime's image cannot be mapped\n"
	copyDown(addrOf(&f.complain), uintptr(unsafe.Pointer(unsafe.StringData(complaint))), uintptr(len(complaint)))
	p := &f.plan
	p.entry, p.imageLength, p.complaint = loadEntryAddr, shared().ImageLength, uintptr(len(complaint))
	p.files = uint64(uint32(files.image)) | uint64(files.shared)<<32
	p.mask, p.flags = mask, flags
}

// execute executes the file. It returns the kernel's error about the arguments.
func (l *loading) execute(argv, envp uintptr) int64 {
	l.write()
	const setfd = 2
	for _, fd := range [...]int32{l.file.plan.program.fd, l.file.plan.interp.fd} {
		if fd >= 0 {
			sys(sysFcntl, uintptr(fd), setfd, 0, 0, 0, 0)
		}
	}
	l.restoreLimits()
	var empty byte
	r := sys(sysExecveat, uintptr(l.memory), addrOf(&empty), argv, envp, atEmptyPath, 0)
	switch -r {
	case eACCES, ePERM, eNOENT, eNOEXEC, eNOSYS, eINVAL:
		abortErrno("exec without a helper: the kernel does not execute anonymous memory", r, l.site)
	}
	return int64(r)
}

// write writes the file to anonymous memory.
func (l *loading) write() {
	const cloexec, executable = 1, 0x10 // MFD_CLOEXEC, MFD_EXEC (6.3)
	var name line                       // no two processes have the same: exeLink
	name.str("trapline-exec-")
	name.hex(Now())
	name.text[name.n] = 0
	r := sys(sysMemfdCreate, addrOf(&name.text), cloexec|executable, 0, 0, 0, 0)
	if -r == eINVAL {
		r = sys(sysMemfdCreate, addrOf(&name.text), cloexec, 0, 0, 0, 0)
	}
	if failed(r) {
		abortErrno("exec without a helper: no anonymous memory", r, l.site)
	}
	l.memory = int32(r)
	var st syscall.Stat_t
	sys(sysFstat, r, addrOf(&st), 0, 0, 0, 0)
	l.file.plan.self = fileID{st.Dev, st.Ino}
	size := unsafe.Sizeof(l.file)
	if r = sys(sysPwrite64, r, addrOf(&l.file), size, 0, 0, 0); r != size {
		abortErrno("exec without a helper: no anonymous memory", r, l.site)
	}
}
