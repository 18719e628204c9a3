"""One JSON request to a service that the pipeline needs."""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.errors import ServiceMissing
from ragbed.http import request_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.http import HttpAnswer


def ask_service(
    method: str,
    url: str,
    *,
    service: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 5.0,
) -> HttpAnswer:
    """Send one request and return its answer.

    Args:
        method: HTTP method.
        url: With scheme and host; may hold a path prefix.
        service: The name of the service, for the message.
        body: Sent as JSON; None sends nothing.
        headers: Sent beside the content type.
        timeout_s: For connecting and for each read.

    Raises:
        ServiceMissing: There is no answer.
    """
    try:
        return request_json(method, url, body=body, headers=headers, timeout_s=timeout_s)
    except (OSError, HTTPException, ValueError) as error:
        parts = urlsplit(url)
        raise ServiceMissing(
            f"{service} does not answer {method} {parts.scheme}://{parts.hostname}:{parts.port}{parts.path}: "
            f"{str(error) or type(error).__name__}",
            hint="ragbed up starts the services, ragbed status shows them",
        ) from error
