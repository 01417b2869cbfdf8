#include "textflag.h"

#define SYS_write 1
#define SYS_rt_sigreturn 15
#define SIGINFO_SIZE 128

// forwardSignal(sig, info, uc) in DI, SI, DX
//
// Kernel-level handler of the signals that ask the launcher to end. It writes the siginfo to
// a pipe: os/signal would not say who sent the signal. RBX and RBP are not touched; the rest is
// restored by rt_sigreturn.
TEXT ·forwardSignal(SB),NOSPLIT|NOFRAME,$0
	MOVLQSX	·signalPipe(SB), DI
	MOVL	$SIGINFO_SIZE, DX
	MOVL	$SYS_write, AX
	SYSCALL
	RET

TEXT ·signalReturn(SB),NOSPLIT|NOFRAME,$0
	MOVL	$SYS_rt_sigreturn, AX
	SYSCALL
	INT	$3 // not reached

DATA ·forwardSignalAddr+0(SB)/8, $·forwardSignal(SB)
GLOBL ·forwardSignalAddr(SB),NOPTR|RODATA,$8
DATA ·signalReturnAddr+0(SB)/8, $·signalReturn(SB)
GLOBL ·signalReturnAddr(SB),NOPTR|RODATA,$8
