"""The tests' own guard against calls that hold up an event loop."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from blocking_calls import blocking_calls

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS: dict[str, Callable[[], object]] = {
    "open": lambda: Path("/dev/null").read_bytes(),
    "time.sleep": lambda: time.sleep(0),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_in_a_coroutine_is_caught(name: str) -> None:
    """With the function that made it."""

    async def hold_up() -> None:
        CALLS[name]()

    with blocking_calls() as caught:
        asyncio.run(hold_up())

    assert [note.split()[0] for note in caught] == [name]
    assert "hold_up" in caught[0]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_in_a_thread_of_its_own_is_not(name: str) -> None:
    """That is where a server does what takes long."""
    with blocking_calls() as caught:
        asyncio.run(asyncio.to_thread(CALLS[name]))
        CALLS[name]()

    assert caught == []
