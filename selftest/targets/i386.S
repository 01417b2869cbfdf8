// A 32-bit program: it writes a line and exits with status 6.
	.globl _start
	.text
_start:
	mov	$4, %eax			// write
	mov	$1, %ebx
	mov	$text, %ecx
	mov	$text_end - text, %edx
	int	$0x80
	mov	$1, %eax			// exit
	mov	$6, %ebx
	int	$0x80
	ud2
	.data
text:	.ascii	"32 bits\n"
text_end:
	.section .note.GNU-stack,"",@progbits
