"""The JSON around every result and every error."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from ragbed.qdrant.errors import ApiError


def success(result: Any, *, started: float) -> bytes:
    """Return the body of an answer.

    Args:
        result: JSON value; UUIDs are written as text.
        started: `time.perf_counter()` at the request's start.
    """
    return orjson.dumps({"result": result, "status": "ok", "time": time.perf_counter() - started})


def accepted(*, started: float) -> bytes:
    """Return the body of an answer to who does not wait for the result."""
    return orjson.dumps({"status": "accepted", "time": time.perf_counter() - started})


def failure(error: ApiError, *, started: float) -> bytes:
    """Return the body of an error."""
    return orjson.dumps({"status": {"error": str(error)}, "time": time.perf_counter() - started})
