// Runs in the target, on the tool stack, before the program's first instruction, with every signal blocked.

package runtime

// newStack is the stack of a program that has just been executed (create_elf_tables, fs/binfmt_elf.c, 6.18):
//
//	sp    argc, argv, NULL, envp, NULL
//	auxv  auxiliary vector
//	end   random bytes, name of the platform
//	args  strings of argv
//	env   strings of envp
//	path  string of AT_EXECFN
type newStack struct {
	sp, auxv, end, args, env, path uintptr
}

// Types of auxiliary vector entries, include/uapi/linux/auxvec.h.
const (
	atPhnum        = 5
	atEntry        = 9
	atPlatform     = 15
	atBasePlatform = 24
	atRandom       = 25
	atExecfn       = 31
)

// rebuild makes of the stack that the kernel built for a loadFile the one that it would have built for the program: with
// another path, and for a script other arguments in place of argv[0].
//
// Everything can only move to lower addresses, lower parts first and by no less than higher ones, so nothing is
// overwritten before it has moved.
func (s *newStack) rebuild(p *loadPlan) {
	s.find()
	tail, argsLength := s.args, uintptr(0)
	if p.argCount != 0 {
		tail += stringLength(s.args) + 1
		for i := uintptr(0); i < p.argCount; i++ {
			argsLength += stringLength(p.args+argsLength) + 1
		}
	}
	// up is how far the strings that stay move, down how far everything below them.
	pathLength, room := stringLength(p.path)+1, stringLength(s.path)+1
	up, down := uintptr(0), uintptr(0)
	if pathLength > room {
		up = (pathLength - room + 15) &^ 15
	}
	args := tail - up - argsLength
	if args < s.args {
		down = (s.args - args + 15) &^ 15
	}
	low := s.end
	s.moveVectors(p, down, up, args)
	safeCopy(low-down, low, s.args-low)
	if up != 0 {
		safeCopy(tail-up, tail, s.path-tail)
	}
	safeCopy(args, p.args, argsLength)
	safeCopy(s.path-up, p.path, pathLength)
	zero(s.path-up+pathLength, s.path+room)
	s.args, s.env, s.path = args, s.env-up, s.path-up
}

// find finds the parts of the stack.
func (s *newStack) find() {
	a := s.sp + 8
	s.args = *(*uintptr)(at(a))
	last := s.args
	for ; *(*uintptr)(at(a)) != 0; a += 8 {
		last = *(*uintptr)(at(a))
	}
	s.env = last + stringLength(last) + 1
	for a += 8; *(*uintptr)(at(a)) != 0; a += 8 {
	}
	s.auxv = a + 8
	for a = s.auxv; ; a += auxEntry {
		kind, v := *(*uintptr)(at(a)), *(*uintptr)(at(a + 8))
		if kind == atExecfn {
			s.path = v
		}
		if kind == atNull {
			break
		}
	}
	s.end = a + auxEntry
}

// moveVectors moves argc, argv, envp and the auxiliary vector. For a script argv[0] gives way to pointers at the strings that
// will be at args.
func (s *newStack) moveVectors(p *loadPlan, down, up, args uintptr) {
	grown := p.argCount
	if grown != 0 {
		grown-- // argv[0] is gone
	}
	from, end := s.sp, s.end
	to := (from - down - 8*grown) &^ 15
	s.sp = to
	*(*uintptr)(at(to)) = *(*uintptr)(at(from)) + grown
	from, to = from+8, to+8
	if p.argCount != 0 {
		from += 8
		to = p.pointers(to, args)
	}
	for ; from < s.auxv; from, to = from+8, to+8 {
		v := *(*uintptr)(at(from))
		if v != 0 {
			v -= up
		}
		*(*uintptr)(at(to)) = v
	}
	s.auxv = to
	for ; from < end; from, to = from+auxEntry, to+auxEntry {
		kind, v := *(*uintptr)(at(from)), *(*uintptr)(at(from + 8))
		switch kind {
		case atRandom, atPlatform, atBasePlatform:
			v -= down
		case atExecfn:
			v -= up
		}
		*(*uintptr)(at(to)), *(*uintptr)(at(to + 8)) = kind, v
	}
	s.end = to
}

// pointers writes a script's first arguments to the vector at to, whose strings will be at args, and returns where the vector
// goes on.
func (p *loadPlan) pointers(to, args uintptr) uintptr {
	text := p.args
	for i := uintptr(0); i < p.argCount; i++ {
		*(*uintptr)(at(to)) = args + (text - p.args)
		text += stringLength(text) + 1
		to += 8
	}
	return to
}

// point enters where the program and its interpreter are.
func (s *newStack) point(p *loadPlan, program, interp *placed) {
	for a := s.auxv; *(*uintptr)(at(a)) != atNull; a += auxEntry {
		v := (*uintptr)(at(a + 8))
		switch *(*uintptr)(at(a)) {
		case atPhdr:
			*v = program.headers + program.bias
		case atPhnum:
			*v = uintptr(p.program.phnum)
		case atBase:
			*v = interp.bias
		case atEntry:
			*v = p.program.entry + program.bias
		}
	}
}
