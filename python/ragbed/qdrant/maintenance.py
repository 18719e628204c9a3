"""What a server does by itself: empty logs, close idle collections, build indexes.

Two threads, so that a long indexing holds up nothing else. Neither ever keeps the interpreter for long.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ragbed.qdrant.errors import ApiError
from ragbed.qdrant.optimize import lacks_space, optimize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qdrant_edge import ShardInfo

    from ragbed.qdrant.collections import Collections
    from ragbed.qdrant.shard import Shard

logger = logging.getLogger(__name__)

TICK_S = 0.25
FLUSH_AFTER_S = 2.0
FLUSH_AFTER_BYTES = 32 * 1024 * 1024
"""Some 4,000 points of 384 numbers as JSON: their replay after a crash takes a quarter of a second."""

IDLE_S = 60.0
"""A collection that was not called for so long is closed."""

CROWDED_IDLE_S = 2.0
"""The same while many collections are open, so that calls need not wait for others to close."""

QUIET_S = 0.5
"""Indexing waits for a pause in the writes, unless half of the points are unindexed."""

STOP_S = 0.1
NO_ROOM = "Not enough space available for optimization"
"""What a collection says that cannot be indexed for want of room on the disk, in a real server's words."""

DEFAULT_THRESHOLD_KB = 10_000
DEFAULT_DELETED = 0.2
DEFAULT_VACUUM_MIN = 1000


class Maintenance:
    """The two threads.

    Args:
        collections: The store.
        optimize: Build indexes and vacuum; without, searches stay exact and nothing moves by itself.
    """

    def __init__(self, collections: Collections, *, optimize: bool = True) -> None:
        self._collections = collections
        self._stopping = threading.Event()
        self._tried: WeakKeyDictionary[Shard, tuple[int, int]] = WeakKeyDictionary()
        self._failures: WeakKeyDictionary[Shard, tuple[tuple[int, int], str]] = WeakKeyDictionary()
        self._threads = [
            threading.Thread(
                target=self._every_tick, args=(self._tidy,), name="qdrant-maintenance", daemon=True
            )
        ]
        if optimize:
            self._threads.append(
                threading.Thread(
                    target=self._every_tick, args=(self._optimize,), name="qdrant-indexing", daemon=True
                )
            )
            collections.is_waiting = self.is_waiting
            collections.failure = self.failure

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> bool:
        """Give up what is under way; say whether it has ended, which a copy of many files may take a while to."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(STOP_S)
        return not any(thread.is_alive() for thread in self._threads)

    def is_waiting(self, shard: Shard, info: ShardInfo) -> bool:
        """Say whether a collection has vectors or deleted points that indexing would take care of."""
        written, configured = self._tried.get(shard, (-1, 0))
        if shard.configured != configured and info.indexed_vectors_count:
            return True  # the index may not be what is wanted now
        if shard.written == written:
            return False
        return unindexed(shard, info) > 0 or garbage(shard, info) > 0

    def failure(self, shard: Shard) -> str | None:
        """Say why a collection could not be indexed as it is now; None where it could."""
        seen, failure = self._failures.get(shard, (None, None))
        return failure if seen == (shard.written, shard.configured) else None

    def _every_tick(self, work: Callable[[Shard], None]) -> None:
        while not self._stopping.wait(TICK_S):
            for shard in self._collections.open_shards.all():
                if self._stopping.is_set():
                    return
                try:
                    work(shard)
                except (
                    ApiError,
                    OSError,
                ) as error:  # it may be gone by now, or the disk full; the next tick tries again
                    logger.warning("maintenance of collection %r: %s", shard.name, error)

    def _tidy(self, shard: Shard) -> None:
        now = time.monotonic()
        open_shards = self._collections.open_shards
        if shard.unflushed_bytes > FLUSH_AFTER_BYTES or (
            shard.unflushed_bytes and now - shard.unflushed_since > FLUSH_AFTER_S
        ):
            shard.flush()
        elif now - shard.used_at > (CROWDED_IDLE_S if open_shards.crowded else IDLE_S):
            open_shards.close_idle(shard)

    def _optimize(self, shard: Shard) -> None:
        info = shard.peek()
        if info is None or not self.is_waiting(shard, info):
            return
        in_a_pause = time.monotonic() - shard.wrote_at >= QUIET_S
        if in_a_pause or unindexed(shard, info) * 2 > info.points_count:
            self._renew(shard)

    def _renew(self, shard: Shard) -> None:
        """Index a collection; without room, put that off until there is some."""
        seen = shard.written, shard.configured
        failure: str | None = NO_ROOM
        if lacks_space(shard):
            if self.failure(shard) != NO_ROOM:
                logger.warning("collection %r is not indexed: %s", shard.name, NO_ROOM)
        else:
            failure = optimize(shard, self._stopping)
            self._tried[shard] = seen
        self._failures.pop(shard, None)
        if failure:
            self._failures[shard] = seen, failure


def settings(shard: Shard, name: str) -> dict[str, Any]:
    """Return a part of a collection's configuration as it was asked for."""
    return shard.config.body.get(name) or {}


def unindexed(shard: Shard, info: ShardInfo) -> int:
    """Return how many points lack an index that they should have; 0 below the threshold."""
    sizes = [kind.size for kind in shard.config.schema.values() if not kind.sparse]
    threshold_kb = settings(shard, "optimizers_config").get("indexing_threshold")
    threshold_kb = DEFAULT_THRESHOLD_KB if threshold_kb is None else threshold_kb
    if not sizes or not threshold_kb or settings(shard, "hnsw_config").get("m") == 0:
        return 0
    left = info.points_count + deleted_points(shard.folder) - info.indexed_vectors_count // len(sizes)
    return left if left * max(sizes) * 4 > threshold_kb * 1024 else 0


def garbage(shard: Shard, info: ShardInfo) -> int:
    """Return how many deleted points still take room; 0 below the threshold."""
    given = settings(shard, "optimizers_config")
    share = given.get("deleted_threshold")
    least = given.get("vacuum_min_vector_number") or DEFAULT_VACUUM_MIN
    deleted = max(shard.deleted, deleted_points(shard.folder))
    total = info.points_count + deleted
    over = total >= least and deleted > (DEFAULT_DELETED if share is None else share) * total
    return deleted if over else 0


def deleted_points(folder: Path) -> int:
    """Return how many points the engine has marked as deleted in segments that only a vacuum shrinks."""
    deleted = 0
    for bitmap in folder.glob("segments/*/id_tracker.deleted"):
        try:
            deleted += int.from_bytes(bitmap.read_bytes(), "little").bit_count()
        except FileNotFoundError:
            continue
    return deleted
