"""The folders of collections below a data folder: those at the start, and what is put back later."""

from __future__ import annotations

import logging
import shutil
import time
from typing import TYPE_CHECKING

from ragbed.qdrant import quarantine
from ragbed.qdrant.collection_manifest import Damaged, clear_beside, has_manifest, stored_in
from ragbed.qdrant.errors import Unavailable
from ragbed.qdrant.machine_errors import LACKS

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

    from ragbed.qdrant.shard import Shard

logger = logging.getLogger(__name__)

SETTLED_NS = 1_000_000_000
"""A folder's time is trusted once it is so old: what changes within one tick of the clock bears the same."""


class Gathering:
    """Looks into `DIR/collections`. The caller lets one thread do so at a time.

    Args:
        data: The data folder.

    Attributes:
        unreadable: Folders whose mark cannot be read now, each with the reason: their names are not known.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._store = data / "collections"
        self._seen_ns = 0
        self.unreadable: dict[Path, OSError] = {}

    def first(self) -> dict[str, Shard]:
        """Return every collection by name, none of them open; remove the rests of creations and deletions."""
        self._store.mkdir(exist_ok=True)
        for folder in self._store.iterdir():
            if not has_manifest(folder):
                shutil.rmtree(folder, ignore_errors=True)
        shards: dict[str, Shard] = {}
        for shard in self._taken_in(frozenset(), shards):
            clear_beside(shard)
            shards[shard.name] = shard
        return shards

    def more(self, known: Container[Path], names: Container[str]) -> list[Shard]:
        """Return the collections that were put back, or became readable, since the last look.

        Args:
            known: Folders that are taken in already.
            names: Names that are taken already.
        """
        return list(self._taken_in(known, names))

    def require_readable(self) -> None:
        """Raise Unavailable while there is a collection whose name is not known."""
        for folder, error in self.unreadable.items():
            wanting = LACKS.get(error.errno or 0, "something")
            raise Unavailable(
                f"a collection cannot be read for want of {wanting} ({folder}: {error.strerror}), so it cannot be told"
                " whether this is its name; it opens again as soon as there is some"
            ) from error

    def has_changed(self) -> bool:
        """Say whether there may be something to take in; quick, for every listing and every unknown name asks."""
        if self.unreadable:
            return True
        changed_ns = self._store.stat().st_mtime_ns
        if changed_ns == self._seen_ns:
            return False
        self._seen_ns = changed_ns if time.time_ns() - changed_ns > SETTLED_NS else 0
        return True

    def _taken_in(self, known: Container[Path], names: Container[str]) -> Iterator[Shard]:
        for folder in sorted(self._store.iterdir()):
            if folder in known or not has_manifest(folder):
                continue
            try:
                shard = stored_in(folder)
            except Damaged as error:
                quarantine.put(folder, self._data, error)
            except OSError as error:
                logger.warning("a collection cannot be read now, and stays where it is: %s", error)
                self.unreadable[folder] = error
                continue
            else:
                if shard.name in names:
                    quarantine.put(
                        folder, self._data, f"a collection {shard.name!r} exists already", name=shard.name
                    )
                else:
                    yield shard
            self.unreadable.pop(folder, None)
