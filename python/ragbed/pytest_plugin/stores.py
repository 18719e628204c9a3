"""Fixtures for stores of one test's own: a database, a schema, a transaction, a Redis, a mock LLM, and all of them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.pytest_plugin.handles import MockLlm, World
    from ragbed.settings import Settings
    from ragbed.stack import Stack
    from ragbed.stores import Isolated
    from ragbed.stores.migrations import MigrationSource
    from ragbed.stores.postgres_clones import DatabaseClones
    from ragbed.stores.rolled_back import RolledBackConnection

MIGRATIONS_OPTION = "ragbed_migrations"


@pytest.fixture(scope="session")
def ragbed_migrations(pytestconfig: pytest.Config) -> MigrationSource:
    """Return what a test's database starts with; override it, or name a path as `ragbed_migrations` in the ini file.

    A folder with `alembic.ini` or `*.sql` files, an `.sql` file, a dump of `pg_dump`, or a function that is given the
    address of an empty database. None leaves the database empty but for pgvector.
    """
    path = pytestconfig.getini(MIGRATIONS_OPTION)
    return Path(pytestconfig.rootpath, path) if path else None


@pytest.fixture(scope="session")
def ragbed_database_clones(
    ragbed_stack: Stack, ragbed_migrations: MigrationSource
) -> Iterator[DatabaseClones]:
    """Yield what makes databases from a template that is migrated once, whichever worker needs it first."""
    from ragbed.stores.migrations import read_migrations  # noqa: PLC0415 - costs nothing where it is not asked
    from ragbed.stores.postgres_clones import DatabaseClones  # noqa: PLC0415 - as above

    clones = DatabaseClones(ragbed_stack["postgres"].url, read_migrations(ragbed_migrations))
    yield clones
    clones.close()


@pytest.fixture
def ragbed_postgres(ragbed_database_clones: DatabaseClones) -> Iterator[Isolated]:
    """Yield a migrated database that only this test has: `.url`, `.environ`. It is dropped after the test."""
    with _database(ragbed_database_clones) as database:
        yield database


@pytest.fixture(scope="session")
def ragbed_worker_database(ragbed_database_clones: DatabaseClones) -> Iterator[Isolated]:
    """Yield a migrated database that the tests of this process share, for schemas and transactions."""
    with _database(ragbed_database_clones) as database:
        yield database


@contextmanager
def _database(clones: DatabaseClones) -> Iterator[Isolated]:
    from ragbed.stores import Isolated  # noqa: PLC0415 - as above

    url = clones.take()
    name = url.rpartition("/")[2]
    yield Isolated(service="postgres", mode="database", url=url, name=name, environ={"DATABASE_URL": url})
    clones.give_back(url)


@pytest.fixture
def ragbed_postgres_schema(
    ragbed_stack: Stack, ragbed_worker_database: Isolated, request: pytest.FixtureRequest
) -> Iterator[Isolated]:
    """Yield an empty schema of this process's database, first on the search path of its address."""
    from dataclasses import replace  # noqa: PLC0415 - as above

    from ragbed.stores.postgres import PostgresStore  # noqa: PLC0415 - as above

    endpoint = replace(ragbed_stack["postgres"], url=ragbed_worker_database.url)
    with PostgresStore(endpoint).isolate(request.node.nodeid, "schema") as schema:
        yield schema


@pytest.fixture
def ragbed_postgres_transaction(ragbed_worker_database: Isolated) -> Iterator[RolledBackConnection]:
    """Yield a psycopg connection to this process's database whose work, commits included, is undone after the test."""
    from ragbed.stores.rolled_back import rolled_back  # noqa: PLC0415 - as above

    with rolled_back(ragbed_worker_database.url) as connection:
        yield connection


@pytest.fixture(scope="session")
def ragbed_redis_server(ragbed_settings: Settings) -> Iterator[Stack]:
    """Yield a stack of one Redis or Valkey for this process alone; the one that REDIS_URL names, where it does."""
    from ragbed.stack import running_stack  # noqa: PLC0415 - as above

    with running_stack(ragbed_settings, services=["redis"], caller="pytest", private=True) as stack:
        yield stack


@pytest.fixture
def ragbed_redis(ragbed_redis_server: Stack, request: pytest.FixtureRequest) -> Iterator[Isolated]:
    """Yield an empty Redis: `.url`, `.environ`. On a server that others use, a user who reaches one prefix: `.name`."""
    from ragbed.stores.redis import RedisStore, whole_server  # noqa: PLC0415 - as above

    endpoint = ragbed_redis_server["redis"]
    if endpoint.launcher == "attach":
        with RedisStore(endpoint).isolate(request.node.nodeid, "acl") as part:
            yield part
    else:
        with whole_server(endpoint) as server:
            yield server


@pytest.fixture(scope="session")
def ragbed_llm_server() -> Iterator[Stack]:
    """Yield a stack of one mock LLM for this process alone."""
    from ragbed.settings import resolve_settings  # noqa: PLC0415 - as above
    from ragbed.stack import project_folder, running_stack  # noqa: PLC0415 - as above

    settings = resolve_settings(folder=project_folder(), overrides={"llm.provider": "mock"})
    with running_stack(settings, services=["ollama"], caller="pytest", private=True) as stack:
        yield stack


@pytest.fixture
def ragbed_llm(ragbed_llm_server: Stack) -> Iterator[MockLlm]:
    """Yield the mock LLM of this test: its rules, what it was asked, its address."""
    from ragbed.pytest_plugin.handles import MockLlm  # noqa: PLC0415 - as above

    llm = MockLlm(ragbed_llm_server["ollama"].url)
    yield llm
    llm.reset()


@pytest.fixture
def ragbed_world(
    ragbed_postgres: Isolated, ragbed_redis: Isolated, ragbed_qdrant: str, ragbed_llm: MockLlm
) -> Iterator[World]:
    """Yield all stores of one test, with `DATABASE_URL`, `REDIS_URL`, `QDRANT_URL` and `OLLAMA_HOST` set to them."""
    from ragbed.pytest_plugin.handles import World  # noqa: PLC0415 - as above

    world = World(postgres=ragbed_postgres, redis=ragbed_redis, qdrant_url=ragbed_qdrant, llm=ragbed_llm)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.environ.items():
            patch.setenv(name, value)
        yield world
