"""Why a Postgres does not let us in or would not take a write, in words, whatever language the server speaks."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ragbed.guard.libpq import UNREADABLE
from ragbed.guard.names import written
from ragbed.guard.stores.base import NotThere, Unusable, WrongService
from ragbed.guard.stores.connection_errors import (
    POSTGRES,
    SSL_REQUEST,
    Door,
    hung_up,
    other_protocol,
    why_closed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

_PROTOCOL_3 = 196608
_LONGEST_ERROR = 8192
_ENCRYPTION = "add ?sslmode=require to the address in {named}"
_WITH_PASSWORD = "write it into {named}: postgresql://USER:PASSWORD@host:port/database"  # noqa: S105 - a pattern
_NO_USER = "no user"  # the server's code is that of every refusal
_BY_STATE = {
    _NO_USER: ("it has no user {user}", "create it: createuser, or name another user in {named}"),
    "28P01": ("it refuses the password of {user}", "put the right password into {named}"),
    "28000": (
        "its pg_hba.conf does not let {user} in",
        "add a line for that user to pg_hba.conf, or name another user in {named}",
    ),
    "3D000": ("it has no database {database}", "create it: createdb {database}, or correct {named}"),
    "42501": ("{user} may not connect to the database {database}", "GRANT CONNECT, or correct {named}"),
    "53300": (
        "it has no connection left for {user}",
        "end some clients, or raise max_connections or the limit of the user or the database",
    ),
}
_WORDED = (  # what the server says only after the password, where libpq hides the code
    ("password authentication failed", "28P01"),
    ("permission denied for database", "42501"),
    ("too many connections", "53300"),
    ("remaining connection slots", "53300"),
    ("not permitted to log in", "28000"),
    ("pg_hba.conf", "28000"),
    ('role "', _NO_USER),
    ("does not exist", "3D000"),
)
"""In the words of an English server; another one's are shown as they come."""
_NOT_ALLOWED = {
    "42501": "its user may not do that",
    "25006": "it is read-only",
    "53100": "its disk is full",
}


def door_of(url: str, timeout_s: float) -> Door:
    """Return where libpq would connect by TCP."""
    place = written(url)
    return Door(
        host=place.get("hostaddr") or place.get("host") or os.environ.get("PGHOST") or "127.0.0.1",
        port=int(place.get("port") or os.environ.get("PGPORT") or 5432),
        protocol=POSTGRES,
        schemes=None,
        secure=False,
        timeout_s=timeout_s,
    )


def greet(door: Door) -> bool:
    """Return whether the server offers TLS, asked by an SSLRequest, which needs no password.

    Raises:
        NotThere: Nothing listens, or nothing answers.
        WrongService: What answers is not PostgreSQL's.

    Source: message flow of the PostgreSQL protocol, "SSL Session Encryption".
    """
    try:
        with closing(dialled(door)) as connection:
            connection.sendall(SSL_REQUEST)
            answer = connection.recv(64)
    except OSError as error:
        raise why_closed(error, door) from error
    if not answer:
        raise hung_up(door)
    if answer not in {b"S", b"N"}:
        raise other_protocol(answer, door)
    return answer == b"S"


def dialled(door: Door) -> socket.socket:
    """Return a connection to where libpq would go, by TCP or by the socket in a folder."""
    if not door.host.startswith("/"):
        return socket.create_connection((door.host, door.port), timeout=door.timeout_s)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(door.timeout_s)
        connection.connect(f"{door.host}/.s.PGSQL.{door.port}")
    except BaseException:
        connection.close()
        raise
    return connection


def why_not_connected(error: psycopg.OperationalError, url: str, door: Door) -> NotThere | WrongService:
    """Return why a connection was refused: asked of the server, as far as it tells without a password.

    Args:
        error: What psycopg raised.
        url: Where it connected.
        door: The same place.
    """
    import psycopg  # noqa: PLC0415 - the caller has imported it

    if "," in door.host:  # several servers, of which libpq tells each
        return NotThere(" ".join(str(error).split()))
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return why_closed(TimeoutError(), door)
    try:
        offers_tls = greet(door)
    except (NotThere, WrongService) as seen:
        return seen
    text = " ".join(str(error).split())
    return _tls(text, offered=offers_tls) or _judged(error, url, _refused_before_password(url, door))


