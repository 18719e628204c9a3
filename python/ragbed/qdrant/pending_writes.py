"""The writes that a copy of a collection lacks, kept while it is being indexed.

None of this is safe between threads by itself: a `Shard` holds its writer's lock around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdrant_edge import EdgeShard, UpdateOperation

MAX_WRITES = 20_000
MAX_BYTES = 512 * 1024 * 1024
"""Writes that are kept, and the size of their requests, of which they take a part; beyond, the copy is given up, so
that memory stays bounded."""


class PendingWrites:
    """The writes since a copy was made, or since they were last taken."""

    def __init__(self) -> None:
        self._writes: list[UpdateOperation] | None = None
        self._size_bytes = 0

    @property
    def is_kept(self) -> bool:
        """Whether there is a copy to keep writes for."""
        return self._writes is not None

    def begin(self) -> None:
        """Keep what is written from now on."""
        self._writes, self._size_bytes = [], 0

    def end(self) -> None:
        """Keep no more, and forget what was kept."""
        self._writes = None

    def add(self, operation: UpdateOperation) -> None:
        """Keep a write, if there is a copy; end when there are too many."""
        if self._writes is None:
            return
        if len(self._writes) < MAX_WRITES and self._size_bytes < MAX_BYTES:
            self._writes.append(operation)
        else:
            self.end()

    def grow(self, size_bytes: int) -> None:
        """Take note of the size of a write's request."""
        self._size_bytes += size_bytes

    def take(self) -> list[UpdateOperation] | None:
        """Return what was kept and go on with nothing; None when it is not kept, or no longer."""
        taken = self._writes
        if taken is not None:
            self.begin()
        return taken


def replay(copy: EdgeShard, operation: UpdateOperation) -> None:
    """Apply a write that was applied elsewhere; what it could not do there, it cannot here."""
    try:
        copy.update(operation)
    except Exception as error:
        if type(error) is not Exception:
            raise
