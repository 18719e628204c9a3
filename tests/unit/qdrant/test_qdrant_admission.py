"""How much is taken in at once: sizes, room, requests, and clients that go away."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.qdrant.admission import Admission, Gone
from ragbed.qdrant.errors import TooBusy, TooLarge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def scope(announced: int | None = None) -> dict[str, Any]:
    """Return a request's head."""
    return {"headers": [] if announced is None else [(b"content-length", str(announced).encode())]}


def sending(*parts: bytes, gone: bool = False) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Return what a client sends, part by part; at the end it may go away."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": gone or number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]
    left = iter([*messages, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(left)

    return receive


async def read(admission: Admission, announced: int | None, *parts: bytes, gone: bool = False) -> bytes:
    """Return the body as the gate lets it through."""
    async with admission.body(scope(announced), sending(*parts, gone=gone)) as content:
        return content


def test_parts_become_one_body() -> None:
    """In order."""
    assert asyncio.run(read(Admission(), 6, b"ab", b"cd", b"ef")) == b"abcdef"


@pytest.mark.parametrize("announced", [5, None], ids=["announced", "not announced"])
def test_body_over_the_limit_is_refused(announced: int | None) -> None:
    """Whether its length was announced or not."""
    with pytest.raises(TooLarge, match="limit: 4 bytes"):
        asyncio.run(read(Admission(max_body_bytes=4), announced, b"abc", b"de"))


def test_announced_body_over_the_limit_is_not_read() -> None:
    """Nothing is received."""

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    async def ask() -> None:
        async with Admission(max_body_bytes=4).body(scope(5), receive):
            pass

    with pytest.raises(TooLarge):
        asyncio.run(ask())


def test_client_that_goes_away_gives_no_body() -> None:
    """What came before is thrown away."""
    with pytest.raises(Gone):
        asyncio.run(read(Admission(), None, b"abc", gone=True))


@pytest.mark.parametrize("announced", [6, None], ids=["announced", "not announced"])
def test_no_room_is_told_at_once(announced: int | None) -> None:
    """While another body holds it; afterwards there is room again."""

    async def ask() -> bytes:
        admission = Admission(max_held_bytes=10)
        async with admission.body(scope(6), sending(b"abcdef")):
            with pytest.raises(TooBusy, match="6 bytes of requests are waiting"):
                await read(admission, announced, b"uvwxyz")
        return await read(admission, announced, b"uvwxyz")

    assert asyncio.run(ask()) == b"uvwxyz"


def test_room_is_given_back_when_a_client_goes() -> None:
    """All that it had announced."""

    async def ask() -> bytes:
        admission = Admission(max_held_bytes=10)
        with pytest.raises(Gone):
            await read(admission, 10, b"a", gone=True)
        return await read(admission, 10, b"b" * 10)

    assert asyncio.run(ask()) == b"b" * 10


def test_requests_under_way_are_bounded() -> None:
    """One more than the limit is told to come again."""

    async def ask() -> None:
        admission = Admission(max_requests=3)
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(admission.body(scope(), sending(b"")))
            with pytest.raises(TooBusy, match="3 requests are under way"):
                await read(admission, None, b"")
        await read(admission, None, b"")

    asyncio.run(ask())
