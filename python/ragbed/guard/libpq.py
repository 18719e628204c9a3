"""What the environment would do to a connection of libpq, and how the private Postgres is kept clear of it.

`PGSSLMODE=require`, `PGSERVICE`, `PGOPTIONS` and two dozen more are there for the user's own servers. libpq reads
them with the C library's `getenv`, and for `PGSERVICE` no parameter of a connection takes its place.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

PRIVATE = "ragbed"
"""User and first database of a Postgres that ragbed starts, which listens on loopback only."""

UNREADABLE = (
    "the address cannot be read: a % or another sign in it is not percent-encoded, or an option is unknown"
)
"""Said in the place of libpq's own words, which repeat the part of the address that may be the password."""

_connecting = Lock()


def is_private(url: str) -> bool:
    """Tell whether an address is of the form that a private Postgres has: nothing in it is left open."""
    parts = urlsplit(url)
    return (
        parts.scheme.startswith("postgres")
        and (parts.hostname, parts.username) == ("127.0.0.1", PRIVATE)
        and bool(parts.password)
        and len(parts.path) > 1
        and not (parts.query or parts.fragment)
    )


@contextmanager
def fitting_environment(url: str) -> Iterator[None]:
    """Open a connection inside: libpq's variables are out of its sight where the Postgres is a private one.

    Source: "Environment Variables" and "The Connection Service File" of the libpq documentation.
    """
    if not is_private(url) or not any(name.startswith("PG") for name in os.environ):
        yield
        return
    with _connecting:
        hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PG")}
        try:
            yield
        finally:
            os.environ.update(hidden)


def connect(url: str, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection as all of ragbed does: in the fitting environment, with text as UTF-8.

    The server's own choice would make bytes of every text in a database of encoding SQL_ASCII.

    Args:
        url: Of the database.
        options: As `psycopg.connect` takes them.

    Raises:
        psycopg.Error: It is refused, or nothing answers.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s that a stack without Postgres should not pay

    with fitting_environment(url):
        return psycopg.connect(url, client_encoding="utf8", **options)
