# Writes a C project of 20 files, with a header each and a makefile, into the directory p.
set -eu
mkdir -p p; cd p
names=
for i in $(seq 20); do
	names="$names m$i"
	cat >"m$i.h" <<EOT
int m$i(int);
EOT
	next=$((i % 20 + 1))
	cat >"m$i.c" <<EOT
#include <stdio.h>
#include <string.h>
#include "m$i.h"
#include "m$next.h"

static const char name[] = "m$i";

int m$i(int n) {
    char buf[64];
    snprintf(buf, sizeof buf, "%s:%d", name, n);
    unsigned h = $i;
    for (size_t k = 0; k < strlen(buf); k++)
        h = h * 31 + (unsigned char)buf[k];
    return n ? (int)(h % 1000) + m$next(n - 1) : (int)(h % 1000);
}
EOT
done
cat >main.c <<'EOT'
#include <stdio.h>
#include "m1.h"

int main(void) {
    printf("%d\n", m1(100));
    return 0;
}
EOT
cat >makefile <<EOT
CFLAGS = -O2 -Wall -MMD
OBJS = main.o $(for n in $names; do printf '%s.o ' "$n"; done)
prog: libm20.a main.o
	@echo link
	@\$(CC) -o \$@ main.o -L. -lm20
libm20.a: \$(filter-out main.o,\$(OBJS))
	@echo ar
	@ar rcD \$@ \$^
%.o: %.c
	@\$(CC) \$(CFLAGS) -c -o \$@ \$<
clean:
	@rm -f *.o *.d *.a prog
-include \$(wildcard *.d)
.PHONY: clean
EOT
