"""Space on the disk, looked at before the engine needs it.

The engine writes through memory maps into files full of holes: where the disk has no room for a page, the kernel ends
the process with SIGBUS. So a write to a disk that is all but full is refused before, as a real server does. `errors`
makes the answer of a `DiskFull`, and `request_stats` counts every answer.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ragbed.qdrant.errors import DiskFull

BLOCK_BYTES = 512
"""What `st_blocks` counts in, whatever the file system's own blocks."""

LEAST_FREE_BYTES = 64 * 1024 * 1024
"""Twice what the engine reserves for its log, as in a real server."""


def is_short(folder: Path, size_bytes: int = 0) -> bool:
    """Say whether a disk has too little room to open a collection, or to write something of that size."""
    volume = os.statvfs(folder)
    return volume.f_bavail * volume.f_frsize < LEAST_FREE_BYTES + size_bytes


def require_space(folder: Path, size_bytes: int = 0) -> None:
    """Raise DiskFull where `is_short`."""
    if is_short(folder, size_bytes):
        wanted_mb = (LEAST_FREE_BYTES + size_bytes) // 1024**2
        raise DiskFull(f"No space left on device: the disk of {folder} has less than {wanted_mb} MB free")


def size_on_disk(folder: Path) -> int:
    """Return how much room a folder's files take, without their holes; those that go away are passed over."""
    size_bytes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size_bytes += (Path(parent) / name).stat().st_blocks * BLOCK_BYTES
    return size_bytes
