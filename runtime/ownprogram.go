// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import "unsafe"

// The target's own seccomp programs. A program is extended at its end: no instruction of the target's moves, so its jumps
// stay right. Each return of another verdict than ALLOW becomes a jump to a block that loads the verdict and goes on
// here:
//
//	tax
//	IP in the image's text, but not where the target's calls are made? ALLOW
//	IP where judgeNotice makes calls, and the verdict is USER_NOTIF?   ERRNO(judgedNotify)
//	the mmap that brings the image into a new program?                 ALLOW
//	txa; ret a
//
// What the target allows by its number alone keeps its place in the kernel's bitmap
// (seccomp_cache_prepare_bitmap, kernel/seccomp.c, 5.11).

// maxInsns is BPF_MAXINSNS, include/uapi/linux/bpf_common.h.
const maxInsns = 4096

// program is a seccomp program under construction.
type program struct {
	n    int
	code [maxInsns]FilterInstruction
}

// mapProgram returns room for a program, which no stack has; nil if memory is out.
func mapProgram() *program {
	room := sys(sysMmap, 0, unsafe.Sizeof(program{}), protRead|protWrite, mapPrivate|mapAnonymous, ^uintptr(0), 0)
	if failed(room) {
		return nil
	}
	return (*program)(at(room))
}

func (p *program) unmap() { sys(sysMunmap, addrOf(p), unsafe.Sizeof(*p), 0, 0, 0, 0) }

// filterArg is struct sock_fprog.
type filterArg struct {
	length uint16
	filter uintptr
}

func (p *program) arg() filterArg { return filterArg{uint16(p.n), addrOf(&p.code)} }

// Instructions, include/uapi/linux/bpf_common.h.
const (
	bpfLoad    = 0x20 // BPF_LD | BPF_W | BPF_ABS
	bpfImm     = 0x00 // BPF_LD | BPF_IMM
	bpfAnd     = 0x54 // BPF_ALU | BPF_AND | BPF_K
	bpfDivX    = 0x3c // BPF_ALU | BPF_DIV | BPF_X
	bpfJump    = 0x05 // BPF_JMP | BPF_JA
	bpfEqual   = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	bpfGreater = 0x25 // BPF_JMP | BPF_JGT | BPF_K
	bpfReturn  = 0x06 // BPF_RET | BPF_K
	bpfReturnA = 0x16 // BPF_RET | BPF_A
	bpfTax     = 0x07 // BPF_MISC | BPF_TAX
	bpfTxa     = 0x87 // BPF_MISC | BPF_TXA
	bpfClass   = 0x07
	bpfJumps   = 0x05 // the class BPF_JMP
)

// Verdicts, include/uapi/linux/seccomp.h.
const (
	retTrap   = 0x00030000
	retErrno  = 0x00050000
	retNotify = 0x7fc00000
	retAllow  = 0x7fff0000
	retAction = 0xffff0000 // SECCOMP_RET_ACTION_FULL
)

// Offsets in struct seccomp_data.
const (
	dataNr   = 0
	dataArch = 4
	dataIP   = 8
	dataArgs = 16
)

// Places that a jump of what is being written leads to; next is the instruction behind it.
const (
	next = iota
	allowed
	image
	notify
	verdict
	numLabels
)

func (p *program) emit(op uint16, k uint32) { p.jump(op, k, next, next) }

// jump writes an instruction that goes on at one of two labels.
func (p *program) jump(op uint16, k uint32, yes, no uint8) {
	if p.n < maxInsns {
		p.code[p.n] = FilterInstruction{op, yes, no, k}
	}
	p.n++
}

// resolve turns the labels in what was written from start on into distances.
func (p *program) resolve(start int, labels *[numLabels]int) {
	for i := start; i < min(p.n, maxInsns); i++ {
		in := &p.code[i]
		in.JT, in.JF = distance(labels, in.JT, i), distance(labels, in.JF, i)
	}
}

func distance(labels *[numLabels]int, label uint8, from int) uint8 {
	if label == next {
		return 0
	}
	return uint8(labels[label] - from - 1)
}

// probe writes the probe filter: calls from the two instructions that judge fail with judgedFine.
func (p *program) probe() {
	var labels [numLabels]int
	w := &shared().Windows
	p.n = 0
	p.emit(bpfLoad, dataNr)
	for nr, owned := range ownedCalls {
		if owned {
			p.jump(bpfEqual, uint32(nr), image, next)
		}
	}
	p.emit(bpfReturn, retAllow)
	labels[image] = p.n
	p.emit(bpfLoad, dataIP+4)
	p.jump(bpfEqual, 0, next, allowed)
	p.emit(bpfLoad, dataIP)
	p.jump(bpfEqual, behindCall(w[WindowJudgeCall]), notify, next)
	p.jump(bpfEqual, behindCall(w[WindowJudgeNotice]), notify, allowed)
	labels[allowed] = p.n
	p.emit(bpfReturn, retAllow)
	labels[notify] = p.n
	p.emit(bpfReturn, retErrno|judgedFine)
	p.resolve(0, &labels)
}

// behindCall is what a filter finds as the instruction pointer of the one call in a window.
func behindCall(w Range) uint32 { return uint32(callIn(w) + callLength) }

