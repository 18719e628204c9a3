"""What an error of Postgres's client means to us: the server has gone, or it refused a statement."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from ragbed.errors import PipelineError, ServiceMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

_GONE = ("08", "57P")
"""Classes of SQLSTATE: a broken connection, and a server that shuts down, has crashed or is not ready yet."""


def first_line(error: Exception) -> str:
    """Return the first line of an error, or its kind where it says nothing."""
    return str(error).strip().split("\n", 1)[0] or type(error).__name__


def is_gone(error: psycopg.Error) -> bool:
    """Tell whether the server went away or refuses connections; without a code there was no answer."""
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or "57P").startswith(_GONE)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn psycopg's errors into ours.

    Raises:
        ServiceMissing: Postgres has gone.
        PipelineError: It refused the statement.
    """
    try:
        yield
    except psycopg.Error as error:
        if is_gone(error):
            raise ServiceMissing(
                f"Postgres has gone while {what}: {first_line(error)}",
                hint="ragbed status shows the services",
            ) from error
        raise PipelineError(f"Postgres refused {what}: {first_line(error)}") from error
