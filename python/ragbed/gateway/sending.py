"""How an answer is sent: whole with its length, or chunk by chunk until the client leaves."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from starlette.types import Receive, Scope, Send

    from ragbed.gateway.exchange import RawResponse


class CutShort(Exception):
    """An answer breaks off here: the connection closes without its end."""


def as_response(answer: RawResponse) -> Response:
    """Return an answer as Starlette sends it."""
    if isinstance(answer.body, bytes):
        return Response(answer.body, status_code=answer.status, headers=answer.headers)
    return _Stream(answer, answer.body)


class _Stream(StreamingResponse):
    """A stream that is closed where the client leaves, so that what hangs on its end happens then.

    Starlette's own starts two tasks in a group for each answer, which takes longer than a short answer itself.
    """

    def __init__(self, answer: RawResponse, chunks: AsyncGenerator[bytes, None]) -> None:
        super().__init__(chunks, status_code=answer.status, headers=answer.headers)
        self._chunks = chunks

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._chunks):
            with _until_client_leaves(receive):
                await self._send(send)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for chunk in self._chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except CutShort:
            return  # the server closes the connection of an answer without an end
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@contextmanager
def _until_client_leaves(receive: Receive) -> Iterator[None]:
    """Run the body; where the client leaves, cut it off there and go on behind it."""
    sending = asyncio.current_task()
    listening = asyncio.ensure_future(_disconnect(receive))
    under_way = True

    def cut_off(_: object) -> None:
        if under_way and sending is not None:
            sending.cancel()

    listening.add_done_callback(cut_off)
    try:
        yield
    except asyncio.CancelledError:
        if not listening.done() or sending is None or sending.uncancel():
            raise  # the server stops
    finally:
        under_way = False
        listening.cancel()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
