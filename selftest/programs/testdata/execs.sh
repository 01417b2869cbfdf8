# Two hundred programs, one after the other, two hundred at once, and what must not have grown meanwhile.
set -u
state() { # descriptors of this shell, its children, zombies among them
	echo "fds $(ls /proc/$$/fd | wc -l) children $(ps -o stat= --ppid $$ | grep -c -v '^[RS]') threads $(ls /proc/$$/task | wc -l)"
}
state
i=0; while [ $i -lt 200 ]; do /bin/true || echo "failed $?"; i=$((i + 1)); done
state
i=0; while [ $i -lt 200 ]; do /bin/true & i=$((i + 1)); done; wait
state
i=0; while [ $i -lt 50 ]; do (exec /bin/sh -c 'exec /usr/bin/env /bin/sh -c "exec /bin/true"') || echo "failed $?"; i=$((i + 1)); done
state
i=0; while [ $i -lt 100 ]; do /nonexistent 2>/dev/null; "$SRC/posix.sh" 2>/dev/null; i=$((i + 1)); done
state
echo /proc/self/fd/*
