"""How much the server takes in at once: one body's size, all bodies' size, requests under way."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from ragbed.qdrant.errors import ApiError, TooBusy, TooLarge, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager

    from starlette.types import Receive, Scope

MIB = 1024 * 1024
MAX_BODY_BYTES = 100 * MIB
"""Largest body taken."""

MAX_HELD_BYTES = 256 * MIB
"""Bodies in memory at once."""

MAX_REQUESTS = 1024
"""Requests under way at once, those that wait included."""

LARGE_BYTES = 8 * MIB
"""Bodies over this size are worked on one at a time: as Python objects they take several times their size."""


class Gone(Exception):
    """The client went away before its request was whole; nothing of it is done, and no client reads an answer."""


class Admission:
    """The gate that every request passes. For one event loop.

    Args:
        max_body_bytes: Largest body taken.
        max_held_bytes: Bodies in memory at once.
        max_requests: Requests under way at once.
    """

    def __init__(
        self,
        *,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_held_bytes: int = MAX_HELD_BYTES,
        max_requests: int = MAX_REQUESTS,
    ) -> None:
        self._max_body_bytes = max_body_bytes
        self._max_held_bytes = max_held_bytes
        self._max_requests = max_requests
        self._held_bytes = 0
        self._requests = 0
        self._large = asyncio.Lock()

    @asynccontextmanager
    async def body(self, scope: Scope, receive: Receive) -> AsyncIterator[bytes]:
        """Read a request's body and hold its room until the request is answered.

        Raises:
            Unsupported: The body is packed.
            TooLarge: The body is over the limit; it is not read when its length is announced.
            TooBusy: There is no room now.
            Gone: The client went away in the middle.
        """
        refuse_packed(scope)
        announced = announced_length(scope)
        with self._slot(), self._room(announced) as room:
            parts: list[bytes] = []
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                parts.append(message.get("body", b""))
                room.take(len(parts[-1]))
                more = message.get("more_body", False)
            yield parts[0] if len(parts) == 1 else b"".join(parts)

    def turn(self, content: bytes) -> AbstractAsyncContextManager[object]:
        """Return what a body of that size waits for before it is worked on."""
        return self._large if len(content) > LARGE_BYTES else nullcontext()

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if self._requests >= self._max_requests:
            raise TooBusy(f"{self._requests} requests are under way, which is the limit; try again")
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    @contextmanager
    def _room(self, announced: int) -> Iterator[_Room]:
        room = _Room(self)
        try:
            room.reserve(announced)
            yield room
        finally:
            self._held_bytes -= room.size

    def check(self, size: int, more: int) -> None:
        """Refuse a body that grows over the limit, or for which there is no room now."""
        if size > self._max_body_bytes:
            raise TooLarge(f"JSON payload is larger than allowed (limit: {self._max_body_bytes} bytes).")
        if self._held_bytes + more > self._max_held_bytes:
            raise TooBusy(
                f"{self._held_bytes} bytes of requests are waiting, and no more than "
                f"{self._max_held_bytes} are held; try again"
            )
        self._held_bytes += more


class _Room:
    """The room that one body takes."""

    __slots__ = ("_intake", "_read", "size")

    def __init__(self, admission: Admission) -> None:
        self._intake = admission
        self._read = 0
        self.size = 0

    def reserve(self, size: int) -> None:
        if size > self.size:
            self._intake.check(size, size - self.size)
            self.size = size

    def take(self, more: int) -> None:
        self._read += more
        self.reserve(self._read)


def announced_length(scope: Scope) -> int:
    """Return a request's `content-length`; 0 when it has none."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            try:
                return int(value)
            except ValueError:
                raise ApiError(f"`content-length` is {value!r}") from None
    return 0


def refuse_packed(scope: Scope) -> None:
    """Refuse a body in another encoding than its own, which would be taken for broken JSON."""
    for name, value in scope["headers"]:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise Unsupported(f"a body with `content-encoding: {value.decode('latin-1')}`")
