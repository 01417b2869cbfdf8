# Tracers that start their programs: what they print is the same but for numbers and addresses.
set -eu
plain() { sed -E 's/0x[0-9a-f]+/ADDRESS/g; s/\b[0-9]{3,}\b/NUMBER/g; s/si_[us]time=[0-9]+( \/\*[^*]*\*\/)?/TIME/g; s/ +/ /g'; }
# Each process and thread in a file of its own: strace -f interrupts lines where they happen to meet.
calls() {
	rm -f st.*
	timeout 60 strace -ff -o st "$@" >out </dev/null || echo "status $?"
	cat out
	for f in $(ls st.* | sort -t. -k2n); do
		echo "-- process"
		plain <"$f" | sed -E 's/^(getrandom|newfstatat\(1, ""|sysinfo|futex).*/\1/; s/^(read|write)\([^)]*\)/\1/' | grep -v '^futex\|^--- SIGCHLD' || :
	done
}
session() {
	echo "== gdb $*"
	timeout 60 gdb -nx -q -batch -ex 'handle SIGUSR1 nostop noprint pass' "$@" >gdb.out 2>&1 </dev/null || echo "status $?"
	plain <gdb.out | sed -E 's/\(LWP [0-9]+\)/(LWP)/; s/process [0-9A-Z]+/process/' | grep -v '^\[.*Thread\|^\[Detaching\|detached]$\|^\[New\|^$' || :
}

echo "== strace"
calls ./debugged
calls sh -c 'exit 7'
strace -f -c -o st sh -c '(true); exit 3' || echo "status $?"
grep -o 'clone$\|execve$\|wait4$' st | sort
strace -f -o st --seccomp-bpf -e trace=execve,exit_group sh -c '/bin/true; exit 4' || echo "status $?"
sed 's/^[0-9]* *//' st | plain | grep -v SIGCHLD
strace -f -o st -e trace=getppid -e inject=getppid:retval=42 sh -c 'echo $PPID' || echo "status $?"

session -ex 'break main' -ex run -ex 'info threads' -ex next -ex next -ex step -ex step -ex bt -ex finish -ex delete -ex continue ./debugged
session -ex 'break main' -ex run -ex 'set can-use-hw-watchpoints 0' -ex 'watch counter' -ex continue -ex continue -ex bt -ex 'delete 2' -ex 'handle SIGUSR1 stop print' -ex continue -ex bt -ex stepi -ex continue ./debugged
session -ex 'break 36' -ex run -ex 'set can-use-hw-watchpoints 0' -ex 'watch caught' -ex continue -ex bt -ex delete -ex continue ./debugged
session -ex 'catch syscall getppid' -ex run -ex bt -ex 'print $orig_rax' -ex 'print (int)$rax' -ex continue -ex 'print $orig_rax' -ex delete -ex continue ./debugged
session -ex 'catch fork' -ex run -ex bt -ex delete -ex continue ./debugged
session -ex 'set follow-fork-mode child' -ex 'break leaf if x == 100' -ex run -ex bt -ex 'continue' ./debugged
session -ex 'break main' -ex run -ex 'break getppid' -ex continue -ex 'stepi' -ex 'x/i $pc' -ex stepi -ex 'x/i $pc' -ex stepi -ex 'x/i $pc' -ex delete -ex continue ./debugged
session -ex starti -ex 'print $rax | $rbx | $rdi | $gs_base' -ex 'break main' -ex continue -ex 'print (int)getppid() > 0' -ex 'kill' ./debugged
session -ex 'catch exec' -ex run -ex continue --args sh -c 'exec ./debugged'
session -ex 'break worker' -ex run -ex 'bt 1' -ex detach ./debugged

echo "== ltrace"
timeout 60 ltrace -e 'getppid+raise+waitpid' -o lt ./debugged || echo "status $?"
plain <lt | grep -v SIGCHLD
