"""The optional API keys, one for everything and one for reading, asked for as Qdrant asks."""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING

from ragbed.qdrant.envelope import failure
from ragbed.qdrant.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATHS = frozenset({"/", "/healthz", "/livez", "/readyz"})
"""Answered without a key, so that probes need no secret."""


class ApiKey:
    """ASGI middleware that lets no client in without a key.

    Args:
        app: The application behind it.
        key: What clients must send, as `api-key: KEY` or `authorization: Bearer KEY`; None where no client may write.
        read_only: Another key, whose clients may only read; None for none.
        writes: Says whether a method on a path may change something.
    """

    def __init__(
        self,
        app: ASGIApp,
        key: str | None,
        *,
        read_only: str | None = None,
        writes: Callable[[str, str], bool] = lambda method, _: method != "GET",
    ) -> None:
        self._app = app
        self._key = key
        self._read_only = read_only
        self._writes = writes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401 in plain text, or 403 in the envelope, as Qdrant does."""
        sent = sent_key(scope["headers"])
        if scope["path"] in OPEN_PATHS or _same(sent, self._key):
            await self._app(scope, receive, send)
        elif not _same(sent, self._read_only):
            missing = b"Must provide an API key or an Authorization bearer token"
            body = missing if sent is None else b"Invalid API key or JWT"
            await _respond(send, 401, body, b"text/plain; charset=utf-8")
        elif self._writes(scope["method"], scope["path"]):
            error = Forbidden("Global manage access is required")
            body = failure(error, started=time.perf_counter())
            await _respond(send, error.status, body, b"application/json")
        else:
            await self._app(scope, receive, send)


def _same(sent: bytes | None, key: str | None) -> bool:
    return sent is not None and key is not None and hmac.compare_digest(sent, key.encode())


async def _respond(send: Send, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def sent_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the key that a request carries; None when it carries none."""
    by_name = dict(headers)
    if b"api-key" in by_name:
        return by_name[b"api-key"]
    kind, _, token = by_name.get(b"authorization", b"").partition(b" ")
    return token.strip() if kind.lower() == b"bearer" and token else None
