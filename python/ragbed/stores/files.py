"""Snapshot files: written, read back only when they are whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ragbed.errors import UsageError
from ragbed.stores.port import SnapshotRef

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.guard.data_class import DataClass
    from ragbed.stack import Endpoint
    from ragbed.stores.port import Census


def reference(
    path: Path, endpoint: Endpoint, census: Census, *, data_class: DataClass, taken: str = "one moment"
) -> SnapshotRef:
    """Return what is written down of a finished snapshot file.

    Args:
        path: The file.
        endpoint: What it was copied from.
        census: What it holds.
        data_class: How far the data may go.
        taken: As of which moment, in words.
    """
    return SnapshotRef(
        service=endpoint.service,
        product=endpoint.product,
        version=endpoint.version,
        file=path.name,
        digest=_digest(path),
        size_bytes=path.stat().st_size,
        data_class=data_class,
        entries=len(census.counts),
        records=sum(census.counts.values()),
        taken=taken,
    )


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
