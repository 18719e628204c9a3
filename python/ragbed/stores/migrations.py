"""What makes an empty database an application's: Alembic, SQL files, a dump, or a function; and its key."""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import UsageError
from ragbed.guard.libpq import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MigrationSource = Path | Callable[[str], object] | None
"""A folder of Alembic or of SQL files, an SQL file or dump, or a function that is given the database's address."""

_DUMP = b"PGDMP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """How a template database is made.

    Attributes:
        key: The same for the same content: a template that has it is used again.
        apply: Given the address of an empty database, makes it the application's.
    """

    key: str
    apply: Callable[[str], object]


def read_migrations(source: MigrationSource) -> Migrations:
    """Return how a template is made from what a project has.

    Args:
        source: None leaves the database empty but for pgvector.

    Raises:
        UsageError: The path is neither of Alembic nor SQL.
    """
    if source is None:
        return Migrations(key="empty", apply=lambda _: None)
    if not isinstance(source, Path):
        return Migrations(key=_key({"code": _code(source).encode()}), apply=source)
    if ini := _alembic_file(source):
        return Migrations(key=_key(_contents(ini.parent.rglob("*.py"))), apply=lambda url: _upgrade(ini, url))
    files = sorted(source.glob("*.sql")) if source.is_dir() else [source]
    if not files or not all(file.is_file() for file in files):
        raise UsageError(
            f"{source} has no migrations",
            hint="name a folder with alembic.ini or *.sql files, an .sql file or a dump of pg_dump",
        )
    return Migrations(key=_key(_contents(files)), apply=lambda url: _run_files(files, url))


def _key(contents: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(b"%d %b\0%d %b\0" % (len(name), name.encode(), len(content), content))
    return digest.hexdigest()[:16]


def _contents(files: Iterable[Path]) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in files if "__pycache__" not in file.parts}


def _code(function: Callable[[str], object]) -> str:
    """Return a function's source; where there is none, what it is called, which no change of it changes."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', repr(function))}"


def _alembic_file(source: Path) -> Path | None:
    candidates = (
        [source] if source.name == "alembic.ini" else [source / "alembic.ini", source.parent / "alembic.ini"]
    )
    if source.is_dir() and not ((source / "alembic.ini").is_file() or (source / "env.py").is_file()):
        return None
    return next((path for path in candidates if path.is_file()), None)


def _upgrade(ini: Path, url: str) -> None:
    """Run Alembic to the newest revision; `env.py` finds the address as `sqlalchemy.url` and in DATABASE_URL."""
    from alembic import command  # noqa: PLC0415 - 0.4 s that SQL files should not pay
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config(ini)
    spelled = url if find_spec("psycopg2") else url.replace("postgresql://", "postgresql+psycopg://", 1)
    config.set_main_option("sqlalchemy.url", spelled.replace("%", "%%"))
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    try:
        command.upgrade(config, "head")
    finally:
        if before is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = before


def _run_files(files: list[Path], url: str) -> None:

    from ragbed.stores.postgres_tools import PostgresTools  # noqa: PLC0415 - as above

    for file in files:
        content = file.read_bytes()
        if content.startswith(_DUMP):
            words = ("--no-owner", "--exit-on-error", "--single-transaction", "--dbname=")
            PostgresTools(url, major=0).run("pg_restore", *words, str(file))
        else:
            with connect(url, autocommit=True) as connection:
                connection.execute(content)
