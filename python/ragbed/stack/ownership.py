"""Which processes are ours: those whose own environment says so, whatever a file claims.

Every process that we start carries its lease's token in its environment, which only its own user can have put there.
Arguments and file names prove nothing: anybody may choose them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from ragbed.stack.processes import ProcessIdentity, ancestry
from ragbed.stack.services.unprivileged import nobody

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


TOKEN_VARIABLE = "RAGBED_LEASE"  # noqa: S105 - the name of a variable
STATE_VARIABLE = "RAGBED_LEASE_STATE_DIR"
STACK_VARIABLE = "RAGBED_LEASE_STACK"
SERVICE_VARIABLE = "RAGBED_LEASE_SERVICE"
_TOKEN = re.compile(r"[0-9a-f]{16}")


def is_token(value: object) -> bool:
    """Tell whether a value has the form of a lease's token."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def may_end(process: psutil.Process) -> bool:
    """Tell whether a process is one that we could have started: never pid 1, ourselves, our ancestors, another user's.

    As root, servers that refuse root run as `nobody`.
    """
    if process.pid <= 1 or process.pid in ancestry(os.getpid()):
        return False
    mine = os.geteuid()
    users = {mine, nobody()} if mine == 0 else {mine}
    return process.uids().effective in users


def carries(pid: int, token: str, *, data: Path, outside: Path | None = None) -> bool:
    """Tell whether a process proves that it was started for a lease.

    Args:
        pid: The process.
        token: The lease's token.
        data: The lease's data folder: a server that wrote its title over its environment (Redis) works in it.
        outside: Where a server that runs as `nobody` has its data. A container's root may not read another user's
            environment: then its arguments, together with the lease's start time, have to do.
    """
    if not is_token(token):
        return False
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        if not may_end(process):
            return False
        try:
            environ = process.environ()
            return environ.get(TOKEN_VARIABLE) == token if environ else _works_in(process, data)
        except psutil.AccessDenied:
            runs_as_nobody = process.uids().effective == nobody()
            return outside is not None and runs_as_nobody and _works_on(process, outside / "cluster")
    return False


def find_marked(token: str) -> list[ProcessIdentity]:
    """Return the processes that carry a token in their environment: those whose pid was never noted."""
    if not is_token(token):
        return []
    return [process for process, environ in marked_processes() if environ[TOKEN_VARIABLE] == token]


def marked_processes() -> Iterator[tuple[ProcessIdentity, Mapping[str, str]]]:
    """Yield each process of this user that carries a token, and its environment."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if not may_end(process):
                continue
            environ = process.environ()
            if is_token(environ.get(TOKEN_VARIABLE)):
                yield ProcessIdentity.of(process.pid), environ


def find_workers(folder: Path) -> list[ProcessIdentity]:
    """Return workers that outlived their server, by their working folder.

    Postgres writes a worker's title over its environment, so that nothing is left of the token; any other process in
    that folder, such as a shell, has an environment of its own.

    Args:
        folder: A data folder of ours.
    """
    workers = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if (
                may_end(process)
                and Path(process.cwd()) in {folder, folder / "cluster"}
                and not process.environ()
            ):
                workers.append(ProcessIdentity.of(process.pid))
    return workers


def _works_in(process: psutil.Process, folder: Path) -> bool:
    folder = folder.resolve()  # the kernel tells the working folder without links
    return Path(process.cwd()) in {folder, folder / "cluster"}


def _works_on(process: psutil.Process, data: Path) -> bool:
    words = process.cmdline()
    return any(pair == ("-D", str(data)) for pair in itertools.pairwise(words))
