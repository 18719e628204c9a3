"""One collection: an engine shard that opens when it is needed, rests when it is not, and is optimized beside its use.

The engine holds Python's lock in every call, so no two calls run at once, and nothing long may run in this process:
indexing happens in a process of its own, on a copy (`optimization`), while this one goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import qdrant_edge as engine

from ragbed.qdrant.disk_space import require_space, size_on_disk
from ragbed.qdrant.errors import ApiError, collection_missing
from ragbed.qdrant.folder import copy_tree, sync_tree
from ragbed.qdrant.opening import engine_errors, is_damage, load, opening_errors
from ragbed.qdrant.pending_writes import PendingWrites, replay
from ragbed.qdrant.reading import Reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from qdrant_edge import EdgeShard, UpdateOperation

    from ragbed.qdrant.translate.config import CollectionConfig

logger = logging.getLogger(__name__)


class Shard(Reads):
    """One collection.

    The engine takes reads beside a write and beside each other; writes go one by one. Every acknowledged write is in
    the engine's log, which survives the death of the process.

    Args:
        name: The collection's name, for messages.
        config: What it was created with.
        folder: The engine's files.
        opened: The engine's shard, if it is open already.

    Attributes:
        name: As given.
        folder: Where the engine's files are now; an optimization moves them.
        used_at: `time.monotonic()` of the last call.
        unflushed_bytes: Size of the requests that a replay of the log would have to write again.
        wrote_at: `time.monotonic()` of the last write.
        written: Writes applied since the server started.
        configured: How often it was given another configuration since then.
        deleted: Points deleted since the files were last optimized, as far as this server knows.
    """

    def __init__(
        self, name: str, config: CollectionConfig, folder: Path, opened: EdgeShard | None = None
    ) -> None:
        self.name = name
        self.folder = folder
        self.used_at = time.monotonic()
        self.unflushed_bytes = 0
        self.unflushed_since = 0.0
        self.wrote_at = 0.0
        self.written = 0
        self.configured = 0
        self.deleted = 0
        self.on_open: Callable[[Shard], None] = _ignore
        self.on_failure: Callable[[Shard, ApiError], ApiError] = _as_it_is
        self.config = config
        self._engine = opened
        self._operations = count()
        self._writer = threading.Lock()
        self._idle = threading.Condition()
        self._users = 0
        self._gone = False
        self._pending = PendingWrites()
        self._copied = 0  # what `configured` was when the copy was made
        self._is_copied = False

    @classmethod
    def create(cls, folder: Path, name: str, config: CollectionConfig) -> Shard:
        """Create a collection's files in an empty folder, and open it."""
        with engine_errors():
            return cls(name, config, folder, engine.EdgeShard.create(str(folder), config.engine))

    @property
    def is_open(self) -> bool:
        """Whether the engine holds its files open now."""
        return self._engine is not None

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted, or closed for good."""
        return self._gone

    @property
    def payload_bytes(self) -> int:
        """How much room the points' payloads take on the disk."""
        return sum(map(size_on_disk, self.folder.glob("segments/*/payload_storage")))

    def update(self, operation: UpdateOperation, size_bytes: int = 0) -> int:
        """Apply one write and return its number; raise ApiError when the engine refuses it.

        Args:
            operation: The write.
            size_bytes: About how much room it takes; raises ApiError where the disk has not so much left.
        """
        require_space(self.folder, size_bytes)
        with self._using() as shard, self._writer:
            # an optimization may have put another shard in place while this write waited for its turn
            now = self._engine or shard
            before = now.info().points_count
            self._pending.add(operation)  # a refused write may have been done in part, here and there alike
            now.update(operation)
            self.deleted += max(0, before - now.info().points_count)
            self.written += 1
            return next(self._operations)

    def wrote(self, size_bytes: int) -> None:
        """Take note of a write's size, so that the log is emptied before its replay would take long."""
        self.wrote_at = time.monotonic()
        if not self.unflushed_bytes:
            self.unflushed_since = self.wrote_at
        self.unflushed_bytes += size_bytes + 1
        self._pending.grow(size_bytes)

    def peek(self) -> engine.ShardInfo | None:
        """Return the engine's counts without opening the collection or counting as its use; None while it rests."""
        opened = self._engine
        if opened is None:
            return None
        with engine_errors():
            return opened.info()

    def flush(self) -> None:
        """Empty the log into the files; does nothing while the collection rests, or its files are copied."""
        if not self.is_open or self._is_copied:
            return
        sync_tree(self.folder)  # the engine would hold up everybody while the disk works
        with self._idle:
            if self._engine is not None and not self._is_copied:
                self.unflushed_bytes = 0
                with engine_errors():
                    self._engine.flush()

    def close_idle(self) -> bool:
        """Close the files until the next call; say whether that was possible: not while a call is under way."""
        with self._idle:
            if self._users or self._engine is None or self._pending.is_kept:
                return False
            opened, self._engine = self._engine, None
            self.unflushed_bytes = 0
            with engine_errors():
                opened.close()
            return True

    def copy_to(self, folder: Path) -> CollectionConfig:
        """Copy the files as they are between two writes, and return the configuration that goes with them."""
        with self._unchanged():
            copy_tree(self.folder, folder)
            return self.config

    def configure(
        self, config: CollectionConfig, folder: Path | None, commit: Callable[[Path], None]
    ) -> Path:
        """Take another configuration, and other files if any; the calls under way finish with the old ones.

        Args:
            config: For the same vectors, unless other files are given.
            folder: Files to use from now on; None keeps those in use.
            commit: Makes the change last, given the files; where it fails, nothing has changed.

        Returns:
            The files that were in use.
        """
        with self._idle:
            self._idle.wait_for(lambda: self._users == 0)
            commit(folder or self.folder)
            self._pending.end()  # an optimization under way was for the old configuration
            self.configured += 1
            opened, self._engine = self._engine, None
            before, self.config, self.folder = self.folder, config, folder or self.folder
            if opened is not None:
                _leave(opened, before)
            return before

    def retire(self) -> None:
        """Refuse new calls from now on; those under way go on."""
        with self._idle:
            self._gone = True
            self._pending.end()

    def abandon(self) -> None:
        """Close for good, whatever state the files are in."""
        try:
            self.close()
        except ApiError as error:
            logger.debug("closing %s: %s", self.folder, error)

    def close(self) -> None:
        """Refuse new calls, let those under way finish, write everything to disk; twice is harmless."""
        self.retire()
        with self._idle:
            self._idle.wait_for(lambda: self._users == 0)
            opened, self._engine = self._engine, None
        if opened is not None:
            with engine_errors():
                opened.close()

    @contextmanager
    def copying(self) -> Iterator[None]:
        """Hold writes back while the files are copied, and keep from then on what is written, for `optimize`."""
        with self._unchanged():
            self._copied = self.configured
            yield
            self._pending.begin()

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Keep the files as they are: no write, no closing, and no flush; reads go on.

        A flush takes out of the log what it puts into the segments: a copy of the segments from before and of the log
        from after it would lack those writes.
        """
        with self._using(), self._writer:
            with self._idle:  # one under way ends first
                self._is_copied = True
            try:
                yield
            finally:
                self._is_copied = False

    def forget_copy(self) -> None:
        """Keep no more writes for a copy; it was given up."""
        with self._writer:
            self._pending.end()

    def catch_up(self, copy: EdgeShard) -> bool:
        """Write to a copy what came since it was made; false when that can no longer be known."""
        with self._writer:
            pending = self._pending.take()
        if pending is None:
            return False
        require_space(self.folder)
        for operation in pending:
            replay(copy, operation)
            time.sleep(0)  # others may have a call in between
        return True

    def optimize(self, copy: EdgeShard, folder: Path, commit: Callable[[], None]) -> bool:
        """Put a copy in the place of the collection's shard, whole; false when the collection changed its mind.

        Args:
            copy: The copy, which has caught up but for the last writes.
            folder: Its files.
            commit: Makes the change last; a crash before it leaves the old files in force, after it the new ones.
        """
        with self._writer:
            for operation in self._pending.take() or ():
                replay(copy, operation)
            with self._idle:
                wanted = self._pending.is_kept and not self._gone and self._copied == self.configured
                self._pending.end()
                if wanted:
                    commit()
                    self.deleted = 0
                    self._engine, self.folder = copy, folder  # readers keep the old shard until they are done
                return wanted

    @contextmanager
    def _using(self) -> Iterator[EdgeShard]:
        try:
            shard, opened = self._enter()
        except ApiError as error:
            raise (self.on_failure(self, error) if is_damage(error) else error) from error
        try:
            if opened:
                self.on_open(self)
            with engine_errors():
                yield shard
        finally:
            with self._idle:
                self._users -= 1
                self._idle.notify_all()

    def _enter(self) -> tuple[EdgeShard, bool]:
        """Return the engine's shard, and whether it had to be opened; the caller is a user from now on."""
        with self._idle:
            if self._gone:
                raise collection_missing(self.name)
            opened = self._engine
            if opened is None:
                require_space(self.folder)
                with opening_errors(self.name):
                    self._engine = load(self.folder, self.config)
            shard = self._engine
            if shard is None:
                raise ApiError(f"collection `{self.name}` did not open")
            self._users += 1
            self.used_at = time.monotonic()
            return shard, opened is None


def _leave(opened: EdgeShard, folder: Path) -> None:
    """Close an engine's shard whose writes are in its log anyway."""
    try:
        with engine_errors():
            opened.close()
    except ApiError as error:
        logger.warning("closing %s: %s", folder, error)


def _ignore(_: Shard) -> None:
    """No caller wants to know."""


def _as_it_is(_: Shard, error: ApiError) -> ApiError:
    """Tell the client what the engine told."""
    return error
