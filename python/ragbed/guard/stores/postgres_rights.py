"""Whether a Postgres would take what ragbed writes, asked of its catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.guard.libpq import connect
from ragbed.guard.stores.base import Unusable, WrongService

if TYPE_CHECKING:
    import psycopg

_RIGHTS = r"""
SELECT pg_is_in_recovery(),
  current_setting('transaction_read_only')::boolean,
  has_database_privilege(current_database(), 'CREATE')
    OR EXISTS (SELECT FROM pg_namespace WHERE nspname LIKE 'ragbed\_%' AND has_schema_privilege(oid, 'USAGE')),
  current_user::text, current_database()::text, current_setting('server_encoding'), pg_backend_pid()
"""


def require_writable(connection: psycopg.Connection[Any]) -> None:
    """Return if the user may write in this database, or has a schema of ours, and it takes every text.

    Raises:
        Unusable: A standby, a read-only session, rights that are missing, another encoding than UTF-8, or a pooler
            under which the locks of a session do not hold.
    """
    row = connection.execute(_RIGHTS).fetchone()
    if row is None:
        raise WrongService("it tells nothing of its rights")
    standby, read_only, may_create, user, database, encoding, process = row
    if process != connection.info.backend_pid and process == _process_beside(connection):
        raise Unusable(
            "a pooler that lends connections for one transaction stands before it",
            hint="name the Postgres behind it in {named}, or a pool of pool_mode=session",
        )
    if encoding != "UTF8":
        raise Unusable(
            f"its database {database} keeps text as {encoding}, which has no place for every character",
            hint="make one of UTF-8 (createdb -E UTF8 -T template0 NAME), and name that in {named}",
        )
    if standby:
        raise Unusable("it is a standby, which is read-only", hint="name its primary in {named}")
    if read_only:
        raise Unusable(
            f"its sessions of {user} in {database} are read-only (default_transaction_read_only)",
            hint="name a user who may write in {named}",
        )
    if not may_create:
        raise Unusable(
            f"{user} may not create schemas in the database {database}",
            hint=f"GRANT CREATE ON DATABASE {database} TO {user}, or name another user in {{named}}",
        )


def _process_beside(connection: psycopg.Connection[Any]) -> int:
    """Return which server process works for a second connection while the first is open and idle.

    A pooler makes up the number that it tells a client; one that lends for a transaction lends the same process again.
    """
    with connect(connection.info.dsn, password=connection.info.password) as beside:
        row = beside.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0
