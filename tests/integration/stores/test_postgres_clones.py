"""Databases for tests: cloned from a template that is made once, dropped after them, and after a killed process."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from ragbed.errors import UsageError
from ragbed.stores import StoreFailed
from ragbed.stores.migrations import read_migrations
from ragbed.stores.postgres_clones import DatabaseClones
from ragbed.stores.postgres_template import ensure_template

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.stack import Stack

ALEMBIC_INI = "[alembic]\nscript_location = %(here)s/versions_here\n"
ALEMBIC_ENV = """
from alembic import context
from sqlalchemy import create_engine, pool

url = context.config.get_main_option("sqlalchemy.url")
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
ALEMBIC_REVISION = """
revision, down_revision = "a1", None

from alembic import op

def upgrade():
    op.execute("CREATE TABLE made (word text)")
"""


def databases(url: str, prefix: str) -> list[str]:
    """Return the databases of a server whose names begin so."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT datname FROM pg_database").fetchall()
    return [str(row[0]) for row in rows if str(row[0]).startswith(prefix)]


def tables(url: str) -> list[str]:
    """Return the tables of a database's public schema."""
    with psycopg.connect(url) as connection:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        return [str(row[0]) for row in connection.execute(query).fetchall()]


def wait_for_sessions(url: str, *, count: int) -> None:
    """Wait until so many clients are connected: the server notices a killed one when its last statement is over."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(query).fetchone() != (count,):
            connection.execute("SELECT pg_sleep(0.05)")


def test_clones_are_separate_and_dropped(stack: Stack, tmp_path: Path) -> None:
    """More may be taken at once than are made ahead; each is migrated, and none is left."""
    (tmp_path / "1.sql").write_text("CREATE TABLE made (word text);", encoding="utf-8")
    (tmp_path / "2.sql").write_text("INSERT INTO made VALUES ('ö'), ('b');", encoding="utf-8")
    clones = DatabaseClones(stack["postgres"].url, read_migrations(tmp_path), ahead=1)
    taken = [clones.take() for _ in range(4)]
    counts = []
    for url in taken:
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO made VALUES (%s)", (url,))
            counts.append(connection.execute("SELECT count(*) FROM made").fetchone())
        clones.give_back(url)
    clones.close()

    assert counts == [(3,)] * 4
    assert databases(stack["postgres"].url, "ragbed_test_") == []


def test_a_template_is_made_once_by_the_first_that_comes(stack: Stack) -> None:
    """Eight at once, and one of them migrates."""
    migrated: list[str] = []
    migrations = read_migrations(migrated.append)

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: ensure_template(stack["postgres"].url, migrations), range(8)))

    assert len(names) == len(migrated) == 1
    assert databases(stack["postgres"].url, names.pop()) != []


def test_a_failed_migration_is_tried_again(stack: Stack) -> None:
    """Its half-made template is not taken for a whole one."""
    calls: list[str] = []

    def migrate(url: str) -> None:
        calls.append(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE half (n int)")
        if len(calls) == 1:
            raise RuntimeError("the first time")

    url, migrations = stack["postgres"].url, read_migrations(migrate)
    with pytest.raises(RuntimeError, match="the first time"):
        DatabaseClones(url, migrations)
    clones = DatabaseClones(url, migrations)

    assert tables(clones.take()) == ["half"]
    clones.close()


def test_a_connection_that_a_migration_leaves_open_is_ended(stack: Stack) -> None:
    """A template has none: Postgres would refuse to clone it."""
    left: list[psycopg.Connection] = []
    clones = DatabaseClones(
        stack["postgres"].url, read_migrations(lambda url: left.append(psycopg.connect(url)))
    )

    assert tables(clones.take()) == []
    clones.close()
    left[0].close()


def test_settings_of_the_template_reach_its_clones(stack: Stack) -> None:
    """CREATE DATABASE leaves them out."""

    def migrate(url: str) -> None:
        name = url.rpartition("/")[2]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE \"{name}\" SET statement_timeout TO '7s'")
            connection.execute(f'ALTER DATABASE "{name}" SET search_path TO "$user", public')
            connection.execute(f"ALTER ROLE ragbed IN DATABASE \"{name}\" SET myapp.tenant TO 'a \"b''c'")

    clones = DatabaseClones(stack["postgres"].url, read_migrations(migrate))
    with psycopg.connect(clones.take()) as connection:
        names = ("statement_timeout", "search_path", "myapp.tenant")
        row = connection.execute(
            "SELECT current_setting(%s), current_setting(%s), current_setting(%s)", names
        ).fetchone()
    clones.close()

    assert row == ("7s", '"$user", public', "a \"b'c")


def test_alembic_is_run_to_the_head(stack: Stack, tmp_path: Path) -> None:
    """By its ini file, its folder, or the folder of scripts."""
    scripts = tmp_path / "versions_here"
    (scripts / "versions").mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text(ALEMBIC_INI, encoding="utf-8")
    (scripts / "env.py").write_text(ALEMBIC_ENV, encoding="utf-8")
    (scripts / "versions" / "a1.py").write_text(ALEMBIC_REVISION, encoding="utf-8")
    keys = {read_migrations(source).key for source in (tmp_path, tmp_path / "alembic.ini", scripts)}
    clones = DatabaseClones(stack["postgres"].url, read_migrations(tmp_path))

    assert tables(clones.take()) == ["alembic_version", "made"]
    clones.close()
    assert len(keys) == 1


def test_a_dump_is_restored(stack: Stack, tmp_path: Path) -> None:
    """In pg_dump's custom format."""
    from ragbed.stores.postgres_tools import PostgresTools

    clones = DatabaseClones(stack["postgres"].url, read_migrations(None))
    source = clones.take()
    with psycopg.connect(source) as connection:
        connection.execute("CREATE TABLE dumped AS SELECT 1 AS n")
    PostgresTools(source, major=17).run("pg_dump", "--format=custom", f"--file={tmp_path / 'x.dump'}")
    clones.close()
    clones = DatabaseClones(stack["postgres"].url, read_migrations(tmp_path / "x.dump"))

    assert tables(clones.take()) == ["dumped"]
    clones.close()


