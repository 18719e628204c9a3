"""How a call is served: read by its wire, taken through the steps, answered by the engine or refused by the wire."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route

from ragbed.gateway.engine import EmbeddingRequest, EngineError
from ragbed.gateway.exchange import AnswerFacts, RawRequest, chain
from ragbed.gateway.sending import as_response
from ragbed.gateway.wires.json_http import WireError, read_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from starlette.types import Receive, Scope, Send

    from ragbed.gateway.engine import Completion, Delta, Engine
    from ragbed.gateway.exchange import LlmRequest, RawResponse, Step, Wire


class Calls:
    """Serves the calls of one wire, as an ASGI application.

    Args:
        wire: Reads and writes them.
        engine: Answers them.
        steps: What every call goes through, the first one outermost.
    """

    def __init__(self, wire: Wire, engine: Engine, steps: Sequence[Step]) -> None:
        self._wire = wire
        self._engine = engine
        self._steps = steps

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [Route(path, self, methods=["POST"]) for path in self._wire.operations]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call."""
        response = await self._answer(Request(scope, receive))
        await as_response(response)(scope, receive, send)

    async def _answer(self, request: Request) -> RawResponse:
        try:
            raw = self._raw(request, await read_bytes(request))
        except WireError as error:
            return await self._refuse(self._raw(request, b""), error)
        try:
            asked = await self._wire.read(raw, self._engine)
        except (WireError, EngineError) as error:
            return await self._refuse(raw, error)
        return await chain(self._steps, _Asking(self._wire, self._engine, asked)).answer(raw, asked)

    async def _refuse(self, raw: RawRequest, error: Exception) -> RawResponse:
        return await chain(self._steps, _Refusing(self._wire, error)).answer(raw, None)

    def _raw(self, request: Request, body: bytes) -> RawRequest:
        path: str = request.scope["path"]
        return RawRequest(
            wire=self._wire.name,
            operation=self._wire.operations[path],
            method=request.method,
            path=path,
            headers=request.headers,
            body=body,
        )


@dataclass(frozen=True, slots=True)
class _Refusing:
    """The end of a chain whose request could not be read."""

    wire: Wire
    error: Exception

    async def answer(self, raw: RawRequest, _request: LlmRequest | None) -> RawResponse:
        return self.wire.refuse(self.error, raw.path)


@dataclass(frozen=True, slots=True)
class _Asking:
    """The end of a chain that asks the engine."""

    wire: Wire
    engine: Engine
    request: LlmRequest

    async def answer(self, raw: RawRequest, _request: LlmRequest | None) -> RawResponse:
        facts = AnswerFacts(engine=self.engine.identity.name)
        try:
            response = await self._ask(facts)
        except (WireError, EngineError) as error:
            response = self.wire.refuse(error, raw.path)
        return replace(response, facts=facts)

    async def _ask(self, facts: AnswerFacts) -> RawResponse:
        asks = self.request.asks
        facts.model = self.engine.model(asks.model)
        if isinstance(asks, EmbeddingRequest):
            embeddings = await self.engine.embed(asks)
            facts.input_tokens, facts.output_tokens = embeddings.input_tokens, 0
            return self.wire.write_embeddings(self.request, embeddings)
        deltas = _noting(await self.engine.complete(asks), facts)
        return await self.wire.write(self.request, asks, deltas)


async def _noting(deltas: AsyncGenerator[Delta, None], facts: AnswerFacts) -> AsyncGenerator[Delta, None]:
    """Yield an answer, and note what its end tells."""
    async with aclosing(deltas):
        async for delta in deltas:
            if delta.completion is not None:
                _note(delta.completion, facts)
            yield delta


def _note(completion: Completion, facts: AnswerFacts) -> None:
    facts.input_tokens, facts.output_tokens = completion.input_tokens, completion.output_tokens
    facts.rule = completion.rule
