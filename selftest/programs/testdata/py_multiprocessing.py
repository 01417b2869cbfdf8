"""multiprocessing: pools under every start method, queues, shared memory, locks, a manager, a server."""
import multiprocessing as mp
import os
from multiprocessing import shared_memory


def square(x):
    return x * x


def bump(counter, lock, n):
    for _ in range(n):
        with lock:
            counter.value += 1


def echo(conn):
    while (m := conn.recv()) is not None:
        conn.send((m, len(m)))
    conn.close()


def fill(name, i):
    s = shared_memory.SharedMemory(name=name)
    s.buf[i * 100:(i + 1) * 100] = bytes([i]) * 100
    s.close()


def produce(q, n):
    for i in range(n):
        q.put(i)


def main():
    for method in ("fork", "spawn", "forkserver"):
        ctx = mp.get_context(method)
        with ctx.Pool(3) as pool:
            print(method, sum(pool.map(square, range(300), chunksize=7)), pool.apply(os.path.basename, ("/a/b",)))
        counter, lock = ctx.Value("i", 0, lock=False), ctx.Lock()
        ps = [ctx.Process(target=bump, args=(counter, lock, 200)) for _ in range(4)]
        for p in ps:
            p.start()
        for p in ps:
            p.join()
        print(method, counter.value, [p.exitcode for p in ps])
    a, b = mp.Pipe()
    p = mp.Process(target=echo, args=(b,))
    p.start()
    for m in ("x", "y" * 100_000):
        a.send(m)
        print("pipe", a.recv()[1])
    a.send(None)
    p.join()
    s = shared_memory.SharedMemory(create=True, size=1000)
    ps = [mp.Process(target=fill, args=(s.name, i)) for i in range(10)]
    [p.start() for p in ps]
    [p.join() for p in ps]
    print("shared", sum(s.buf))
    s.close()
    s.unlink()
    q = mp.Queue()
    ps = [mp.Process(target=produce, args=(q, 100)) for _ in range(4)]
    [p.start() for p in ps]
    print("queue", sum(q.get() for _ in range(400)))
    [p.join() for p in ps]
    with mp.Manager() as m:
        d = m.dict()
        d["a"] = 1
        print("manager", dict(d))
    p = mp.Process(target=os.abort)
    p.start()
    p.join()
    print("abort", p.exitcode)


if __name__ == "__main__":
    main()
