"""Remove the blobs that no entry of the lock wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.models.blobs import BlobFolder
    from ragbed.pins import ModelLock


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanedBlob:
    """A blob that no entry wants.

    Attributes:
        digest: Its digest.
        size_bytes: What it takes; of an unfinished one, what has come.
        shared: Whether a folder that was laid out for Ollama links it too: removing it here frees nothing yet.
    """

    digest: str
    size_bytes: int
    shared: bool


def orphaned_blobs(lock: ModelLock, blobs: BlobFolder) -> list[OrphanedBlob]:
    """Return the blobs, whole and unfinished, that no entry of the lock wants."""
    wanted = {part.digest for pin in lock.models.values() for part in pin.manifest.blobs}
    orphans = []
    for digest in sorted({*blobs.digests(), *blobs.begun()} - wanted):
        path = blobs.path(digest)
        links = path.stat().st_nlink if path.exists() else 1
        orphans.append(OrphanedBlob(digest=digest, size_bytes=blobs.size_bytes(digest), shared=links > 1))
    return orphans


def prune(orphaned: Sequence[OrphanedBlob], blobs: BlobFolder) -> int:
    """Remove blobs and return how many bytes that were."""
    return sum(blobs.remove(one.digest) for one in orphaned)
