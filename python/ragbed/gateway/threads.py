"""Work that would hold up other clients is done in a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

IN_A_THREAD_FROM = 256 * 1024
"""Bytes or characters; below it, a thread costs more than it saves."""


async def beside(size: int, work: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
    """Return what a function returns; large work is done in a thread, so that other clients are answered meanwhile.

    Args:
        size: Bytes or characters that it works on.
        work: The function.
        arguments: For it.
        named: For it.
    """
    if size < IN_A_THREAD_FROM:
        return work(*arguments, **named)
    return await asyncio.to_thread(work, *arguments, **named)
