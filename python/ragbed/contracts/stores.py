"""What the pipeline asks of Postgres and of Redis, use by use: the facts that every server of theirs gives."""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg import sql

from ragbed.guard.libpq import fitting_environment

if TYPE_CHECKING:
    import redis

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCase:
    """One use of a store.

    Attributes:
        rule: What the use relies on, one sentence; unique per store.
        expected: The facts that a server gives.
        observe: Uses the store at an address, below a name of its own, and returns the facts.
    """

    rule: str
    expected: Facts
    observe: Callable[[str, str], Facts]


POSTGRES: list[StoreCase] = []
"""Uses of Postgres; each has a schema of its own, which is dropped afterwards."""

REDIS: list[StoreCase] = []
"""Uses of Redis; each has a prefix of its own, whose keys are deleted afterwards."""

_Connection = psycopg.Connection[tuple[Any, ...]]


def observe(case: StoreCase, url: str) -> Facts:
    """Return the facts that a server gives for a case.

    Args:
        case: One of `POSTGRES` or `REDIS`.
        url: Of the server.
    """
    return case.observe(url, f"ragbed_contract_{secrets.token_hex(4)}")


def _postgres(rule: str, **expected: Any) -> Callable[[Callable[[_Connection, str], Facts]], None]:
    """Return a decorator that makes a case of a function, which gets a connection and the name of its schema."""

    def add(use: Callable[[_Connection, str], Facts]) -> None:
        def in_schema(url: str, schema: str) -> Facts:
            with fitting_environment(url):
                connection = psycopg.connect(url, autocommit=True, application_name="ragbed")
            with connection:
                _run(connection, "CREATE SCHEMA {}", schema)
                try:
                    return use(connection, schema)
                finally:
                    _run(connection, "DROP SCHEMA {} CASCADE", schema)

        POSTGRES.append(StoreCase(rule=rule, expected=expected, observe=in_schema))

    return add


