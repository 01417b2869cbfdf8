package bpf

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Mmap is the one mmap that passes from anywhere: the one that a program's own
// instructions are made to execute after an exec to bring the image in. Address,
// length, prot and flags must match in all 64 bits; descriptor and offset are free.
type Mmap struct {
	Addr, Len   uint64
	Prot, Flags uint32
}

// Trap describes the filter that sends system calls to the runtime.
type Trap struct {
	Range      Layout
	Image      Mmap
	Subscribed []int // numbers 0 to 511, in any order
	All        bool  // every number, known or not; Subscribed is not looked at
}

var (
	errReplaces = errors.New("mmap of the image lacks MAP_FIXED_NOREPLACE, so anyone could map over it")
	errNumber   = errors.New("no system call number")
)

// islandReach is how far the tree jumps to a leaf before it writes the leaf again. Below
// maxReach, so that the branches above a leaf mostly reach it without a BPF_JA.
const islandReach = 128

// Assemble writes the filter. The package comment has its rules.
func (t Trap) Assemble() (Program, error) {
	if err := t.check(); err != nil {
		return Program{}, fmt.Errorf("assemble trap filter: %w", err)
	}
	var a assembler
	kill := a.ret(unix.SECCOMP_RET_KILL_PROCESS)
	trap := a.ret(unix.SECCOMP_RET_TRAP)
	allow := a.ret(unix.SECCOMP_RET_ALLOW)
	// A 32-bit program lies below 4 GiB and runs unintercepted. Above, the call is an
	// int 0x80 in 64-bit code.
	i386 := a.loadBranch(offsetIPHi, bpf.JumpEqual, 0, allow, trap)
	foreign := a.branch(bpf.JumpEqual, unix.AUDIT_ARCH_I386, i386, kill)

	tree := t.numbers(&a, t.image(&a, allow, trap))
	a.loadBranch(offsetArch, bpf.JumpEqual, unix.AUDIT_ARCH_X86_64, a.load(offsetNr, tree), foreign)
	return a.program()
}

func (t Trap) check() error {
	if err := t.Range.check(); err != nil {
		return err
	}
	if t.Image.Flags&unix.MAP_FIXED_NOREPLACE == 0 {
		return errReplaces
	}
	for _, nr := range t.Subscribed {
		if nr < 0 || nr > maxNumber {
			return fmt.Errorf("%w: %d", errNumber, nr)
		}
	}
	return nil
}

// numbers writes the number test and what follows it; calls from outside the range go on at outside.
func (t Trap) numbers(a *assembler, outside label) label {
	written := map[verdict]label{}
	leaf := func(v verdict) label {
		l, ok := written[v]
		if !ok || a.skip(l) > islandReach {
			l = t.leaf(a, v, outside)
			written[v] = l
		}
		return l
	}
	d := newDecision(t.runs())
	return d.write(a, 0, len(d.runs)-1, leaf)
}

func (t Trap) leaf(a *assembler, v verdict, outside label) label {
	switch v {
	case pass:
		return a.ret(unix.SECCOMP_RET_ALLOW)
	case absent:
		return a.ret(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS))
	}
	return a.instructionPointer(t.Range, a.ret(unix.SECCOMP_RET_ALLOW), outside)
}

// image allows the mmap that brings the image in.
func (t Trap) image(a *assembler, allow, trap label) label {
	words := []struct{ off, value uint32 }{
		{offsetArgs, uint32(t.Image.Addr)},
		{offsetArgs + 4, uint32(t.Image.Addr >> 32)},
		{offsetArgs + 8, uint32(t.Image.Len)},
		{offsetArgs + 12, uint32(t.Image.Len >> 32)},
		{offsetArgs + 16, t.Image.Prot},
		{offsetArgs + 20, 0},
		{offsetArgs + 24, t.Image.Flags},
		{offsetArgs + 28, 0},
	}
	next := allow
	for _, w := range slices.Backward(words) {
		next = a.loadBranch(w.off, bpf.JumpEqual, w.value, next, trap)
	}
	return a.loadBranch(offsetNr, bpf.JumpEqual, unix.SYS_MMAP, next, trap)
}
