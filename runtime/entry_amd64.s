// The places where the target and the runtime's Go code meet. Everything here runs
// in the target. GS points at the thread's Thread; nothing is ever pushed on the
// target's stack.
//
// Go code is entered through the code pointer of a func value (the ABIInternal
// entry: arguments in AX, BX, CX, DI, SI, R8, R9, R10; R14 = g; X15 = 0). Go code
// enters the routines marked "called from Go" the same way, through a func value
// that asm_amd64.go makes of the routine's address; so they keep R14 and X15. A Go
// function may spill its register arguments into its caller's frame: SPILL bytes are
// kept for that below whatever must not change.
//
// The signal handler tells by RIP in which of these routines a thread was
// interrupted (signal.go). Each routine therefore is one TEXT with one meaning.

#include "textflag.h"
#include "go_asm.h"

#define VECTOR(n) (Thread_vectors+16*n)(GS)

// SAVE_MORE saves the vector registers beyond FewVectors.
#define SAVE_MORE \
	MOVOU	X3, VECTOR(3); \
	MOVOU	X4, VECTOR(4); \
	MOVOU	X5, VECTOR(5); \
	MOVOU	X6, VECTOR(6); \
	MOVOU	X7, VECTOR(7); \
	MOVOU	X8, VECTOR(8); \
	MOVOU	X9, VECTOR(9); \
	MOVOU	X10, VECTOR(10); \
	MOVOU	X11, VECTOR(11); \
	MOVOU	X12, VECTOR(12); \
	MOVOU	X13, VECTOR(13)

#define SPILL 64

// TARGET_FRAME gives the thread the target's stack and the registers that unwinders need, for a system call: a core file and
// a debugger from outside then find the target's frames. A signal comes on the signal stack all the same.
#define TARGET_FRAME \
	MOVQ	(Thread_regs+Regs_BX)(GS), BX; \
	MOVQ	(Thread_regs+Regs_BP)(GS), BP; \
	MOVQ	(Thread_regs+Regs_SP)(GS), SP; \
	MOVQ	(Thread_regs+Regs_R12)(GS), R12; \
	MOVQ	(Thread_regs+Regs_R13)(GS), R13; \
	MOVQ	(Thread_regs+Regs_R14)(GS), R14; \
	MOVQ	(Thread_regs+Regs_R15)(GS), R15

// RUNTIME_FRAME gives back what Go code needs of that to go on behind doCall.
#define RUNTIME_FRAME \
	MOVQ	Thread_callSP(GS), SP; \
	MOVQ	Thread_callBP(GS), BP; \
	MOVQ	Thread_self(GS), R14

// CALL_ARGS moves a0 to a3 of func(nr, a0, ... uintptr) from where Go has them to where the kernel takes them; nr, a4 and a5
// are there.
#define CALL_ARGS \
	MOVQ	SI, R10; \
	MOVQ	DI, DX; \
	MOVQ	CX, SI; \
	MOVQ	BX, DI

// MAP_SLOT maps the first slot. ZF says whether that succeeded.
#define MAP_SLOT \
	MOVL	$const_SlotBase, DI; \
	MOVL	$const_SlotSize, SI; \
	MOVL	$3, DX; /* PROT_READ|PROT_WRITE */ \
	MOVL	$0x104022, R10; /* MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE|MAP_FIXED_NOREPLACE */ \
	MOVQ	$-1, R8; \
	XORL	R9, R9; \
	MOVL	$SYS_mmap, AX; \
	SYSCALL; \
	CMPQ	AX, $const_SlotBase

// POPULATE_SLOT makes the Thread present, and the end of the tool stack that is used first (prefault.go).
#define POPULATE_SLOT \
	MOVL	$(const_SlotBase+const_slotThread-2*const_pageSize), DI; \
	MOVL	$(2*const_pageSize+const_threadSize), SI; \
	MOVL	$const_madvPopulateWrite, DX; \
	MOVL	$SYS_madvise, AX; \
	SYSCALL

#define FLAGS_CLEAN 0x202
#define FLAG_TF 0x100
#define FLAG_DF 0x400
#define FLAG_AC 0x40000
#define FLAG_ID 0x200000

#define SYS_rt_sigreturn 15
#define SYS_clone3 435
#define SYS_exit 60
#define SYS_arch_prctl 158
#define SYS_mmap 9
#define SYS_madvise 28
#define SYS_exit_group 231
#define SYS_write 1

