"""How a collection lies on disk: its folder, the mark that makes it one, and what is done with a damaged one."""

from __future__ import annotations

import logging
import os
import shutil
from typing import TYPE_CHECKING

import orjson

from ragbed.qdrant.errors import ApiError
from ragbed.qdrant.folder import write_json
from ragbed.qdrant.shard import Shard
from ragbed.qdrant.translate.config import read_config

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.qdrant.translate.config import CollectionConfig

logger = logging.getLogger(__name__)

MARK = "collection.json"
FIRST = "shard"
"""Folder of the engine's files in a new collection."""


def write_mark(name: str, config: CollectionConfig, files: Path) -> None:
    """Make a collection's name, configuration and folder of files last, in one step."""
    mark = {"name": name, "config": config.body, "shard": files.name}
    write_json(files.parent / MARK, mark)


def found_in(folder: Path, *, set_aside: Path) -> Shard | None:
    """Return the collection in a folder, not yet open; move the folder away and return None when it has none."""
    try:
        stored = orjson.loads((folder / MARK).read_bytes())
        files = folder / stored.get("shard", FIRST)
        for beside in os.listdir(folder):  # noqa: PTH208  # half of what a start with thousands of them costs
            if beside.startswith(FIRST) and beside != files.name:
                # the rest of a renewal, whose process may be writing there to its end: what is left goes next time
                shutil.rmtree(folder / beside, ignore_errors=True)
        return Shard(stored["name"], read_config(stored["config"]), files)
    except (ApiError, OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        move_aside(folder, set_aside, error)
        return None


def move_aside(folder: Path, set_aside: Path, why: object) -> None:
    """Move a damaged collection's folder to where it can be looked at, and log that."""
    set_aside.mkdir(exist_ok=True)
    kept = folder.rename(set_aside / folder.name)
    logger.warning("damaged collection set aside in %s: %s", kept, why)


def flaw(files: Path) -> str | None:
    """Say what is wrong with a collection's files, as far as it shows without opening them; None: nothing."""
    try:
        for described in (files / "edge_config.json", *files.glob("segments/*/segment.json")):
            orjson.loads(described.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        return f"{files}: {error}"
    return None
