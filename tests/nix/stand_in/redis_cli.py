"""Stands in for redis-cli, which the wheel with Valkey lacks: `redis-cli -h HOST -p PORT WORDS…`.

It speaks the wire by itself: probes call it each second, and importing a client takes longer than asking.
"""

import socket
import sys


def read(file):
    """Return one reply: lines of it."""
    line = file.readline().decode().rstrip("\r\n")
    kind, rest = line[:1], line[1:]
    if kind == "$":
        return ["" if rest == "-1" else file.read(int(rest) + 2)[:-2].decode()]
    if kind == "*":
        return [part for _ in range(int(rest)) for part in read(file)]
    return [rest]


host, port, words = "127.0.0.1", 6379, sys.argv[1:]
while words[:1] in (["-h"], ["-p"]):
    host, port = (words[1], port) if words[0] == "-h" else (host, int(words[1]))
    words = words[2:]

asked = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
with socket.create_connection((host, port), timeout=3) as server, server.makefile("rwb") as wire:
    wire.write(f"*{len(words)}\r\n{asked}".encode())
    wire.flush()
    print("\n".join(read(wire)))
