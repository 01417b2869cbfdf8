# Debuggers attach to a program that runs intercepted ($W), look, let it go on, and release it. gdb stops at every signal
# it was not told about, and a system call of an intercepted program may be a SIGSYS.
set -eu
start() { # the program's output file
	rm -f pid pid.new; $W ./attach pid.new >"$1" & job=$!
	until [ -s pid.new ]; do sleep 0.01; done
	pid=$(cat pid.new); sleep 0.1
}

echo "== strace"
start out1
strace -qq -e trace=getppid -e signal=none -o st -p "$pid" & s=$!
until [ -s st ] && [ "$(wc -l <st)" -ge 10 ]; do sleep 0.02; done
kill $s; wait $s || :
grep -c -v '^getppid(\() *= [0-9]*\| <detached ...>\)$' st || :
kill -0 "$pid" && echo runs on

echo "== gdb looks and sets a variable"
timeout 30 gdb -nx -q -batch -p "$pid" -ex 'print motto' -ex 'print rounds > 0' -ex 'info threads' -ex 'set var go = 7' -ex detach >gdb.out 2>gdb.err || echo "gdb $?"
sed -n 's/^\(\$[0-9]* = \)\(0x[0-9a-f]* \)*/\1/p' gdb.out; grep -c '^\* 1 ' gdb.out || :; grep -c 'detached' gdb.out || :
wait $job || echo "status $?"; cat out1

echo "== gdb: backtraces of blocked calls"
start out3
timeout 30 gdb -nx -q -batch -x "$SRC/../../../tools/gdb/trapline.py" -p "$pid" -ex 'thread apply all bt' -ex 'set var go = 8' -ex detach >gdb.out 2>gdb.err || echo "gdb $?"
grep '^#' gdb.out | grep -ow 'knock\|sentry\|patrol\|main'
wait $job || echo "status $?"; cat out3

echo "== gdb: breakpoint, backtrace, single steps"
start out2
timeout 30 gdb -nx -q -batch -p "$pid" -ex 'handle SIGSYS nostop noprint pass' -ex 'break beat' -ex continue -ex bt -ex continue -ex 'stepi 20' -ex 'delete' -ex 'set var go = 9' -ex detach >gdb.out 2>gdb.err || echo "gdb $?"
sed -n '/^#/s/0x[0-9a-f]* in //; /^#/p' gdb.out | cut -d'(' -f1; grep -c '^Breakpoint 1, beat' gdb.out || :
wait $job || echo "status $?"; cat out2
