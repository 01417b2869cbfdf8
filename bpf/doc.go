// Package bpf writes the seccomp programs: the trap filter that sends a target's
// system calls to the runtime, and the guard filter that covers the time before
// the runtime is there. It is hosted code: it makes the instructions, the
// target installs them.
//
// What the trap filter decides, in this order:
//
//	arch x86-64 --- nr >= 0x40000000 ----------------------> ERRNO(ENOSYS)
//	     |          nr nobody subscribed to ----------------> ALLOW  (kernel's bitmap)
//	     |          nr subscribed --- IP in the range ------> ALLOW  (the fast path)
//	     |                       |--- mmap of the image ----> ALLOW
//	     |                       `--- anywhere else --------> TRAP
//	arch i386 ----- IP below 4 GiB -------------------------> ALLOW
//	     |          IP above 4 GiB -------------------------> TRAP
//	other arch ---------------------------------------------> KILL_PROCESS
//
// Invariants:
//   - A number nobody subscribed to is allowed by loads of nr and arch alone.
//     seccomp_cache_prepare_bitmap (kernel/seccomp.c, Linux 5.11) then knows the
//     answer without running the program.
//   - The bounds of the reserved range appear only as the K of the instructions
//     that Program.RangeLo and Program.RangeHi list, so that the target's init can
//     fill in what it found without understanding the program.
//   - Jumps are legal wherever a subtree grows: conditional ones reach 255
//     instructions, and the assembler goes on from there with BPF_JA.
package bpf
