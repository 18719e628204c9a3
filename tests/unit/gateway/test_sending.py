"""Answers as ASGI messages: whole ones with their length, streams chunk by chunk until the client leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.gateway.exchange import RawResponse
from ragbed.gateway.sending import as_response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

LEFT = {"type": "http.disconnect"}


class Client:
    """A client that notes what it is sent, and may leave."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """Tell that it has left, once it has."""
        await self.left.wait()
        return LEFT

    async def send(self, message: dict[str, Any]) -> None:
        """Note a message."""
        self.sent.append(message)


async def answer(client: Client, body: bytes | AsyncGenerator[bytes, None]) -> list[dict[str, Any]]:
    """Send an answer, and return the messages."""
    response = as_response(RawResponse(headers={"content-type": "text/plain"}, body=body))
    await response({"type": "http"}, client.receive, client.send)  # type: ignore[arg-type]
    return client.sent


def test_a_whole_answer_announces_its_length() -> None:
    """And is sent in one piece."""

    async def run() -> list[dict[str, Any]]:
        return await answer(Client(), b"text")

    start, body = asyncio.run(run())

    assert (b"content-length", b"4") in start["headers"]
    assert body["body"] == b"text"


def test_each_chunk_of_a_stream_is_a_message() -> None:
    """None is joined or split, and no length is announced."""

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"one "
        yield b"two"

    async def run() -> list[dict[str, Any]]:
        return await answer(Client(), chunks())

    start, *bodies = asyncio.run(run())

    assert start["headers"] == [(b"content-type", b"text/plain")]
    assert [(body["body"], body["more_body"]) for body in bodies] == [
        (b"one ", True),
        (b"two", True),
        (b"", False),
    ]


def test_a_client_that_leaves_ends_a_stream_that_waits() -> None:
    """Though no chunk comes; the stream is closed, and the server goes on."""
    closed = []

    async def run() -> list[dict[str, Any]]:
        client = Client()

        async def chunks() -> AsyncGenerator[bytes, None]:
            try:
                yield b"one"
                client.left.set()
                await asyncio.Event().wait()  # as for a slow model
            finally:
                closed.append(True)

        sent = await answer(client, chunks())
        await asyncio.sleep(0)  # a cancellation that was left behind would arrive here
        return sent

    sent = asyncio.run(run())

    assert [message.get("body") for message in sent] == [None, b"one"]
    assert closed == [True]


def test_a_server_that_stops_ends_a_stream() -> None:
    """Its cancellation is passed on."""

    async def chunks() -> AsyncGenerator[bytes, None]:
        await asyncio.Event().wait()
        yield b""

    async def run() -> None:
        sending = asyncio.ensure_future(answer(Client(), chunks()))
        await asyncio.sleep(0.01)
        sending.cancel()
        await sending

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


def test_a_broken_stream_passes_its_error_on() -> None:
    """The server cuts the connection, so that the client sees that the answer is not whole."""

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"one"
        raise ConnectionError("broken")

    with pytest.raises(ConnectionError, match="broken"):
        asyncio.run(answer(Client(), chunks()))
