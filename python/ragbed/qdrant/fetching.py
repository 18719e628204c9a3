"""Fetch a snapshot from another server on this machine; nothing is sent anywhere else."""

from __future__ import annotations

import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import IO, TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ragbed.guard import is_loopback
from ragbed.qdrant.disk_space import require_space
from ragbed.qdrant.errors import BadRequest, Forbidden, WrongInput

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from pathlib import Path
    from urllib.parse import SplitResult

SILENCE_S = 30
"""How long the other server may say nothing, or less than `LEAST_BYTES`."""

LEAST_BYTES = 64 * 1024
PIECE_BYTES = 1024 * 1024
REDIRECTS = 3
MOVED = (301, 302, 303, 307, 308)


def fetch(url: str, into: IO[bytes], *, api_key: str | None, max_bytes: int, folder: Path) -> None:
    """Write what a URL answers to a file.

    Args:
        url: http or https, of this machine. It may redirect within its own scheme, host and port.
        into: The file.
        api_key: Sent to that server alone; None for none.
        max_bytes: How much is taken.
        folder: Where the file is; raises where its disk has no room.

    Raises:
        WrongInput: The URL is malformed.
        Forbidden: It leads to another machine.
        BadRequest: The server answers something else, too much, too slowly, or not at all.
        DiskFull: The disk is too full.
    """
    home = asked = _parts(url)
    for _ in range(REDIRECTS + 1):
        connection = _connected(asked)
        try:
            answer = _answer(connection, asked, api_key)
            if answer.status not in MOVED:
                _save(answer, into, url, max_bytes, folder)
                return
            asked = _next(home, asked, answer.headers.get("location", ""))
        except (OSError, HTTPException, UnicodeError) as error:
            raise BadRequest(f"Failed to download snapshot from {url}: {error}") from error
        finally:
            connection.close()
    raise BadRequest(f"Failed to download snapshot from {url}: more than {REDIRECTS} redirects")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it checks it
    except ValueError as error:
        raise WrongInput(f"Invalid snapshot location `{url}`: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongInput(f"Invalid snapshot location `{url}`: a file, http or https URL is expected")
    _require_near(parts.hostname)
    return parts


def _require_near(host: str) -> None:
    if not is_loopback(host):
        raise Forbidden(f"`{host}` is not this machine; fetch the snapshot and upload it")


def _connected(parts: SplitResult) -> HTTPConnection:
    """Return a connection to the host that was checked; the address that its name led to is checked again."""
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(str(parts.hostname), parts.port, timeout=SILENCE_S)
    try:
        connection.connect()
    except OSError as error:
        raise BadRequest(f"Failed to download snapshot from {parts.geturl()}: {error}") from error
    if connection.sock is not None:
        _require_near(connection.sock.getpeername()[0])
    return connection


def _answer(connection: HTTPConnection, parts: SplitResult, api_key: str | None) -> HTTPResponse:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", target, headers={"api-key": api_key} if api_key else {})
    except ValueError as error:  # a character that cannot stand there
        raise WrongInput(f"Invalid snapshot location or key: {error}") from error
    return connection.getresponse()


def _next(home: SplitResult, asked: SplitResult, location: str) -> SplitResult:
    """Return where a redirect leads; it may not leave the server, which the key was meant for."""
    moved = _parts(urljoin(asked.geturl(), location))
    if (moved.scheme, moved.hostname, moved.port) != (home.scheme, home.hostname, home.port):
        raise Forbidden(
            f"the snapshot's server redirects to another one, `{moved.netloc.rpartition('@')[2]}`"
        )
    return moved


def _save(answer: HTTPResponse, into: IO[bytes], url: str, max_bytes: int, folder: Path) -> None:
    if answer.status != 200:
        raise BadRequest(f"Failed to download snapshot from {url}: status {answer.status}")
    _require_fitting(answer.length or 0, max_bytes)
    require_space(folder, answer.length or 0)
    taken = 0
    mark, marked_at = 0, time.monotonic()
    while piece := answer.read1(PIECE_BYTES):
        taken += len(piece)
        _require_fitting(taken, max_bytes)
        require_space(folder)
        into.write(piece)
        if (now := time.monotonic()) - marked_at > SILENCE_S:
            if taken - mark < LEAST_BYTES:
                raise BadRequest(
                    f"Failed to download snapshot from {url}: {taken - mark} bytes in {SILENCE_S} s"
                )
            mark, marked_at = taken, now
    if answer.length:
        raise BadRequest(f"Failed to download snapshot from {url}: it ended {answer.length} bytes too early")
    into.flush()


def _require_fitting(size_bytes: int, max_bytes: int) -> None:
    if size_bytes > max_bytes:
        raise BadRequest(f"the snapshot is longer than {max_bytes} bytes; `--max-snapshot-mb` raises that")
