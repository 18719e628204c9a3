"""Small JSON requests by the standard library, where importing a vendor's client costs more than the call."""

from __future__ import annotations

import http.client
import json
import math
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ragbed.headers import SUBSTITUTE_HEADER
from ragbed.run_headers import run_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

_PART_BYTES = 65536


class EndlessAnswer(http.client.HTTPException):
    """A body goes on and on, as a stream of events does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        value: The decoded JSON, or the text where it is not JSON.
        substitute: What our own substitutes call themselves; empty for others.
        location: Where a redirection leads, which is not followed; empty for other answers.
    """

    status: int
    value: Any
    substitute: str
    location: str = ""


def request_json(
    method: str,
    url: str,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 5.0,
    whole_s: float = math.inf,
    most_bytes: float = math.inf,
) -> HttpAnswer:
    """Send one request and return its answer; proxies of the environment are not used.

    A server on this machine is told to which run and test the request belongs.

    Args:
        method: HTTP method.
        url: With scheme and host; may hold a path and a query.
        body: Sent as JSON; None sends nothing.
        headers: Sent beside the content type.
        timeout_s: For connecting and for each read.
        whole_s: For the body as a whole: a stream of events has no end.
        most_bytes: The longest body that is read.

    Raises:
        OSError: Nothing listens, or nothing answers in time.
        http.client.HTTPException: What answers does not speak HTTP; EndlessAnswer where its body has no end.
        ValueError: The address or a header contains a character that cannot be sent; the text may repeat it.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    payload = None if body is None else json.dumps(body)
    with closing(kind(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_s)) as connection:
        sent = {"Content-Type": "application/json", **run_headers(parts.hostname), **(headers or {})}
        connection.request(method, path, payload, sent)
        response = connection.getresponse()
        content = _whole(response, whole_s, most_bytes)
    moved = 300 <= response.status < 400
    return HttpAnswer(
        status=response.status,
        value=_decoded(content),
        substitute=response.headers.get(SUBSTITUTE_HEADER, ""),
        location=response.headers.get("location", "") if moved else "",
    )


def _whole(response: http.client.HTTPResponse, seconds: float, most_bytes: float) -> bytes:
    """Return a body to its end; raise EndlessAnswer where that does not come."""
    deadline, content = time.monotonic() + seconds, bytearray()
    while part := response.read1(_PART_BYTES):
        content += part
        if time.monotonic() > deadline or len(content) > most_bytes:
            raise EndlessAnswer(f"the answer has {len(content)} bytes and no end")
    if response.length:  # of what the header promised
        raise http.client.IncompleteRead(bytes(content), response.length)
    return bytes(content)


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
