"""A service's failure put down to a full disk, where the disk or the service's own log says so."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ragbed.stack.services import tells_of_full_disk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ragbed.state import StateFolder

_LOW_MB = 16  # below this a failure is put down to the disk; servers that map files are just killed


def log_tail(log: Path, lines: int = 8) -> list[str]:
    """Return the last lines of a log; none when there is no such file."""
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:] if lines else []
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
