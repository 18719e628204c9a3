"""Shapes of answers: which keys, of which kinds; the values are a model's or a clock's business."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
_DIGEST = re.compile(r"[0-9a-f]{64}$")


def shape(value: Any) -> Any:
    """Return what kind of value this is: objects key by key, lists by the kind of their first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, str):
        return "time" if _TIME.match(value) else "digest" if _DIGEST.match(value) else "text"
    if isinstance(value, bool):
        return value
    return "whole number" if isinstance(value, int) else "number"


def lengths(vectors: Sequence[Sequence[float]]) -> list[float]:
    """Return the Euclidean length of each vector, to three digits."""
    return [round(math.hypot(*vector), 3) for vector in vectors]


def alike(left: Sequence[float], right: Sequence[float]) -> bool:
    """Tell whether two vectors point one way, as far as numbers of 32 bits tell it."""
    product = math.fsum(a * b for a, b in zip(left, right, strict=True))
    return product > 0.9999 * math.hypot(*left) * math.hypot(*right)
