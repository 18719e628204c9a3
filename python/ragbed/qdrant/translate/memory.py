"""Where a part of a collection is kept."""

from __future__ import annotations

import qdrant_edge as engine

MEMORY = {
    "cold": engine.Memory.Cold,
    "cached": engine.Memory.Cached,
    "pinned": engine.Memory.Pinned,
}
"""The engine's member for each word of the API."""
