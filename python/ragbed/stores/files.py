"""Snapshot files: written, read back only when they are whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ragbed.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.stores.port import SnapshotRef


def sealed(path: Path) -> dict[str, str | int]:
    """Return what tells a finished file from a changed one: its name, digest and size."""
    return {"file": path.name, "digest": _digest(path), "size_bytes": path.stat().st_size}


def opened(ref: SnapshotRef, folder: Path) -> Path:
    """Return the path of a snapshot's file, proven to be what was written.

    Raises:
        UsageError: It is missing or was changed.
    """
    path = folder / ref.file
    try:
        whole = path.stat().st_size == ref.size_bytes and _digest(path) == ref.digest
    except OSError as error:
        raise UsageError(
            f"the snapshot's file {ref.file} cannot be read: {error.strerror}", hint="take it again"
        ) from error
    if not whole:
        raise UsageError(f"the snapshot's file {ref.file} was changed since", hint="take it again")
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
