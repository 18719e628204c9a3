"""Where a part of a collection is kept."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from ragbed.qdrant.errors import InvalidValue
from ragbed.qdrant.translate.fields import choice

MEMORY = {
    "cold": engine.Memory.Cold,
    "cached": engine.Memory.Cached,
    "pinned": engine.Memory.Pinned,
}
"""The engine's member for each word of the API."""


def read_storage(value: Any, path: str) -> engine.Memory:
    """Return where vectors or payloads are kept; raise InvalidValue for `pinned`, which is for indexes."""
    if value == "pinned":
        raise InvalidValue(path, "`pinned` is not supported for this storage, use `cached`")
    return choice(MEMORY)(value, path)
