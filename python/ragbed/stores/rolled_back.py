"""A psycopg connection whose work, commits included, is undone when it closes."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_SAVEPOINT = "ragbed_commit"
_BEGIN = f"BEGIN; SAVEPOINT {_SAVEPOINT}"
_COMMIT = f"RELEASE SAVEPOINT {_SAVEPOINT}; SAVEPOINT {_SAVEPOINT}"
_ROLLBACK = f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}"


class RolledBackConnection(psycopg.Connection[Any]):
    """Behaves as an ordinary connection within one transaction that is never committed.

    `commit` sets a savepoint, `rollback` goes back to the last one, and `transaction()` nests as usual.
    """

    def commit(self) -> None:
        """Keep what was done, until the connection closes."""
        self.execute(_COMMIT)

    def rollback(self) -> None:
        """Undo what was done since the last commit."""
        self.execute(_ROLLBACK)


class AsyncRolledBackConnection(psycopg.AsyncConnection[Any]):
    """The same for asyncio."""

    async def commit(self) -> None:
        """Keep what was done, until the connection closes."""
        await self.execute(_COMMIT)

    async def rollback(self) -> None:
        """Undo what was done since the last commit."""
        await self.execute(_ROLLBACK)


@contextmanager
def rolled_back(url: str) -> Iterator[RolledBackConnection]:
    """Yield a connection whose work is undone after the block.

    Args:
        url: The database.
    """
    # Autocommit, so that psycopg begins no transaction of its own; the server drops ours with the connection.
    connection = RolledBackConnection.connect(url, autocommit=True)
    try:
        connection.execute(_BEGIN)
        yield connection
    finally:
        connection.close()


@asynccontextmanager
async def async_rolled_back(url: str) -> AsyncIterator[AsyncRolledBackConnection]:
    """Yield an asyncio connection whose work is undone after the block.

    Args:
        url: The database.
    """
    connection = await AsyncRolledBackConnection.connect(url, autocommit=True)
    try:
        await connection.execute(_BEGIN)
        yield connection
    finally:
        await connection.close()
