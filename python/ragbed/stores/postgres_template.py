"""A template database per set of migrations, made once by whichever process needs it first."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from ragbed.guard.libpq import connect
from ragbed.stores.port import StoreFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from ragbed.stores.migrations import Migrations

_READY = "made by ragbed"
_FIRST_WITH_COPY_METHOD = 18_00_00
_LISTS = frozenset(
    {"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"}
)
_SETTINGS = """
SELECT r.rolname, s.setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE d.datname = %s
"""


def database_url(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@contextmanager
def maintenance(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection that creates and drops databases: to the address's own database, and not to a template.

    Raises:
        StoreFailed: Postgres refused.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s that other stores should not pay

    try:
        with connect(url, autocommit=True, connect_timeout=5) as connection:
            if connection.info.server_version >= _FIRST_WITH_COPY_METHOD:
                connection.execute("SET file_copy_method = clone")
            yield connection
    except psycopg.Error as error:
        raise StoreFailed(f"Postgres refused: {' '.join(str(error).split())}") from error


def ensure_template(url: str, migrations: Migrations) -> str:
    """Return the name of the template for these migrations, made now where no process has made it.

    Args:
        url: A database of the server, as a user who may create databases.
        migrations: How it is made.

    Raises:
        StoreFailed: Postgres refused. What the migrations themselves raise comes as it is.
    """
    name = f"ragbed_template_{migrations.key}"
    with maintenance(url) as connection:
        if _is_ready(connection, name):
            return name
        connection.execute(
            "SELECT pg_advisory_lock(hashtextextended(%s, 3))", [name]
        )  # ends with the connection
        if not _is_ready(connection, name):
            connection.execute(
                f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
            )  # a killed process left it half-made
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
            own = database_url(url, name)
            with maintenance(own) as inside:
                inside.execute("CREATE EXTENSION IF NOT EXISTS vector")
            migrations.apply(own)
            _close(connection, name)
            connection.execute(f"COMMENT ON DATABASE \"{name}\" IS '{_READY}'")
    return name


def clone(connection: psycopg.Connection[Any], template: str, name: str) -> None:
    """Make a database from a template, with the template's own settings, which CREATE DATABASE leaves out.

    Files are copied, by the kernel where the server can ask it to: half the time of the default, which logs each page.

    Source: CREATE DATABASE and `file_copy_method` of PostgreSQL's documentation.

    Args:
        connection: Of `maintenance`.
        template: Has no connections.
        name: Of the new database.
    """
    from psycopg import sql  # noqa: PLC0415 - as above

    connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    for role, settings in connection.execute(_SETTINGS, [template]).fetchall():
        for setting in settings:
            key, _, value = setting.partition("=")
            whose = sql.SQL("ROLE {} IN ").format(sql.Identifier(role)) if role else sql.SQL("")
            # The server keeps a list as it is written, with quotes where a name of it needs them.
            written = sql.SQL(value) if key in _LISTS else sql.Literal(value)
            connection.execute(
                sql.SQL("ALTER {}DATABASE {} SET {} TO {}").format(
                    whose, sql.Identifier(name), sql.Identifier(*key.split(".")), written
                )
            )


def _close(connection: psycopg.Connection[Any], name: str) -> None:
    """Let nothing connect to a template: migrations may leave connections open, and no template has any."""
    connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    connection.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name]
    )


def _is_ready(connection: psycopg.Connection[Any], name: str) -> bool:
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    row = connection.execute(query, [name]).fetchone()
    return row is not None and row[0] == _READY
