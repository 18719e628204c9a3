"""Postgres through psycopg, imported when first needed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ragbed.guard.libpq import connect
from ragbed.guard.stores.base import Identity, WrongService
from ragbed.guard.stores.marker import MARKER, Marker, note_of, read_note
from ragbed.guard.stores.postgres_refusals import (
    door_of,
    greet,
    why_not_connected,
    why_not_done,
)
from ragbed.guard.stores.postgres_rights import require_writable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from ragbed.guard.stores.connection_errors import Door
    from ragbed.guard.stores.marker import Project

_NOTES = f"SELECT note FROM public.{MARKER}"  # noqa: S608 - a constant
_ADD = f"INSERT INTO public.{MARKER} VALUES (%s)"  # noqa: S608 - as above


class PostgresStore:
    """A light client of one Postgres database."""

    def __init__(self, url: str, *, timeout_s: float = 2.0) -> None:
        self.url = url
        self._timeout_s = timeout_s

    def pulse(self) -> None:
        """Return if the server answers an SSLRequest, which needs no password."""
        greet(self._door())

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

    def require_writable(self) -> None:
        """Look at the user's rights and the session's mode; nothing is written.

        Raises:
            Unusable: A standby, a read-only session, or rights that are missing.
        """
        with self._connected() as connection:
            require_writable(connection)

    def add_pgvector(self) -> None:
        """Have pgvector in the database; nothing changes where it is.

        Raises:
            Unusable, WrongService: The server has no pgvector, or the user may not add it.
        """
        with self._connected() as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")

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
            opened = connect(self.url, autocommit=True, connect_timeout=max(2, round(self._timeout_s)))
            with opened as connection:
                yield connection
        except psycopg.Error as error:
            if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
                raise why_not_connected(error, self.url, self._door()) from error
            cause = None if error.sqlstate is None else error  # libpq's own words may hold the password
            raise why_not_done(error) from cause

    def _door(self) -> Door:
        return door_of(self.url, self._timeout_s)

    def _row(self, connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = connection.execute(query).fetchone()
        if row is None:
            raise WrongService(f"{query} gave no row")
        return row


def _marker(connection: psycopg.Connection[Any]) -> Marker:
    """Return what the rows of the marker's table say; those of an older ragbed name no project."""
    rows = connection.execute(_NOTES).fetchall()
    return Marker(dict(note for row in rows if (note := read_note(row[0]))))
