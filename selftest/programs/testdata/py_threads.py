"""threading: locks, conditions, queues, many threads, thread-local state, threads that fork and exec."""
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

lock, total = threading.Lock(), 0


def add(n):
    global total
    for _ in range(n):
        with lock:
            total += 1


threads = [threading.Thread(target=add, args=(200,)) for _ in range(100)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("locked", total)

work, done = queue.Queue(8), queue.Queue()


def consume():
    while (x := work.get()) is not None:
        with tempfile.TemporaryFile() as f:
            f.write(b"%d" % x)
            f.seek(0)
            done.put(int(f.read()) ** 2)


pool = [threading.Thread(target=consume) for _ in range(8)]
for t in pool:
    t.start()
for i in range(1000):
    work.put(i)
for t in pool:
    work.put(None)
for t in pool:
    t.join()
print("queued", sum(done.get() for _ in range(1000)))

barrier = threading.Barrier(20)
order = []


def meet(i):
    for r in range(10):
        if barrier.wait() == 0:
            order.append(r)


ts = [threading.Thread(target=meet, args=(i,)) for i in range(20)]
[t.start() for t in ts]
[t.join() for t in ts]
print("rounds", order)

with ThreadPoolExecutor(8) as ex:
    print("exec", sum(ex.map(lambda i: subprocess.run(["sh", "-c", f"exit {i % 7}"]).returncode, range(60))))

    def forked(i):
        pid = os.fork()
        if pid == 0:
            os._exit(i)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    print("fork", sum(ex.map(forked, range(40))))

for size in (32 * 1024, 256 * 1024):
    threading.stack_size(size)
    t = threading.Thread(target=lambda: print("stack", size, os.path.exists("/")))
    t.start()
    t.join()
threading.stack_size(0)

e = threading.Event()
threading.Timer(0.1, e.set).start()
print("timer", e.wait(5))
cond = threading.Condition()
with cond:
    print("timeout", cond.wait(0.02))

hits = []
signal.signal(signal.SIGUSR1, lambda s, f: hits.append(threading.current_thread() is threading.main_thread()))
t = threading.Thread(target=lambda: [signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1) or time.sleep(0.002) for _ in range(20)])
t.start()
t.join()
time.sleep(0.01)
print("signals", len(hits) > 0, all(hits))
print("left", threading.active_count())
