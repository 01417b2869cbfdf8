# Programs on a pseudo-terminal of their own: script, its statuses, line discipline, job control, window size.
# $1: command prefix of the job that a shell on the terminal stops, continues and interrupts.
set -eu
export PREFIX=${1:+$1 }
tidy() { tr -d '\r' | sed 's|/dev/pts/[0-9]*|PTS|; /^Script /d'; }
script -qec 'tty; stty -a | grep -o -e "-\?echo " ; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo terminal' log </dev/null | tidy
script -qec 'exit 9' /dev/null </dev/null || echo "status $?"
script -qec 'kill -TERM $$' /dev/null </dev/null || echo "status $?"
script -q -E never -c 'stty cols 70 rows 20; stty size; seq 1 5000 | md5sum; ls -C /proc/self/fd >/dev/null; sh -c "sleep 0.05 & wait; echo waited"' log2 </dev/null | tidy; tidy <log2 | sed '/^PTS/d'
/usr/bin/python3 -I - <<'EOF'
import os, pty, select, time

def until(fd, what, seen=b""):
    while what not in seen:
        ready, _, _ = select.select([fd], [], [], 20)
        if not ready:
            return b"TIMEOUT " + seen
        try:
            seen += os.read(fd, 4096)
        except OSError:
            return b"END " + seen
    return seen

pid, fd = pty.fork()
if pid == 0:
    os.environ.update(PS1="$ ", TERM="dumb")
    os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
until(fd, b"$ ")
job = os.environ["PREFIX"].encode() + b"sleep 50"
for say, line, answer in (("expand", b"echo $((6*7))\n", b"\r\n42\r\n$ "), ("cat", b"cat\n", b"cat\r\n"), ("echoed", b"typed\n", b"typed\r\ntyped\r\n"),
                          ("end of file", b"\x04", b"$ "), ("job", job + b"\n", job + b"\r\n"), ("stop", b"\x1a", b"Stopped"), ("jobs", b"jobs\n", b"Stopped"),
                          ("foreground", b"fg\n", job + b"\r\n"), ("interrupt", b"\x03", b"$ "), ("status", b"echo $?\n", b"\r\n130\r\n$ ")):
    time.sleep(0.1)
    os.write(fd, line)
    got = until(fd, answer)
    print(say, "ok" if got.find(answer) >= 0 else got)
os.write(fd, b"exit 3\n")
until(fd, b"never said")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
