"""Redis and Valkey over a plain socket: five commands do not need a client of 0.3 s import time."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import parse_qs, unquote, urlsplit

from ragbed.guard.stores.base import Identity, NotThere, Unusable, WrongService
from ragbed.guard.stores.connection_errors import REDIS, Door, hung_up, other_protocol, why_closed
from ragbed.guard.stores.marker import MARKER, Marker, names_by_id
from ragbed.guard.stores.redis_refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ragbed.guard.stores.marker import Project

KEY = MARKER.replace("_", ":", 1)
_TRIES = 20
_LONGEST_LINE = 4096  # an error reply of protected mode has 800 bytes
_COUNTED = {b"$", b":", b"*"}
_NEVER = (
    "SET",
    "ragbed:probe",
    "",
    "NX",
    "XX",
)  # a syntax error, which is looked for after rights and memory
_NEEDED = (
    ("GET", KEY),
    ("SET", "ragbed:probe", "", "EX", "1"),
    ("MGET", "ragbed:probe"),
    ("SCAN", "0", "MATCH", "ragbed:*"),
    ("UNLINK", "ragbed:probe"),
)
"""What the cache and the marker do."""
_NO_MODE = "name a server that is not a {mode} in {{named}}"
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
        mode = fields.get("redis_mode", fields.get("server_mode", "standalone"))
        if mode != "standalone":
            raise Unusable(f"it is a {mode}, which ragbed does not use", hint=_NO_MODE.format(mode=mode))
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
                marker = _marker(_call(stream, "GET", KEY))
                wanted = change(marker.projects if marker else {})
                write = ("SET", KEY, json.dumps({"projects": dict(wanted)})) if wanted else ("DEL", KEY)
                _call(stream, "MULTI")
                _call(stream, *write)
                if _call(stream, "EXEC") != _CHANGED_MEANWHILE:
                    return
        raise WrongService(f"its key {KEY} is changed by others all the time")

    def require_writable(self) -> None:
        """Ask for what ragbed does, in ways that change nothing: a server refuses first what it would refuse.

        SET with both NX and XX is never done; the rest is queued in a transaction and discarded.

        Raises:
            Unusable: It is a replica, its memory is full, or its user may not do one of them.

        Source: SET, DISCARD and "Errors inside a transaction" of Redis's documentation.
        """
        with self._connected() as stream:
            _call(stream, *_NEVER, user=self._user, expected="ERR ")
            _call(stream, "MULTI", user=self._user)
            for words in _NEEDED:
                _call(stream, *words, user=self._user)
            _call(stream, "DISCARD")

    def contents(self) -> list[str]:
        """Return the number of keys in this database."""
        return [f"{self._ask('DBSIZE')} keys"]

    def _ask(self, *words: str) -> str:
        with self._connected() as stream:
            return _call(stream, *words, user=self._user)

    @property
    def _user(self) -> str:
        return _credentials(self.url)[0]

    def _door(self) -> Door:
        parts = urlsplit(self.url)
        return Door(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 6379,
            protocol=REDIS,
            schemes=("redis", "rediss"),
            secure=parts.scheme == "rediss",
            timeout_s=self._timeout_s,
        )

    @contextmanager
    def _connected(self) -> Iterator[IO[bytes]]:
        door = self._door()
        user, password, database = _credentials(self.url)
        try:
            with _dialled(door) as connection, cast("IO[bytes]", connection.makefile("rwb")) as stream:
                if password:
                    _call(stream, "AUTH", *([user] if user else []), password, user=user)
                if database:
                    _call(stream, "SELECT", database, user=user)
                yield stream
        except _Unread as error:
            raise (other_protocol(error.line, door) if error.line else hung_up(door)) from error
        except (OSError, UnicodeError) as error:
            raise why_closed(error, door) if isinstance(error, OSError) else NotThere(str(error)) from error


@contextmanager
def _dialled(door: Door) -> Iterator[socket.socket]:
    with socket.create_connection((door.host, door.port), timeout=door.timeout_s) as plain:
        if not door.secure:
            yield plain
            return
        with ssl.create_default_context().wrap_socket(plain, server_hostname=door.host) as secure:
            yield secure


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


class _Unread(Exception):
    """What came is not a reply of the protocol; empty where nothing came."""

    def __init__(self, line: bytes) -> None:
        super().__init__(line)
        self.line = line


def _call(stream: IO[bytes], *words: str, user: str = "", expected: str = "") -> str:
    """Send one command and return its answer as text; an error reply is raised, but for one that is expected."""
    out = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word.encode()
        out += [f"${len(data)}\r\n".encode(), data, b"\r\n"]
    stream.write(b"".join(out))
    stream.flush()
    return _reply(stream, command=words[0], user=user, expected=expected)


def _reply(stream: IO[bytes], *, command: str, user: str, expected: str = "") -> str:
    """Read one reply as text; an error reply is raised.

    Raises:
        NotThere: The server is not ready yet.
        WrongService: An error reply; or what came is not a reply.
    """
    line = stream.readline(_LONGEST_LINE)
    kind, text = line[:1], line[1:].strip().decode(errors="replace")
    if kind == b"-" and expected and text.startswith(expected):
        return text
    if kind == b"-" and _is_error(text):
        raise refusal(text, command=command, user=user)
    if kind == b"+" and line.endswith(b"\n"):
        return text
    if kind not in _COUNTED or not text.removeprefix("-").isdecimal():
        raise _Unread(line)
    count = int(text)
    if kind == b"$":
        return stream.read(count + 2)[:-2].decode(errors="replace") if count >= 0 else ""
    if kind == b"*":  # what the commands of a transaction answered; an error among them is raised
        replies = (_reply(stream, command=command, user=user) for _ in range(count))
        return "".join(replies) if count >= 0 else _CHANGED_MEANWHILE
    return text


def _is_error(text: str) -> bool:
    """Tell whether a line is an error reply: those begin with a word in capital letters."""
    word = text.partition(" ")[0]
    return word.isalpha() and word.isupper()
