"""Postgres through psycopg, imported when first needed."""

from __future__ import annotations

import socket
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ragbed.guard.libpq import UNREADABLE, fitting_environment
from ragbed.guard.names import written
from ragbed.guard.stores.base import MARKER, Identity, NotThere, WrongService

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class PostgresStore:
    """A light client of one Postgres database."""

    def __init__(self, url: str, *, timeout_s: float = 2.0) -> None:
        self.url = url
        self._timeout_s = timeout_s

    def pulse(self) -> None:
        """Return if the server answers an SSLRequest, which needs no password.

        Source: message flow of the PostgreSQL protocol, "SSL Session Encryption".
        """
        try:
            with _dialled(self.url, self._timeout_s) as connection:
                connection.sendall(_SSL_REQUEST)
                answer = connection.recv(1)
        except OSError as error:
            raise NotThere(str(error)) from error
        if answer not in {b"S", b"N"}:
            raise WrongService(f"it answers {answer!r}, which is not PostgreSQL's protocol")

    def identify(self) -> Identity:
        """Return the server's version, asked by SQL as the configured user."""
        with self._connected() as connection:
            row = self._row(connection, "SELECT current_setting('server_version')")
        return Identity(product="postgres", version=str(row[0]))

    def is_marked(self) -> bool:
        """Tell whether the marker's table is in this database."""
        with self._connected() as connection:
            return self._row(connection, f"SELECT to_regclass('public.{MARKER}')")[0] is not None

    def mark(self, note: str) -> None:
        """Create the marker's table with one row."""
        with self._connected() as connection:
            connection.execute(f"CREATE TABLE IF NOT EXISTS public.{MARKER} (note text NOT NULL)")
            connection.execute(f"INSERT INTO public.{MARKER} VALUES (%s)", [note])  # noqa: S608 - a constant

    def contents(self) -> list[str]:
        """Return the tables of this database with the planner's row counts."""
        query = (
            "SELECT format('table %s.%s, about %s rows', schemaname, relname, n_live_tup)"
            " FROM pg_stat_user_tables ORDER BY n_live_tup DESC, 1 LIMIT 20"
        )
        with self._connected() as connection:
            return [str(row[0]) for row in connection.execute(query).fetchall()] or ["no tables"]

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        import psycopg  # noqa: PLC0415 - 0.2 s that a stack without Postgres should not pay

        try:
            with fitting_environment(self.url):
                opened = psycopg.connect(
                    self.url, autocommit=True, connect_timeout=max(2, round(self._timeout_s))
                )
            with opened as connection:
                yield connection
        except psycopg.OperationalError as error:
            text = " ".join(str(error).split())
            # Refused at the door by something that speaks the protocol is another answer than silence.
            if any(
                word in text for word in ("authentication failed", "does not exist", "pg_hba", "no password")
            ):
                raise WrongService(text) from error
            raise NotThere(text) from error
        except psycopg.Error as error:
            if error.sqlstate is None:  # libpq could not read the address, and repeats what it could not read
                raise WrongService(UNREADABLE) from None
            raise WrongService(" ".join(str(error).split())) from error

    def _row(self, connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = connection.execute(query).fetchone()
        if row is None:
            raise WrongService(f"{query} gave no row")
        return row


def _dialled(url: str, timeout_s: float) -> socket.socket:
    """Return a connection to where libpq would go, by TCP or by the socket in a folder."""
    place = written(url)
    host = place.get("hostaddr") or place.get("host") or "127.0.0.1"
    port = int(place.get("port", 5432))
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=timeout_s)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout_s)
        connection.connect(f"{host}/.s.PGSQL.{port}")
    except BaseException:
        connection.close()
        raise
    return connection
