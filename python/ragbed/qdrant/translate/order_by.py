"""Orders: by a payload key."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, WrongInput
from ragbed.qdrant.translate.fields import choice, engine_value, fields, json_type, text

DIRECTIONS = {"asc": engine.Direction.Asc, "desc": engine.Direction.Desc}


def read_order_by(value: Any, path: str) -> engine.OrderBy:
    """Return an order: a payload key, or an object with `key`, `direction` and `start_from`."""
    if isinstance(value, str):
        value = {"key": value}
    with fields(value, path) as members, engine_value(path, WrongInput):
        return engine.OrderBy(
            key=members.required("key", text),
            direction=members.maybe("direction", choice(DIRECTIONS)),
            start_from=members.maybe("start_from", _start_from),
        )


def _start_from(value: Any, path: str) -> int | float | str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise FormatError(f"invalid type: {json_type(value)}, expected a number or a time at `{path}`")
    return value
