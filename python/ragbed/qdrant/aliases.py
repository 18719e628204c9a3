"""Other names of collections, kept in one file."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import orjson

from ragbed.qdrant.errors import AlreadyExists, NotFound, collection_missing
from ragbed.state.files import SHARED, write_json

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from pathlib import Path

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasAction:
    """One change of a request.

    Attributes:
        kind: What to do.
        alias: The alias to create, delete or rename.
        to: The collection that a new alias stands for, or the new name; empty for a deletion.
    """

    kind: Literal["create", "delete", "rename"]
    alias: str
    to: str = ""


class Aliases:
    """The aliases of one data folder. The caller lets one thread change them at a time.

    Args:
        path: The file that keeps them.
        targets: The collection behind each alias.
    """

    def __init__(self, path: Path, targets: dict[str, str]) -> None:
        self._path = path
        self._targets = targets

    @classmethod
    def open(cls, path: Path, collections: Container[str] | None) -> Aliases:
        """Read the file, if there is one; aliases of collections that are gone are dropped, unless that is not known.

        They are dropped from the file too, lest a new collection of the same name had them after the next start. A
        damaged file is set aside and logged, as a damaged collection is. What a killed server left unfinished goes.
        """
        for unfinished in path.parent.glob(f".{path.name}.*"):
            with suppress(OSError):
                unfinished.unlink()
        stored: dict[str, str] = {}
        try:
            stored = orjson.loads(path.read_bytes()) if path.exists() else {}
        except orjson.JSONDecodeError as error:
            kept = path.replace(path.with_suffix(".damaged"))
            logger.warning("damaged aliases set aside in %s: %s", kept, error)
        kept_ones = {
            alias: name for alias, name in stored.items() if collections is None or name in collections
        }
        aliases = cls(path, kept_ones)
        if aliases._targets != stored:
            with suppress(OSError):  # the disk may be full
                aliases._save(aliases._targets)
        return aliases

    def target(self, alias: str) -> str | None:
        """Return the collection behind an alias; None when it is not an alias."""
        return self._targets.get(alias)

    def listed(self, collection: str | None = None) -> list[dict[str, str]]:
        """Return the aliases as JSON, of one collection or of all."""
        return [
            {"alias_name": alias, "collection_name": name}
            for alias, name in sorted(self._targets.items())
            if collection in (None, name)
        ]

    def change(self, actions: Iterable[AliasAction], collections: Container[str]) -> None:
        """Apply the actions in order, all or none.

        Raises:
            NotFound: A collection or an alias to rename is not there.
            AlreadyExists: An alias would bear a collection's name.
        """
        changed = dict(self._targets)
        for action in actions:
            _apply(action, changed, collections)
        self._save(changed)

    def forget(self, collection: str) -> None:
        """Drop the aliases of a collection."""
        left = {alias: name for alias, name in self._targets.items() if name != collection}
        if left != self._targets:
            self._save(left)

    def _save(self, targets: dict[str, str]) -> None:
        write_json(self._path, targets, mode=SHARED)
        self._targets = targets


def _apply(action: AliasAction, targets: dict[str, str], collections: Container[str]) -> None:
    if action.kind == "delete":
        targets.pop(action.alias, None)
        return
    if action.kind == "rename":
        if action.alias not in targets:
            raise NotFound(f"Alias {action.alias} does not exists!")
        name, alias = targets.pop(action.alias), action.to
    else:
        name, alias = action.to, action.alias
    if name not in collections:
        raise collection_missing(name)
    if alias in collections:
        raise AlreadyExists(f"Collection `{alias}` already exists!")
    targets[alias] = name
