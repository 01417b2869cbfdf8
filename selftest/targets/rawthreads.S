// Threads by bare clone, without TLS: one after another that exit at once, one that unmaps its own stack before it exits
// (as musl does for detached threads), and a thread that goes on while the first one has exited.

#include <asm/unistd.h>

#define CLONE_FLAGS 0x250f00	// VM FS FILES SIGHAND THREAD SYSVSEM CHILD_CLEARTID
#define PROT_RW 3
#define MAP_ANON_PRIVATE 0x22
#define STACK 16384

	.globl _start
	.text
_start:
	mov	$500, %r15d
one:
	call	map_stack
	lea	exits(%rip), %rbx
	call	start
	dec	%r15d
	jnz	one
	mov	$500, %r15d
two:
	call	map_stack
	lea	unmaps(%rip), %rbx
	call	start
	dec	%r15d
	jnz	two
	mov	$100, %r15d
three:						// on an unmapped stack from the first instruction on
	mov	$0x10000, %r14
	xor	%r13d, %r13d
	lea	exits(%rip), %rbx
	call	start
	dec	%r15d
	jnz	three
	call	map_stack
	lea	last(%rip), %rbx
	movl	$1, alive(%rip)
	mov	$CLONE_FLAGS, %edi
	mov	%r14, %rsi
	xor	%edx, %edx
	lea	alive(%rip), %r10
	mov	$__NR_clone, %eax
	syscall
	test	%rax, %rax
	js	wrong
	jz	enter
	mov	$__NR_exit, %eax		// the first thread leaves; the program does not
	mov	$3, %edi
	syscall
	ud2

// map_stack: a new stack, its end in r14 and its start in r13.
map_stack:
	xor	%edi, %edi
	mov	$STACK, %esi
	mov	$PROT_RW, %edx
	mov	$MAP_ANON_PRIVATE, %r10d
	mov	$-1, %r8
	xor	%r9d, %r9d
	mov	$__NR_mmap, %eax
	syscall
	cmp	$-4095, %rax
	jae	wrong
	mov	%rax, %r13
	lea	STACK(%rax), %r14
	ret

// start: a thread at rbx with its stack at r14, and wait for its end.
start:
	movl	$1, alive(%rip)
	mov	$CLONE_FLAGS, %edi
	mov	%r14, %rsi
	xor	%edx, %edx
	lea	alive(%rip), %r10
	xor	%r8d, %r8d
	mov	$__NR_clone, %eax
	syscall
	test	%rax, %rax
	js	wrong
	jz	enter
wait:
	mov	alive(%rip), %edx
	test	%edx, %edx
	jz	ended
	lea	alive(%rip), %rdi
	xor	%esi, %esi			// FUTEX_WAIT
	xor	%r10d, %r10d
	mov	$__NR_futex, %eax
	syscall
	jmp	wait
ended:
	ret
enter:
	cmp	%r14, %rsp			// nothing was pushed
	jne	wrong
	jmp	*%rbx

exits:
	mov	$__NR_gettid, %eax
	syscall
	mov	$__NR_exit, %eax
	xor	%edi, %edi
	syscall
	ud2

unmaps:
	push	%rbx
	pop	%rcx
	mov	%r13, %rdi
	mov	$STACK, %esi
	mov	$__NR_munmap, %eax
	syscall
	test	%rax, %rax
	jnz	wrong
	mov	$__NR_getpid, %eax
	syscall
	mov	$__NR_exit, %eax
	xor	%edi, %edi
	syscall
	ud2

last:
	mov	$__NR_sched_yield, %eax
	syscall
	mov	$__NR_sched_yield, %eax
	syscall
	mov	$1, %edi
	lea	good(%rip), %rsi
	mov	$good_end - good, %edx
	mov	$__NR_write, %eax
	syscall
	xor	%edi, %edi
	mov	$__NR_exit_group, %eax
	syscall
	ud2

wrong:
	lea	stack_for_wrong(%rip), %rsp
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
	.p2align 3
alive:	.long	0
good:	.ascii	"rawthreads ok\n"
good_end:
bad:	.ascii	"wrong result or stack pointer\n"
bad_end:
	.bss
	.space	64
stack_for_wrong:
	.section .note.GNU-stack,"",@progbits
