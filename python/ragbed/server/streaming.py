"""An answer as server-sent events: pieces of text as the model writes them, then the whole answer.

Source: the event stream format of the WHATWG HTML standard, section "Server-sent events".
"""

from __future__ import annotations

import asyncio
import logging
from threading import Event
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import StreamingResponse

from ragbed.errors import RagbedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

logger = logging.getLogger(__name__)

MEDIA_TYPE = "text/event-stream"


class ClientLeft(Exception):
    """Ends an answer that no client reads any more: the model stops writing it."""


async def stream_answer(ask: Callable[[Callable[[str], None]], Awaitable[Any]]) -> StreamingResponse:
    """Return the answer as it comes: events `text` with `{"text": …}`, and at the end one `answer`, or one `error`.

    Args:
        ask: Begins the work on another thread, which calls its argument with each piece of text; returns the whole
            answer as JSON values.

    Raises:
        RagbedError: The work failed before the first piece, when the answer can still have a status of its own.
    """
    loop, left = asyncio.get_running_loop(), Event()
    pieces: asyncio.Queue[str | None] = asyncio.Queue()

    def on_text(text: str) -> None:
        if left.is_set():
            raise ClientLeft
        loop.call_soon_threadsafe(pieces.put_nowait, text)

    work = asyncio.ensure_future(ask(on_text))
    work.add_done_callback(lambda _: pieces.put_nowait(None))
    first = await pieces.get()
    if first is None:
        await work  # raises what it failed with
    frames = _frames(first, pieces, work, left)
    return StreamingResponse(frames, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-cache"})


async def _frames(
    piece: str | None, pieces: asyncio.Queue[str | None], work: asyncio.Future[Any], left: Event
) -> AsyncIterator[bytes]:
    try:
        while piece is not None:
            yield _frame("text", {"text": piece})
            piece = await pieces.get()
        yield _last_frame(work)
    finally:
        left.set()
        work.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # else its end is told as an error


def _last_frame(work: asyncio.Future[Any]) -> bytes:
    try:
        return _frame("answer", work.result())
    except RagbedError as error:
        return _frame("error", {"error": error.message, "details": error.details, "hint": error.hint})
    except Exception:
        logger.exception("an answer that had begun failed")
        return _frame("error", {"error": "internal error; the log of `ragbed serve` tells more"})


def _frame(kind: str, value: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), orjson.dumps(value, default=dict))
