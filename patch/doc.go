// Package patch decides how the two bytes of a system call instruction can become a jump, and knows as much of x86-64
// machine code as that takes. It only looks at bytes; package runtime writes them.
//
// A site is the address of a `syscall` instruction. Its two bytes have room for a short jump, which reaches 127 bytes.
// There the way on needs the five bytes of a jump that reaches ±2 GiB. Compilers leave such bytes unused: the padding
// behind a return or a jump, which aligns what follows.
//
//	        mov  $39, %eax                       mov  $39, %eax
//	site:   syscall                      site:   jmp  hole
//	        cmp  $-4095, %rax                    cmp  $-4095, %rax
//	        jae  error                           jae  error
//	        ret                                  ret
//	        nopw 0(%rax,%rax,1)          hole:   jmp  stub
//	        nop                                  nop
//
// No instruction moves, so no branch can land inside of a patch and no thread can be caught half-way; a branch to the
// site or to the instruction behind it goes on working.
//
// # Tactics, in this order
//
//   - forward: padding behind the site
//   - backward: padding before the site
//   - chain: further padding, by short jumps from padding to padding
//   - detour: one instruction of at least five bytes before the site becomes the jump; a copy of it and of what stands
//     between it and the site leads to the stub. The site itself stays: who branches there traps as before.
//
// # What is padding
//
// Bytes prove nothing by themselves. Padding begins directly behind an unconditional transfer that was reached by
// decoding from a known instruction boundary, is no operation (nop or int3) all along, no branch leads into it, and
// nothing is read there.
// Known boundaries are the instruction behind the site and the first one of a function of the unwind table, and from
// there whatever branches and straight lines lead to. Behind an unconditional transfer decoding goes on only
// where a branch is known to lead.
//
// A block of code may begin with nops, too: compilers align loops and, without optimisation, leave a nop for an empty
// statement. Nops are padding only if they look as an assembler fills (at most one of a single byte, up to an aligned
// address), and inside a function only if all that could lead there has been seen: the whole function is in the window,
// it has no computed jump, and what has not been decoded of it does not look like a branch there.
// In no known function the same is asked of the whole window, and of int3 that do not fill up to where functions are
// aligned.
//
// Where functions are not known, as in Go programs, a function begins where int3, or no padding at all, end at an
// address that functions are aligned to. Only long int3 are believed to be padding on that ground.
//
// The code that runs in the target is freestanding: it allocates nothing and imports nothing.
package patch
