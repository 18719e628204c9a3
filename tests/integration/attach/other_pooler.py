"""PgBouncer in front of a Postgres of others; Debian's package of that name has it."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from other_postgres import SECRET
from other_processes import await_pulse, running

from ragbed.stack.services import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from other_postgres import Postgres

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def pooler(server: Postgres, mode: str, folder: Path) -> Iterator[str]:
    """Yield the address of a pooler, for the owner of the server behind it.

    Args:
        server: The server behind it.
        mode: `session`, `transaction` or `statement`: for how long a connection is lent.
        folder: Its own.
    """
    if PROGRAM is None:
        pytest.skip("there is no pgbouncer: apt-get install pgbouncer")
    folder.mkdir(parents=True)
    port = free_port()
    (folder / "users.txt").write_text(f'"owner" "{SECRET}"\n')
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "auth_type": "scram-sha-256",
        "auth_file": folder / "users.txt",
        "pool_mode": mode,
        "unix_socket_dir": "",
        **({"user": "nobody"} if os.geteuid() == 0 else {}),
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    behind = f"theirs = host=127.0.0.1 port={server.port} dbname=theirs"
    (folder / "pgbouncer.ini").write_text("\n".join(["[databases]", behind, "[pgbouncer]", *lines]) + "\n")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    log, url = folder / "pgbouncer.log", f"postgresql://owner:{SECRET}@127.0.0.1:{port}/theirs"
    with running([PROGRAM, str(folder / "pgbouncer.ini")], log) as process:
        await_pulse("postgres", url, process, log)
        yield url
