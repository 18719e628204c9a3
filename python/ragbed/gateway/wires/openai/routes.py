"""The endpoints below `/v1/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ragbed.gateway.engine import joined
from ragbed.gateway.wires.json_http import WireError, json_response
from ragbed.gateway.wires.ollama.bodies import read_body
from ragbed.gateway.wires.ollama.names import model_name
from ragbed.gateway.wires.openai import frames, types
from ragbed.gateway.wires.openai.refusals import PREFIX
from ragbed.gateway.wires.openai.requests import chat_request, embed_request, text_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from ragbed.gateway.engine import CompletionRequest, Delta, Engine
    from ragbed.gateway.wires.ollama import LoadedModels
    from ragbed.gateway.wires.ollama.bodies import Body

_NOT_SUPPORTED = ("responses", "messages", "images/generations", "images/edits", "audio/transcriptions")


class OpenAIWire:
    """Serves an engine as Ollama does below `/v1/`.

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
            Route(f"{PREFIX}/models", self._models),
            Route(f"{PREFIX}/models/{{name:path}}", self._model),
            Route(f"{PREFIX}/chat/completions", self._chat, methods=["POST"]),
            Route(f"{PREFIX}/completions", self._text, methods=["POST"]),
            Route(f"{PREFIX}/embeddings", self._embed, methods=["POST"]),
            *(Route(f"{PREFIX}/{name}", self._unsupported, methods=["POST"]) for name in _NOT_SUPPORTED),
        ]

    async def _models(self, _request: Request) -> Response:
        models = [frames.listed(model) for model in self._engine.models()]
        return json_response({"object": "list", "data": models})

    async def _model(self, request: Request) -> Response:
        name = request.path_params["name"]
        return json_response(frames.listed(self._engine.model(model_name(name)), name=name))

    async def _chat(self, request: Request) -> Response:
        body = await read_body(request, types.CHAT)
        name = self._known(body)
        return await self._complete(chat_request(body, name), body)

    async def _text(self, request: Request) -> Response:
        body = await read_body(request, types.COMPLETION)
        name = self._known(body)
        return await self._complete(text_request(body, name), body)

    async def _embed(self, request: Request) -> Response:
        body = await read_body(request, types.EMBED)
        asked = embed_request(body, model_name(body.fields["model"], absent_is_unknown=True))
        self._loaded.add(asked.model)
        embeddings = await self._engine.embed(asked)
        as_base64 = body.fields["encoding_format"].lower() == "base64"
        return json_response(frames.embedded(asked.model, embeddings, as_base64=as_base64))

    def _known(self, body: Body) -> str:
        name = model_name(body.fields["model"])
        self._engine.model(name)
        return name

    async def _complete(self, asked: CompletionRequest, body: Body) -> Response:
        deltas = await self._engine.complete(asked)
        answer = self._loaded.while_answering(asked.model, deltas, unload=False)
        if body.fields["stream"]:
            with_usage = bool((body.fields["stream_options"] or {}).get("include_usage"))
            events = _events(asked, answer, with_usage=with_usage)
            return StreamingResponse(events, media_type="text/event-stream")
        whole = await joined(answer)
        if whole.completion is None:
            raise RuntimeError(f"the engine ended its answer for {asked.model} without a completion")
        return json_response(frames.whole(asked, whole, whole.completion))

    async def _unsupported(self, request: Request) -> Response:
        raise WireError(
            f"{request.method} {request.url.path} is not supported by ragbed's mock LLM: "
            "set OLLAMA_HOST to a real Ollama",
            status=501,
        )


async def _events(
    asked: CompletionRequest, deltas: AsyncIterator[Delta], *, with_usage: bool
) -> AsyncIterator[bytes]:
    called = False
    async for delta in deltas:
        called = called or bool(delta.tool_calls)
        yield _event(frames.chunk(asked, delta, called=called))
        if delta.completion is not None and with_usage:
            yield _event(frames.usage_chunk(asked, delta.completion))
    yield b"data: [DONE]\n\n"


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"
