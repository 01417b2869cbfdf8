#include "textflag.h"

// func undefined()
TEXT ·undefined(SB),NOSPLIT|NOFRAME,$0
	UD2

// func trap()
TEXT ·trap(SB),NOSPLIT|NOFRAME,$0
	INT $3
