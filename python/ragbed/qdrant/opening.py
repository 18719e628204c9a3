"""Open the engine's files, and tell what its errors mean."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import qdrant_edge as engine

from ragbed.qdrant.errors import NoRoom, from_engine, is_panic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qdrant_edge import EdgeShard

    from ragbed.qdrant.errors import ApiError
    from ragbed.qdrant.translate.config import CollectionConfig

RESOURCE_ERRORS = ("os error 24)", "os error 23)", "os error 12)", "os error 28)", "os error 11)")
"""Ends of messages that tell of a machine short of files, memory, disk or threads, not of a damaged collection."""


def load(folder: Path, config: CollectionConfig) -> EdgeShard:
    """Open the engine's files, with a configuration unless its vectors are others than those of the files.

    That happens when a collection gained or lost a vector and the server died before it had noted so. The call was not
    answered; made again, it finishes what it began.
    """
    try:
        return engine.EdgeShard.load(str(folder), config.engine)
    except Exception as error:
        if "config is incompatible" not in str(error):
            raise
    return engine.EdgeShard.load(str(folder))


def is_damage(error: ApiError) -> bool:
    """Say whether an error on opening tells of damaged files, not of a machine that lacks something."""
    told = str(error).rstrip(" .\"'")
    lacking = isinstance(error, NoRoom) or told.endswith(RESOURCE_ERRORS) or "Too many open files" in told
    return not lacking


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn what the engine raises into an ApiError; its panics are not `Exception`s."""
    try:
        yield
    except BaseException as error:
        if type(error) is Exception or is_panic(error):
            raise from_engine(error) from error
        raise
