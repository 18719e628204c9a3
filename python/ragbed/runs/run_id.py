"""The id of a run: when it began, and six digits drawn at random. Ids sort by time."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


def new_run_id() -> str:
    """Return an id for a run that begins now."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def is_run_id(name: str) -> bool:
    """Tell whether a name is one that a run's folder has."""
    return _ID.fullmatch(name) is not None
