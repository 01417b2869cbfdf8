// Package trace prints every system call of a target as strace -f does: names, symbolic
// arguments, structures, results, signals, and what several threads do at the same time.
//
//	target                                   launcher
//	  hook: enter record   ──┐
//	  the call itself        ├── rings ──▶   Printer: lines
//	  hook: exit record    ──┘
//
// One table (table.go, variants.go) says of each argument what it is. The hook reads it to
// know which memory to copy, the Printer to know how to show what was copied. A record is
// the call's registers and a sparse picture of the target's memory: pieces with the address
// they were found at. The Printer follows pointers in that picture as the kernel follows
// them in the target; where a piece is missing it shows the address, as strace does for
// memory that it cannot read.
//
// Files that begin with "Runs in the target" hold the hook; "Plain constant data" is shared;
// everything else runs in the launcher.
package trace
