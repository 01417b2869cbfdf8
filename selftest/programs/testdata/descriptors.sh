# How many descriptors a program may have, and how many it finds: exactly what its limit says.
set -eu
/usr/bin/python3 -I - <<'EOF'
import errno, os, resource

print("limit", resource.getrlimit(resource.RLIMIT_NOFILE))
fds = []
try:
    while True:
        fds.append(os.open("/dev/null", os.O_RDONLY))
except OSError as e:
    print(errno.errorcode[e.errno], fds)
try:
    os.pipe()
except OSError as e:
    print("pipe", errno.errorcode[e.errno])
pid = os.fork()
if pid == 0:
    os._exit(7)
print("fork", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
for fd in fds:
    os.set_inheritable(fd, True)
pid = os.spawnv(os.P_NOWAIT, "/bin/sh", ["sh", "-c", "exit 8"])
print("exec with none left", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
os.closerange(3, 1 << 20)
print(os.listdir("/proc/self/fd"))
os.dup2(0, 63)
os.closerange(3, 64)
print(os.open("/dev/null", os.O_RDONLY))
EOF
