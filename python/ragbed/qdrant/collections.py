"""The collections and aliases of one data folder: found, created, deleted, renamed.

On disk a collection is a folder of random name. Its `collection.json` is written last, by a rename, and deleted
first: a folder without it is the rest of a creation or a deletion that was cut off, and is removed when the server
starts. The random name lets a collection be created again while the old one's files are still going away.
`collection.json` also names the folder of the engine's files in force; any other folder beside it
is the rest of an optimization.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ragbed.qdrant import quarantine
from ragbed.qdrant.aliases import AliasAction, Aliases
from ragbed.qdrant.checking import CannotJudge, flaw_found
from ragbed.qdrant.collection_manifest import FIRST, MARK, flaw, write_manifest
from ragbed.qdrant.disk_space import is_short, require_space
from ragbed.qdrant.errors import (
    AlreadyExists,
    ApiError,
    InvalidValue,
    NotFound,
    Unavailable,
    WrongInput,
    collection_missing,
)
from ragbed.qdrant.gathering import Gathering
from ragbed.qdrant.limits import MAX_OPEN, MAX_SNAPSHOT_BYTES
from ragbed.qdrant.names import forbidden_in
from ragbed.qdrant.open_shards import OpenShards
from ragbed.qdrant.quarantine import quarantined
from ragbed.qdrant.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from qdrant_edge import ShardInfo

    from ragbed.qdrant.translate.config import CollectionConfig

logger = logging.getLogger(__name__)

INCOMING = ".incoming"
"""Folder inside that of snapshots, for what is not one yet."""

CLOSE_BUDGET_S = 0.12
"""How long closing may take in all. What stays open has its writes in the engine's log, and loses nothing."""


