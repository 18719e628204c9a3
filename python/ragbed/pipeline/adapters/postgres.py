"""The ledger and the rows of the gaps in Postgres."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from ragbed.errors import PipelineError, ServiceMissing
from ragbed.guard.libpq import UNREADABLE, connect
from ragbed.guard.stores import read_note
from ragbed.pipeline.adapters.migrations import HEAD, comment_on, current_revision, upgrade
from ragbed.pipeline.adapters.postgres_errors import first_line, translated
from ragbed.pipeline.ownership import require_own
from ragbed.pipeline.ports import IndexState, IndexView, LedgerRow, SourceFolder, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ragbed.events import EventSink
    from ragbed.pipeline.config import PipelineConfig

Connection = psycopg.Connection[tuple[Any, ...]]


class Database:
    """One connection to Postgres, opened at the first statement; names in `{braces}` are tables of the namespace.

    Args:
        config: Address and namespace.
    """

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config
        self._migrated = False

    @cached_property
    def connection(self) -> Connection:
        """The connection, outside any transaction.

        Raises:
            ServiceMissing: Postgres does not answer, or refuses us.
        """
        try:
            return connect(
                self._config.stores.database_url,
                autocommit=True,
                connect_timeout=max(1, round(self._config.limits.connect_timeout_s)),
                application_name="ragbed",
                prepare_threshold=None,
            )
        except (psycopg.ProgrammingError, psycopg.InterfaceError):
            raise ServiceMissing(
                f"Postgres cannot be asked: {UNREADABLE}", hint="correct DATABASE_URL"
            ) from None
        except psycopg.Error as error:
            raise ServiceMissing(
                f"Postgres does not let us in: {first_line(error)}",
                hint="ragbed up starts the services, ragbed status shows them",
            ) from error

    def migrate(self) -> str:
        """Bring the schema to the newest revision and return it; one query when it is there already."""
        if not self._migrated:
            with translated("migrating"):
                revision, note = current_revision(self.connection, self._config.schema)
            if revision:
                self._require_own(note)
            if revision != HEAD:
                upgrade(
                    self._config.stores.database_url,
                    self._config.schema,
                    check=self._require_own,
                    note=self._config.note,
                )
            self._migrated = True
        return HEAD

    def _is_there(self) -> bool:
        """Tell whether the schema is there; one of another project is refused."""
        note = comment_on(self.connection, self._config.schema)
        if note is not None:
            self._require_own(note)
        return note is not None

    def _require_own(self, note: str) -> None:
        require_own(self._config, note, store="Postgres")

    def execute(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run one statement on the newest schema and return its rows.

        Raises:
            ServiceMissing: Postgres has gone.
            PipelineError: It refuses the statement.
        """
        self.migrate()
        with translated(query.split(" ", 1)[0]):
            cursor = self.connection.execute(self._named(query), parameters)
            return cursor.fetchall() if cursor.description else []

    def execute_many(self, query: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run one statement for every set of parameters, all or none."""
        self.migrate()
        with translated(query.split(" ", 1)[0]), self.transaction(), self.connection.cursor() as cursor:
            cursor.executemany(self._named(query), parameters)

    def names_of_gaps(self) -> list[str]:
        """Return the ids of the gaps without migrating: what is to be dropped need not be new."""
        with translated("listing gaps"):
            self._is_there()
            try:
                return [str(row[0]) for row in self.connection.execute(self._named("SELECT id FROM {gaps}"))]
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                return []

    def older_schema(self) -> str:
        """Return the schema that an older ragbed made for this namespace; empty where there is none."""
        name = f"ragbed_{self._config.namespace}"
        with translated("looking for an older index"):
            revision, note = current_revision(self.connection, name)
        return name if revision and name != self._config.schema and read_note(note) is None else ""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the statements inside all or none."""
        with self.connection.transaction():
            yield

    def drop(self) -> None:
        """Delete the schema with everything in it."""
        with translated("dropping"):
            if self._is_there():
                schema = sql.Identifier(self._config.schema)
                self.connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
        self._migrated = False

    def close(self) -> None:
        """Close the connection; doing it twice is harmless."""
        if "connection" in self.__dict__:
            self.connection.close()

    def _named(self, query: str) -> sql.Composed:
        tables = {
            name: sql.Identifier(self._config.schema, name)
            for name in ("documents", "index_state", "source_folders", "gaps")
        }
        return sql.SQL(query).format(**tables)  # literals of this package only


_STATE = "collection, fingerprint, model_digest, dimensions, version"
_MOST_TERMS = 50_000
"""Terms whose counts are kept in memory."""

_VIEW = f"""
SELECT {_STATE},
  CASE WHEN is_known THEN 0 ELSE (SELECT count(*) FROM {{documents}} WHERE content_hash <> '') END,
  ARRAY(
    SELECT count(path)
    FROM unnest(CASE WHEN is_known THEN %(missing)s ELSE %(all)s END::text[]) WITH ORDINALITY AS asked (term, place)
    LEFT JOIN {{documents}} ON terms @> ARRAY[term]
    GROUP BY place ORDER BY place
  )
FROM (SELECT *, (collection, version) = (%(collection)s, %(version)s) AS is_known FROM {{index_state}}) AS state
"""  # noqa: S608 - constants alone
"""State, documents, and in how many documents each term occurs: of all terms where the index has another version than
the one whose counts are known, else of those whose counts are not."""


@dataclass(slots=True, kw_only=True)
class _Counts:
    """What is known of one version of the index.

    Attributes:
        collection: Of that index; a version is one of its collection.
        version: Raised by every ingest that writes.
        documents: How many there are.
        frequencies: In how many documents each term occurs, of the terms that were asked for.
    """

    collection: str = ""
    version: int = -1
    documents: int = 0
    frequencies: dict[str, int] = field(default_factory=dict)


class PostgresLedger:
    """What is in the index, in Postgres.

    Args:
        database: Connection.
        config: Namespace and how long to wait for its lock.
    """

    def __init__(self, database: Database, config: PipelineConfig) -> None:
        self._database = database
        self._config = config
        self._counts = _Counts()

    def migrate(self) -> str:
        """Bring the schema to the newest revision and return it."""
        return self._database.migrate()

    @contextmanager
    def exclusive(self, events: EventSink) -> Iterator[None]:
        """Hold the namespace against other ingests, by an advisory lock that a killed process loses.

        Args:
            events: Told `waiting` where another ingest holds it.

        Raises:
            PipelineError: Another ingest held it for too long.
        """
        name = self._config.schema
        run = self._database.connection.execute
        with translated("locking"):
            row = run("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (name,)).fetchone()
        if not (row and row[0]):
            events.emit("stage.progress", "waiting")
            self._wait_for_lock(name)
        try:
            yield
        finally:
            if not self._database.connection.closed:
                run("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (name,))

    def _wait_for_lock(self, name: str) -> None:
        run = self._database.connection.execute
        longest = f"{self._config.limits.lock_timeout_s:g}"
        try:
            run("SELECT set_config('lock_timeout', %s, false)", (f"{longest}s",))
            run("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (name,))
        except psycopg.errors.LockNotAvailable as error:
            raise PipelineError(
                f"another ingest has held namespace {self._config.namespace} for {longest} s",
                hint="wait for it, or raise limits.lock_timeout_s",
            ) from error
        except psycopg.OperationalError as error:
            raise ServiceMissing(
                f"Postgres has gone while waiting for a lock: {first_line(error)}"
            ) from error
        finally:
            if not self._database.connection.closed:
                run("SELECT set_config('lock_timeout', '0', false)")

    def state(self) -> IndexState | None:
        """Return what the index was built with, or None before the first ingest."""
        rows = self._database.execute(f"SELECT {_STATE} FROM {{index_state}}")  # noqa: S608 - a constant
        return _state(rows[0]) if rows else None

    def rows(self) -> dict[str, LedgerRow]:
        """Return hash and number of chunks of every document, by path; terms are left out."""
        rows = self._database.execute("SELECT path, content_hash, chunks, updated, source FROM {documents}")
        return {
            path: LedgerRow(
                path=path, content_hash=content_hash, chunks=chunks, updated=updated, source=source
            )
            for path, content_hash, chunks, updated, source in rows
        }

    def folders(self) -> list[SourceFolder]:
        """Return the folders that the documents came from, the first one first."""
        rows = self._database.execute("SELECT folder, prefix FROM {source_folders} ORDER BY prefix")
        return [SourceFolder(path=Path(folder), prefix=prefix) for folder, prefix in rows]

    def remember(self, folders: Sequence[SourceFolder]) -> None:
        """Note the folders that the documents come from: these and no others."""
        if self.folders() == list(folders):
            return
        with self._database.transaction():
            self._database.execute("DELETE FROM {source_folders}")
            self._database.execute_many(
                "INSERT INTO {source_folders} (folder, prefix) VALUES (%s, %s)",
                [(_storable(source.path), source.prefix) for source in folders],
            )

    def restart(self, state: IndexState) -> None:
        """Describe a new, empty collection: every document becomes pending."""
        with self._database.transaction():
            self._write_state(state)
            self._database.execute("UPDATE {documents} SET content_hash = '', chunks = 0")

    def begin(self, rows: Sequence[LedgerRow]) -> None:
        """Mark documents as being written, so that a kill leaves a trace."""
        self._database.execute(
            "INSERT INTO {documents} (path, source, content_hash, chunks)"
            " SELECT path, source, '', 0 FROM unnest(%s::text[], %s::text[]) AS new (path, source)"
            " ON CONFLICT (path) DO UPDATE SET content_hash = '', chunks = 0, source = excluded.source",
            ([row.path for row in rows], [row.source for row in rows]),
        )

    def complete(self, rows: Sequence[LedgerRow]) -> None:
        """Note documents whose points are all in the index."""
        with self._database.transaction():
            self._database.execute_many(
                "INSERT INTO {documents} (path, content_hash, chunks, terms, updated, source)"
                " VALUES (%s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (path) DO UPDATE SET content_hash = excluded.content_hash, chunks = excluded.chunks,"
                " terms = excluded.terms, updated = excluded.updated, source = excluded.source, indexed_at = now()",
                [
                    (row.path, row.content_hash, row.chunks, list(row.terms), row.updated, row.source)
                    for row in rows
                ],
            )
            self._raise_version()

    def replace(self, state: IndexState, rows: Sequence[LedgerRow]) -> None:
        """Describe a collection that was built beside the live one: these documents and no others."""
        with self._database.transaction():
            self._write_state(state)
            self._database.execute("DELETE FROM {documents}")
            self.complete(rows)

    def remove(self, paths: Sequence[str]) -> None:
        """Forget documents whose points are gone."""
        with self._database.transaction():
            self._database.execute("DELETE FROM {documents} WHERE path = ANY(%s)", (list(paths),))
            self._raise_version()

    def view(self, terms: Sequence[str] = ()) -> IndexView:
        """Return what a question needs to know, by one query; what is known of this version is not asked again."""
        wanted = list(dict.fromkeys(terms))
        known = self._counts
        missing = [term for term in wanted if term not in known.frequencies]
        rows = self._database.execute(
            _VIEW,
            {"collection": known.collection, "version": known.version, "missing": missing, "all": wanted},
        )
        if not rows:
            return IndexView(state=None, vocabulary=Vocabulary(documents=0, frequencies={}))
        *columns, documents, counts = rows[0]
        state = _state(columns)
        if (state.collection, state.version) != (known.collection, known.version):
            known = self._counts = _Counts(
                collection=state.collection, version=state.version, documents=documents
            )
            missing = wanted
        elif len(known.frequencies) > _MOST_TERMS:
            known.frequencies.clear()
        known.frequencies.update(zip(missing, counts, strict=True))
        frequencies = {term: known.frequencies[term] for term in wanted}
        return IndexView(
            state=state, vocabulary=Vocabulary(documents=known.documents, frequencies=frequencies)
        )

    def older_schema(self) -> str:
        """Return the schema that an older ragbed made for this namespace; empty where there is none."""
        return self._database.older_schema()

    def drop(self) -> None:
        """Delete the schema with everything in it."""
        self._database.drop()

    def _write_state(self, state: IndexState) -> None:
        self._database.execute(
            "INSERT INTO {index_state} AS known (collection, fingerprint, model_digest, dimensions)"
            " VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (only_row) DO UPDATE SET collection = excluded.collection,"
            " fingerprint = excluded.fingerprint, model_digest = excluded.model_digest,"
            " dimensions = excluded.dimensions, version = known.version + 1",
            (state.collection, state.fingerprint, state.model_digest, state.dimensions),
        )

    def _raise_version(self) -> None:
        """Tell readers of every process that what they know of the index is old."""
        self._database.execute("UPDATE {index_state} SET version = version + 1")


def _state(columns: Sequence[Any]) -> IndexState:
    collection, fingerprint, model_digest, dimensions, version = columns
    return IndexState(
        collection=collection,
        fingerprint=fingerprint,
        model_digest=model_digest,
        dimensions=dimensions,
        version=version,
    )


def _storable(path: Path) -> str:
    """Return a path as Postgres can hold it: bytes that are not UTF-8 are written out."""
    return str(path).encode("utf-8", "backslashreplace").decode()
