# gcc at -O2 with its preprocessor, compiler, assembler, linker and LTO; the objects are the same byte for byte.
set -eu
gcc -O2 -Wall -o c "$SRC/compiler.c" -lm; ./c; sha256sum c
gcc -O2 -c -pipe -o c.o "$SRC/compiler.c"; sha256sum c.o; size c.o | tail -n 1 | cut -f1-3
gcc -O3 -flto=2 -march=x86-64-v2 -o lto "$SRC/compiler.c" "-DUNUSED" -lm; ./lto
gcc -E "$SRC/hello.c" | grep -c printf; gcc -S -O1 -o - "$SRC/hello.c" | grep -c call
gcc -static -o st "$SRC/hello.c"; ./st static; gcc -g -o dbg "$SRC/hello.c"; ./dbg 1 2 3 || echo $?; objdump -d dbg | grep -c 'call.*printf'
gcc -O2 -c -o x.o /dev/null -x c - <<<'int f(void) { return oops; }' 2>&1 | grep -c error; strip -o stripped c; nm c | grep -c ' T '; readelf -h stripped | grep Type
