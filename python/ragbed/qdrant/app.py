"""Routing: which function answers which call, and where it runs.

The engine blocks, so every function runs in a thread. Writes to one collection take turns on the event loop, so that
waiting writers hold no thread and reads go on beside them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from weakref import WeakValueDictionary

import orjson
from starlette.routing import Route, Router

from ragbed import __version__
from ragbed.qdrant import ENGINE, SUBSTITUTE, WIRE_VERSION
from ragbed.qdrant.calls import collections as collection_calls
from ragbed.qdrant.calls import points as point_calls
from ragbed.qdrant.calls import queries as query_calls
from ragbed.qdrant.calls.call import Call
from ragbed.qdrant.envelope import failure, success
from ragbed.qdrant.errors import ApiError, NotFound, TooLarge, Unsupported, is_panic

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp, Receive, Scope, Send

    from ragbed.qdrant.calls.call import Endpoint
    from ragbed.qdrant.collections import Collections

logger = logging.getLogger(__name__)

ENDPOINTS = (*collection_calls.ENDPOINTS, *query_calls.ENDPOINTS, *point_calls.ENDPOINTS)
QDRANT_PATHS = (
    "collections",
    "aliases",
    "cluster",
    "snapshots",
    "telemetry",
    "metrics",
    "locks",
    "issues",
    "shards",
)
"""First parts of the paths that a real server answers; below them what we lack is 501, elsewhere 404."""

THREADS = 8
"""Calls at work at once. The engine lets go of the interpreter, so more than the cores is of use."""

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Largest body taken, as in Qdrant."""

ABOUT = orjson.dumps(
    {
        "title": "qdrant - vector search engine",
        "version": WIRE_VERSION,
        "ragbed": {"substitute": SUBSTITUTE, "engine": ENGINE, "version": __version__},
    }
)
PROBES = {
    "/healthz": b"healthz check passed",
    "/livez": b"healthz check passed",
    "/readyz": b"all shards are ready",
}


class App:
    """The REST API as an ASGI application.

    Args:
        collections: The store; the caller closes it, after `close`.
    """

    def __init__(self, collections: Collections) -> None:
        self._collections = collections
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="qdrant")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._router = Router(
            routes=[self._route(endpoint) for endpoint in ENDPOINTS], redirect_slashes=False
        )
        self._router.routes += [Route("/", _about, methods=["GET"])]
        self._router.routes += [Route(path, _probe, methods=["GET"]) for path in PROBES]
        self._router.routes += [Route("/{rest:path}", _missing)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._router(scope, receive, send)

    def close(self) -> None:
        """Let the calls under way finish; twice is harmless."""
        self._pool.shutdown(wait=True)

    def _route(self, endpoint: Endpoint) -> Route:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            started = time.perf_counter()
            try:
                call = await self._call(scope, receive)
                async with self._turn(endpoint, call):
                    loop = asyncio.get_running_loop()
                    status, body = await loop.run_in_executor(
                        self._pool, _answer, endpoint.answer, call, started
                    )
            except ApiError as error:
                status, body = error.status, failure(error, started=started)
            await respond(send, status, body)

        return Route(endpoint.path, _Plain(answer), methods=[endpoint.method])

    async def _call(self, scope: Scope, receive: Receive) -> Call:
        call = Call(
            collections=self._collections,
            path=scope["path_params"],
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            content=await read_body(receive),
        )
        call.check_query()
        return call

    def _turn(self, endpoint: Endpoint, call: Call) -> AbstractAsyncContextManager[object]:
        if endpoint.turn == "none":
            return nullcontext()
        key = "" if endpoint.turn == "all" else self._collections.resolve(call.name)
        return self._turns.setdefault(key, asyncio.Lock())


class _Plain:
    """An ASGI callable that Starlette takes as it is; functions it would wrap in Request and Response."""

    def __init__(self, answer: ASGIApp) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)


def _answer(function: Callable[[Call], object], call: Call, started: float) -> tuple[int, bytes]:
    """Run an endpoint's function and return status and body; runs in a thread."""
    try:
        return 200, success(function(call), started=started)
    except ApiError as error:
        return error.status, failure(error, started=started)
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        logger.exception("a call failed in the server")
        return 500, failure(ApiError(f"{type(error).__name__}: {error}"), started=started)


async def read_body(receive: Receive) -> bytes:
    """Return a request's body; raise TooLarge when it is over the limit."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > MAX_BODY_BYTES:
            raise TooLarge(f"JSON payload is larger than allowed (limit: {MAX_BODY_BYTES} bytes).")
    return b"".join(parts)


async def respond(send: Send, status: int, body: bytes, kind: bytes = b"application/json") -> None:
    """Send a whole response."""
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@_Plain
async def _about(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await respond(send, 200, ABOUT)


@_Plain
async def _probe(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    await respond(send, 200, PROBES[scope["path"]], b"text/plain; charset=utf-8")


@_Plain
async def _missing(scope: Scope, receive: Receive, send: Send) -> None:
    started = time.perf_counter()
    await read_body(receive)
    call = f"{scope['method']} {scope['path']}"
    known = scope["path"].strip("/").partition("/")[0] in QDRANT_PATHS
    error = Unsupported(f"`{call}`") if known else NotFound(f"there is no call `{call}`")
    await respond(send, error.status, failure(error, started=started))
