# make -j2 of twenty files: from nothing, with nothing to do, with one header touched, with one file broken.
set -eu
. "$SRC/project.sh"
make -j2 | sort; ./prog; sha256sum prog libm20.a
make -j2 -q && make -j2 prog | sed 's/ is up to date.*/ done/'
sleep 0.01; touch m7.h; make -n -j2 | grep -c -- '-c -o'; make -s -j2 >/dev/null; ./prog
echo 'int broken(' >>m9.c; make -j2 -k >log 2>&1 || echo "$?"; grep -c 'Error 1' log
make clean; ls | wc -l; make -j2 --output-sync=target -s m1.o m2.o m3.o; ls m?.o
printf 'all: a b c d\na b c d:\n\t@sleep 0.05; echo $@\nrec:\n\t@$(MAKE) -f sub.mk -s all\n' >sub.mk; make -j2 -f sub.mk rec | sort
make -f sub.mk fail 2>&1 | sed 's/.*No rule/No rule/' || :
