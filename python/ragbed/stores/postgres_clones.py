"""Databases for tests: clones of a template, made ahead by a thread while tests run, and dropped by it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from itertools import count
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from ragbed.stores.postgres_template import clone, database_url, ensure_template, maintenance

if TYPE_CHECKING:
    import psycopg

    from ragbed.stores.migrations import Migrations

_PREFIX = "ragbed_test_"
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 4))"
_OF_TESTS = f"SELECT datname FROM pg_database WHERE datname ~ '^{_PREFIX}[0-9a-f]{{8}}_[0-9]+$'"  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What the thread is asked for: to drop the database named, else to make one, or to end."""

    drop: str = ""
    is_last: bool = False


class DatabaseClones:
    """A few databases ready for the next tests. Call `take` and `give_back` from one thread.

    A process that is killed leaves databases behind; the next one on the same server drops them. A lock in the server
    tells that their process has ended: it ends with that process's connection.

    Args:
        url: A database of the server, as a user who may create databases.
        migrations: What the template is made by.
        ahead: How many databases are made before they are asked for.

    Raises:
        StoreFailed: Postgres refused. What the migrations themselves raise comes as it is.
    """

    def __init__(self, url: str, migrations: Migrations, *, ahead: int = 2) -> None:
        self._url = url
        self._template = ensure_template(url, migrations)
        self._token = secrets.token_hex(4)
        self._numbers = count()
        self._orders: SimpleQueue[_Order] = SimpleQueue()
        self._ready: SimpleQueue[str | Exception] = SimpleQueue()
        self._worker = Thread(target=self._work, args=(ahead,), name="ragbed-database-clones", daemon=True)
        self._worker.start()

    def take(self) -> str:
        """Return the address of a database that no test has used.

        Raises:
            StoreFailed: Postgres refused to make one.
        """
        self._orders.put(_Order())
        name = self._ready.get()
        if isinstance(name, Exception):
            self._ready.put(name)  # and so to every later test
            raise name
        return database_url(self._url, name)

    def give_back(self, url: str) -> None:
        """Have a database dropped."""
        self._orders.put(_Order(drop=url.rpartition("/")[2]))

    def close(self) -> None:
        """Drop what is left, and wait for that."""
        self._orders.put(_Order(is_last=True))
        self._worker.join()

    def _work(self, ahead: int) -> None:
        try:
            with maintenance(self._url) as connection:
                connection.execute(_LOCK, [self._token])
                _drop_left(connection)
                for _ in range(ahead):
                    self._make(connection)
                while not (order := self._orders.get()).is_last:
                    if order.drop:
                        _drop(connection, order.drop)
                    else:
                        self._make(connection)
                _drop_all(connection, f"{_PREFIX}{self._token}_")
        except Exception as error:  # raised again in the test that asks for a database
            self._ready.put(error)

    def _make(self, connection: psycopg.Connection) -> None:
        name = f"{_PREFIX}{self._token}_{next(self._numbers)}"
        clone(connection, self._template, name)
        self._ready.put(name)


def _drop_left(connection: psycopg.Connection) -> None:
    """Drop the databases of processes that have ended without doing so."""
    names = [str(row[0]) for row in connection.execute(_OF_TESTS).fetchall()]
    for token in {name.removeprefix(_PREFIX).partition("_")[0] for name in names}:
        row = connection.execute(_LOCK, [token]).fetchone()
        if row and row[0]:
            _drop_all(connection, f"{_PREFIX}{token}_")
            connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 4))", [token])


def _drop_all(connection: psycopg.Connection, prefix: str) -> None:
    for row in connection.execute(_OF_TESTS).fetchall():
        if str(row[0]).startswith(prefix):
            _drop(connection, str(row[0]))


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
