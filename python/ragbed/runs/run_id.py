"""The id of a run: when it began, to a fraction of a second, and three digits drawn at random. Ids sort by time."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_PARTS = 16**3
"""So many parts of a second are told apart: three hexadecimal digits."""


def new_run_id() -> str:
    """Return an id for a run that begins now."""
    now = datetime.now(UTC)
    part = now.microsecond * _PARTS // 1_000_000
    return f"{now:%Y%m%d-%H%M%S}-{part:03x}{secrets.randbelow(_PARTS):03x}"


def is_run_id(name: str) -> bool:
    """Tell whether a name is one that a run's folder has."""
    return _ID.fullmatch(name) is not None
