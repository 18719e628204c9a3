"""How a collection lies on disk: its folder, and the mark that makes it one."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import orjson

from ragbed.qdrant.errors import ApiError
from ragbed.qdrant.shard import Shard
from ragbed.qdrant.translate.config import read_config
from ragbed.state.files import SHARED, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.qdrant.translate.config import CollectionConfig

MARK = "collection.json"
FIRST = "shard"
"""Folder of the engine's files in a new collection."""


def write_manifest(name: str, config: CollectionConfig, files: Path) -> None:
    """Make a collection's name, configuration and folder of files last, in one step."""
    mark = {"name": name, "config": config.body, "shard": files.name}
    write_json(files.parent / MARK, mark, mode=SHARED)


def stored_in(folder: Path) -> Shard:
    """Return the collection in a folder, not yet open.

    Raises:
        Damaged: It has none that can be told.
        OSError: Its mark cannot be read now.
    """
    content = (folder / MARK).read_bytes()
    try:
        stored = orjson.loads(content)
        return Shard(stored["name"], read_config(stored["config"]), folder / stored.get("shard", FIRST))
    except (ApiError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{folder / MARK}: {error!r}") from error


class Damaged(Exception):
    """A folder holds a collection whose name or settings cannot be told."""


def clear_beside(shard: Shard) -> None:
    """Remove the rest of optimizations and unfinished marks beside a collection's files: only our process uses them."""
    folder = shard.folder.parent
    for beside in os.listdir(folder):  # noqa: PTH208  # half of what a start with thousands of them costs
        if beside.startswith(FIRST) and beside != shard.folder.name:
            # its process may be writing there to its end: what is left goes next time
            shutil.rmtree(folder / beside, ignore_errors=True)
        elif beside.startswith(f".{MARK}."):
            (folder / beside).unlink(missing_ok=True)


def has_manifest(folder: Path) -> bool:
    """Say whether a folder is a collection's; True where that cannot be told now, lest it were removed."""
    try:
        os.stat(folder / MARK)  # noqa: PTH116  # `exists` takes every error for a no
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def flaw(files: Path) -> str | None:
    """Say what is wrong with a collection's files, as far as it shows without opening them; None: nothing."""
    try:
        for described in (files / "edge_config.json", *files.glob("segments/*/segment.json")):
            orjson.loads(described.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError) as error:
        return f"{files}: {error}"
    except OSError:
        return None  # it cannot be told now
    return None