def _run(connection: _Connection, query: str, schema: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a statement in which `{}` is the schema."""
    cursor = connection.execute(sql.SQL(query).format(*[sql.Identifier(schema)] * query.count("{}")), values)
    return cursor.fetchall() if cursor.description else []


@_postgres("a transaction that fails leaves nothing", tables=0)
def _transaction(connection: _Connection, schema: str) -> Facts:
    try:
        with connection.transaction():
            _run(connection, "CREATE TABLE {}.documents (path text PRIMARY KEY)", schema)
            connection.execute("SELECT 1 / 0")
    except psycopg.errors.DivisionByZero:
        pass
    query = "SELECT count(*) FROM pg_tables WHERE schemaname = %s"
    return {"tables": connection.execute(query, (schema,)).fetchall()[0][0]}


@_postgres("a comment says whose a schema is", note="of a project")
def _comment(connection: _Connection, schema: str) -> Facts:
    _run(connection, "COMMENT ON SCHEMA {} IS 'of a project'", schema)
    query = "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')"
    return {"note": connection.execute(query, (schema,)).fetchall()[0][0]}


@_postgres("an advisory lock keeps other sessions out until it is let go", held=False, free=True)
def _advisory_lock(connection: _Connection, schema: str) -> Facts:
    take = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
    with psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True) as other:
        connection.execute(take, (schema,))
        held = other.execute(take, (schema,)).fetchall()[0][0]
        connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (schema,))
        return {"held": held, "free": other.execute(take, (schema,)).fetchall()[0][0]}


@_postgres("a row that is there is changed in place", rows=[["a.md", 2]])
def _upsert(connection: _Connection, schema: str) -> Facts:
    _run(connection, "CREATE TABLE {}.documents (path text PRIMARY KEY, chunks int)", schema)
    for chunks in (1, 2):
        write = "INSERT INTO {}.documents VALUES (%s, %s) ON CONFLICT (path) DO UPDATE SET chunks = excluded.chunks"
        _run(connection, write, schema, "a.md", chunks)
    return {"rows": [list(row) for row in _run(connection, "SELECT * FROM {}.documents", schema)]}


@_postgres("documents are counted by term, in the order of the terms", counts=[2, 0, 1])
def _terms(connection: _Connection, schema: str) -> Facts:
    _run(connection, "CREATE TABLE {}.documents (path text, terms text[])", schema)
    _run(connection, "CREATE INDEX ON {}.documents USING gin (terms)", schema)
    _run(connection, "INSERT INTO {}.documents VALUES ('a', '{{x,z}}'), ('b', '{{x}}')", schema)
    query = (
        "SELECT count(path) FROM unnest(%s::text[]) WITH ORDINALITY AS asked (term, place)"
        " LEFT JOIN {}.documents ON terms @> ARRAY[term] GROUP BY place ORDER BY place"
    )
    return {"counts": [row[0] for row in _run(connection, query, schema, ["x", "y", "z"])]}


@_postgres("text comes back as it was written", texts=["Zoë's naïve café ☕", "a\\b"])
def _texts(connection: _Connection, schema: str) -> Facts:
    _run(connection, "CREATE TABLE {}.gaps (place serial, question text)", schema)
    for text in ("Zoë's naïve café ☕", "a\\b"):
        _run(connection, "INSERT INTO {}.gaps (question) VALUES (%s)", schema, text)
    return {
        "texts": [row[0] for row in _run(connection, "SELECT question FROM {}.gaps ORDER BY place", schema)]
    }


@_postgres("vectors are ordered by cosine distance", order=["near", "far"])
def _vectors(connection: _Connection, schema: str) -> Facts:
    _run(connection, "CREATE TABLE {}.vectors (name text, vector vector(2))", schema)
    _run(connection, "INSERT INTO {}.vectors VALUES ('far', '[0,1]'), ('near', '[1,0.1]')", schema)
    query = "SELECT name FROM {}.vectors ORDER BY vector <=> '[1,0]'"
    return {"order": [row[0] for row in _run(connection, query, schema)]}


def _redis(rule: str, **expected: Any) -> Callable[[Callable[[redis.Redis, str], Facts]], None]:
    """Return a decorator that makes a case of a function, which gets a client and the prefix of its keys."""

    def add(use: Callable[[redis.Redis, str], Facts]) -> None:
        def below_prefix(url: str, prefix: str) -> Facts:
            import redis  # noqa: PLC0415 - 0.1 s to import

            with redis.Redis.from_url(url) as client:
                try:
                    return use(client, f"{prefix}:")
                finally:
                    for key in client.scan_iter(match=f"{prefix}:*"):
                        client.unlink(key)

        REDIS.append(StoreCase(rule=rule, expected=expected, observe=below_prefix))

    return add


@_redis("vectors come back bit by bit, and what is not there as nothing", vector=[0.5, -1.25], missing=None)
def _bits(client: redis.Redis, prefix: str) -> Facts:
    client.set(f"{prefix}a", array("f", [0.5, -1.25]).tobytes())
    value, missing = cast("list[bytes | None]", client.mget([f"{prefix}a", f"{prefix}b"]))
    return {"vector": array("f", value or b"").tolist(), "missing": missing}


@_redis("a value has the time to live that it was written with", within=True)
def _time_to_live(client: redis.Redis, prefix: str) -> Facts:
    client.set(f"{prefix}a", b"1", ex=60)
    return {"within": 50 <= client.ttl(f"{prefix}a") <= 60}


@_redis("many values are written in one go, and found by their prefix", keys=1200)
def _prefix(client: redis.Redis, prefix: str) -> Facts:
    with client.pipeline(transaction=False) as batch:
        for number in range(1200):
            batch.set(f"{prefix}{number}", b"1", ex=60)
        batch.execute()
    return {"keys": len(set(client.scan_iter(match=f"{prefix}*", count=500)))}


@_redis("a key that is unlinked is gone", unlinked=1, left=0)
def _unlink(client: redis.Redis, prefix: str) -> Facts:
    client.set(f"{prefix}a", b"1")
    return {"unlinked": client.unlink(f"{prefix}a"), "left": client.exists(f"{prefix}a")}
