"""asyncio: timers, subprocesses, sockets, threads, signals, cancellation."""
import asyncio
import os
import signal
import socket


async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def client(path, n):
    reader, writer = await asyncio.open_unix_connection(path)
    total = 0
    for i in range(30):
        writer.write(b"hello %d %d\n" % (n, i))
        total += len(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return total


async def child(i):
    p = await asyncio.create_subprocess_exec("sh", "-c", f"read x; echo $x-{i}; exit {i}", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await p.communicate(b"in\n")
    return out, p.returncode


async def main():
    server = await asyncio.start_unix_server(serve, "sock")
    async with server:
        print("unix", sum(await asyncio.gather(*(client("sock", i) for i in range(40)))))
    tcp = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"tcp\n")
    print(await reader.readline())
    writer.close()
    tcp.close()
    print("children", await asyncio.gather(*(child(i) for i in range(10))))
    print("timers", sum(await asyncio.gather(*(asyncio.sleep(i % 7 / 200, i) for i in range(300)))))
    loop = asyncio.get_running_loop()
    fired = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, fired.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(fired.wait(), 5)
    print("signal")
    print("threads", sum(await asyncio.gather(*(asyncio.to_thread(lambda i=i: len(os.listdir("/")) * 0 + i) for i in range(50)))))
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.02)
    except asyncio.TimeoutError:
        print("cancelled")
    p = await asyncio.create_subprocess_exec("sleep", "10")
    p.terminate()
    print("terminated", await p.wait())
    a, b = socket.socketpair()
    a.setblocking(False)
    b.setblocking(False)
    data = b"z" * 1_000_000
    got = bytearray()

    async def receive():
        while len(got) < len(data):
            got.extend(await loop.sock_recv(b, 65536))

    await asyncio.gather(loop.sock_sendall(a, data), receive())
    print("pair", len(got))


asyncio.run(main())
