"""Postgres through psycopg, imported when first needed."""

from __future__ import annotations

import socket
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ragbed.guard.libpq import UNREADABLE, fitting_environment
from ragbed.guard.names import written
from ragbed.guard.stores.base import Identity, NotThere, WrongService
from ragbed.guard.stores.marker import MARKER, Marker, note_of, read_note

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from ragbed.guard.stores.marker import Project

_NOTES = f"SELECT note FROM public.{MARKER}"  # noqa: S608 - a constant
_ADD = f"INSERT INTO public.{MARKER} VALUES (%s)"  # noqa: S608 - as above
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

    def marker(self) -> Marker | None:
        """Return what the rows of the marker's table say; None where this database has no such table."""
        with self._connected() as connection:
            if self._row(connection, f"SELECT to_regclass('public.{MARKER}')")[0] is None:
                return None
            return _marker(connection)

    def let_in(self, project: Project) -> None:
        """Add a row to the marker's table; create that where it is missing."""
        with self._changing_marker() as connection:
            connection.execute(f"CREATE TABLE IF NOT EXISTS public.{MARKER} (note text NOT NULL)")
            if project.id not in _marker(connection).projects:
                connection.execute(_ADD, [note_of(project.id, project.name)])

    def leave(self, project: Project) -> None:
        """Delete a project's row, and the table where it names no other."""
        if self.marker() is None:
            return
        with self._changing_marker() as connection:
            notes = [str(row[0]) for row in connection.execute(_NOTES).fetchall()]
            of_it = [note for note in notes if (read_note(note) or ("",))[0] == project.id]
            connection.execute(f"DELETE FROM public.{MARKER} WHERE note = ANY(%s)", [of_it])  # noqa: S608 - a constant
            if not _marker(connection).projects:
                connection.execute(f"DROP TABLE public.{MARKER}")

    @contextmanager
    def _changing_marker(self) -> Iterator[psycopg.Connection[Any]]:
        """Yield a connection in a transaction that no other one changes the marker beside."""
        with self._connected() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [MARKER])
            yield connection

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


def _marker(connection: psycopg.Connection[Any]) -> Marker:
    """Return what the rows of the marker's table say; those of an older ragbed name no project."""
    rows = connection.execute(_NOTES).fetchall()
    return Marker(dict(found for row in rows if (found := read_note(row[0]))))
