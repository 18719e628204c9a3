"""Small JSON requests by the standard library, where importing a vendor's client costs more than the call."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from collections.abc import Mapping


def request_json(
    method: str,
    url: str,
    *,
    service: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 5.0,
) -> tuple[int, Any]:
    """Send one request and return status and decoded body; proxies of the environment are not used.

    Args:
        method: HTTP method.
        url: With scheme and host; may hold a path prefix.
        service: Who is asked, for the message.
        body: Sent as JSON; None sends nothing.
        headers: Sent beside the content type.
        timeout_s: For connecting and for each read.

    Returns:
        The status, and the body as JSON values; None where it is no JSON.

    Raises:
        ServiceMissing: There is no answer.
    """
    parts = urlsplit(url)
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, timeout_s)
        try:
            path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            payload = None if body is None else json.dumps(body).encode()
            connection.request(method, path, payload, {"content-type": "application/json", **(headers or {})})
            response = connection.getresponse()
            return response.status, _decoded(response.read())
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ServiceMissing(
            f"{service} does not answer {method} {parts.scheme}://{parts.hostname}:{parts.port}{parts.path}: "
            f"{str(error) or type(error).__name__}",
            hint="ragbed up starts the services, ragbed status shows them",
        ) from error


def _connection(scheme: str, host: str, port: int | None, timeout_s: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout_s)
    return http.client.HTTPConnection(host, port, timeout=timeout_s)


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