class Collections:
    """The collections and aliases of one data folder. Calls may come from any thread.

    Args:
        folder: The data folder.
        shards: The collections by name.
        gathering: Finds what is put back while the server runs.
        max_open: How many of them may hold their files open at once.
        max_snapshot_bytes: How large a snapshot that comes in may be, packed and unpacked.

    Attributes:
        max_snapshot_bytes: As given.
        is_stopping: Set once the server stops: what takes long is given up.
    """

    def __init__(
        self,
        folder: Path,
        shards: dict[str, Shard],
        gathering: Gathering,
        *,
        max_open: int = MAX_OPEN,
        max_snapshot_bytes: int = MAX_SNAPSHOT_BYTES,
    ) -> None:
        self._folder = folder
        self.max_snapshot_bytes = max_snapshot_bytes
        self._shards = shards
        self._gathering = gathering
        self.aliases = Aliases.open(folder / "aliases.json", None if gathering.unreadable else shards)
        self.open_shards = OpenShards(max_open)
        self._changing = threading.RLock()
        self._judging = threading.Lock()
        self.is_waiting: Callable[[Shard, ShardInfo], bool] = _never
        self.failure: Callable[[Shard], str | None] = _none
        self.is_stopping = threading.Event()
        self._unchecked = set(shards)
        for shard in tuple(shards.values()):
            self._take_in(shard)

    @classmethod
    def open(
        cls, folder: Path, *, max_open: int = MAX_OPEN, max_snapshot_bytes: int = MAX_SNAPSHOT_BYTES
    ) -> Collections:
        """Find every collection of a data folder; each opens when it is first called for.

        Args:
            folder: Exists, and is owned by this process.
            max_open: How many collections may hold their files open at once.
            max_snapshot_bytes: How large a snapshot that comes in may be, packed and unpacked.
        """
        gathering = Gathering(folder)
        shutil.rmtree(folder / "snapshots" / INCOMING, ignore_errors=True)  # of a server that was killed
        shards = gathering.first()
        return cls(folder, shards, gathering, max_open=max_open, max_snapshot_bytes=max_snapshot_bytes)

    @property
    def scratch(self) -> Path:
        """A folder for snapshots of everything, and for those that come in."""
        folder = self._folder / "snapshots"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def incoming(self) -> Path:
        """A folder for files that are on their way in; emptied at every start."""
        folder = self.scratch / INCOMING
        folder.mkdir(exist_ok=True)
        return folder

    def names(self) -> list[str]:
        """Return the collections' names, sorted; a collection whose files are seen to be damaged is set aside."""
        self._look_again()
        for name in tuple(self._unchecked):
            self._unchecked.discard(name)
            shard = self._shards.get(name)
            if shard is not None and not shard.is_open and (why := flaw(shard.folder)):
                self.quarantine(shard, why)
        return sorted(self._shards)

    def resolve(self, name: str) -> str:
        """Return the collection's name behind a name or alias; an unknown name is returned as it is."""
        return self.aliases.target(name) or name

    def exists(self, name: str) -> bool:
        """Say whether a name or alias leads to a collection."""
        if self.resolve(name) not in self._shards:
            self._look_again()
        return self.resolve(name) in self._shards

    def find(self, name: str) -> Shard:
        """Return the collection behind a name or alias.

        Raises:
            NotFound: There is none; one in quarantine is named.
            Unavailable: A collection, which may be this one, cannot be read now.
        """
        try:
            return self._shards[self.resolve(name)]
        except KeyError:
            self._look_again()
        shard = self._shards.get(self.resolve(name))
        if shard is None:
            self._gathering.require_readable()
            raise self._missing(name)
        return shard

    def _missing(self, name: str) -> NotFound:
        kept = [entry for entry in quarantined(self._folder) if name in (entry.name, *entry.aliases)]
        if not kept:
            return collection_missing(name)
        entry = kept[-1]
        return NotFound(
            f"Collection `{name}` doesn't exist! It is in quarantine since {entry.since:%Y-%m-%d %H:%M} UTC as damaged"
            f" ({entry.why}); `ragbed qdrant quarantine restore {entry.name} --data {self._folder}` puts it back"
        )

    def _look_again(self) -> None:
        """Take in what was put back, or became readable, while the server runs."""
        if not self._gathering.has_changed():
            return
        with self._changing:
            known = {shard.folder.parent for shard in self._shards.values()}
            for shard in self._gathering.more(known, self._shards):
                self._shards[shard.name] = shard
                self._take_in(shard)

    def _take_in(self, shard: Shard) -> None:
        """Make a collection one of ours; one that comes out of quarantine gets its aliases back."""
        self._adopt(shard)
        for alias in quarantine.aliases_brought_by(shard.folder.parent):
            if self.aliases.target(alias) is None and alias not in self._shards:
                create = AliasAction(kind="create", alias=alias, to=shard.name)
                self.aliases.change([create], self._shards)

    def status(self, shard: Shard, info: ShardInfo) -> str:
        """Return `yellow` while there is something to index or to vacuum, `red` where that failed, else `green`."""
        if self.failure(shard):
            return "red"
        return "yellow" if self.is_waiting(shard, info) else "green"

    def create(self, name: str, config: CollectionConfig) -> None:
        """Create a collection; whole on return, gone after a crash in between.

        Raises:
            InvalidValue: The name is too long or holds a forbidden character.
            AlreadyExists: There is a collection of that name.
            ApiError: The disk is full.
            WrongInput: There is an alias of that name.
        """
        check_name(name)
        with self._changing:
            self._look_again()
            self._gathering.require_readable()
            if name in self._shards:
                raise AlreadyExists(f"Collection `{name}` already exists!")
            if self.aliases.target(name) is not None:
                raise WrongInput(
                    f"Can't create collection with name {name}. Alias with the same name already exists"
                )
            folder = self._folder / "collections" / uuid4().hex
            require_space(self._folder)
            with _removed_on_failure(folder):
                folder.mkdir()
                shard = Shard.create(folder / FIRST, name, config)
                write_manifest(name, config, shard.folder)
            self._adopt(shard)
            self._shards[name] = shard
        self.open_shards.admit(shard)

    def configure(self, name: str, config: CollectionConfig) -> None:
        """Give a collection another configuration of the same vectors; raise NotFound when there is none."""
        with self._changing:
            self._configure(self.find(name), config)

    def restore(self, name: str, fill: Callable[[Path, CollectionConfig | None], CollectionConfig]) -> None:
        """Create a collection from files made elsewhere, or put them in the place of what it holds; all or nothing.

        Until the files are in place, nothing waits for them.

        Args:
            name: A new name, or a collection's or an alias.
            fill: Writes the files into a folder, which it makes, and returns their configuration; it is given that of
                the collection whose place they will take, if there is one.

        Raises:
            ApiError: The files cannot be written, or do not fit the collection.
        """
        check_name(self.resolve(name))
        target = self._shards.get(self.resolve(name))
        with TemporaryDirectory(dir=self.incoming, ignore_cleanup_errors=True) as folder:
            filled = Path(folder) / FIRST
            config = fill(filled, target.config if target else None)
            with self._changing:
                self._put_in_place(self.resolve(name), config, filled)

    def _put_in_place(self, name: str, config: CollectionConfig, filled: Path) -> None:
        old = self._shards.get(name)
        if old is not None:
            config.require_vectors_of(old.config)  # it may have changed while the files were made
        elif self.aliases.target(name) is not None:
            raise WrongInput(
                f"Can't create collection with name {name}. Alias with the same name already exists"
            )
        parent = old.folder.parent if old else self._folder / "collections" / uuid4().hex
        files = parent / f"{FIRST}-{uuid4().hex[:8]}"
        with _removed_on_failure(files if old else parent):
            parent.mkdir(exist_ok=True)
            filled.rename(files)
            self._replace(old, Shard(name, config, files))

    def _replace(self, old: Shard | None, new: Shard) -> None:
        """Put a restored collection in the place of an old one, if there is one."""
        if old is None:
            write_manifest(new.name, new.config, new.folder)
            self._adopt(new)
            self._shards[new.name] = new
            return
        shutil.rmtree(self._configure(old, new.config, new.folder), ignore_errors=True)

    @staticmethod
    def _configure(shard: Shard, config: CollectionConfig, folder: Path | None = None) -> Path:
        return shard.configure(config, folder, lambda files: write_manifest(shard.name, config, files))

    def delete(self, name: str) -> bool:
        """Delete a collection and its aliases; say whether it was there. Reads under way are let finish."""
        with self._changing:
            if name not in self._shards:
                return False
            shard = self._shards.pop(name)
            shard.retire()  # first, so that no optimization writes the mark again
            (shard.folder.parent / MARK).unlink()
        shard.abandon()
        self.open_shards.forget(shard)
        shutil.rmtree(shard.folder.parent, ignore_errors=True)  # what is left goes at the next start
        with self._changing:  # last, for it takes room that the files may have to make
            # after a crash in between they lead nowhere, and are dropped at the start
            self.aliases.forget(name)
        return True

    def change_aliases(self, actions: Iterable[Any]) -> None:
        """Apply alias actions, all or none; raise as `Aliases.change` does."""
        with self._changing:
            self.aliases.change(actions, self._shards)

    def quarantine(self, shard: Shard, why: str) -> None:
        """Put a damaged collection into quarantine, so that its files can be looked at and its name is free again."""
        with self._changing:
            if self._shards.get(shard.name) is not shard:
                return
            del self._shards[shard.name]
            shard.abandon()
            names = tuple(item["alias_name"] for item in self.aliases.listed(shard.name))
            self.aliases.forget(shard.name)
            quarantine.put(shard.folder.parent, self._folder, why, name=shard.name, aliases=names)

    def close(self) -> bool:
        """Write everything to disk and close as many collections as there is time for; say whether all are."""
        until = time.monotonic() + CLOSE_BUDGET_S
        for shard in sorted(self.open_shards.all(), key=lambda shard: -shard.unflushed_bytes):
            if time.monotonic() > until:
                return False
            try:
                shard.close()
            except ApiError:
                logger.exception("closing collection %r failed", shard.name)
        return True

    def _adopt(self, shard: Shard) -> None:
        shard.on_open = self.open_shards.admit
        shard.on_failure = self._judged

    def _judged(self, shard: Shard, error: ApiError) -> ApiError:
        """Return what to tell the client of a collection that did not open; one that is damaged is set aside.

        Damage is what another process meets too, which has nothing but this collection to open.
        """
        with self._judging:
            if self._shards.get(shard.name) is not shard or is_short(self._folder):
                return error
            try:
                flaw = flaw_found(shard.folder.parent)
            except CannotJudge as cause:
                return Unavailable(f"collection `{shard.name}` cannot be opened now: {cause}")
            if flaw is None:
                return Unavailable(f"collection `{shard.name}` could not be opened, and can be now: {error}")
            self.quarantine(shard, flaw)
            return error


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    """Leave nothing of a folder whose making fails: the disk may be full."""
    try:
        yield
    except (ApiError, OSError):
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _never(_: Shard, __: ShardInfo) -> bool:
    """Nothing is ever indexed."""
    return False


def _none(_: Shard) -> None:
    """No indexing ever fails."""


def check_name(name: str) -> None:
    """Refuse a name that Qdrant would refuse; raise InvalidValue."""
    if not 1 <= len(name) <= 255:
        reason = f'value "{name}" invalid, must be from 1 to 255 characters'
        raise InvalidValue("collection_name", reason, where="path parameters")
    if wrong := forbidden_in(name):
        reason = f"collection name cannot contain {wrong} char"
        raise InvalidValue("collection_name", reason, where="path parameters")