// stubEntry()
//
// A stub jumps here instead of making its system call.
//
//	in:  R11 = address of the stub; RCX, R11 are free (dead at a system call)
//	     everything else is the target's
//
// Until the jump at the end every register of the target is still in place, but
// for RSP, so the handler can send the thread back to the site.
TEXT ·stubEntry(SB),NOSPLIT|NOFRAME,$0
	MOVQ	SP, (Thread_regs+Regs_SP)(GS)
	MOVQ	R11, Thread_stub(GS)
	MOVQ	AX, (Thread_regs+Regs_AX)(GS)
	MOVQ	BX, (Thread_regs+Regs_BX)(GS)
	MOVQ	DX, (Thread_regs+Regs_DX)(GS)
	MOVQ	SI, (Thread_regs+Regs_SI)(GS)
	MOVQ	DI, (Thread_regs+Regs_DI)(GS)
	MOVQ	BP, (Thread_regs+Regs_BP)(GS)
	MOVQ	R8, (Thread_regs+Regs_R8)(GS)
	MOVQ	R9, (Thread_regs+Regs_R9)(GS)
	MOVQ	R10, (Thread_regs+Regs_R10)(GS)
	MOVQ	R12, (Thread_regs+Regs_R12)(GS)
	MOVQ	R13, (Thread_regs+Regs_R13)(GS)
	MOVQ	R14, (Thread_regs+Regs_R14)(GS)
	MOVQ	R15, (Thread_regs+Regs_R15)(GS)
	MOVQ	Thread_stackTop(GS), SP
	PUSHFQ
	POPQ	CX
	MOVQ	CX, (Thread_regs+Regs_Flags)(GS)
	JMP	·stubSaved(SB)

// stubSaved()
//
// Second half of stubEntry: the general registers are saved. Runs dispatch on the
// tool stack and leaves through exitToTarget.
TEXT ·stubSaved(SB),NOSPLIT|NOFRAME,$0
	// The target's DF or AC must not reach Go code. POPFQ costs several nanoseconds and is for who has set one.
	TESTL	$(FLAG_DF|FLAG_AC), CX
	JNE	unusual
save:
	MOVOU	X0, VECTOR(0)
	MOVOU	X1, VECTOR(1)
	MOVOU	X2, VECTOR(2)
	MOVOU	X14, VECTOR(14)
	MOVOU	X15, VECTOR(15)
	MOVBLZX	(const_SharedBase+Shared_Vectors), CX
	MOVB	CX, Thread_allSaved(GS)
	TESTL	CX, CX
	JNE	more
