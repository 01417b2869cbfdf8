"""subprocess and os: pipes, statuses, sessions, descriptors, vfork and fork, pty."""
import os
import pty
import signal
import subprocess
import sys
import tempfile

run = subprocess.run

print(run(["cat"], input=b"x" * 300_000, stdout=subprocess.PIPE).stdout.count(b"x"))
print([run(["sh", "-c", f"exit {i}"]).returncode for i in (0, 1, 200, 255)])
print([run(["sh", "-c", f"kill -{s} $$"]).returncode for s in (1, 9, 15, 31)])
print(run("echo $A; echo err >&2; exit 3", shell=True, env={"A": "b"}, capture_output=True, text=True).stdout)
for missing in ("/nonexistent", "/etc/passwd"):
    try:
        run([missing])
    except OSError as e:
        print(type(e).__name__, e.errno)
try:
    run(["sleep", "9"], timeout=0.1)
except subprocess.TimeoutExpired:
    print("timeout")

p = subprocess.Popen(["sh", "-c", "while read x; do echo $((x + 1)); done"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
for i in range(50):
    p.stdin.write(f"{i}\n")
    assert p.stdout.readline() == f"{i + 1}\n"
p.stdin.close()
print("talk", p.wait())
p.stdout.close()

# Each combination takes another path through _posixsubprocess: vfork, fork, with a preexec function, new sessions.
for kw in ({}, {"close_fds": False}, {"start_new_session": True}, {"preexec_fn": lambda: os.umask(0o77)}, {"cwd": "/", "umask": 0o22}):
    print(sorted(kw), run(["sh", "-c", "echo ok; ls /proc/self/fd | wc -l"], capture_output=True, text=True, **kw).stdout.split())

r, w = os.pipe()
print(run(["sh", "-c", f"echo through >&{w}"], pass_fds=[w]).returncode, os.read(r, 100))
children = [subprocess.Popen(["sh", "-c", f"sleep 0.0{i % 10}; exit {i}"]) for i in range(40)]
print(sum(c.wait() for c in children))

pids = {}
for i in range(20):
    pid = os.fork()
    if pid == 0:
        os._exit(i)
    pids[pid] = i
got = []
while pids:
    pid, status = os.wait()
    assert os.waitstatus_to_exitcode(status) == pids.pop(pid)
    got.append(pid)
print("forked", len(got))
print("spawn", os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 12"], os.environ), 0)[1]))
print("spawn to a file", end=" ", flush=True)
with tempfile.NamedTemporaryFile() as f:
    pid = os.posix_spawn("/bin/echo", ["echo", "spawned"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, f.fileno(), 1)])
    os.waitpid(pid, 0)
    print(open(f.name).read().strip())
print("pidfd", signal.SIGKILL.value, end=" ")
p = subprocess.Popen(["sleep", "9"])
fd = os.pidfd_open(p.pid)
signal.pidfd_send_signal(fd, signal.SIGKILL)
print(os.waitid(os.P_PIDFD, fd, os.WEXITED).si_status)
p.returncode = 0

pid, master = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", "stty -echo; read x; echo got $x; tty | tr -d 0-9; exit 6"])
os.write(master, b"line\n")
out = b""
try:
    while chunk := os.read(master, 1000):
        out += chunk
except OSError:
    pass
print(out.replace(b"line\r\n", b"", 1 if out.startswith(b"line") else 0), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
sys.exit(0)
