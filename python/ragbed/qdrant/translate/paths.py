"""Paths into a payload: `a.b`, `a[0].b`, `a[].b`, and quoted keys."""

from __future__ import annotations

import re
from typing import Any

from ragbed.qdrant.errors import WrongInput

STEP = re.compile(r'(?:"(?P<quoted>[^"]+)"|(?P<key>[\w-]+)|\[(?P<index>\d*)\])')

Step = str | int | None
"""A key, a place in an array, or None for every place."""


def read_path(value: str) -> list[Step]:
    """Return the steps of a path; raise WrongInput when it is none."""
    steps: list[Step] = []
    at = 0
    while at < len(value):
        found = STEP.match(value, at)
        if found is None:
            raise WrongInput(f"invalid payload path: `{value}`")
        key, index = found["quoted"] or found["key"], found["index"]
        steps.append(key if key is not None else int(index) if index else None)
        at = found.end() + value.startswith(".", found.end())
    return steps


def values_at(payload: Any, steps: list[Step]) -> list[Any]:
    """Return the values at a path; those of an array at its end one by one."""
    values = [payload]
    for step in steps:
        values = [item for value in values for item in _step(value, step)]
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _step(value: Any, step: Step) -> list[Any]:
    if step is None:
        return value if isinstance(value, list) else []
    if isinstance(step, int):
        return [value[step]] if isinstance(value, list) and step < len(value) else []
    return [value[step]] if isinstance(value, dict) and step in value else []