def test_the_key_tells_contents_apart(tmp_path: Path) -> None:
    """A change of a file is another template."""
    (tmp_path / "1.sql").write_text("SELECT 1;", encoding="utf-8")
    before = read_migrations(tmp_path).key
    (tmp_path / "1.sql").write_text("SELECT 2;", encoding="utf-8")

    assert read_migrations(tmp_path).key != before


@pytest.mark.parametrize("name", ["", "nothing"], ids=["empty folder", "missing"])
def test_a_path_without_migrations_is_refused(name: str, tmp_path: Path) -> None:
    """The refusal names what would do."""
    with pytest.raises(UsageError, match="has no migrations"):
        read_migrations(tmp_path / name)


def test_what_postgres_refuses_is_told_by_the_test_that_asks(stack: Stack) -> None:
    """And by every later one."""
    clones = DatabaseClones(stack["postgres"].url, read_migrations(None), ahead=0)
    with psycopg.connect(stack["postgres"].url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE ragbed_template_empty RENAME TO elsewhere")
        try:
            for _ in range(2):
                with pytest.raises(StoreFailed, match="ragbed_template_empty"):
                    clones.take()
        finally:
            connection.execute("ALTER DATABASE elsewhere RENAME TO ragbed_template_empty")
    clones.close()


def test_databases_of_a_killed_process_are_dropped_by_the_next(stack: Stack) -> None:
    """Those of one that lives stay."""
    url = stack["postgres"].url
    program = (
        "import os, signal, sys\n"
        "from ragbed.stores.migrations import read_migrations\n"
        "from ragbed.stores.postgres_clones import DatabaseClones\n"
        "DatabaseClones(sys.argv[1], read_migrations(None)).take()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    living = DatabaseClones(url, read_migrations(None), ahead=0)
    mine = living.take()
    subprocess.run([sys.executable, "-c", program, url], check=False)
    left = databases(url, "ragbed_test_")
    wait_for_sessions(url, count=2)  # the living one's, and the asking one's
    later = DatabaseClones(url, read_migrations(None), ahead=0)
    later_one = later.take()  # the sweep comes first

    assert len(left) >= 2
    assert {url.rpartition("/")[2] for url in (mine, later_one)} == set(databases(url, "ragbed_test_"))
    living.close()
    later.close()
