"""How deep a body may be nested: what a reader gives up on must not be written, because it could never be read again.

Two readers count. A real server's JSON parser gives up on a body of more than 127 levels. The engine's log, which is
read again at every opening, gives up at as many, those included that the log itself puts around a payload or a filter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.qdrant.errors import TOO_DEEP, FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_LEVELS = 127
"""Arrays and objects in each other in a body, as in a real server."""

WRAPPED = 5
"""Levels around a payload or a filter in the log, at most: those of a conditional upsert."""

LOGGED_LEVELS = MAX_LEVELS - WRAPPED
"""Levels of what is written, the same for every call, so that a payload that was set can be upserted too."""

NESTED = frozenset((dict, list))


def within(value: Any, most: int, path: str = "", *, around: int = 0) -> Any:
    """Return a JSON value; raise FormatError where it is nested too deep.

    Args:
        value: Any JSON value.
        most: Arrays and objects in each other, at most.
        path: Where it stands in the body, for messages.
        around: Levels that will be around it.
    """
    if _is_deeper(value, most - around, _inside):
        at = f" at `{path}`: more than {most} levels" if path else ""
        raise FormatError(f"{TOO_DEEP}{at}")
    return value


def loggable_filter(value: Any, path: str) -> Any:
    """Return the JSON of a filter; raise FormatError where the log could not be read with it."""
    if _is_deeper(value, LOGGED_LEVELS, _inside_filter):
        raise FormatError(f"{TOO_DEEP} at `{path}`: more than {LOGGED_LEVELS} levels")
    return value


def _is_deeper(value: Any, most: int, inside: Callable[[Any], Iterable[Any]]) -> bool:
    """Say whether a value has more levels; level by level, for Python's own stack has fewer."""
    level = [value] if type(value) in NESTED else []
    for _ in range(most):
        if not level:
            return False
        # at C speed first: most of what is asked for is flat
        level = [
            child
            for item in level
            if not NESTED.isdisjoint(map(type, inside(item)))
            for child in inside(item)
            if type(child) in NESTED
        ]
    return bool(level)


def _inside(item: Any) -> Iterable[Any]:
    inside: Iterable[Any] = item.values() if type(item) is dict else item
    return inside


def _inside_filter(item: Any) -> Iterable[Any]:
    """The same, with a clause's only condition in the array that the engine puts it in."""
    if type(item) is not dict:
        return _inside(item)
    return [
        [child] if name in ("must", "should", "must_not") and type(child) is dict else child
        for name, child in item.items()
    ]
