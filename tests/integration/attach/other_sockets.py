"""Listeners that are broken or something else: silent, closing at once, garbage, half of a TLS, a proxy's answers."""

from __future__ import annotations

import socket
import ssl
import subprocess
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Serve = Callable[[socket.socket], None]


@dataclass(slots=True, kw_only=True)
class Listener:
    """What listens, and what came to it.

    Attributes:
        port: Where.
        connections: How many there were.
    """

    port: int
    connections: int = 0
    _open: list[socket.socket] = field(default_factory=list)


@contextmanager
def listening(serve: Serve, *, host: str = "127.0.0.1") -> Iterator[Listener]:
    """Yield a listener that serves each connection in a thread of its own, and then closes it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        made = Listener(port=server.getsockname()[1])
        thread = Thread(target=_accept, args=(server, serve, made), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in made._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()


def _accept(server: socket.socket, serve: Serve, made: Listener) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        made.connections += 1
        made._open.append(connection)
        Thread(target=_serve, args=(connection, serve), daemon=True).start()


def _serve(connection: socket.socket, serve: Serve) -> None:
    with closing(connection), suppress(OSError):
        serve(connection)


def silent(connection: socket.socket) -> None:
    """Read for as long as the client stays, and say nothing."""
    while connection.recv(4096):
        pass


def closes_at_once(_: socket.socket) -> None:
    """Say nothing, and be closed."""


def answers(data: bytes) -> Serve:
    """Return what answers each message with the same bytes."""

    def serve(connection: socket.socket) -> None:
        while connection.recv(4096):
            connection.sendall(data)

    return serve


def greets(data: bytes) -> Serve:
    """Return what speaks first, as mail and MySQL servers do."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(data)
        silent(connection)

    return serve


def http(status: str, body: str = "", **headers: str) -> Serve:
    """Return what answers each request with one HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    data = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def serve(connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:  # a server waits for the end of a request
            more = connection.recv(4096)
            if not more:
                return
            received += more
        connection.sendall(data)

    return serve


def postgres_refuses(state: str, message: str, *, tls: bytes = b"N") -> Serve:
    """Return a Postgres that has no TLS, and refuses each session before the password."""
    fields = "".join(f"{key}{value}\0" for key, value in {"S": "FATAL", "C": state, "M": message}.items())
    data = fields.encode() + b"\0"
    refusal = b"E" + (len(data) + 4).to_bytes(4, "big") + data

    def serve(connection: socket.socket) -> None:
        while message := connection.recv(4096):
            asks_tls = message[4:8] == (80877103).to_bytes(4, "big")
            connection.sendall(tls if asks_tls else refusal)
            if not asks_tls:
                return

    return serve


def half_tls(connection: socket.socket) -> None:
    """Agree to speak TLS, as Postgres does, and break off."""
    connection.recv(4096)
    connection.sendall(b"S")
    connection.recv(4096)


def tls(certificate: Path, port: int, *, wants_certificate: bool = False, postgres: bool = False) -> Serve:
    """Return what ends TLS in front of a server, as stunnel does.

    Args:
        certificate: PEM file with key and certificate.
        port: Of the server behind it.
        wants_certificate: Whether clients must show one.
        postgres: Whether TLS is asked for inside the protocol.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)

    def serve(connection: socket.socket) -> None:
        if postgres:
            connection.recv(8)
            connection.sendall(b"S")
        secured = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            secured.do_handshake()
        except OSError:
            _hang_up(socket.socket(fileno=secured.detach()))
            return
        with (
            secured as secure,
            socket.create_connection(("127.0.0.1", port)) as behind,
        ):
            back = Thread(target=_copy, args=(behind, secure), daemon=True)
            back.start()
            _copy(secure, behind)
            back.join()

    return serve


def _hang_up(connection: socket.socket) -> None:
    """Close after the alert that was sent: a close with unread bytes would take that back."""
    with closing(connection), suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        silent(connection)


def _copy(
    source: socket.socket, target: socket.socket, replaced: Mapping[bytes, bytes] | None = None
) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            for old, new in (replaced or {}).items():
                data = data.replace(old, new)
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def self_signed(folder: Path) -> Path:
    """Make a certificate for this machine that only itself vouches for; returns its PEM file, key included."""
    key, certificate, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    both.write_text(key.read_text() + certificate.read_text())
    return both


def by_path(answers_by_path: Mapping[str, Serve], otherwise: Serve) -> Serve:
    """Return what answers by the path of a request, as `http` does for all."""

    def serve(connection: socket.socket) -> None:
        words = connection.recv(4096, socket.MSG_PEEK).split()
        path = words[1].decode() if len(words) > 1 else ""
        answers_by_path.get(path, otherwise)(connection)

    return serve


def relay(port: int, replaced: Mapping[bytes, bytes]) -> Serve:
    """Return what passes everything on to a server, and words of its answers by others of the same length."""

    def serve(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as behind:
            back = Thread(target=_copy, args=(behind, connection, replaced), daemon=True)
            back.start()
            _copy(connection, behind)
            back.join()

    return serve


def by_first_bytes(serve_by_start: Mapping[bytes, Serve], otherwise: Serve) -> Serve:
    """Return what serves a connection by how its first message begins."""

    def serve(connection: socket.socket) -> None:
        message = connection.recv(4096, socket.MSG_PEEK)
        chosen = next((one for start, one in serve_by_start.items() if message.startswith(start)), otherwise)
        chosen(connection)

    return serve


def endless(connection: socket.socket) -> None:
    """Answer a request with events, one after the other, until the client goes."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    while True:
        connection.sendall(b"data: tick\n\n" * 1000)
