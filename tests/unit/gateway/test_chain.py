"""Steps around a call, and what the journal makes of an answer that breaks off."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from ragbed.gateway.exchange import RawRequest, RawResponse, chain
from ragbed.gateway.journal import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ragbed.gateway.exchange import Exchange, LlmRequest

RAW = RawRequest(wire="ollama", operation="chat", method="POST", path="/api/chat", headers={}, body=b"{}")


@dataclass
class Noting:
    """A step that notes its name on the way in and on the way out."""

    name: str
    notes: list[str]

    async def around(self, raw: RawRequest, request: LlmRequest | None, proceed: Exchange) -> RawResponse:
        """Pass the call on."""
        self.notes.append(f"{self.name} in")
        response = await proceed.answer(raw, request)
        self.notes.append(f"{self.name} out")
        return replace(response, headers={**response.headers, self.name: "was here"})


@dataclass
class Words:
    """An exchange that streams words, and may break off behind them."""

    words: tuple[bytes, ...] = (b"one ", b"two")
    breaks: bool = False
    closed: list[bool] = field(default_factory=list)

    async def answer(self, _raw: RawRequest, _request: LlmRequest | None) -> RawResponse:
        """Return the stream."""
        return RawResponse(headers={}, body=self._chunks())

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            for word in self.words:
                yield word
            if self.breaks:
                raise ConnectionError("broken")
        finally:
            self.closed.append(True)


def statuses(journal: Journal) -> list[str]:
    """Return how the calls of a journal ended."""
    return [entry.call.status for entry in journal.entries()]


def test_steps_are_taken_from_the_first_to_the_last_and_back() -> None:
    """Each sees the answer of those behind it."""
    notes: list[str] = []
    steps = [Noting("outer", notes), Noting("inner", notes)]

    response = asyncio.run(chain(steps, Words()).answer(RAW, None))

    assert notes == ["outer in", "inner in", "inner out", "outer out"]
    assert list(response.headers) == ["inner", "outer"]


def test_a_stream_is_written_down_at_its_end_chunk_by_chunk() -> None:
    """Not before; and no chunk is joined or split on the way."""

    async def read() -> tuple[list[str], list[bytes], list[str]]:
        journal = Journal()
        response = await chain([journal], Words()).answer(RAW, None)
        assert not isinstance(response.body, bytes)
        first = await anext(response.body)
        await asyncio.sleep(0)
        before = statuses(journal)
        rest = [chunk async for chunk in response.body]
        await asyncio.sleep(0)
        return before, [first, *rest], statuses(journal)

    assert asyncio.run(read()) == ([], [b"one ", b"two"], ["ok"])


@pytest.mark.parametrize(("breaks", "status"), [(True, "failed"), (False, "cancelled")])
def test_a_stream_that_ends_early_says_why(breaks: bool, status: str) -> None:
    """It broke, or the client left; what is behind it is closed at once."""

    async def read() -> tuple[list[str], list[bool]]:
        journal, words = Journal(), Words(breaks=breaks)
        response = await chain([journal], words).answer(RAW, None)
        assert not isinstance(response.body, bytes)
        await anext(response.body)
        if breaks:
            with pytest.raises(ConnectionError):
                _ = [chunk async for chunk in response.body]
        else:
            await response.body.aclose()
        await asyncio.sleep(0)
        return statuses(journal), words.closed

    assert asyncio.run(read()) == ([status], [True])
