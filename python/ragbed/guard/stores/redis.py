"""Redis and Valkey over a plain socket: five commands do not need a client of 0.3 s import time."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import parse_qs, unquote, urlsplit

from ragbed.guard.stores.base import Identity, NotThere, WrongService
from ragbed.guard.stores.marker import MARKER, Marker, names_by_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ragbed.guard.stores.marker import Project

KEY = MARKER.replace("_", ":", 1)
_TRIES = 20
_CHANGED_MEANWHILE = "(nil)"


class RedisStore:
    """A light client of one Redis database.

    Source: the RESP specification, version 2: arrays of bulk strings out; status, error, integer and bulk in.
    """

    def __init__(self, url: str, *, timeout_s: float = 2.0) -> None:
        self.url = url
        self._timeout_s = timeout_s

    def pulse(self) -> None:
        """Return if the server answers PING."""
        self._ask("PING")

    def identify(self) -> Identity:
        """Return product and version from INFO; Valkey names itself beside the version it is compatible with."""
        fields = dict(line.split(":", 1) for line in self._ask("INFO", "server").splitlines() if ":" in line)
        if fields.get("server_name") == "valkey":
            return Identity(product="valkey", version=fields.get("valkey_version", "?"))
        if "redis_version" not in fields:
            raise WrongService("INFO names no redis_version")
        return Identity(product="redis", version=fields["redis_version"])

    def marker(self) -> Marker | None:
        """Return what the marker's key says; None where this database has no such key."""
        return _marker(self._ask("GET", KEY))

    def let_in(self, project: Project) -> None:
        """Write a project into the marker's key, which never expires."""
        self._change(lambda projects: {**projects, project.id: project.name})

    def leave(self, project: Project) -> None:
        """Take a project out of the marker's key, and delete that where it names no other."""
        self._change(lambda projects: {key: name for key, name in projects.items() if key != project.id})

    def _change(self, change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Change the marker, again where another client changed it meanwhile.

        Source: "Optimistic locking using check-and-set" of Redis's documentation on transactions.
        """
        for _ in range(_TRIES):
            with self._connected() as stream:
                _call(stream, "WATCH", KEY)
                found = _marker(_call(stream, "GET", KEY))
                wanted = change(found.projects if found else {})
                write = ("SET", KEY, json.dumps({"projects": dict(wanted)})) if wanted else ("DEL", KEY)
                _call(stream, "MULTI")
                _call(stream, *write)
                if _call(stream, "EXEC") != _CHANGED_MEANWHILE:
                    return
        raise WrongService(f"its key {KEY} is changed by others all the time")

    def contents(self) -> list[str]:
        """Return the number of keys in this database."""
        return [f"{self._ask('DBSIZE')} keys"]

    def _ask(self, *words: str) -> str:
        with self._connected() as stream:
            return _call(stream, *words)

    @contextmanager
    def _connected(self) -> Iterator[IO[bytes]]:
        parts = urlsplit(self.url)
        host = parts.hostname or "127.0.0.1"
        user, password, database = _credentials(self.url)
        try:
            with socket.create_connection((host, parts.port or 6379), timeout=self._timeout_s) as plain:
                secure = parts.scheme == "rediss"
                connection = (
                    ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
                )
                with cast("IO[bytes]", connection.makefile("rwb")) as stream:
                    if password:
                        _call(stream, "AUTH", *([user] if user else []), password)
                    if database:
                        _call(stream, "SELECT", database)
                    yield stream
        except (OSError, UnicodeError) as error:
            raise NotThere(str(error)) from error


def _marker(text: str) -> Marker | None:
    """Return the marker that a key's value is; an older ragbed wrote a sentence there."""
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return Marker({})
    return Marker(names_by_id(value.get("projects") if isinstance(value, dict) else None))


def _credentials(url: str) -> tuple[str, str, str]:
    """Return user, password and database as the official client reads them: the query's database wins.

    Source: "redis.Redis.from_url" of redis-py's documentation.
    """
    parts = urlsplit(url)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    return (
        unquote(parts.username or "") or query.get("username", ""),
        unquote(parts.password or "") or query.get("password", ""),
        query.get("db", "") or parts.path.strip("/"),
    )


def _call(stream: IO[bytes], *words: str) -> str:
    """Send one command and return its answer as text; an error reply is raised."""
    out = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word.encode()
        out += [f"${len(data)}\r\n".encode(), data, b"\r\n"]
    stream.write(b"".join(out))
    stream.flush()
    return _reply(stream)


def _reply(stream: IO[bytes]) -> str:
    """Read one reply as text; an error reply is raised."""
    line = stream.readline()
    kind, text = line[:1], line[1:].strip().decode(errors="replace")
    if kind == b"$":
        return stream.read(int(text) + 2)[:-2].decode(errors="replace") if int(text) >= 0 else ""
    if kind in {b"+", b":"}:
        return text
    if kind == b"*":  # what the commands of a transaction answered; an error among them is raised
        return "".join(_reply(stream) for _ in range(int(text))) if int(text) >= 0 else _CHANGED_MEANWHILE
    if kind == b"-":
        if text.startswith("LOADING"):
            raise NotThere(text)
        raise WrongService(text)
    raise WrongService(f"it answers {line[:40]!r}, which is not the Redis protocol")
