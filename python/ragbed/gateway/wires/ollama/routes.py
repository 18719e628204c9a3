"""The endpoints of Ollama's wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from ragbed.gateway.engine import InputTooLongError, ModelNotFoundError, joined
from ragbed.gateway.wires.json_http import WireError, json_response, status_and_message
from ragbed.gateway.wires.ollama import frames, types
from ragbed.gateway.wires.ollama.bodies import read_body
from ragbed.gateway.wires.ollama.names import model_name
from ragbed.gateway.wires.ollama.requests import (
    chat_request,
    embed_request,
    generate_request,
    legacy_embed_request,
    require_logprobs,
    unloads,
    wants_stream,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from ragbed.gateway.engine import CompletionRequest, Delta, EmbeddingRequest, Embeddings, Engine
    from ragbed.gateway.wires.ollama.bodies import Body
    from ragbed.gateway.wires.ollama.loaded import LoadedModels

GREETING = "Ollama is running (ragbed mock)"
_NOT_SUPPORTED = ("pull", "push", "create", "copy", "delete", "blobs/{digest}", "signout", "me")


class OllamaWire:
    """Serves an engine as Ollama does.

    Args:
        engine: What answers.
        loaded: The models that have been used and not been unloaded.
    """

    def __init__(self, engine: Engine, loaded: LoadedModels) -> None:
        self._engine = engine
        self._loaded = loaded

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
        fields = (await read_body(request, types.SHOW)).fields
        model = self._engine.model(model_name(fields["model"] or fields["name"]))
        return json_response(frames.shown(model))

    async def _embed(self, request: Request) -> Response:
        body = await read_body(request, types.EMBED)
        name = model_name(body.fields["model"], absent_is_unknown=True)
        asked = embed_request(body, name)
        return json_response(frames.embedded(asked.model, await self._vectors(asked, unload=unloads(body))))

    async def _legacy_embed(self, request: Request) -> Response:
        """Answer the older endpoint; like the real one, a body without `prompt` gets an empty vector."""
        body = await read_body(request, types.EMBEDDINGS)
        asked = legacy_embed_request(body, model_name(body.fields["model"]))
        try:
            embeddings = await self._vectors(asked, unload=unloads(body))
        except InputTooLongError as error:
            raise WireError(error.message, status=500) from error
        return json_response({"embedding": embeddings.vectors[0] if embeddings.vectors else []})

    async def _vectors(self, asked: EmbeddingRequest, *, unload: bool) -> Embeddings:
        try:
            self._loaded.add(asked.model)
        except ModelNotFoundError as error:
            said = ModelNotFoundError(
                f'model "{asked.model}" not found, try pulling it first', hint=error.hint
            )
            raise said from error
        embeddings = await self._engine.embed(asked)
        if unload:
            self._loaded.remove(asked.model)
        return embeddings

    async def _chat(self, request: Request) -> Response:
        body = await read_body(request, types.CHAT)
        require_logprobs(body)
        name = model_name(body.fields["model"])
        self._engine.model(name)
        return await self._complete(chat_request(body, name), body)

    async def _generate(self, request: Request) -> Response:
        body = await read_body(request, types.GENERATE)
        require_logprobs(body)
        name = model_name(body.fields["model"], absent_is_unknown=True)
        self._engine.model(name)
        return await self._complete(generate_request(body, name), body)

    async def _complete(self, asked: CompletionRequest, body: Body) -> Response:
        if not asked.messages:
            return self._load(asked, unload=unloads(body))
        deltas = await self._engine.complete(asked)
        answer = self._loaded.while_answering(asked.model, deltas, unload=unloads(body))
        if wants_stream(body):
            return StreamingResponse(_lines(asked, answer), media_type="application/x-ndjson")
        return json_response(await _whole(asked, answer))

    def _load(self, asked: CompletionRequest, *, unload: bool) -> Response:
        if unload:
            self._loaded.remove(asked.model)
        else:
            self._engine.require(asked)
            self._loaded.add(asked.model)
        return json_response(frames.loaded(asked, unload=unload))

    async def _unsupported(self, request: Request) -> Response:
        raise WireError(
            f"{request.method} {request.url.path} is not supported by ragbed's mock LLM; "
            "its models are fixed and its wire is Ollama's: set OLLAMA_HOST to a real Ollama",
            status=501,
        )


_EVERY_METHOD = ["GET", "POST", "PUT", "DELETE", "HEAD"]


def refusal(error: Exception) -> Response:
    """Return the response to a WireError or an EngineError, in Ollama's shape."""
    status, message = status_and_message(error)
    return json_response({"error": message}, status=status)


async def _lines(asked: CompletionRequest, deltas: AsyncIterator[Delta]) -> AsyncIterator[bytes]:
    async for delta in deltas:
        frame = (
            frames.piece(asked, delta)
            if delta.completion is None
            else frames.last(asked, delta, delta.completion)
        )
        yield orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)


async def _whole(asked: CompletionRequest, deltas: AsyncIterator[Delta]) -> dict[str, Any]:
    answer = await joined(deltas)
    if answer.completion is None:
        raise RuntimeError(f"the engine ended its answer for {asked.model} without a completion")
    return frames.last(asked, answer, answer.completion)
