"""signal: handlers, masks, timers, wakeup descriptors, sigwait, nested and interrupted calls, default actions."""
import faulthandler
import os
import select
import signal
import subprocess
import sys
import time

S = signal

# Whatever a Python program starts with, seen from a child that has no runtime of its own.
print(open("/proc/self/status").read().split("SigBlk:\t")[1].split()[0])
subprocess.run(["grep", "-E", "^Sig(Blk|Ign|Pnd)", "/proc/self/status"])

count = 0


def handler(s, f):
    global count
    count += 1


S.signal(S.SIGALRM, handler)
S.setitimer(S.ITIMER_REAL, 0.005, 0.005)
end = time.monotonic() + 0.25
reads = 0
r, w = os.pipe()
while time.monotonic() < end:
    os.write(w, b"x")
    reads += len(os.read(r, 1))
S.setitimer(S.ITIMER_REAL, 0)
print("timer", count > 10, reads > 100)

before = time.monotonic()
S.setitimer(S.ITIMER_REAL, 0.02)
time.sleep(0.2)  # PEP 475: goes on after the handler
print("slept", time.monotonic() - before >= 0.2, S.siginterrupt(S.SIGALRM, True))


class Out(Exception):
    pass


def leave(s, f):
    raise Out


S.signal(S.SIGALRM, leave)
for what in (lambda: os.read(r, 1), lambda: select.select([r], [], []), lambda: os.waitpid(-1, 0), lambda: time.sleep(9)):
    child = subprocess.Popen(["sleep", "9"])
    S.setitimer(S.ITIMER_REAL, 0.03)
    try:
        what()
        print("not interrupted")
    except Out:
        print("interrupted")
    child.kill()
    child.wait()

S.pthread_sigmask(S.SIG_BLOCK, [S.SIGUSR1, S.SIGUSR2])
os.kill(os.getpid(), S.SIGUSR1)
os.kill(os.getpid(), S.SIGUSR2)
print("pending", sorted(S.sigpending()), S.sigwait([S.SIGUSR1]).name, S.sigwaitinfo([S.SIGUSR2]).si_signo, S.sigtimedwait([S.SIGUSR1], 0.02))
S.pthread_sigmask(S.SIG_UNBLOCK, [S.SIGUSR1, S.SIGUSR2])
print("mask", S.pthread_sigmask(S.SIG_BLOCK, []))

S.set_wakeup_fd(w) if not os.set_blocking(w, False) else None
S.signal(S.SIGUSR2, lambda s, f: None)
os.kill(os.getpid(), S.SIGUSR2)
print("wakeup", os.read(r, 10))
S.set_wakeup_fd(-1)

order = []


def outer(s, f):
    order.append("outer in")
    os.kill(os.getpid(), S.SIGUSR2)
    order.append("outer out")


S.signal(S.SIGUSR1, outer)
S.signal(S.SIGUSR2, lambda s, f: order.append("inner"))
os.kill(os.getpid(), S.SIGUSR1)
print(order)

for how in ("import os; os.abort()", "import os, signal; os.kill(os.getpid(), signal.SIGSYS)", "import ctypes; ctypes.string_at(0)", "import sys; sys.exit(77)",
            "import signal, os; signal.signal(signal.SIGSYS, lambda s, f: print('SIGSYS', flush=True)); os.kill(os.getpid(), signal.SIGSYS)"):
    p = subprocess.run([sys.executable, "-I", "-S", "-c", how], stderr=subprocess.DEVNULL)
    print(p.returncode)
p = subprocess.run([sys.executable, "-I", "-X", "faulthandler", "-c", "import ctypes; ctypes.string_at(0)"], capture_output=True, text=True)
print(p.returncode, "Segmentation fault" in p.stderr, "string_at" in p.stderr)
print("stop", end=" ", flush=True)
p = subprocess.Popen(["sleep", "0.05"])
os.kill(p.pid, S.SIGSTOP)
print(os.waitstatus_to_exitcode(0), os.WIFSTOPPED(os.waitpid(p.pid, os.WUNTRACED)[1]), end=" ")
os.kill(p.pid, S.SIGCONT)
print(os.WIFCONTINUED(os.waitpid(p.pid, os.WCONTINUED)[1]), p.wait())
print("valid", len(S.valid_signals()), S.getsignal(S.SIGSYS))
