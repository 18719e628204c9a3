"""Routing: which function answers which call, and where it runs.

The engine blocks, so every function runs in a thread. Writes to one collection take turns on the event loop, so that
waiting writers hold no thread and reads go in between.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from weakref import WeakValueDictionary

import orjson

from ragbed import __version__
from ragbed.qdrant.admission import Admission, Gone
from ragbed.qdrant.calls.call import Call, Raw
from ragbed.qdrant.calls.endpoints import ENDPOINTS
from ragbed.qdrant.envelope import accepted, failure, success
from ragbed.qdrant.errors import (
    TOO_DEEP,
    ApiError,
    FormatError,
    NotFound,
    QueryStringError,
    TooBusy,
    Unsupported,
    is_panic,
    not_served,
)
from ragbed.qdrant.identity import ENGINE, SUBSTITUTE, WIRE_VERSION
from ragbed.qdrant.request_stats import RequestStats
from ragbed.qdrant.routes import Routes, normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractAsyncContextManager

    from starlette.types import Receive, Scope, Send

    from ragbed.qdrant.calls.call import ApiRoute
    from ragbed.qdrant.collections import Collections

logger = logging.getLogger(__name__)

LACKING = (
    "audit",
    "cluster",
    "dashboard",
    "debugger",
    "logger",
    "profiler",
    "quotas",
    "stacktrace",
)
"""First parts of paths that a real server answers: what we lack below them is 501, elsewhere it is 404."""

LACKING_OF_A_COLLECTION = ("cluster", "debug", "memory", "shards", "truncate_unapplied_wal")
"""The same, behind a collection's name."""

THREADS = 4
"""Calls at work at once. The engine keeps the interpreter to itself, so more would only wait for each other."""

LONG_THREADS = 2
"""Calls at once that take long, in processes of their own; more wait."""

PIECE_BYTES = 1024 * 1024
"""Size of the pieces that files are sent in."""

ABOUT = orjson.dumps(
    {
        "title": "qdrant - vector search engine",
        "version": WIRE_VERSION,
        "ragbed": {"substitute": SUBSTITUTE, "engine": ENGINE, "version": __version__},
    }
)
OPENAPI = Path(__file__).with_name("openapi.json")
"""Description of every call; read when it is asked for, because the start has no time for it."""

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
        self._long = ThreadPoolExecutor(LONG_THREADS, thread_name_prefix="qdrant-long")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._intake = Admission()
        self._stats = RequestStats()
        self._routes = Routes((endpoint.method, endpoint.path, endpoint) for endpoint in ENDPOINTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        if route := self._routes.find(method, scope["path"]):
            await self._answer(*route, scope, receive, send)
        else:
            await _answer_fixed(method, normal(scope["path"]), scope, send)

    def close(self) -> None:
        """Let the calls under way finish, and give up those that take long; twice is harmless."""
        self._collections.is_stopping.set()
        self._long.shutdown(wait=True, cancel_futures=True)
        self._pool.shutdown(wait=True)

    async def _apart(
        self, endpoint: ApiRoute, call: Call, receive: Receive, started: float
    ) -> tuple[int, bytes, Raw | None]:
        """Answer a call that takes long: it holds no other call up, and is given up where its client goes away."""
        watched = replace(call, gone=Event())
        watching = asyncio.create_task(_watch(receive, watched.gone))
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._long, _answer, endpoint, watched, started
            )
        finally:
            watching.cancel()

    async def _answer(
        self, endpoint: ApiRoute, names: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        started = time.perf_counter()
        try:
            async with self._intake.body(scope, receive) as content:
                call = self._call(endpoint, names, scope, content)
                if endpoint.turn == "apart":
                    status, body, raw = await self._apart(endpoint, call, receive, started)
                else:
                    async with self._turn(endpoint, call), self._intake.turn(content):
                        status, body, raw = await asyncio.get_running_loop().run_in_executor(
                            self._pool, _answer, endpoint, call, started
                        )
        except ApiError as error:
            status = error.status
            await respond_failure(send, error, started)
        except Gone:
            return
        else:
            await (respond(send, status, body) if raw is None else respond_raw(send, raw))
        self._stats.add(endpoint.method, endpoint.path, status, time.perf_counter() - started)

    def writes(self, method: str, path: str) -> bool:
        """Say whether a call may change something; a call that is not there does not."""
        route = self._routes.find(method, path)
        return route is not None and route[0].writes

    def _call(self, endpoint: ApiRoute, names: Mapping[str, str], scope: Scope, content: bytes) -> Call:
        query = parameters(scope["query_string"])
        call = Call(
            collections=self._collections, path=names, query=query, content=content, stats=self._stats
        )
        call.check_query(endpoint.parameters)
        return call

    def _turn(self, endpoint: ApiRoute, call: Call) -> AbstractAsyncContextManager[object]:
        if endpoint.turn == "none":
            return nullcontext()
        key = "" if endpoint.turn == "all" else self._collections.resolve(call.name)
        return self._turns.setdefault(key, asyncio.Lock())


async def _watch(receive: Receive, gone: Event) -> None:
    """Note that a client has gone, whose request was read to its end."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _answer(endpoint: ApiRoute, call: Call, started: float) -> tuple[int, bytes, Raw | None]:
    """Answer a call; a failure that its client does not wait to hear of is logged. Runs in a thread."""
    status, body, raw = _done(endpoint, call, started)
    if not (endpoint.may_leave and call.query.get("wait") == "false"):
        return status, body, raw
    if status >= 400:
        logger.warning("%s %s: %s", endpoint.method, endpoint.path, body.decode())
    return 202, accepted(started=started), None


def _done(endpoint: ApiRoute, call: Call, started: float) -> tuple[int, bytes, Raw | None]:
    """Run an endpoint's function and return status and body, or what is not JSON."""
    try:
        result = endpoint.answer(call)
        if isinstance(result, Raw):
            return 200, b"", result
        body = success(result, started=started)
        if endpoint.turn == "collection":
            with suppress(NotFound):
                call.shard.wrote(len(call.content))
        return 200, body, None
    except (ApiError, RecursionError) as error:
        told = error if isinstance(error, ApiError) else FormatError(TOO_DEEP)
        return told.status, failure(told, started=started), None
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        logger.exception("a call failed in the server")
        told = not_served(error, f"{type(error).__name__}: {error}")
        return told.status, failure(told, started=started), None


def parameters(query_string: bytes) -> dict[str, str]:
    """Return what stands behind the `?`; raise QueryStringError where a name is given twice."""
    given = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True) if query_string else []
    values: dict[str, str] = {}
    for name, value in given:
        if name in values:
            raise QueryStringError(f"duplicate field `{name}`")
        values[name] = value
    return values


