"""One JSON request over the standard library's HTTP client."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ragbed.guard.stores.base import NotThere, WrongService

SUBSTITUTE_HEADER = "x-ragbed-substitute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        value: The decoded JSON, or the text where it is none.
        substitute: What our own substitutes call themselves; empty for others.
    """

    status: int
    value: Any
    substitute: str


def request(
    url: str, method: str, path: str, *, body: object = None, api_key: str = "", timeout_s: float = 2.0
) -> Answer:
    """Send one request and return its answer.

    Raises:
        NotThere: Nothing listens, or nothing answers in time.
        WrongService: What answers does not speak HTTP.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_s)
    headers = {"Content-Type": "application/json", **({"api-key": api_key} if api_key else {})}
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, parts.path.rstrip("/") + path, body=data, headers=headers)
        response = connection.getresponse()
        content = response.read()
    except http.client.HTTPException as error:
        raise WrongService(f"it does not speak HTTP ({type(error).__name__}: {error})") from error
    except OSError as error:
        raise NotThere(str(error)) from error
    except ValueError:  # its text repeats the header, which is the key
        raise WrongService("the address or the key has a sign in it that cannot be sent") from None
    finally:
        connection.close()
    try:
        value = json.loads(content)
    except ValueError:
        value = content.decode(errors="replace")
    return Answer(status=response.status, value=value, substitute=response.headers.get(SUBSTITUTE_HEADER, ""))
