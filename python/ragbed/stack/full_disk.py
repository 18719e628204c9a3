"""A service's failure put down to a full disk, where the disk or the service's own log says so."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing
from ragbed.stack.services import tells_of_full_disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ragbed.stack.building import Stack
    from ragbed.state import StateFolder

_LOW_MB = 16  # below this a failure is put down to the disk; servers that map files are just killed


def log_tail(log: Path, lines: int = 8) -> list[str]:
    """Return the last lines of a log; none when there is no such file."""
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def full_disk_hint(folder: StateFolder, lines: Sequence[str]) -> str:
    """Return what to do where a service failed for want of disk space; empty where it failed for another reason.

    Args:
        folder: The state folder, on the disk where the service keeps its data.
        lines: The last lines of the service's log.
    """
    free_mb = shutil.disk_usage(folder.root).free / 2**20
    if free_mb >= _LOW_MB and not any(map(tells_of_full_disk, lines)):
        return ""
    return f"free some disk space below {folder.root}: {free_mb:.1f} MB are left"


@contextmanager
def full_disk_told(stack: Stack, folder: StateFolder) -> Iterator[None]:
    """Say that the disk is full where that is why a service of ours went away or refused a client.

    A client often sees a closed connection only: the server's log and the disk know why.

    Args:
        stack: The services that are used inside.
        folder: The state folder.

    Raises:
        ServiceMissing: As it was raised inside, with the disk named first and what helps.
    """
    try:
        yield
    except ServiceMissing as error:
        own = [name for name, endpoint in stack.endpoints.items() if endpoint.launcher == "process"]
        logs = {name: log_tail(folder.log(stack.id, name)) for name in own}
        hint = full_disk_hint(folder, [line for lines in logs.values() for line in lines]) if own else ""
        if not hint:
            raise
        told = [f"{name} log: {line}" for name in own for line in logs[name] if tells_of_full_disk(line)]
        message = f"the disk is full: {error.message}"
        raise type(error)(message, details=[*error.details, *told], hint=hint) from error
