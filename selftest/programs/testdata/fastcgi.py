# Asks a FastCGI server on the socket fpm.sock: fastcgi.py SCRIPT QUERY TIMES.
import socket, struct, sys

def record(kind, data):
    return struct.pack(">BBHHBx", 1, kind, 1, len(data), 0) + data

def pair(k, v):
    return bytes([len(k), len(v)]) + k.encode() + v.encode()

def ask(script, query):
    s = socket.socket(socket.AF_UNIX)
    s.connect("fpm.sock")
    params = pair("SCRIPT_FILENAME", script) + pair("REQUEST_METHOD", "GET") + pair("QUERY_STRING", query)
    s.sendall(record(1, struct.pack(">HB5x", 1, 0)) + record(4, params) + record(4, b"") + record(5, b""))
    got = b""
    try:
        while d := s.recv(4096):
            got += d
    except ConnectionResetError:
        return "reset"
    out = b""
    while got:
        _, kind, _, n, padding = struct.unpack(">BBHHBx", got[:8])
        if kind == 6:
            out += got[8:8 + n]
        got = got[8 + n + padding:]
    return out.decode().split("\r\n\r\n")[-1].strip()

for _ in range(int(sys.argv[3])):
    print(ask(sys.argv[1], sys.argv[2]))
