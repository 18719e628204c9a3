"""The collections and aliases of one data folder: opened, created, deleted, renamed.

On disk a collection is a folder of random name. Its `collection.json` is written last, by a rename, and deleted
first: a folder without it is the rest of a creation or a deletion that was cut off, and is removed when the server
starts. The random name lets a collection be created again while the old one's files are still going away.
"""

from __future__ import annotations

import logging
import shutil
import threading
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from ragbed.qdrant.aliases import Aliases
from ragbed.qdrant.errors import (
    AlreadyExists,
    ApiError,
    InvalidValue,
    WrongInput,
    collection_missing,
)
from ragbed.qdrant.folder import write_json
from ragbed.qdrant.shard import Shard
from ragbed.qdrant.translate.config import CollectionConfig, read_config

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

logger = logging.getLogger(__name__)

MARK = "collection.json"
FORBIDDEN = frozenset('<>:"/\\|?*\0\x1f')
"""Characters that no collection name may hold, as in Qdrant."""


class Collections:
    """The collections and aliases of one data folder. Calls may come from any thread.

    Args:
        folder: The data folder.
        shards: The open collections by name, each with its folder.
        aliases: Their other names.
    """

    def __init__(self, folder: Path, shards: dict[str, tuple[Shard, Path]], aliases: Aliases) -> None:
        self._folder = folder
        self._shards = shards
        self.aliases = aliases
        self._changing = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> Collections:
        """Open every collection of a data folder; damaged ones are set aside and logged.

        Args:
            folder: Exists, and is owned by this process.
        """
        store = folder / "collections"
        store.mkdir(exist_ok=True)
        shards: dict[str, tuple[Shard, Path]] = {}
        for found in sorted(store.iterdir()):
            if not (found / MARK).exists():
                shutil.rmtree(found)
            elif shard := _load(found, set_aside=folder / "damaged"):
                shards[shard.name] = (shard, found)
        return cls(folder, shards, Aliases.open(folder / "aliases.json", shards))

    def names(self) -> list[str]:
        """Return the collections' names, sorted."""
        return sorted(self._shards)

    def resolve(self, name: str) -> str:
        """Return the collection's name behind a name or alias; an unknown name is returned as it is."""
        return self.aliases.target(name) or name

    def exists(self, name: str) -> bool:
        """Say whether a name or alias leads to a collection."""
        return self.resolve(name) in self._shards

    def find(self, name: str) -> Shard:
        """Return the collection behind a name or alias; raise NotFound when there is none."""
        try:
            return self._shards[self.resolve(name)][0]
        except KeyError:
            raise collection_missing(name) from None

    def create(self, name: str, config: CollectionConfig) -> None:
        """Create a collection; whole on return, gone after a crash in between.

        Raises:
            InvalidValue: The name is too long or holds a forbidden character.
            AlreadyExists: There is a collection of that name.
            WrongInput: There is an alias of that name.
        """
        check_name(name)
        with self._changing:
            if name in self._shards:
                raise AlreadyExists(f"Collection `{name}` already exists!")
            if self.aliases.target(name) is not None:
                raise WrongInput(
                    f"Can't create collection with name {name}. Alias with the same name already exists"
                )
            folder = self._folder / "collections" / uuid4().hex
            folder.mkdir()
            try:
                shard = Shard.create(folder / "shard", name, config)
            except ApiError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            write_json(folder / MARK, {"name": name, "config": config.body})
            self._shards[name] = (shard, folder)

    def delete(self, name: str) -> bool:
        """Delete a collection and its aliases; say whether it was there. Reads under way are let finish."""
        with self._changing:
            if name not in self._shards:
                return False
            self.aliases.forget(name)
            shard, folder = self._shards.pop(name)
            (folder / MARK).unlink()
        shard.close()
        shutil.rmtree(folder)
        return True

    def change_aliases(self, actions: Iterable[Any]) -> None:
        """Apply alias actions, all or none; raise as `Aliases.change` does."""
        with self._changing:
            self.aliases.change(actions, self._shards)

    def close(self) -> None:
        """Close every collection; what was acknowledged is on disk."""
        for shard, _ in self._shards.values():
            try:
                shard.close()
            except ApiError:
                logger.exception("closing collection %r failed", shard.name)


def check_name(name: str) -> None:
    """Refuse a name that Qdrant would refuse; raise InvalidValue."""
    if not 1 <= len(name) <= 255:
        reason = f"value {name} invalid, length must be from 1 to 255 characters"
        raise InvalidValue("name", reason, where="path parameters")
    for character in name:
        if character in FORBIDDEN:
            reason = f"collection name cannot contain {orjson.dumps(character).decode()} char"
            raise InvalidValue("name", reason, where="path parameters")


def _load(folder: Path, *, set_aside: Path) -> Shard | None:
    """Open one collection's folder; move it away and return None when that fails."""
    try:
        stored = orjson.loads((folder / MARK).read_bytes())
        return Shard.load(folder / "shard", stored["name"], read_config(stored["config"]))
    except (ApiError, OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        set_aside.mkdir(exist_ok=True)
        kept = folder.rename(set_aside / folder.name)
        logger.warning("damaged collection set aside in %s: %s", kept, error)
        return None
