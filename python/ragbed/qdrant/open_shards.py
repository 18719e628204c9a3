"""Which collections hold their files open: only so many at once, the least used rest first.

An open collection costs a thread, a file handle, 15 memory maps and half a megabyte. Opening one again takes some
milliseconds, so a test suite may have thousands of collections while a few dozen are open.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from ragbed.qdrant.errors import ApiError
from ragbed.qdrant.limits import MAX_OPEN

if TYPE_CHECKING:
    from ragbed.qdrant.shard import Shard

logger = logging.getLogger(__name__)


class OpenShards:
    """The collections whose files are open, as far as anybody has to close them. Calls may come from any thread.

    Args:
        most: How many may be open; those at work are never closed, so it may be exceeded while they are.
    """

    def __init__(self, most: int = MAX_OPEN) -> None:
        self._most = most
        self._open: set[Shard] = set()
        self._lock = threading.Lock()

    @property
    def crowded(self) -> bool:
        """Whether more than half of those that may be open are."""
        return len(self._open) * 2 > self._most

    def admit(self, shard: Shard) -> None:
        """Take note of a collection that has opened, and close others that are over the limit."""
        with self._lock:
            self._open.add(shard)
            if len(self._open) <= self._most:
                return
            waiting = sorted(self._open - {shard}, key=lambda other: other.used_at)
        for other in waiting:
            if len(self._open) <= self._most:
                return
            self.close_idle(other)

    def close_idle(self, shard: Shard) -> None:
        """Close a collection's files, unless it is at work."""
        try:
            closed = shard.close_idle()
        except ApiError:
            logger.exception("closing collection %r failed", shard.name)
            closed = True
        if closed:
            self.forget(shard)
            if shard.is_open:  # a request called for it at that very moment
                self.admit(shard)

    def forget(self, shard: Shard) -> None:
        """Take note that a collection is closed, or gone."""
        with self._lock:
            self._open.discard(shard)

    def all(self) -> list[Shard]:
        """Return the open collections, the least used first."""
        with self._lock:
            return sorted(self._open, key=lambda shard: shard.used_at)
