"""The plugin's stores, as tests of an application use them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import ollama
import psycopg
import pytest
import redis
import sqlalchemy as sa
from qdrant_client import QdrantClient, models
from sqlalchemy.orm import Session

from ragbed.stores import StoreFailed
from ragbed.stores.rolled_back import async_rolled_back, rolled_back

if TYPE_CHECKING:
    from ragbed.pytest_plugin.handles import MockLlm, World
    from ragbed.stores import Isolated
    from ragbed.stores.rolled_back import RolledBackConnection
    from ragbed_command import RagbedCommand

TWICE = pytest.mark.parametrize("round_", [1, 2])


@TWICE
def test_a_world_is_empty_and_its_addresses_are_set(round_: int, ragbed_world: World) -> None:
    """Whatever the test before wrote to any of the stores."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE words (word text)")
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    with client:
        assert client.set("word", "x", nx=True)
    qdrant = QdrantClient(url=os.environ["QDRANT_URL"])
    qdrant.create_collection("words", models.VectorParams(size=2, distance=models.Distance.DOT))
    qdrant.close()
    ragbed_world.llm.answers({"colou?r": "blue"})
    with closing(ollama.Client(host=os.environ["OLLAMA_HOST"])) as llm:
        said = llm.generate("qwen2.5:0.5b", "which color?")

    assert said.response == "blue"
    assert len(ragbed_world.llm.history()) == 1
    assert ragbed_world.describe().splitlines() == [
        f"{name}={os.environ[name]}" for name in ("DATABASE_URL", "REDIS_URL", "QDRANT_URL", "OLLAMA_HOST")
    ]


@TWICE
def test_a_schema_is_empty(round_: int, ragbed_postgres_schema: Isolated) -> None:
    """Names without a schema are made and found in it."""
    with psycopg.connect(ragbed_postgres_schema.url) as connection:
        connection.execute("CREATE TABLE words (word text)")
        row = connection.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'words'").fetchall()
    assert row == [(ragbed_postgres_schema.name,)]


@TWICE
def test_a_transaction_is_undone_with_its_commits(
    round_: int, ragbed_postgres_transaction: RolledBackConnection
) -> None:
    """Commit, rollback, nested blocks and an error within one behave as ever."""
    connection = ragbed_postgres_transaction
    connection.execute("CREATE TABLE words (word text)")
    connection.commit()
    connection.execute("INSERT INTO words VALUES ('undone')")
    connection.rollback()
    with connection.transaction():
        connection.execute("INSERT INTO words VALUES ('kept')")
        with pytest.raises(psycopg.errors.DivisionByZero), connection.transaction():
            connection.execute("INSERT INTO words SELECT (1 / (length(word) - 4))::text FROM words")
    with pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM missing")
    connection.rollback()
    connection.commit()

    assert connection.execute("SELECT word FROM words").fetchall() == []


def test_a_block_that_was_committed_survives_a_rollback(ragbed_worker_database: Isolated) -> None:
    """What a commit kept, no later rollback undoes; the end of the connection does."""
    with rolled_back(ragbed_worker_database.url) as connection:
        with connection.transaction():
            connection.execute("CREATE TABLE words (word text)")
        connection.commit()
        connection.rollback()
        assert connection.execute("SELECT * FROM words").fetchall() == []

    with psycopg.connect(ragbed_worker_database.url) as later:
        assert later.execute("SELECT to_regclass('words')").fetchone() == (None,)


def test_an_asyncio_connection_is_undone_too(ragbed_worker_database: Isolated) -> None:
    """The same by asyncio."""

    async def work() -> list[tuple[str]]:
        async with async_rolled_back(ragbed_worker_database.url) as connection:
            await connection.execute("CREATE TABLE words (word text)")
            await connection.execute("INSERT INTO words VALUES ('kept')")
            await connection.commit()
            await connection.execute("INSERT INTO words VALUES ('undone')")
            await connection.rollback()
            return await (await connection.execute("SELECT word FROM words")).fetchall()

    assert asyncio.run(work()) == [("kept",)]
    with psycopg.connect(ragbed_worker_database.url) as later:
        assert later.execute("SELECT to_regclass('words')").fetchone() == (None,)


def test_sqlalchemy_works_in_a_transaction_that_is_undone(ragbed_worker_database: Isolated) -> None:
    """A session that commits, on one connection of the engine."""
    url = ragbed_worker_database.url
    engine = sa.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            session.execute(sa.text("CREATE TABLE words (word text)"))
            session.commit()
            session.execute(sa.text("INSERT INTO words VALUES ('x')"))
            session.rollback()
            assert session.execute(sa.text("SELECT count(*) FROM words")).scalar() == 0
        outer.rollback()
    with psycopg.connect(url) as later:
        assert later.execute("SELECT to_regclass('words')").fetchone() == (None,)


@TWICE
def test_rules_of_a_test_are_its_own(round_: int, ragbed_llm: MockLlm) -> None:
    """A rule that was refused says why."""
    assert (ragbed_llm.history(), ragbed_llm.calls()) == ([], [])
    with pytest.raises(StoreFailed, match="refused PUT /ragbed/rules: "):
        ragbed_llm.answers({"(": "never"})
    ragbed_llm.set_rules([{"pattern": "x", "answer": "y", "thinking": "z"}])


WORKERS = """
import os
import psycopg, pytest, redis

@pytest.mark.parametrize("number", range(24))
def test_one(number, ragbed_postgres, ragbed_redis):
    with psycopg.connect(ragbed_postgres.url) as connection:
        connection.execute("INSERT INTO words VALUES (%s)", (number,))
        assert connection.execute("SELECT count(*) FROM words").fetchone() == (1,)
    with redis.Redis.from_url(ragbed_redis.url) as client:
        assert client.incr("n") == 1
"""


def test_workers_share_a_template_and_nothing_else(ragbed: RagbedCommand) -> None:
    """Every test finds a migrated database and an empty Redis; nothing is left, nothing runs on."""
    (ragbed.folder / "test_own.py").write_text(WORKERS, encoding="utf-8")
    (ragbed.folder / "schema.sql").write_text("CREATE TABLE words (n int);", encoding="utf-8")
    (ragbed.folder / "pytest.ini").write_text("[pytest]\nragbed_migrations = schema.sql\n", encoding="utf-8")
    words = ("-q", "-n", "3", "-p", "no:cacheprovider", "test_own.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=ragbed.folder,
        env=ragbed.variables(RAGBED_ROOT=str(ragbed.folder)),
        check=False,
        capture_output=True,
        text=True,
    )

    assert "24 passed" in done.stdout, done.stdout + done.stderr
    assert not any((ragbed.state / "leases").glob("*.json"))
