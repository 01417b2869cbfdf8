// The launcher's own first instructions, before the Go runtime's.

#include "textflag.h"
#include "go_asm.h"

#define SYS_rt_sigaction 13
#define SYS_rt_sigprocmask 14
#define SYS_fcntl 72
#define SYS_getrlimit 97
#define SYS_setrlimit 160
#define SYS_close 3

// trapline_start()
//
// Entry point of the linked file (-ldflags=-E=trapline_start). Notes what the Go runtime
// is about to change and the target must inherit: which of descriptors 0-2 are closed (it opens
// /dev/null on them), which signals are ignored (it installs handlers), the signal mask.
TEXT trapline_start(SB),NOSPLIT|NOFRAME,$0
	XORL	BX, BX
files:
	MOVL	BX, DI
	MOVL	$1, SI // F_GETFD
	MOVL	$SYS_fcntl, AX
	SYSCALL
	TESTQ	AX, AX
	JGE	open
	BTSL	BX, ·startClosed(SB)
open:
	INCL	BX
	CMPL	BX, $3
	JLT	files

	MOVL	$2, DI // SIG_SETMASK, which a nil set ignores
	XORL	SI, SI
	LEAQ	·startMask(SB), DX
	MOVL	$8, R10
	MOVL	$SYS_rt_sigprocmask, AX
	SYSCALL

	MOVL	$1, BX
signals:
	MOVL	BX, DI
	XORL	SI, SI
	LEAQ	·startAction(SB), DX
	MOVL	$8, R10
	MOVL	$SYS_rt_sigaction, AX
	SYSCALL
	CMPQ	·startAction(SB), $const_sigIgn
	JNE	handled
	LEAL	-1(BX), CX
	MOVQ	·startIgnored(SB), AX
	BTSQ	CX, AX
	MOVQ	AX, ·startIgnored(SB)
handled:
	INCL	BX
	CMPL	BX, $const_numSignals
	JLE	signals
	MOVL	$7, DI // RLIMIT_NOFILE
	LEAQ	·startLimit(SB), SI
	MOVL	$SYS_getrlimit, AX
	SYSCALL

	// The launcher will put two descriptors behind the soft limit, or near 1022 (hideFiles). The table of descriptors grows
	// now, while no other thread shares it: later that waits for a grace period of RCU, some 10 ms (expand_fdtable,
	// fs/file.c).
	MOVQ	·startLimit+8(SB), AX
	MOVQ	AX, ·startAction+0(SB)
	MOVQ	AX, ·startAction+8(SB)
	MOVL	$7, DI
	LEAQ	·startAction(SB), SI
	MOVL	$SYS_setrlimit, AX
	SYSCALL
	XORL	DI, DI
	XORL	SI, SI // F_DUPFD
	MOVQ	·startLimit+0(SB), DX
	INCQ	DX
	CMPQ	DX, $4097
	JLS	grow
	MOVL	$1023, DX
grow:
	MOVL	$SYS_fcntl, AX
	SYSCALL
	CMPQ	AX, $0
	JLT	grown
	MOVQ	AX, DI
	MOVL	$SYS_close, AX
	SYSCALL
grown:
	MOVL	$7, DI
	LEAQ	·startLimit(SB), SI
	MOVL	$SYS_setrlimit, AX
	SYSCALL

	MOVL	$1, ·startSeen(SB)
	JMP	_rt0_amd64_linux(SB)
