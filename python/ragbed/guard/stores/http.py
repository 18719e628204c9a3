"""One JSON request to a store that may not be there, or may be something else."""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ragbed.guard.stores.base import NotThere, WrongService
from ragbed.http import request_json

if TYPE_CHECKING:
    from ragbed.http import Answer


def request(
    url: str, method: str, path: str, *, body: object = None, api_key: str = "", timeout_s: float = 2.0
) -> Answer:
    """Send one request and return its answer.

    Raises:
        NotThere: Nothing listens, or nothing answers in time.
        WrongService: What answers does not speak HTTP.
    """
    headers = {"api-key": api_key} if api_key else None
    parts = urlsplit(url)
    address = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, "", ""))
    try:
        return request_json(method, address, body=body, headers=headers, timeout_s=timeout_s)
    except HTTPException as error:
        raise WrongService(f"it does not speak HTTP ({type(error).__name__}: {error})") from error
    except OSError as error:
        raise NotThere(str(error)) from error
    except ValueError:  # its text repeats the header, which is the key
        raise WrongService("the address or the key contains a character that cannot be sent") from None
