"""Postgres: rows counted, everything dropped or dumped in one transaction, a database or schema per test."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from ragbed.guard.libpq import connect
from ragbed.guard.stores import MARKER
from ragbed.stores.files import opened, reference
from ragbed.stores.port import (
    Census,
    Isolated,
    SnapshotRef,
    StoreFailed,
    name_for,
    require_mode,
    require_same_major,
)
from ragbed.stores.postgres_tools import PostgresTools, without_extension_comments

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from ragbed.guard.data_class import DataClass
    from ragbed.stack import Endpoint
    from ragbed.stores.port import IsolationMode

FILE = "postgres.dump"

_OF_EXTENSION = (
    "SELECT FROM pg_depend d WHERE d.classid = '{}'::regclass AND d.objid = o.oid AND d.deptype = 'e'"
)
_TABLES = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema$)'
AND (n.nspname, c.relname) <> ('public', '{MARKER}')
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""  # noqa: S608 - constants
# The lock: a restore that was killed may go on in the server for a moment, and the next one waits for its end.
# Extensions stay, and what belongs to them: to create one may take rights that the user does not have.
_RESET = f"""
SELECT pg_advisory_xact_lock(hashtextextended('ragbed restore', 5));
DO $reset$
DECLARE statement text;
BEGIN
  FOR statement IN
    SELECT format('DROP SCHEMA IF EXISTS %I CASCADE', o.nspname) FROM pg_namespace o
    WHERE o.nspname !~ '^(pg_|information_schema$|public$)' AND NOT EXISTS ({_OF_EXTENSION.format("pg_namespace")})
  LOOP EXECUTE statement; END LOOP;
  FOR statement IN
    SELECT format('DROP %s IF EXISTS public.%I CASCADE',
      CASE o.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
        WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, o.relname)
    FROM pg_class o WHERE o.relnamespace = 'public'::regnamespace AND o.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND o.relname <> '{MARKER}' AND NOT EXISTS ({_OF_EXTENSION.format("pg_class")})
  LOOP EXECUTE statement; END LOOP;
  FOR statement IN
    SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', o.oid::regprocedure) FROM pg_proc o
    WHERE o.pronamespace = 'public'::regnamespace AND NOT EXISTS ({_OF_EXTENSION.format("pg_proc")})
  LOOP EXECUTE statement; END LOOP;
  FOR statement IN
    SELECT format('DROP TYPE IF EXISTS public.%I CASCADE', o.typname) FROM pg_type o
    WHERE o.typnamespace = 'public'::regnamespace AND o.typtype IN ('d', 'e', 'r') AND o.typelem = 0
    AND NOT EXISTS ({_OF_EXTENSION.format("pg_type")})
  LOOP EXECUTE statement; END LOOP;
END $reset$;
"""  # noqa: S608 - constants


class PostgresStore:
    """One Postgres database.

    Args:
        endpoint: Where it answers.
    """

    service = "postgres"
    modes: frozenset[IsolationMode] = frozenset({"database", "schema"})

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._url = endpoint.url

    @contextmanager
    def isolate(self, test: str, mode: IsolationMode) -> Iterator[Isolated]:
        """Lend a new database, or a new schema that comes first on the search path."""
        require_mode(self, mode)
        name = name_for(test, secrets.token_hex(3))
        kind = mode.upper()
        with self._connected() as connection:
            connection.execute(f'CREATE {kind} "{name}"')
        url = self._url_of(name, mode)
        try:
            yield Isolated(service=self.service, mode=mode, url=url, name=name, environ={"DATABASE_URL": url})
        finally:
            how = "WITH (FORCE)" if mode == "database" else "CASCADE"
            with self._connected() as connection:
                connection.execute(f'DROP {kind} IF EXISTS "{name}" {how}')

    def _url_of(self, name: str, mode: IsolationMode) -> str:
        parts = urlsplit(self._url)
        if mode == "database":
            return urlunsplit(parts._replace(path=f"/{name}"))
        path = urlencode({"options": f"-csearch_path={name},public"}, quote_via=quote)
        return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, path]))))

    def census(self) -> Census:
        """Return the rows of each table."""
        from psycopg import sql  # noqa: PLC0415 - 0.2 s that other stores should not pay

        with self._connected() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            tables = connection.execute(_TABLES).fetchall()
            counts = {}
            for schema, table in tables:
                query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
                row = connection.execute(query).fetchone()
                counts[f"{schema}.{table}"] = int(row[0]) if row else 0
        return Census(counts=counts)

    def reset(self) -> None:
        """Drop every schema, table, routine and type, in one transaction; extensions and the marker stay."""
        with self._connected() as connection:
            connection.execute(_RESET)

    def snapshot(self, into: Path, *, data_class: DataClass) -> SnapshotRef:
        """Dump the database in pg_dump's custom format, as of one moment."""
        path = into / FILE
        words = ("--format=custom", "--compress=0", "--no-owner", f"--exclude-table=public.{MARKER}")
        census = self.census()
        self._tools().run("pg_dump", *words, f"--file={path}")
        return reference(path, self._endpoint, census, data_class=data_class)

    def restore(self, ref: SnapshotRef, folder: Path) -> None:
        """Drop what is there and restore the dump, in one transaction: a restore that is killed changed nothing."""
        require_same_major(ref, self._endpoint)
        dump, tools = opened(ref, folder), self._tools()
        with tempfile.TemporaryDirectory(dir=folder, prefix=".restoring-") as name:
            contents, reset, script = (Path(name, one) for one in ("contents", "reset.sql", "restore.sql"))
            contents.write_text(
                without_extension_comments(tools.run("pg_restore", "--list", str(dump))), encoding="utf-8"
            )
            reset.write_text(_RESET, encoding="utf-8")
            # A file, and not a pipe: a pipe that breaks would end the script early, and psql would commit that.
            tools.run("pg_restore", "--no-owner", f"--use-list={contents}", f"--file={script}", str(dump))
            words = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
            tools.run("psql", *words, f"--file={reset}", f"--file={script}")

    def _tools(self) -> PostgresTools:
        return PostgresTools(self._url, major=int(self._endpoint.version.partition(".")[0]))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        import psycopg  # noqa: PLC0415 - as above

        try:
            with connect(self._url, autocommit=True, connect_timeout=5) as connection:
                yield connection
        except psycopg.Error as error:
            raise StoreFailed(f"Postgres refused: {' '.join(str(error).split())}") from error
