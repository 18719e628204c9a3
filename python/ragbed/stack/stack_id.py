"""The id of a stack: eight hexadecimal digits, which name its folders."""

from __future__ import annotations

import re

_STACK = re.compile(r"[0-9a-f]{8}")


def is_stack_id(name: str) -> bool:
    """Tell whether a name is one that a stack's folders have."""
    return _STACK.fullmatch(name) is not None


def stack_id(value: object) -> str:
    """Return a stack's id as it is read from a file: names of folders are made of it.

    Raises:
        ValueError: It is not a stack's id.
    """
    if not isinstance(value, str) or not is_stack_id(value):
        raise ValueError(f"{value!r} is not a stack's id")
    return value
