package launcher

import (
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/arch/x86/x86asm"

	rt "github.com/trapline/trapline/runtime"
)

// needsAllVectors reports whether a tool's hooks can use vector registers beyond rt.FewVectors, or call what cannot be
// followed.
func needsAllVectors(tool *rt.Tool) bool {
	if tool == nil {
		return false
	}
	w := vectorWalk{seen: map[uintptr]bool{}, routines: rt.RoutineAddrs()}
	for _, leaf := range rt.VectorLeaves() {
		w.seen[leaf] = true
	}
	for _, root := range rt.VectorRoots() {
		w.function(root, true)
	}
	for _, hook := range []func(*rt.Call){tool.Hook, tool.Exit} {
		if hook != nil {
			w.function(**(**uintptr)(unsafe.Pointer(&hook)), false)
		}
	}
	return w.unknown || w.used&^rt.FewVectors != 0
}

// vectorWalk follows the machine code of this binary.
type vectorWalk struct {
	seen     map[uintptr]bool
	routines []uintptr
	used     uint16 // bit i: Xi
	unknown  bool   // something cannot be followed
}

// function adds what a function and all it calls use. Roots call the tool's functions through pointers.
func (w *vectorWalk) function(entry uintptr, root bool) {
	if w.seen[entry] || w.unknown {
		return
	}
	w.seen[entry] = true
	f := runtime.FuncForPC(entry)
	if f == nil || f.Entry() != entry {
		w.unknown = true
		return
	}
	if neverReturns(f.Name()) {
		return
	}
	end := functionEnd(entry)
	routine := map[x86asm.Reg]bool{} // registers that hold the address of an assembly routine
	for pc := entry; pc < end && !w.unknown; {
		inst, err := x86asm.Decode(unsafe.Slice((*byte)(pointer(pc)), end-pc), 64)
		if err != nil || inst.Op == 0 || inst.Len == 0 {
			w.unknown = true
			return
		}
		next := pc + uintptr(inst.Len)
		w.vectors(inst)
		switch inst.Op {
		case x86asm.CALL, x86asm.JMP:
			w.branch(inst, entry, end, next, root, routine)
		}
		if reg, ok := inst.Args[0].(x86asm.Reg); ok && inst.Op != x86asm.CMP && inst.Op != x86asm.TEST && inst.Op != x86asm.CALL {
			routine[reg] = inst.Op == x86asm.MOV && slices.Contains(w.routines, operandAddr(inst, next))
		}
		pc = next
	}
}

// branch follows a call, or a jump out of the function. A jump through a table stays in it.
func (w *vectorWalk) branch(inst x86asm.Inst, entry, end, next uintptr, root bool, routine map[x86asm.Reg]bool) {
	switch to := inst.Args[0].(type) {
	case x86asm.Rel:
		if target := next + uintptr(to); target < entry || target >= end {
			w.function(target, false)
		}
	case x86asm.Reg:
		w.unknown = w.unknown || inst.Op == x86asm.CALL && !routine[to] && !root
	default:
		w.unknown = w.unknown || inst.Op == x86asm.CALL
	}
}

// vectors notes the registers that an instruction names.
func (w *vectorWalk) vectors(inst x86asm.Inst) {
	for _, arg := range inst.Args {
		switch reg, ok := arg.(x86asm.Reg); {
		case !ok:
		case reg >= x86asm.X0 && reg <= x86asm.X15:
			w.used |= 1 << (reg - x86asm.X0)
		case reg >= x86asm.M0 && reg <= x86asm.M7, reg >= x86asm.F0 && reg <= x86asm.F7:
			w.unknown = true
		}
	}
}

// operandAddr is the address of what an instruction loads from memory, 0 if it is not in the instruction.
func operandAddr(inst x86asm.Inst, next uintptr) uintptr {
	m, ok := inst.Args[1].(x86asm.Mem)
	switch {
	case !ok || m.Index != 0 || m.Segment != 0:
		return 0
	case m.Base == x86asm.RIP:
		return next + uintptr(m.Disp)
	case m.Base == 0:
		return uintptr(m.Disp)
	}
	return 0
}

// neverReturns tells the functions of the Go runtime that end a program in the target.
func neverReturns(name string) bool {
	for _, prefix := range []string{"runtime.panic", "runtime.goPanic", "runtime.morestack", "runtime.sigpanic"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// functionEnd returns the end of the function at entry.
func functionEnd(entry uintptr) uintptr {
	inside := func(pc uintptr) bool {
		f := runtime.FuncForPC(pc)
		return f != nil && f.Entry() == entry
	}
	step := uintptr(64)
	for inside(entry + step) {
		step *= 2
	}
	low, high := entry+step/2, entry+step // the end is in (low, high]
	if step == 64 {
		low = entry
	}
	for high-low > 1 {
		if middle := (low + high) / 2; inside(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
