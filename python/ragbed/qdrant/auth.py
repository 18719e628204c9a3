"""The optional API key, asked for as Qdrant asks."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATHS = frozenset({"/", "/healthz", "/livez", "/readyz"})
"""Answered without a key, so that probes need no secret."""


class ApiKey:
    """ASGI middleware that lets nobody in without the key.

    Args:
        app: The application behind it.
        key: What clients must send, as `api-key: KEY` or `authorization: Bearer KEY`.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401 in plain text as Qdrant does."""
        sent = sent_key(scope["headers"])
        if scope["path"] in OPEN_PATHS or (sent is not None and hmac.compare_digest(sent, self._key)):
            await self._app(scope, receive, send)
            return
        missing = b"Must provide an API key or an Authorization bearer token"
        body = missing if sent is None else b"Invalid API key or JWT"
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def sent_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the key that a request carries; None when it carries none."""
    found = dict(headers)
    if b"api-key" in found:
        return found[b"api-key"]
    kind, _, token = found.get(b"authorization", b"").partition(b" ")
    return token.strip() if kind.lower() == b"bearer" and token else None