saved:
	XORPS	X15, X15
	MOVQ	Thread_self(GS), AX
	MOVQ	AX, R14
	SUBQ	$SPILL, SP
	MOVQ	·dispatchFunc(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	TESTB	AX, AX
	JEQ	leave
	JMP	·makeCall(SB)
leave:
	JMP	·exitToTarget(SB)
more:
	SAVE_MORE
	JMP	saved
unusual:
	ANDL	$FLAG_ID, CX
	ORL	$FLAGS_CLEAN, CX
	PUSHQ	CX
	POPFQ
	JMP	save

// makeCall()
//
// Makes the system call in Thread.call for a tool that wants its result. No return lies between the call and
// Tool.Exit: behind a system call the processor predicts them wrongly, at 5 ns each.
TEXT ·makeCall(SB),NOSPLIT|NOFRAME,$0
	MOVQ	(Thread_call+Call_nr)(GS), AX
	MOVQ	(Thread_call+Call_args+0)(GS), DI
	MOVQ	(Thread_call+Call_args+8)(GS), SI
	MOVQ	(Thread_call+Call_args+16)(GS), DX
	MOVQ	(Thread_call+Call_args+24)(GS), R10
	MOVQ	(Thread_call+Call_args+32)(GS), R8
	MOVQ	(Thread_call+Call_args+40)(GS), R9
	TARGET_FRAME
	JMP	·makeCallChecked(SB)

// makeCallChecked is to makeCall what doCallChecked is to doCall.
TEXT ·makeCallChecked(SB),NOSPLIT|NOFRAME,$0
	XORL	CX, CX
	CMPL	Thread_parked(GS), $0
	JNE	refused
	SYSCALL
	JMP	·makeCallDone(SB)
refused:
	JMP	·makeCallRefused(SB)

TEXT ·makeCallRefused(SB),NOSPLIT|NOFRAME,$0
	MOVQ	$-const_ENOTRUN, AX
	JMP	·makeCallDone(SB)

TEXT ·makeCallRestarted(SB),NOSPLIT|NOFRAME,$0
	MOVQ	$-const_ERESTARTSYS, AX
	JMP	·makeCallDone(SB)

TEXT ·makeCallDone(SB),NOSPLIT|NOFRAME,$0
	MOVQ	Thread_stackTop(GS), SP
	SUBQ	$SPILL, SP
	MOVQ	AX, BX
	MOVQ	Thread_self(GS), AX
	MOVQ	AX, R14
	MOVQ	·callMadeFunc(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	JMP	·exitToTarget(SB)

// exitToTarget()
//
// Gives the thread its registers from Thread.regs and Thread.vectors and goes to
// Thread.exitIP. A parked signal is seen here at the latest: a signal that comes
// while RIP is in this routine is delivered as if the target went on already.
TEXT ·exitToTarget(SB),NOSPLIT|NOFRAME,$0
	CMPQ	Thread_parked(GS), $0 // parked and halt
	JEQ	restore
	LEAQ	·deliverTrap(SB), AX
	MOVQ	AX, Thread_exitIP(GS)
	JMP	restore
restore:
	MOVOU	VECTOR(0), X0
	MOVOU	VECTOR(1), X1
	MOVOU	VECTOR(2), X2
	MOVOU	VECTOR(14), X14
	MOVOU	VECTOR(15), X15
	CMPB	Thread_allSaved(GS), $0
	JNE	more
few:
	MOVQ	Thread_stackTop(GS), SP
	MOVQ	(Thread_regs+Regs_Flags)(GS), AX
	TESTL	$(FLAG_TF|FLAG_DF|FLAG_AC), AX
	JNE	unusual
	MOVL	AX, CX
	SHLL	$8, AX
	SHRL	$11, CX
	ANDL	$1, CX
	ADDB	$0x7f, CX // OF
	SAHF              // the other arithmetic flags, from AH
general:
	MOVQ	(Thread_regs+Regs_AX)(GS), AX
	MOVQ	(Thread_regs+Regs_BX)(GS), BX
	MOVQ	(Thread_regs+Regs_CX)(GS), CX
	MOVQ	(Thread_regs+Regs_DX)(GS), DX
	MOVQ	(Thread_regs+Regs_SI)(GS), SI
	MOVQ	(Thread_regs+Regs_DI)(GS), DI
	MOVQ	(Thread_regs+Regs_BP)(GS), BP
	MOVQ	(Thread_regs+Regs_R8)(GS), R8
	MOVQ	(Thread_regs+Regs_R9)(GS), R9
	MOVQ	(Thread_regs+Regs_R10)(GS), R10
	MOVQ	(Thread_regs+Regs_R11)(GS), R11
	MOVQ	(Thread_regs+Regs_R12)(GS), R12
	MOVQ	(Thread_regs+Regs_R13)(GS), R13
	MOVQ	(Thread_regs+Regs_R14)(GS), R14
	MOVQ	(Thread_regs+Regs_R15)(GS), R15
	MOVQ	(Thread_regs+Regs_SP)(GS), SP
	JMP	Thread_exitIP(GS)
more:
	MOVOU	VECTOR(3), X3
	MOVOU	VECTOR(4), X4
	MOVOU	VECTOR(5), X5
	MOVOU	VECTOR(6), X6
	MOVOU	VECTOR(7), X7
	MOVOU	VECTOR(8), X8
	MOVOU	VECTOR(9), X9
	MOVOU	VECTOR(10), X10
	MOVOU	VECTOR(11), X11
	MOVOU	VECTOR(12), X12
	MOVOU	VECTOR(13), X13
	JMP	few
unusual:
	LEAQ	·deliverTrap(SB), CX
	CMPQ	CX, Thread_exitIP(GS)
	JNE	flags
	ANDL	$~FLAG_TF, AX // deliverParked gives it to the target: here a step would find SIGTRAP blocked
flags:
	PUSHQ	AX
	POPFQ
	JMP	general

// deliverTrap()
//
// Reached with all of the target's registers in place when a signal is parked. The
// fault brings the thread into the signal handler with a complete context, in
// which the parked signal is then delivered: one way to build a frame for all.
TEXT ·deliverTrap(SB),NOSPLIT|NOFRAME,$0
	HLT
	INT	$3 // not reached

// signalEntry(sig, info, uc) in DI, SI, DX
//
// Handler of every signal the runtime or the target handles. The kernel runs it on
// the thread's signal stack with every other signal blocked.
TEXT ·signalEntry(SB),NOSPLIT|NOFRAME,$0
	// The kernel clears DF, TF and RF for a handler, not AC. ID stays: rt_sigreturn
	// does not restore it.
	PUSHFQ
	ANDL	$~FLAG_AC, 0(SP)
	POPFQ
	MOVQ	Thread_self(GS), AX
	MOVQ	AX, R14
	XORPS	X15, X15
	MOVLQSX	DI, BX
	MOVQ	SI, CX
	MOVQ	DX, DI
	SUBQ	$SPILL, SP
	MOVQ	·onSignalFunc(SB), DX
	MOVQ	(DX), SI
	CALL	SI
	ADDQ	$SPILL, SP
	JMP	·signalExit(SB)

// signalExit(): RSP points at the frame's return address, with the ucontext behind it.
TEXT ·signalExit(SB),NOSPLIT|NOFRAME,$0
	ADDQ	$8, SP
	JMP	·signalExitChecked(SB)

// signalExitChecked: a signal that came while the handler ran is delivered in the context the handler goes back to, if that
// is the target's. Who is interrupted here starts here again.
TEXT ·signalExitChecked(SB),NOSPLIT|NOFRAME,$0
	CMPL	Thread_parked(GS), $0
	JNE	parked
	MOVL	$SYS_rt_sigreturn, AX
	SYSCALL
	INT	$3 // not reached
parked:
	JMP	·signalExitParked(SB)

TEXT ·signalExitParked(SB),NOSPLIT|NOFRAME,$0
	MOVQ	Thread_self(GS), AX
	MOVQ	AX, R14
	XORPS	X15, X15
	MOVQ	SP, BX
	SUBQ	$(SPILL+8), SP
	MOVQ	·leaveHandlerFunc(SB), DX
	MOVQ	(DX), SI
	CALL	SI
	ADDQ	$(SPILL+8), SP
	TESTB	AX, AX
	JEQ	runtime
	MOVQ	·signalExitCheckedAddr(SB), AX // hides the loop from the linker's stack check
	JMP	AX
runtime:
	MOVL	$SYS_rt_sigreturn, AX
	SYSCALL
	INT	$3 // not reached

TEXT ·signalRestorer(SB),NOSPLIT|NOFRAME,$0
	MOVL	$SYS_rt_sigreturn, AX
	SYSCALL
	INT	$3 // not reached

// func sys(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr, called from Go
//
// Makes a system call of the runtime's own.
//
//	in:  AX = nr, BX CX DI SI R8 R9 = a0..a5
//	out: AX = the kernel's result
TEXT ·ownCallAsm(SB),NOSPLIT|NOFRAME,$0
	CALL_ARGS
	SYSCALL
	RET

// func doCall(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr, called from Go
//
// Makes a system call for the target that a signal may interrupt. On the signal stack, for the vsyscall page, the stack
// stays: the kernel would put the frame of another signal over it.
//
//	in:  AX = nr, BX CX DI SI R8 R9 = a0..a5
//	out: AX = the kernel's result, or -ENOTRUN, -ERESTARTSYS
TEXT ·doCallAsm(SB),NOSPLIT|NOFRAME,$0
	CALL_ARGS
	MOVQ	SP, Thread_callSP(GS)
	MOVQ	BP, Thread_callBP(GS)
	MOVQ	Thread_stackTop(GS), CX
	SUBQ	SP, CX
	CMPQ	CX, $const_toolStackSize
	JHI	stay
	TARGET_FRAME
stay:
	JMP	·doCallChecked(SB)

// doCallChecked: a signal that was parked before the system call instruction keeps
// the call from starting. RCX is 0 until the instruction puts RIP there.
TEXT ·doCallChecked(SB),NOSPLIT|NOFRAME,$0
	XORL	CX, CX
	CMPL	Thread_parked(GS), $0
	JNE	refused
	SYSCALL
	JMP	·doCallDone(SB)
refused:
	JMP	·doCallRefused(SB)

TEXT ·doCallRefused(SB),NOSPLIT|NOFRAME,$0
	MOVQ	$-const_ENOTRUN, AX
	JMP	·doCallDone(SB)

TEXT ·doCallRestarted(SB),NOSPLIT|NOFRAME,$0
	MOVQ	$-const_ERESTARTSYS, AX
	JMP	·doCallDone(SB)

TEXT ·doCallDone(SB),NOSPLIT|NOFRAME,$0
	RUNTIME_FRAME
	RET

// func judgeCall(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr, called from Go
//
// Asks what the target's filters say of a call: the probe filter never lets it be made from here.
//
//	in:  AX = nr, BX CX DI SI R8 R9 = a0..a5
//	out: AX = the kernel's result, or -ENOTRUN
TEXT ·judgeCallAsm(SB),NOSPLIT|NOFRAME,$0
	CALL_ARGS
	JMP	·judgeCallChecked(SB)

// judgeCallChecked is to judgeCall what doCallChecked is to doCall: a signal that came before the call has its handler
// before it. A SIGSYS that a filter raises here would else be delivered behind it, on top of its handler.
TEXT ·judgeCallChecked(SB),NOSPLIT|NOFRAME,$0
	XORL	CX, CX
	CMPL	Thread_parked(GS), $0
	JNE	refused
	SYSCALL
	RET
refused:
	JMP	·judgeCallRefused(SB)

TEXT ·judgeCallRefused(SB),NOSPLIT|NOFRAME,$0
	MOVQ	$-const_ENOTRUN, AX
	RET

// func judgeNotice(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr, called from Go
//
// The same for the question whether a filter wants to notify a supervisor.
TEXT ·judgeNoticeAsm(SB),NOSPLIT|NOFRAME,$0
	CALL_ARGS
	SYSCALL
	RET

// func doSigreturn(frame uintptr), called from Go
//
// Returns only if a signal was parked before the kernel took the frame.
TEXT ·doSigreturnAsm(SB),NOSPLIT|NOFRAME,$0
	MOVQ	SP, R13
	JMP	·doSigreturnChecked(SB)

TEXT ·doSigreturnChecked(SB),NOSPLIT|NOFRAME,$0
	CMPL	Thread_parked(GS), $0
	JNE	refused
	LEAQ	8(AX), SP
	MOVL	$SYS_rt_sigreturn, AX
	SYSCALL
	INT	$3 // not reached
refused:
	JMP	·doSigreturnRefused(SB)

TEXT ·doSigreturnRefused(SB),NOSPLIT|NOFRAME,$0
	MOVQ	R13, SP
	RET

// func doClone(job *cloneJob) uintptr, called from Go, with every signal blocked
//
// The child comes out on the target's stack or, with memory of its own, on a copy
// of this one; it touches neither. It takes the GS prepared for it, then its own tool stack.
TEXT ·doCloneAsm(SB),NOSPLIT|NOFRAME,$0
	MOVQ	cloneJob_thread(AX), R12
	MOVQ	cloneJob_args+0(AX), DI
	MOVQ	cloneJob_args+8(AX), SI
	MOVQ	cloneJob_args+16(AX), DX
	MOVQ	cloneJob_args+24(AX), R10
	MOVQ	cloneJob_args+32(AX), R8
	MOVQ	cloneJob_args+40(AX), R9
	MOVQ	cloneJob_nr(AX), AX
	SYSCALL
	TESTQ	AX, AX
	JEQ	child
	RET
child:
	JMP	·childEntry(SB)

// childEntry(): R12 = Thread of the new thread or process.
TEXT ·childEntry(SB),NOSPLIT|NOFRAME,$0
	MOVL	$const_archSetGS, DI
	MOVQ	R12, SI
	MOVL	$SYS_arch_prctl, AX
	SYSCALL
	MOVQ	Thread_stackTop(R12), SP
	MOVQ	R12, R14
	MOVQ	R12, AX
	XORPS	X15, X15
	SUBQ	$SPILL, SP
	MOVQ	·childStartFunc(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	JMP	·exitToTarget(SB)

// func exitThread(state *uint32, nr, status uintptr), called from Go, with every signal blocked
//
// Gives the slot back and exits. Behind the store another thread may own this
// stack and the Thread that GS points at.
TEXT ·exitThreadAsm(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CX, DI
	MOVL	$const_slotFree, (AX)
	MOVQ	BX, AX
	SYSCALL
	INT	$3 // not reached

// func startHelper(t *Thread, args, size uintptr) uintptr, called from Go
//
// Clones the exec helper with clone3. It runs execHelper on the given stack, gives up the slot if
// execHelper says so, and exits.
TEXT ·startHelperAsm(SB),NOSPLIT|NOFRAME,$0
	MOVQ	AX, R12
	MOVQ	BX, DI
	MOVQ	CX, SI
	MOVL	$SYS_clone3, AX
	SYSCALL
	TESTQ	AX, AX
	JEQ	helper
	RET
helper:
	PUSHQ	R12
	MOVQ	R12, R14
	MOVQ	R12, AX
	XORPS	X15, X15
	SUBQ	$SPILL, SP
	MOVQ	·execHelperFunc(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	ADDQ	$SPILL, SP
	POPQ	R12
	TESTB	AX, AX
	JEQ	exit
	LOCK
	DECL	Thread_owners(R12)
	JNE	exit
	MOVL	$const_slotFree, Thread_state(R12)
exit:
	XORL	DI, DI
	MOVL	$SYS_exit, AX
	SYSCALL
	INT	$3 // not reached

// func saveVectors(), called from Go
//
// Saves the vector registers that stubSaved has left, before code runs that may use them.
TEXT ·saveVectorsAsm(SB),NOSPLIT|NOFRAME,$0
	CMPB	Thread_allSaved(GS), $0
	JNE	done
	SAVE_MORE
	MOVB	$1, Thread_allSaved(GS)
done:
	RET

// func currentThread() uintptr, called from Go: the g is the start of the Thread.
TEXT ·currentThreadAsm(SB),NOSPLIT|NOFRAME,$0
	MOVQ	R14, AX
	RET

// func rdtsc() uint64, called from Go
TEXT ·rdtsc(SB),NOSPLIT|NOFRAME,$0
	RDTSC
	SHLQ	$32, DX
	ORQ	DX, AX
	RET

// func safeCopy(dst, src, n uintptr) uintptr, called from Go
//
// Copies n bytes from or to memory of the target and returns how many it copied
// before a fault.
TEXT ·safeCopyAsm(SB),NOSPLIT|NOFRAME,$0
	MOVQ	AX, DI
	MOVQ	BX, SI
	MOVQ	CX, AX
	REP; MOVSB
	RET

// A fault in safeCopy goes on here: RCX = bytes not copied.
TEXT ·safeCopyFault(SB),NOSPLIT|NOFRAME,$0
	SUBQ	CX, AX
	RET

// func safeString(dst, src, max uintptr) (n, how uintptr), called from Go
//
// Copies up to and without a NUL. how: 0 = max bytes copied, CopyFault, CopyNUL.
TEXT ·safeStringAsm(SB),NOSPLIT|NOFRAME,$0
	XORL	SI, SI
	MOVQ	$0x0101010101010101, R8
	MOVQ	$0x8080808080808080, R9
words: // eight bytes at a time, as long as they lie in one page and there is no NUL among them
	LEAQ	8(SI), DI
	CMPQ	DI, CX
	JHI	bytes
	LEAQ	(BX)(SI*1), DI
	ANDL	$4095, DI
	CMPL	DI, $4088
	JHI	step
	MOVQ	(BX)(SI*1), DX
	MOVQ	DX, DI
	SUBQ	R8, DI
	MOVQ	DX, R10
	NOTQ	R10
	ANDQ	R10, DI
	TESTQ	R9, DI
	JNE	bytes
	MOVQ	DX, (AX)(SI*1)
	ADDQ	$8, SI
	JMP	words
step:
	MOVBLZX	(BX)(SI*1), DX
	TESTL	DX, DX
	JEQ	end
	MOVB	DX, (AX)(SI*1)
	INCQ	SI
	JMP	words
bytes:
	CMPQ	SI, CX
	JEQ	full
	MOVBLZX	(BX)(SI*1), DX
	TESTL	DX, DX
	JEQ	end
	MOVB	DX, (AX)(SI*1)
	INCQ	SI
	JMP	bytes
full:
	MOVQ	SI, AX
	XORL	BX, BX
	RET
end:
	MOVQ	SI, AX
	MOVL	$const_CopyNUL, BX
	RET

TEXT ·safeStringFault(SB),NOSPLIT|NOFRAME,$0
	MOVQ	SI, AX
	MOVL	$const_CopyFault, BX
	RET

// func safeStore(addr, v, size uintptr) uintptr, called from Go
//
// Stores v, or for a size of 2 its low 16 bits, and returns 1, or 0 if that faults.
TEXT ·safeStoreAsm(SB),NOSPLIT|NOFRAME,$0
	CMPQ	CX, $2
	JEQ	two
	MOVQ	BX, (AX)
	MOVL	$1, AX
	RET
two:
	MOVW	BX, (AX)
	MOVL	$1, AX
	RET

TEXT ·safeStoreFault(SB),NOSPLIT|NOFRAME,$0
	XORL	AX, AX
	RET

// bootstrap()
//
// First instruction of the runtime in a new program. Whoever brought the image in
// (launcher or exec helper) points RIP here, before the program's own first
// instruction; the kernel left every register 0 but RSP and RIP.
//
//	in:  R8  = the program's own first instruction
//	     R9  = signal mask of the program
//	     R10 = descriptor of the image | descriptor of the shared file << 32
//	     R12 = process ID of the exec helper to wait for, 0 for none
//	     R13 = handoff flags
//	     RBP = affinity to restore, 0 for none
//	     RSP = the program's
TEXT ·bootstrap(SB),NOSPLIT|NOFRAME,$0
	MOVQ	R8, BX
	MOVQ	R9, R14
	MOVQ	R10, R15
	MAP_SLOT
	JNE	fail
	POPULATE_SLOT
	MOVQ	SP, SI
	MOVL	$(const_SlotBase+const_slotThread), SP
	// type handoff struct{ ip, sp, mask, files, helper, flags, processors }
	PUSHQ	BP
	PUSHQ	R13
	PUSHQ	R12
	PUSHQ	R15
	PUSHQ	R14
	PUSHQ	SI
	PUSHQ	BX
	MOVQ	SP, AX
	// The Thread is still zero, which serves as a g without an m.
	LEAQ	(const_SlotBase+const_slotThread), R14
	XORPS	X15, X15
	SUBQ	$SPILL, SP
	MOVQ	·bootFunc(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	JMP	·exitToTarget(SB)
fail:
	MOVL	$125, DI
	MOVL	$SYS_exit_group, AX
	SYSCALL
	INT	$3 // not reached

// loadCode()
//
// The code of a loadFile, where it is copied to: the first instructions that the kernel starts in an exec without a helper.
// Maps the image and goes on in it, with RSP as the kernel left it.
TEXT ·loadCode(SB),NOSPLIT|NOFRAME,$0
	MOVL	$const_ImageBase, DI
	MOVQ	(const_loadPlanAddr+loadPlan_imageLength), SI
	MOVL	$5, DX // PROT_READ|PROT_EXEC
	MOVL	$const_ImageMmapFlags, R10
	MOVL	(const_loadPlanAddr+loadPlan_files), R8
	XORL	R9, R9
	MOVL	$SYS_mmap, AX
	SYSCALL
	CMPQ	AX, $const_ImageBase
	JNE	fail
	MOVQ	(const_loadPlanAddr+loadPlan_entry), AX
	JMP	AX
fail:
	MOVL	$2, DI
	MOVL	$const_loadSayAddr, SI
	MOVQ	(const_loadPlanAddr+loadPlan_complaint), DX
	MOVL	$SYS_write, AX
	SYSCALL
	MOVL	$const_AbortStatus, DI
	MOVL	$SYS_exit_group, AX
	SYSCALL
	INT	$3 // not reached

// loadEntry()
//
// First instruction of the image in a program that was executed without a helper. RSP = the stack that the kernel built.
TEXT ·loadEntry(SB),NOSPLIT|NOFRAME,$0
	MAP_SLOT
	JNE	fail
	POPULATE_SLOT
	MOVQ	SP, BX
	MOVL	$(const_SlotBase+const_slotThread), SP
	MOVQ	SP, R14 // the Thread is still zero, which serves as a g without an m
	MOVQ	BX, AX
	XORPS	X15, X15
	SUBQ	$SPILL, SP
	MOVQ	·loadFunc(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	JMP	·exitToTarget(SB)
fail:
	MOVL	$const_AbortStatus, DI
	MOVL	$SYS_exit_group, AX
	SYSCALL
	INT	$3 // not reached

DATA ·stubEntryAddr+0(SB)/8, $·stubEntry(SB)
GLOBL ·stubEntryAddr(SB),NOPTR|RODATA,$8
DATA ·stubSavedAddr+0(SB)/8, $·stubSaved(SB)
GLOBL ·stubSavedAddr(SB),NOPTR|RODATA,$8
DATA ·exitToTargetAddr+0(SB)/8, $·exitToTarget(SB)
GLOBL ·exitToTargetAddr(SB),NOPTR|RODATA,$8
DATA ·deliverTrapAddr+0(SB)/8, $·deliverTrap(SB)
GLOBL ·deliverTrapAddr(SB),NOPTR|RODATA,$8
DATA ·signalEntryAddr+0(SB)/8, $·signalEntry(SB)
GLOBL ·signalEntryAddr(SB),NOPTR|RODATA,$8
DATA ·signalExitCheckedAddr+0(SB)/8, $·signalExitChecked(SB)
GLOBL ·signalExitCheckedAddr(SB),NOPTR|RODATA,$8
DATA ·signalRestorerAddr+0(SB)/8, $·signalRestorer(SB)
GLOBL ·signalRestorerAddr(SB),NOPTR|RODATA,$8
DATA ·ownCallAddr+0(SB)/8, $·ownCallAsm(SB)
GLOBL ·ownCallAddr(SB),NOPTR|RODATA,$8
DATA ·doCallAddr+0(SB)/8, $·doCallAsm(SB)
GLOBL ·doCallAddr(SB),NOPTR|RODATA,$8
DATA ·doCallCheckedAddr+0(SB)/8, $·doCallChecked(SB)
GLOBL ·doCallCheckedAddr(SB),NOPTR|RODATA,$8
DATA ·doCallRefusedAddr+0(SB)/8, $·doCallRefused(SB)
GLOBL ·doCallRefusedAddr(SB),NOPTR|RODATA,$8
DATA ·doCallRestartedAddr+0(SB)/8, $·doCallRestarted(SB)
GLOBL ·doCallRestartedAddr(SB),NOPTR|RODATA,$8
DATA ·makeCallCheckedAddr+0(SB)/8, $·makeCallChecked(SB)
GLOBL ·makeCallCheckedAddr(SB),NOPTR|RODATA,$8
DATA ·makeCallRefusedAddr+0(SB)/8, $·makeCallRefused(SB)
GLOBL ·makeCallRefusedAddr(SB),NOPTR|RODATA,$8
DATA ·makeCallRestartedAddr+0(SB)/8, $·makeCallRestarted(SB)
GLOBL ·makeCallRestartedAddr(SB),NOPTR|RODATA,$8
DATA ·judgeCallAddr+0(SB)/8, $·judgeCallAsm(SB)
GLOBL ·judgeCallAddr(SB),NOPTR|RODATA,$8
DATA ·judgeCallCheckedAddr+0(SB)/8, $·judgeCallChecked(SB)
GLOBL ·judgeCallCheckedAddr(SB),NOPTR|RODATA,$8
DATA ·judgeCallRefusedAddr+0(SB)/8, $·judgeCallRefused(SB)
GLOBL ·judgeCallRefusedAddr(SB),NOPTR|RODATA,$8
DATA ·judgeNoticeAddr+0(SB)/8, $·judgeNoticeAsm(SB)
GLOBL ·judgeNoticeAddr(SB),NOPTR|RODATA,$8
DATA ·doSigreturnAddr+0(SB)/8, $·doSigreturnAsm(SB)
GLOBL ·doSigreturnAddr(SB),NOPTR|RODATA,$8
DATA ·doSigreturnCheckedAddr+0(SB)/8, $·doSigreturnChecked(SB)
GLOBL ·doSigreturnCheckedAddr(SB),NOPTR|RODATA,$8
DATA ·doSigreturnRefusedAddr+0(SB)/8, $·doSigreturnRefused(SB)
GLOBL ·doSigreturnRefusedAddr(SB),NOPTR|RODATA,$8
DATA ·doCloneAddr+0(SB)/8, $·doCloneAsm(SB)
GLOBL ·doCloneAddr(SB),NOPTR|RODATA,$8
DATA ·exitThreadAddr+0(SB)/8, $·exitThreadAsm(SB)
GLOBL ·exitThreadAddr(SB),NOPTR|RODATA,$8
DATA ·startHelperAddr+0(SB)/8, $·startHelperAsm(SB)
GLOBL ·startHelperAddr(SB),NOPTR|RODATA,$8
DATA ·saveVectorsAddr+0(SB)/8, $·saveVectorsAsm(SB)
GLOBL ·saveVectorsAddr(SB),NOPTR|RODATA,$8
DATA ·currentThreadAddr+0(SB)/8, $·currentThreadAsm(SB)
GLOBL ·currentThreadAddr(SB),NOPTR|RODATA,$8
DATA ·rdtscAddr+0(SB)/8, $·rdtsc(SB)
GLOBL ·rdtscAddr(SB),NOPTR|RODATA,$8
DATA ·safeCopyAddr+0(SB)/8, $·safeCopyAsm(SB)
GLOBL ·safeCopyAddr(SB),NOPTR|RODATA,$8
DATA ·safeCopyFaultAddr+0(SB)/8, $·safeCopyFault(SB)
GLOBL ·safeCopyFaultAddr(SB),NOPTR|RODATA,$8
DATA ·safeStringAddr+0(SB)/8, $·safeStringAsm(SB)
GLOBL ·safeStringAddr(SB),NOPTR|RODATA,$8
DATA ·safeStringFaultAddr+0(SB)/8, $·safeStringFault(SB)
GLOBL ·safeStringFaultAddr(SB),NOPTR|RODATA,$8
DATA ·safeStoreAddr+0(SB)/8, $·safeStoreAsm(SB)
GLOBL ·safeStoreAddr(SB),NOPTR|RODATA,$8
DATA ·safeStoreFaultAddr+0(SB)/8, $·safeStoreFault(SB)
GLOBL ·safeStoreFaultAddr(SB),NOPTR|RODATA,$8
DATA ·bootstrapAddr+0(SB)/8, $·bootstrap(SB)
GLOBL ·bootstrapAddr(SB),NOPTR|RODATA,$8
DATA ·loadCodeAddr+0(SB)/8, $·loadCode(SB)
GLOBL ·loadCodeAddr(SB),NOPTR|RODATA,$8
DATA ·loadEntryAddr+0(SB)/8, $·loadEntry(SB)
GLOBL ·loadEntryAddr(SB),NOPTR|RODATA,$8
