// The stack pointer is only a register to a system call: it may point nowhere. musl's thread exit and goroutines on a
// full stack rely on that. Nothing may be pushed, on the first call of a site or on later ones.
//
// A virtual machine may not stand every pointer (PVM faults at one that is not canonical): a child tries each first.

#include <asm/unistd.h>

// Dead bytes, next to some of the calls: whoever changes code may use them.
	.macro	room
	jmp	1f
	.skip	16, 0xcc
1:
	.endm

	.globl _start
	.text
_start:
	mov	%rsp, %r15
	lea	pointers(%rip), %r12
next_pointer:
	mov	%r15, %rsp
	mov	$__NR_fork, %eax
	syscall
	room
	test	%rax, %rax
	js	wrong
	mov	(%r12), %rsp
	jz	child
	mov	%r15, %rsp
	lea	1f(%rip), %r14
	jmp	wait_here
1:
	testl	$0x7f, status(%rip)
	jnz	tried				// a signal ended it
	mov	(%r12), %rsp
	mov	$1000, %ebx
again:
	mov	$__NR_getpid, %eax
	syscall
	room
	cmp	(%r12), %rsp
	jne	moved
	mov	$__NR_rt_sigprocmask, %eax	// a call that a runtime looks at
	xor	%edi, %edi
	xor	%esi, %esi
	xor	%edx, %edx
	mov	$8, %r10d
	room
	syscall
	test	%rax, %rax
	jnz	wrong
	mov	$__NR_mmap, %eax
	xor	%edi, %edi
	mov	$4096, %esi
	mov	$3, %edx
	mov	$0x22, %r10d
	mov	$-1, %r8
	xor	%r9d, %r9d
	syscall
	cmp	$-4095, %rax
	jae	wrong
	mov	%rax, %rdi
	mov	$4096, %esi
	mov	$__NR_munmap, %eax
	syscall
	room
	test	%rax, %rax
	jnz	wrong
	mov	$__NR_close, %eax
	mov	$-1, %edi
	syscall
	cmp	$-9, %rax
	jne	wrong
	cmp	(%r12), %rsp
	jne	moved
	dec	%ebx
	jnz	again
	mov	$__NR_fork, %eax		// a child starts with the same pointer
	syscall
	room
	test	%rax, %rax
	js	wrong
	jz	child
	lea	1f(%rip), %r14
	jmp	wait_here
1:
	cmpl	$0x700, status(%rip)
	jne	wrong
tried:
	add	$8, %r12
	lea	pointers_end(%rip), %rax
	cmp	%rax, %r12
	jne	next_pointer
	mov	%r15, %rsp
	lea	good(%rip), %rsi
	mov	$good_end - good, %edx
	xor	%edi, %edi
	jmp	say
wait_here:					// for child rax, then to r14: there is no stack
	mov	%rax, %rdi
	lea	status(%rip), %rsi
	xor	%edx, %edx
	xor	%r10d, %r10d
	mov	$__NR_wait4, %eax
	syscall
	jmp	*%r14
child:
	mov	$__NR_getpid, %eax
	syscall
	room
	cmp	(%r12), %rsp
	jne	moved
	mov	$7, %edi
	mov	$__NR_exit, %eax
	syscall
moved:
	lea	text_moved(%rip), %rsi
	mov	$text_moved_end - text_moved, %edx
	mov	$1, %edi
	jmp	say
wrong:
	lea	text_wrong(%rip), %rsi
	mov	$text_wrong_end - text_wrong, %edx
	mov	$1, %edi
say:						// text rsi, length rdx, status edi
	mov	%edi, %ebx
	mov	$1, %edi
	mov	$__NR_write, %eax
	syscall
	mov	%ebx, %edi
	mov	$__NR_exit_group, %eax
	syscall
	ud2

	.data
	.p2align 3
pointers:
	.quad	0, 8, 0x1000, 0x7fffffffe000, 0x8000000000000000, 0xffffffffffffffff, 0xffffffff81000000, 0xdead00000001
pointers_end:
status:	.long	0
good:	.ascii	"nostack ok\n"
good_end:
text_moved:
	.ascii	"rsp is not as it was\n"
text_moved_end:
text_wrong:
	.ascii	"wrong result\n"
text_wrong_end:
	.section .note.GNU-stack,"",@progbits
