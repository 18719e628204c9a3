"""Which Postgres is taken from PATH: one that is in range and brings pgvector, wherever its packager put things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.pins import load_stack_pins
from ragbed.stack.services.postgres import PostgresStarter

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.stack.binaries import Search

VERSION = "18.4"


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Postgres whose programs are on PATH, and which has no extension yet."""
    (tmp_path / "bin").mkdir()
    _program(tmp_path / "bin" / "postgres", f"echo 'postgres (PostgreSQL) {VERSION}'")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return tmp_path


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _extension(share: Path) -> None:
    (share / "extension").mkdir(parents=True)
    (share / "extension" / "vector.control").touch()


def searched() -> Search:
    """Return what the search for Postgres' programs finds."""
    return PostgresStarter().search(load_stack_pins()["postgres"])


@pytest.mark.parametrize("share", ["share/postgresql", "share"])
def test_pgvector_is_found_without_pg_config(installation: Path, share: str) -> None:
    """A package of nixpkgs has the server and its extensions, and pg_config in another package."""
    _extension(installation / share)

    found = searched()

    assert found.binary is not None
    assert (found.binary.path, found.binary.version) == (installation / "bin", VERSION)


def test_pgvector_is_found_beside_a_pg_config_that_refuses(installation: Path) -> None:
    """One that only says where the real one is does not count."""
    _program(installation / "bin" / "pg_config", "echo the real one is elsewhere; exit 1")
    _extension(installation / "share" / "postgresql")

    found = searched()

    assert found.binary is not None
    assert found.binary.path == installation / "bin"


def test_pgvector_is_found_where_pg_config_says(installation: Path) -> None:
    """Debian keeps extensions apart from the programs."""
    share = installation / "elsewhere" / "18"
    _program(installation / "bin" / "pg_config", f"echo {share}")
    _extension(share)

    found = searched()

    assert found.binary is not None
    assert found.binary.path == installation / "bin"


def test_a_postgres_without_pgvector_is_passed_over(installation: Path) -> None:
    """It is said which one, and why."""
    found = searched()

    assert found.notes == (f"{installation}/bin/postgres is in range, but has no pgvector",)
    assert found.binary is None or found.binary.path != installation / "bin"
