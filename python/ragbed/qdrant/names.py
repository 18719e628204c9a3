"""What names of collections and of vectors have in common."""

from __future__ import annotations

import orjson

FORBIDDEN = frozenset('<>:"/\\|?*\0\x1f')
"""Characters that no such name may hold, as in Qdrant."""


def forbidden_in(name: str) -> str | None:
    """Return the first character of a name that is not allowed, as JSON; None where all are."""
    return next((orjson.dumps(character).decode() for character in name if character in FORBIDDEN), None)