async def respond(
    send: Send,
    status: int,
    body: bytes,
    kind: bytes = b"application/json",
    *,
    more: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """Send a whole response, with more headers than the two that every one has."""
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def respond_raw(send: Send, raw: Raw) -> None:
    """Send an answer that is not JSON; a file piece by piece."""
    headers = [(b"content-type", raw.kind)]
    if raw.name:
        headers.append((b"content-disposition", f'attachment; filename="{raw.name}"'.encode()))
    if isinstance(raw.content, bytes):
        await respond(send, 200, raw.content, raw.kind, more=headers[1:])
        return
    loop = asyncio.get_running_loop()
    with raw.content.open("rb") as file:
        headers.append((b"content-length", str(os.fstat(file.fileno()).st_size).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while piece := await loop.run_in_executor(None, file.read, PIECE_BYTES):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def respond_failure(send: Send, error: ApiError, started: float) -> None:
    """Send an error; a busy server says when to come again, as Qdrant's clients expect."""
    more = [(b"retry-after", b"1")] if isinstance(error, TooBusy) else []
    await respond(send, error.status, failure(error, started=started), more=more)


async def _answer_fixed(method: str, path: str, scope: Scope, send: Send) -> None:
    """Answer what is the same whatever the collections hold."""
    if path == "/" and method == "GET":
        await respond(send, 200, ABOUT)
    elif path == "/openapi.json" and method == "GET":
        await respond(send, 200, OPENAPI.read_bytes())
    elif path in PROBES and method == "GET":
        await respond(send, 200, PROBES[path], b"text/plain; charset=utf-8")
    else:
        await _missing(scope, send)


async def _missing(scope: Scope, send: Send) -> None:
    call = f"{scope['method']} {scope['path']}"
    error = Unsupported(f"`{call}`") if is_lacking(scope["path"]) else NotFound(f"there is no call `{call}`")
    await respond_failure(send, error, time.perf_counter())


def is_lacking(path: str) -> bool:
    """Say whether a real server answers calls of such a path, which this one does not."""
    first, *more = normal(path)[1:].split("/")
    if first == "collections":
        return len(more) > 1 and more[1] in LACKING_OF_A_COLLECTION
    return first in LACKING
