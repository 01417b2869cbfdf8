package trace

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/tools/inject"
	"github.com/trapline/trapline/tools/syscalls"
)

// Dictionary tells rules what this package knows of the calls.
var Dictionary = inject.Dictionary{Constant: constant, Arguments: arguments}

// constant returns the value of a name of Linux's interface: of a flag, a command, an error or a signal.
func constant(name string) (uint64, bool) {
	if name == "" {
		return 0, false
	}
	if v, ok := otherConstants[name]; ok {
		return v, true
	}
	for i := range sets {
		for _, n := range sets[i].names {
			if n.name == name {
				return n.value, true
			}
		}
	}
	if sig := unix.SignalNum(name); sig != 0 {
		return uint64(sig), true
	}
	for e := unix.Errno(1); e < maxErrno; e++ {
		if errnoSymbol(uint32(e)) == name {
			return uint64(e), true
		}
	}
	return 0, false
}

const maxErrno = 4096

// otherConstants are those that no set has.
var otherConstants = map[string]uint64{
	"AT_FDCWD": ^uint64(99), "O_RDONLY": unix.O_RDONLY, "O_WRONLY": unix.O_WRONLY, "O_RDWR": unix.O_RDWR, "O_ACCMODE": unix.O_ACCMODE,
}

// arguments tells what kinds of arguments a call has.
func arguments(nr int) (a syscalls.Arguments) {
	r := resolve(nr, 0, 0)
	a.Count = uint8(r.count())
	for i := range r.count() {
		bit := uint8(1) << i
		switch r.args[i].kind() {
		case aPath:
			a.Paths |= bit
		case aFD, aDirFD:
			a.Files |= bit
			a.Narrow |= bit
			a.Signed |= bit
			if r.args[i].kind() == aDirFD {
				a.Dirs |= bit
			}
		case aSockaddrIn:
			a.Socket |= bit
		case aInt, aPID, aSignal:
			a.Narrow |= bit
			a.Signed |= bit
		case aUint, aHex32, aMode, aFileMode, aCreateMode, aOpenFlags, aID, aFlags, aEnum, aFutexCommand, aSocketType, aIPCFlags,
			aMemfdFlags, aStatxFlags:
			a.Narrow |= bit
		}
	}
	return a
}

// markText is what stands behind the result of a call that a rule has changed.
func (c *call) markText() string {
	if !c.ended {
		return ""
	}
	text, marks := "", c.marks
	switch marks & (inject.MarkArgs | inject.MarkResult) {
	case inject.MarkArgs | inject.MarkResult:
		text = "INJECTED: args, retval"
	case inject.MarkArgs:
		text = "INJECTED: args"
	case inject.MarkResult:
		text = "INJECTED"
	}
	if text != "" {
		text = fmt.Sprintf(" (%s)", text)
	}
	if marks&inject.MarkDelay != 0 {
		text += " (DELAYED)"
	}
	return text
}