// strict writes a filter that traps all but the calls of strict mode (mode1_syscalls, kernel/seccomp.c; for i386
// arch/x86/include/asm/seccomp.h, 6.18).
func (p *program) strict() {
	var labels [numLabels]int
	p.n = 0
	p.emit(bpfLoad, dataArch)
	p.jump(bpfEqual, archX8664, next, image)
	p.emit(bpfLoad, dataNr)
	for _, nr := range [...]uint32{sysRead, sysWrite, sysExit, sysRtSigreturn} {
		p.jump(bpfEqual, nr, allowed, next)
	}
	p.emit(bpfReturn, retTrap)
	labels[image] = p.n
	p.jump(bpfEqual, archI386, next, verdict)
	p.emit(bpfLoad, dataNr)
	for _, nr := range [...]uint32{3, 4, 1, 119} { // read, write, exit, sigreturn
		p.jump(bpfEqual, nr, allowed, next)
	}
	labels[verdict] = p.n
	p.emit(bpfReturn, retTrap)
	labels[allowed] = p.n
	p.emit(bpfReturn, retAllow)
	p.resolve(0, &labels)
}

// extend makes the runtime's own calls independent of the program. It returns filtersNotify if that may notify a supervisor. A
// program that the kernel is going to refuse stays as it is: what comes behind it must not make its jumps legal.
func (p *program) extend(site uintptr) uint32 {
	if !p.legal() {
		return 0
	}
	n, notifies, computes := p.n, uint32(0), false
	for i := range p.code[:n] {
		switch in := &p.code[i]; {
		case in.Op == bpfLoad && in.K&^4 == dataIP:
			abort("seccomp: a filter of the program looks at the instruction pointer", site)
		case in.Op == bpfDivX: // by 0 it kills, and never returns
			abort("seccomp: a filter of the program divides by a register", site)
		case in.Op == bpfReturnA:
			notifies, computes = filtersNotify, true
		case in.Op == bpfReturn && in.K&retAction == retNotify:
			notifies = filtersNotify
		}
	}
	for i := range p.code[:n] {
		if in := &p.code[i]; in.Op == bpfReturn && in.K&retAction != retAllow {
			*in = FilterInstruction{Op: bpfJump, K: uint32(p.block(n, in.K) - i - 1)}
		}
	}
	if p.n == n && !computes {
		return 0 // it allows everything
	}
	exempt := p.n
	for i := range p.code[:min(exempt, maxInsns)] {
		if in := &p.code[i]; in.Op == bpfReturnA || i >= n && in.Op == bpfJump {
			*in = FilterInstruction{Op: bpfJump, K: uint32(exempt - i - 1)}
		}
	}
	p.exempt()
	if p.n > maxInsns {
		abort("seccomp: a filter of the program is too long for what the runtime adds to it", site)
	}
	return notifies
}

// legal reports whether the program ends and its jumps lead to its own instructions (bpf_check_classic, net/core/filter.c, 6.18).
func (p *program) legal() bool {
	for i := range p.code[:p.n] {
		in, left := &p.code[i], uint32(p.n-i-1)
		switch {
		case in.Op == bpfJump && in.K >= left:
			return false
		case in.Op != bpfJump && in.Op&bpfClass == bpfJumps && (uint32(in.JT) >= left || uint32(in.JF) >= left):
			return false
		}
	}
	last := p.code[p.n-1].Op
	return last == bpfReturn || last == bpfReturnA
}

// block returns where the verdict k is loaded, and writes that if it is the first one of its kind behind the n
// instructions of the target.
func (p *program) block(n int, k uint32) int {
	for i := n; i < min(p.n, maxInsns); i += 2 {
		if p.code[i].K == k {
			return i
		}
	}
	p.emit(bpfImm, k)
	p.emit(bpfJump, 0)
	return p.n - 2
}

// exempt writes what decides about a verdict.
func (p *program) exempt() {
	var labels [numLabels]int
	s := shared()
	w := &s.Windows
	start := p.n
	p.emit(bpfTax, 0)
	p.emit(bpfLoad, dataIP+4)
	p.jump(bpfEqual, 0, next, image)
	p.emit(bpfLoad, dataIP)
	p.jump(bpfGreater, uint32(s.TextStart), next, image)
	p.jump(bpfGreater, uint32(s.TextEnd), image, next)
	for _, i := range [...]int{WindowDoCall, WindowMakeCall, WindowClone, WindowJudgeCall} {
		p.jump(bpfEqual, behindCall(w[i]), verdict, next)
	}
	p.jump(bpfEqual, behindCall(w[WindowJudgeNotice]), notify, next)
	labels[allowed] = p.n
	p.emit(bpfReturn, retAllow)
	labels[image] = p.n
	p.imageMmap()
	p.emit(bpfReturn, retAllow)
	labels[notify] = p.n
	p.emit(bpfTxa, 0)
	p.emit(bpfAnd, retAction)
	p.jump(bpfEqual, retNotify, next, verdict)
	p.emit(bpfReturn, retErrno|judgedNotify)
	labels[verdict] = p.n
	p.emit(bpfTxa, 0)
	p.emit(bpfReturnA, 0)
	p.resolve(start, &labels)
}

// imageMmap goes on for the mmap of an exec, which the new program makes itself. The filter that sends the target's calls
// to the runtime lets the same one through (bpf.Trap).
func (p *program) imageMmap() {
	p.emit(bpfLoad, dataArch)
	p.jump(bpfEqual, archX8664, next, verdict)
	p.emit(bpfLoad, dataNr)
	p.jump(bpfEqual, sysMmap, next, verdict)
	for i, arg := range [...]uint64{ImageBase, uint64(shared().ImageLength), protRead | protExec, ImageMmapFlags} {
		p.emit(bpfLoad, dataArgs+8*uint32(i))
		p.jump(bpfEqual, uint32(arg), next, verdict)
		p.emit(bpfLoad, dataArgs+8*uint32(i)+4)
		p.jump(bpfEqual, uint32(arg>>32), next, verdict)
	}
}
