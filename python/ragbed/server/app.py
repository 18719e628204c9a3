"""The RAG API as an ASGI application: `/health`, retrieval, chat, gaps, metrics."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from ragbed.errors import GuardRefused, IndexFailed, PipelineError, RagbedError, ServiceMissing, UsageError
from ragbed.events import TestId, within_run, within_test
from ragbed.headers import RUN_HEADER, TEST_HEADER
from ragbed.prometheus import CONTENT_TYPE
from ragbed.run_headers import told_in
from ragbed.server.bodies import Chat, Retrieval, read_body
from ragbed.server.metrics import Metrics
from ragbed.server.streaming import MEDIA_TYPE, stream_answer
from ragbed.stack.health import states_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from ragbed.pipeline import PipelineReader
    from ragbed.server.pool import PipelinePool
    from ragbed.stack import Stack

    Handler = Callable[[Request], Awaitable[Response]]

Found = TypeVar("Found")

logger = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[RagbedError], int], ...] = (
    (UsageError, 400),
    (GuardRefused, 403),
    (IndexFailed, 409),  # nothing was ingested, or by another model: the caller has to act
    (ServiceMissing, 503),
    (PipelineError, 502),
)


def create_app(pool: PipelinePool, stack: Stack) -> Starlette:
    """Return the RAG API on a pool of pipelines.

    Args:
        pool: What answers.
        stack: The services behind it: `/health` asks them, every answer names the substitutes among them.
    """
    api = _Api(pool, stack)
    return Starlette(
        routes=[
            _route("GET", "/health", api.health, api.metrics),
            _route("POST", "/api/retrieve", api.retrieve, api.metrics),
            _route("POST", "/api/v1/retrieve", api.retrieve, api.metrics),
            _route("POST", "/api/chat", api.chat, api.metrics),
            _route("GET", "/api/gaps", api.gaps, api.metrics),
            Route("/metrics", api.show_metrics, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _no_such_call},
    )


class _Api:
    """The calls.

    Args:
        pool: What answers.
        stack: The services behind it.
    """

    def __init__(self, pool: PipelinePool, stack: Stack) -> None:
        self.metrics = Metrics()
        self._pool = pool
        self._endpoints = stack.endpoints
        self._substitutes = [one.product for one in stack.endpoints.values() if not one.real]
        self._workers = ThreadPoolExecutor(pool.size, thread_name_prefix="ragbed-pipeline")

    async def health(self, _request: Request) -> Response:
        """Answer 200 while every service answers, else 503 and which does not."""
        states = await asyncio.to_thread(states_of, self._endpoints)
        well = all(state == "ready" for state in states.values())
        value = {"status": "ok" if well else "degraded", "services": states, "substitutes": self._substitutes}
        return _json(value, status=200 if well else 503)

    async def retrieve(self, request: Request) -> Response:
        """Answer with the best chunks for a question, and what the corpus lacks for it."""
        body = await read_body(request, Retrieval)
        passages, gap = await self._in_turn(
            lambda pipeline: pipeline.examine(body.question, top_k=body.top_k, filters=body.filters)
        )
        retrieved = {"question": body.question, "passages": passages, "gap": gap.to_json() if gap else None}
        return _json({**retrieved, "substitutes": self._substitutes})

    async def chat(self, request: Request) -> Response:
        """Answer a question from the documents, as a stream where that is asked for; a gap is saved."""
        body = await read_body(request, Chat)

        async def ask(on_text: Callable[[str], None] | None = None) -> dict[str, Any]:
            answer = await self._in_turn(
                lambda pipeline: pipeline.ask(body.question, filters=body.filters, on_text=on_text)
            )
            return {**answer.to_json(), "substitutes": self._substitutes}

        wanted = MEDIA_TYPE in request.headers.get("accept", "") if body.stream is None else body.stream
        return await stream_answer(ask) if wanted else _json(await ask())

    async def gaps(self, _request: Request) -> Response:
        """List what was asked and is not covered, the newest first."""
        gaps = await self._in_turn(lambda pipeline: pipeline.gaps())
        return _json({"gaps": [gap.to_json() for gap in gaps]})

    async def show_metrics(self, _request: Request) -> Response:
        """Return the counters."""
        return Response(self.metrics.text(), media_type=CONTENT_TYPE)

    async def _in_turn(self, work: Callable[[PipelineReader], Found]) -> Found:
        """Run what blocks in one of as many threads as there are pipelines; more requests wait here."""
        within = copy_context()  # calls of the pipeline belong to the run that the request belongs to
        return await asyncio.get_running_loop().run_in_executor(
            self._workers, within.run, self._on_pipeline, work
        )

    def _on_pipeline(self, work: Callable[[PipelineReader], Found]) -> Found:
        with self._pool.borrowed() as pipeline:
            return work(pipeline)


def _route(method: str, path: str, handler: Handler, metrics: Metrics) -> Route:
    """Return a route whose errors become answers, and whose answers are counted."""

    async def answer(request: Request) -> Response:
        started = time.monotonic()
        run, test = told_in(request.headers, RUN_HEADER), told_in(request.headers, TEST_HEADER)
        with within_run(run or ""), within_test(TestId(test) if test else None):
            response = await _answered(handler, request)
        metrics.add(method, path, response.status_code, time.monotonic() - started)
        return response

    return Route(path, answer, methods=[method])


async def _answered(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except RagbedError as error:
        return _refusal(error)
    except Exception:
        logger.exception("%s %s failed", request.method, request.url.path)
        return _json({"error": "internal error; the log of `ragbed serve` tells more"}, status=500)


def _refusal(error: RagbedError) -> Response:
    status = next((number for kind, number in _STATUS if isinstance(error, kind)), 500)
    value = {"error": error.message, "details": error.details, "hint": error.hint}
    return _json(value, status=status)


def refusal(_status: int, message: str, _path: str) -> bytes:
    """Return the body with which a request is refused before it is looked at."""
    return orjson.dumps({"error": message, "details": [], "hint": ""})


def _no_such_call(_request: Request, error: Exception) -> Response:
    """Say in JSON that there is no such path, or not by this method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    answer = _json({"error": getattr(error, "detail", "internal error")}, status=status)
    answer.headers.update(headers or {})
    return answer


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(orjson.dumps(value, default=dict), status_code=status, media_type="application/json")
