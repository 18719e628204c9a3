"""One JSON request to a store that may not be there, or may be something else."""

from __future__ import annotations

from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from ragbed.guard.addresses import redacted
from ragbed.guard.stores.base import NotThere, WrongService
from ragbed.guard.stores.connection_errors import HTTP, Door, hung_up, other_protocol, why_closed
from ragbed.http import EndlessAnswer, request_json

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from ragbed.http import HttpAnswer

_MOST_BYTES = 16 * 1024**2
"""No answer that is asked for here comes near it."""
_WITHOUT_TLS = "HTTPS"
"""What servers name to a client that came without TLS: nginx, Go, and those that copy their words."""


def request(
    url: str, method: str, path: str, *, body: object = None, api_key: str = "", timeout_s: float = 2.0
) -> HttpAnswer:
    """Send one request and return its answer.

    Raises:
        NotThere: Nothing listens, or nothing answers in time.
        WrongService: What answers does not speak HTTP.
    """
    headers = {"api-key": api_key} if api_key else None
    parts = urlsplit(url)
    address = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, "", ""))
    try:
        return request_json(
            method,
            address,
            body=body,
            headers=headers,
            timeout_s=timeout_s,
            whole_s=timeout_s,
            most_bytes=_MOST_BYTES,
        )
    except RemoteDisconnected as error:
        raise hung_up(_door(parts, timeout_s)) from error
    except BadStatusLine as error:
        answer = str(error.args[0]).encode("latin-1", "replace")  # as it was decoded
        raise other_protocol(answer, _door(parts, timeout_s)) from error
    except EndlessAnswer as error:
        raise WrongService(f"it answers {path} with a stream that has no end") from error
    except IncompleteRead as error:
        raise NotThere("it broke off in the middle of its answer") from error
    except HTTPException as error:
        raise WrongService(f"it does not speak HTTP ({type(error).__name__}: {error})") from error
    except OSError as error:
        raise why_closed(error, _door(parts, timeout_s)) from error
    except ValueError:  # its text repeats the header, which is the key
        raise WrongService("the address or the key contains a character that cannot be sent") from None


def another_api(answer: HttpAnswer, url: str, path: str, lacks: str) -> WrongService:
    """Return what an HTTP answer tells that is not the service's own.

    Args:
        answer: What came.
        url: Of the service.
        path: What was asked.
        lacks: What the service's own answer would have, to follow the path: `names no version`.
    """
    if answer.location:
        target = redacted(urljoin(url, answer.location)).removesuffix(path)
        return WrongService(
            f"{path} redirects to {target} (HTTP {answer.status})",
            hint=f"if that is the one, write {target} into {{named}}",
        )
    if answer.status in {401, 403, 407}:
        return WrongService(
            f"{path} asks for a login (HTTP {answer.status}), as a proxy in front of it does",
            hint="write the address of the server itself into {named}",
        )
    if answer.status in {502, 503, 504}:
        return WrongService(f"{path} answers HTTP {answer.status}, as a proxy does whose server is down")
    if isinstance(answer.value, str) and _WITHOUT_TLS in answer.value:
        return WrongService(
            "it speaks TLS, and the address does not", hint="begin the address in {named} with https://"
        )
    if isinstance(answer.value, str) and answer.value.lstrip().startswith("<"):
        return WrongService(f"{path} answers with a web page (HTTP {answer.status})")
    return WrongService(f"{path} answers HTTP {answer.status} and {lacks}")


def _door(parts: SplitResult, timeout_s: float) -> Door:
    secure = parts.scheme == "https"
    return Door(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or (443 if secure else 80),
        protocol=HTTP,
        schemes=("http", "https"),
        secure=secure,
        timeout_s=timeout_s,
    )