def _judged(error: psycopg.OperationalError, url: str, fields: Mapping[str, str]) -> NotThere | WrongService:
    """Return what the server's refusal means: by libpq's words where we know them, else by the server's code."""
    connection: Any = error.pgconn
    if connection is not None and connection.needs_password:
        seen = "it needs a password, and the address has none (no password supplied)"
        return Unusable(seen, hint=_WITH_PASSWORD)
    text = " ".join(str(error).split())
    if state := next((code for words, code in _WORDED if words in _fatal(text)), ""):
        return _unusable(state, url, _fatal(text))
    state, said = fields.get("C", ""), fields.get("M", "")
    if state in _BY_STATE:
        return _unusable(state, url, said)
    if state == "57P03":
        return NotThere(f"it does not take connections yet: {said}")
    if fields or "FATAL" in text:
        return WrongService(f"it refuses us: {said or _fatal(text)}")
    return NotThere(text)


def _unusable(state: str, url: str, said: str) -> Unusable:
    place = written(url)
    names = {"user": place.get("user", "the user"), "database": place.get("dbname", "of that name")}
    seen, hint = _BY_STATE[state]
    hint = hint.replace("{database}", names["database"])
    return Unusable(f"{seen.format(**names)} ({said})", hint=hint)


def _tls(text: str, *, offered: bool) -> WrongService | None:
    """Return what is wrong with TLS, by libpq's own words, which are English whatever the server speaks."""
    if "does not support SSL" in text:
        seen = "it does not speak TLS, and the address asks for it (sslmode)"
        return Unusable(seen, hint="take sslmode out of {named}")
    if offered and "no encryption" in _fatal(text):
        return Unusable("it takes encrypted connections only", hint=_ENCRYPTION)
    if any(
        words in text for words in ("certificate verify failed", "root certificate", "server certificate")
    ):
        hint = "name the PEM file of its authority: sslrootcert=/path/to/ca.pem in {named}"
        return Unusable("its TLS certificate is not trusted", hint=hint)
    if "requires a valid client certificate" in text or "certificate required" in text:
        return Unusable("it asks for a client certificate", hint="name it: sslcert=… and sslkey=… in {named}")
    if "SSL error" in text or "SSL SYSCALL" in text:
        return WrongService("it begins TLS, and breaks off the handshake")
    return None


def _fatal(text: str) -> str:
    """Return what the server said first, without libpq's account of where it connected."""
    return text.partition("FATAL: ")[2].partition(" connection to server")[0].strip() or text


def _refused_before_password(url: str, door: Door) -> dict[str, str]:
    """Begin a session without TLS, and return the fields of the refusal; empty where it goes on to the password.

    Source: "Message Formats" and "Error and Notice Message Fields" of the PostgreSQL protocol.
    """
    place = written(url)
    user = place.get("user") or os.environ.get("PGUSER") or "postgres"
    pairs = {"user": user, "database": place.get("dbname") or os.environ.get("PGDATABASE") or user}
    words = b"".join(f"{key}\0{value}\0".encode() for key, value in pairs.items()) + b"\0"
    try:
        with closing(dialled(door)) as connection:
            connection.sendall(struct.pack("!ii", len(words) + 8, _PROTOCOL_3) + words)
            answer = connection.recv(_LONGEST_ERROR)
    except OSError:
        return {}
    if answer[:1] != b"E":
        return {}
    fields = answer[5:].decode(errors="replace").split("\0")
    return {field[0]: field[1:] for field in fields if field}


def why_not_done(error: psycopg.Error) -> NotThere | WrongService:
    """Return why a statement was refused, or not answered."""
    if error.sqlstate is None:  # libpq could not read the address, and repeats what it could not read
        return WrongService(UNREADABLE)
    said = " ".join(str(error).split())
    if error.sqlstate.startswith(("08", "57P")):
        return NotThere(said)
    if error.sqlstate in _NOT_ALLOWED:
        return Unusable(f"{_NOT_ALLOWED[error.sqlstate]}: {said}")
    return WrongService(said)
