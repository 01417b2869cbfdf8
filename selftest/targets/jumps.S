// Jumps straight at a system call instruction, with the number set elsewhere, and at the instruction behind it: both are
// what hand-written stubs do. A patch may not make either of them land inside of it.

#include <asm/unistd.h>

	.globl _start
	.text
_start:
	mov	$__NR_getpid, %eax
	syscall
	mov	%eax, %r15d
	mov	$__NR_gettid, %eax
	syscall
	mov	%eax, %r14d
	mov	$1000, %ebx
again:
	call	by_number
	cmp	%r15d, %eax
	jne	wrong
	mov	$__NR_gettid, %eax		// another number at the same site
	call	site
	cmp	%r14d, %eax
	jne	wrong
	mov	$4711, %eax			// behind the site: no call
	call	behind
	cmp	$4711, %eax
	jne	wrong
	lea	site(%rip), %rdx		// by a pointer
	mov	$__NR_getpid, %eax
	call	*%rdx
	cmp	%r15d, %eax
	jne	wrong
	mov	$__NR_getpid, %eax		// from behind, backwards
	call	backwards
	cmp	%r15d, %eax
	jne	wrong
	mov	$__NR_getpid, %eax		// the return address is behind a site
	lea	behind(%rip), %rdx
	push	%rdx
	xor	%ecx, %ecx
	jmp	other_site
back:	dec	%ebx
	jnz	again
	mov	$1, %edi
	lea	good(%rip), %rsi
	mov	$good_end - good, %edx
	mov	$__NR_write, %eax
	syscall
	xor	%edi, %edi
	mov	$__NR_exit_group, %eax
	syscall
	ud2

	.p2align 4, 0xcc
by_number:
	mov	$__NR_getpid, %eax
	jmp	site
	.p2align 4, 0xcc
	nop
	nop
site:	syscall
behind:	ret
	.byte	0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc
	.p2align 4, 0xcc
backwards:
	mov	$2, %r8d
1:	test	%r8d, %r8d
	jz	3f
	dec	%r8d
	mov	$__NR_getpid, %eax
2:	syscall
	jmp	1b
3:	ret
	.p2align 4, 0xcc
other_site:
	syscall
	cmp	%r15d, %eax
	jne	wrong
	lea	back(%rip), %rdx
	mov	%rdx, (%rsp)
	jmp	behind

wrong:
	mov	$2, %edi
	lea	bad(%rip), %rsi
	mov	$bad_end - bad, %edx
	mov	$__NR_write, %eax
	syscall
	mov	$1, %edi
	mov	$__NR_exit_group, %eax
	syscall
	ud2

	.data
good:	.ascii	"jumps ok\n"
good_end:
bad:	.ascii	"wrong result\n"
bad_end:
	.section .note.GNU-stack,"",@progbits
