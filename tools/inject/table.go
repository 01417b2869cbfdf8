// Plain constant data for both sides: the launcher writes a Table, the hook reads it in the target.

package inject

import (
	rt "github.com/trapline/trapline/runtime"
	"github.com/trapline/trapline/tools/syscalls"
)

// Table is all rules as the hook reads them. It is part of the tool's options.
type Table struct {
	first [rt.NumCalls]uint16 // by call: the first of its uses, counted from 1; 0: no rule names it
	args  [rt.NumCalls]syscalls.Arguments
	uses  [maxUses]use
	rules [maxRules]rule
	pokes [maxPokes]poke
	code  [maxCode]uint64 // of conditions
	text  [maxText]byte   // of conditions and pokes
}

const (
	maxUses     = 8000
	maxRules    = 96
	maxPokes    = 128
	maxCode     = 1024
	maxText     = 8 << 10
	maxCounters = 900
)

// use is a rule of one call. The uses of a call stand together, in the order of the rules.
type use struct {
	rule    uint16 // lastUse: behind the last one
	counter uint16 // of memory.counts, counted from 1; 0: the rule does not count
}

const lastUse = 0xffff

// rule is one Rule.
type rule struct {
	flags           uint32
	signal          int32
	instead         int32 // the call that is made in place of the other; -1: none
	condition       uint32
	result          int64
	first, last     uint32 // last is 0 without an end
	step            uint32
	pokeIn, pokeOut uint16 // index in pokes
	pokesIn         uint16 // how many
	pokesOut        uint16
	chance          uint64 // of 1<<64; 0: always
	seed            uint64
	waitIn, waitOut int64 // ns
}

const (
	replaces = 1 << iota // the call is not made: result is what the program gets
	isValue              // result is a value, whatever it looks like
)

// poke is what is written over the memory that an argument points at.
type poke struct {
	arg  uint16
	size uint16
	at   uint32 // in Table.text
}

// Operations of a condition: the low byte of a word. A stack of numbers holds the operands.
const (
	opEnd   = iota // the top is the result
	opConst        // push the next word
	opArg          // push an argument
	opFile         // push the call's descriptor
	opAnd          // go to the word in the operand if the top is 0, drop it otherwise
	opOr           // go there if it is not 0
	opNot          // these are C's
	opNegate
	opBitAnd
	opEqual
	opNotEqual
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opMatches  // push whether a string matches a pattern
	opIs       // push whether a string is another
	opConcerns // push whether any of the call's paths and descriptors is a file
)

// The rest of a word: the operand, or which string it is about, and of the other one the length and place in Table.text.
const (
	operandShift = 8
	lengthShift  = 16
	textShift    = 32

	stringPath = 0
	stringComm = 1

	maxDepth = 16 // of the stack
)
