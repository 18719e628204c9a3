"""A unit suite of a user's project runs, with our plugin, beside databases of others on the default ports."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
from fault_servers import pins_with_ports
from other_sockets import relay, silent

from ragbed.headers import SUBSTITUTE_HEADER
from ragbed.stack import SERVICES

if TYPE_CHECKING:
    from pathlib import Path

    from other_postgres import Postgres
    from others import Others

UNIT = """
def test_pure():
    assert 1 + 1 == 2


def test_settings(ragbed_settings):
    assert ragbed_settings.tier.name == "local"


def test_embedded_qdrant(ragbed_qdrant):
    assert ragbed_qdrant.startswith("http://127.0.0.1:")
"""
DESTRUCTIVE = """
import os
from urllib.request import Request, urlopen

import psycopg
import redis


def test_stack(ragbed_stack):
    assert {one.launcher for one in ragbed_stack.endpoints.values()} == {"process"}


def test_application_that_empties_its_stores(ragbed_environ):
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()
    for name in ("orders", "theirs"):
        urlopen(Request(f"{os.environ['QDRANT_URL']}/collections/{name}", method="DELETE"), timeout=10)


def test_pipeline(ragbed_pipeline, tmp_path):
    (tmp_path / "one.md").write_text("# One\\n\\nA document.\\n")
    ragbed_pipeline.ingest(tmp_path)
"""


def _run(folder: Path, suite: str, ports: dict[str, int], **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a project's suite, where the default ports are these."""
    project = pins_with_ports(folder / "project", **ports)
    (project / "ragbed.toml").write_text("")
    (project / "test_suite.py").write_text(suite)
    own = {
        "RAGBED_ROOT": str(project),
        "RAGBED_STATE_DIR": str(folder / "state"),
        "RAGBED_STACK__DEFAULT_PORTS": "true",
        "USE_MOCK_LLM": "true",
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(project), str(project)],
        cwd=project,
        env={**os.environ, **own, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_a_suite_without_a_stack_connects_to_nothing(others: Others, tmp_path: Path) -> None:
    """The plugin alone, its settings and its own Qdrant look at no default port."""
    listeners = {service: others.listener(silent) for service in SERVICES}

    done = _run(tmp_path, UNIT, {service: one.port for service, one in listeners.items()})

    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert {service: one.connections for service, one in listeners.items()} == dict.fromkeys(SERVICES, 0)


@pytest.fixture
def lookalike(others: Others) -> Postgres:
    """A Postgres of others that devenv's documented user, password and database open."""
    with psycopg.connect(others.postgres.url(), autocommit=True) as connection:
        connection.execute("ALTER ROLE ragbed PASSWORD 'ragbed'")
        if not connection.execute("SELECT FROM pg_database WHERE datname = 'ragbed'").fetchone():
            connection.execute("CREATE DATABASE ragbed OWNER ragbed")
    return others.postgres


def test_a_suite_that_empties_its_stores_leaves_those_of_others(
    others: Others, lookalike: Postgres, tmp_path: Path
) -> None:
    """Unmarked, on the default ports, open to every client: private servers are started, theirs stay as they are."""
    header = SUBSTITUTE_HEADER.lower().encode()
    real = others.listener(relay(others.qdrant.port, {header: b"x-other".ljust(len(header), b"-")}))
    ports = {"postgres": lookalike.port, "redis": others.redis.port, "qdrant": real.port}
    servers = (lookalike, others.redis, others.qdrant)
    before = [one.census() for one in servers]

    done = _run(tmp_path, DESTRUCTIVE, ports)

    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert real.connections > 0
    assert [one.census() for one in servers] == before


def test_a_suite_in_a_shell_that_names_a_store_of_others_is_refused(others: Others, tmp_path: Path) -> None:
    """DATABASE_URL leads to others' work: tests without a stack pass, the others end with the line of the marker."""
    before = others.postgres.census()

    done = _run(tmp_path, UNIT + DESTRUCTIVE, {}, DATABASE_URL=others.postgres.url())

    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert "3 errors" in done.stdout
    assert "which DATABASE_URL names, does not carry ragbed's marker" in done.stdout
    assert others.postgres.census() == before
