"""The endpoints of Ollama's wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from ragbed.gateway.engine import InputTooLongError, ModelNotFoundError
from ragbed.gateway.wires.json_http import WireError, json_response, read_object
from ragbed.gateway.wires.ollama import frames
from ragbed.gateway.wires.ollama.fields import model_name, unloads
from ragbed.gateway.wires.ollama.requests import (
    chat_request,
    embed_request,
    generate_request,
    legacy_embed_request,
    wants_stream,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from ragbed.gateway.engine import (
        Completion,
        CompletionRequest,
        Delta,
        EmbeddingRequest,
        Embeddings,
        Engine,
        ToolCall,
    )

GREETING = "Ollama is running (ragbed mock)"
_NOT_SUPPORTED = ("pull", "push", "create", "copy", "delete", "blobs/{digest}", "signout", "me")


class OllamaWire:
    """Serves an engine as Ollama does.

    Args:
        engine: What answers.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loaded: dict[str, None] = {}  # a set that keeps its order

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [
            Route("/", self._greeting),
            Route("/api/version", self._version),
            Route("/api/tags", self._tags),
            Route("/api/ps", self._ps),
            Route("/api/show", self._show, methods=["POST"]),
            Route("/api/embed", self._embed, methods=["POST"]),
            Route("/api/embeddings", self._legacy_embed, methods=["POST"]),
            Route("/api/chat", self._chat, methods=["POST"]),
            Route("/api/generate", self._generate, methods=["POST"]),
            *(Route(f"/api/{name}", self._unsupported, methods=_EVERY_METHOD) for name in _NOT_SUPPORTED),
            Route("/v1/{rest:path}", self._unsupported, methods=_EVERY_METHOD),
        ]

    async def _greeting(self, _request: Request) -> Response:
        return PlainTextResponse(GREETING)

    async def _version(self, _request: Request) -> Response:
        return json_response(frames.version())

    async def _tags(self, _request: Request) -> Response:
        return json_response({"models": [frames.listed(model) for model in self._engine.models()]})

    async def _ps(self, _request: Request) -> Response:
        models = [self._engine.model(name) for name in self._loaded]
        return json_response({"models": [frames.running(model) for model in models]})

    async def _show(self, request: Request) -> Response:
        model = self._engine.model(model_name(await read_object(request)))
        return json_response(frames.shown(model))

    async def _embed(self, request: Request) -> Response:
        body = await read_object(request)
        model_name(body, absent_is_unknown=True)
        asked = embed_request(body)
        return json_response(frames.embedded(asked.model, await self._vectors(asked, body)))

    async def _legacy_embed(self, request: Request) -> Response:
        """Answer the older endpoint; like the real one, a body without `prompt` gets an empty vector."""
        body = await read_object(request)
        try:
            embeddings = await self._vectors(legacy_embed_request(body), body)
        except InputTooLongError as error:
            raise WireError(error.message, status=500) from error
        return json_response({"embedding": embeddings.vectors[0] if embeddings.vectors else []})

    async def _vectors(self, asked: EmbeddingRequest, body: dict[str, Any]) -> Embeddings:
        unload = unloads(body)
        try:
            self._remember(asked.model)
        except ModelNotFoundError as error:
            raise WireError(f'model "{asked.model}" not found, try pulling it first', status=404) from error
        embeddings = await self._engine.embed(asked)
        if unload:
            self._forget(asked.model)
        return embeddings

    async def _chat(self, request: Request) -> Response:
        body = await read_object(request)
        self._engine.model(model_name(body))
        return await self._complete(chat_request(body), body)

    async def _generate(self, request: Request) -> Response:
        body = await read_object(request)
        self._engine.model(model_name(body, absent_is_unknown=True))
        return await self._complete(generate_request(body), body)

    async def _complete(self, asked: CompletionRequest, body: dict[str, Any]) -> Response:
        unload = unloads(body)
        if not asked.messages:
            return self._load(asked, unload=unload)
        streamed = wants_stream(body)
        deltas = await self._engine.complete(asked)
        self._remember(asked.model)
        answer = self._until_unloaded(deltas, asked.model) if unload else deltas
        if streamed:
            return StreamingResponse(_lines(asked, answer), media_type="application/x-ndjson")
        return json_response(await _whole(asked, answer))

    def _load(self, asked: CompletionRequest, *, unload: bool) -> Response:
        if unload:
            self._forget(asked.model)
        else:
            self._remember(asked.model)
        return json_response(frames.loaded(asked, unload=unload))

    async def _until_unloaded(self, deltas: AsyncIterator[Delta], name: str) -> AsyncIterator[Delta]:
        """Pass an answer on, and unload the model behind it, also where the client leaves before its end."""
        try:
            async for delta in deltas:
                yield delta
        finally:
            self._forget(name)

    def _remember(self, name: str) -> None:
        self._loaded[self._engine.model(name).name] = None

    def _forget(self, name: str) -> None:
        self._loaded.pop(self._engine.model(name).name, None)

    async def _unsupported(self, request: Request) -> Response:
        raise WireError(
            f"{request.method} {request.url.path} is not supported by ragbed's mock LLM; "
            "its models are fixed and its wire is Ollama's: set OLLAMA_HOST to a real Ollama",
            status=501,
        )


_EVERY_METHOD = ["GET", "POST", "PUT", "DELETE", "HEAD"]


async def _lines(asked: CompletionRequest, deltas: AsyncIterator[Delta]) -> AsyncIterator[bytes]:
    async for delta in deltas:
        if delta.completion is None:
            frame = frames.piece(asked, delta.text, delta.tool_calls)
        else:
            frame = frames.last(asked, "", (), delta.completion)
        yield orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)


async def _whole(asked: CompletionRequest, deltas: AsyncIterator[Delta]) -> dict[str, Any]:
    text: list[str] = []
    calls: list[ToolCall] = []
    completion: Completion | None = None
    async for delta in deltas:  # to its end: a model is unloaded behind it
        text.append(delta.text)
        calls += delta.tool_calls
        completion = delta.completion or completion
    if completion is None:
        raise RuntimeError(f"the engine ended its answer for {asked.model} without a completion")
    return frames.last(asked, "".join(text), calls, completion)
