"""What a gRPC client is told: that there is no gRPC here, in words that its user reads.

Without it such a client only finds a closed port. Every call is answered alike, so its name and content are not looked
at, and the whole answer is known beforehand.

Source: RFC 9113 (HTTP/2) section 4.1 and 6, RFC 7541 (HPACK) section 6, "gRPC over HTTP2", part "Responses".
"""

from __future__ import annotations

import logging
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from ragbed.asgi import listen
from ragbed.errors import RagbedError

if TYPE_CHECKING:
    import socket
    from io import BufferedRWPair

logger = logging.getLogger(__name__)

ADVICE = "the embedded Qdrant speaks REST alone: connect with prefer_grpc=False, or run a real server"
"""What the client's error shows; at most 126 plain letters, which HPACK counts in one byte."""

UNIMPLEMENTED = "12"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
MAX_FRAME_BYTES = 16_384
HEADERS, SETTINGS, PING = 1, 4, 6
ACK = END_STREAM = 1
END_HEADERS = 4


def refuse_grpc(host: str, port: int) -> None:
    """Answer every gRPC call on a port with UNIMPLEMENTED and advice, until the process ends.

    A port that cannot be had stops no server: it is logged, and gRPC clients are told nothing.

    Args:
        host: Loopback address.
        port: TCP port.
    """
    try:
        bound = listen(host, port)
    except RagbedError as error:
        logger.warning("clients that speak gRPC are not told that there is none: %s", error)
        return
    bound.listen()
    Thread(target=_accept, args=(bound,), name="qdrant-no-grpc", daemon=True).start()


def _accept(bound: socket.socket) -> None:
    while True:
        connection, _ = bound.accept()
        Thread(target=_answer, args=(connection,), name="qdrant-no-grpc", daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with suppress(OSError), connection, connection.makefile("rwb") as stream:
        if stream.read(len(PREFACE)) != PREFACE:
            return
        stream.write(frame(SETTINGS))
        stream.flush()
        while answer := _next_answer(stream):
            stream.write(answer)
            stream.flush()


def _next_answer(stream: BufferedRWPair) -> bytes:
    """Return the answer to the next frame that wants one; empty at the end, and for who is not a client of ours."""
    while len(head := stream.read(HEAD_BYTES)) == HEAD_BYTES:
        size, kind, flags = int.from_bytes(head[:3]), head[3], head[4]
        if size > MAX_FRAME_BYTES:
            break
        content = stream.read(size)
        if kind == HEADERS:
            return frame(HEADERS, END_STREAM | END_HEADERS, head[5:], REFUSAL)
        if kind in (SETTINGS, PING) and not flags & ACK:
            return frame(kind, ACK, content=content if kind == PING else b"")
    return b""


def frame(kind: int, flags: int = 0, stream: bytes = bytes(4), content: bytes = b"") -> bytes:
    """Return an HTTP/2 frame."""
    return len(content).to_bytes(3) + bytes((kind, flags)) + stream + content


def _header(name: str, value: str) -> bytes:
    """Return a header as HPACK writes one that is in no table."""
    return b"\0" + b"".join(bytes((len(text),)) + text.encode("ascii") for text in (name, value))


STATUS_200 = b"\x88"
REFUSAL = b"".join(
    (
        STATUS_200,
        _header("content-type", "application/grpc"),
        _header("grpc-status", UNIMPLEMENTED),
        _header("grpc-message", ADVICE),
    )
)
"""The headers of every answer, which is nothing but headers."""
