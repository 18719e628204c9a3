"""OpenAI's wire as Ollama speaks it: calls below `/v1/`, streams of server-sent events, errors with type and code."""

from __future__ import annotations

from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.routing import Route

from ragbed.gateway.engine import joined
from ragbed.gateway.exchange import RawResponse
from ragbed.gateway.wires.json_http import json_answer, json_response, status_and_message, unsupported
from ragbed.gateway.wires.ollama.forms import Form, operations, read_form
from ragbed.gateway.wires.ollama.names import model_name
from ragbed.gateway.wires.openai import frames, types
from ragbed.gateway.wires.openai.requests import chat_request, embed_request, text_request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request
    from starlette.responses import Response

    from ragbed.gateway.engine import CompletionRequest, Delta, EmbeddingRequest, Embeddings, Engine
    from ragbed.gateway.exchange import LlmRequest, RawRequest
    from ragbed.gateway.wires.ollama.bodies import Body

_PREFIX = "/v1"
_NOT_SUPPORTED = ("responses", "messages", "images/generations", "images/edits", "audio/transcriptions")
_ADVICE = ": set OLLAMA_HOST to a real Ollama"
_ERROR_TYPES = {400: "invalid_request_error", 404: "not_found_error"}


def _known(body: Body, engine: Engine) -> str:
    name = model_name(body.fields["model"])
    engine.model(name)
    return name


def _ask_chat(body: Body, engine: Engine) -> CompletionRequest:
    return chat_request(body, _known(body, engine))


def _ask_text(body: Body, engine: Engine) -> CompletionRequest:
    return text_request(body, _known(body, engine))


def _ask_embed(body: Body, engine: Engine) -> EmbeddingRequest:
    asked = embed_request(body, model_name(body.fields["model"], absent_is_unknown=True))
    engine.model(asked.model)
    return asked


_FORMS = {
    f"{_PREFIX}/chat/completions": Form(operation="chat", kind=types.CHAT, ask=_ask_chat),
    f"{_PREFIX}/completions": Form(operation="generate", kind=types.COMPLETION, ask=_ask_text),
    f"{_PREFIX}/embeddings": Form(operation="embed", kind=types.EMBED, ask=_ask_embed),
}


class OpenAIWire:
    """Speaks as Ollama does below `/v1/`."""

    name = "openai"
    prefix = _PREFIX
    operations = operations(_FORMS)

    def routes(self, engine: Engine) -> list[Route]:
        """Return the endpoints beside the calls: the models."""

        async def list_models(_request: Request) -> Response:
            models = [frames.listed(model) for model in engine.models()]
            return json_response({"object": "list", "data": models})

        async def show_model(request: Request) -> Response:
            name = request.path_params["name"]
            return json_response(frames.listed(engine.model(model_name(name)), name=name))

        refuse = unsupported(engine, _ADVICE)
        return [
            Route(f"{_PREFIX}/models", list_models),
            Route(f"{_PREFIX}/models/{{name:path}}", show_model),
            *(Route(f"{_PREFIX}/{name}", refuse, methods=["POST"]) for name in _NOT_SUPPORTED),
        ]

    async def read(self, raw: RawRequest, engine: Engine) -> LlmRequest:
        """Return what a call asks for; raise WireError or ModelNotFoundError."""
        return await read_form(_FORMS, raw, engine)

    async def write(
        self, request: LlmRequest, asked: CompletionRequest, deltas: AsyncGenerator[Delta, None]
    ) -> RawResponse:
        """Return an answer: whole, unless the client asks for a stream."""
        fields = request.fields
        if fields["stream"]:
            with_usage = bool((fields["stream_options"] or {}).get("include_usage"))
            headers = {"content-type": "text/event-stream; charset=utf-8"}
            return RawResponse(headers=headers, body=_events(asked, deltas, with_usage=with_usage))
        answer, completion = await joined(deltas)
        return json_answer(frames.whole(asked, answer, completion))

    def write_embeddings(self, request: LlmRequest, embeddings: Embeddings) -> RawResponse:
        """Return vectors, as numbers or as their bytes in base64."""
        as_base64 = request.fields["encoding_format"].lower() == "base64"
        return json_answer(frames.embedded(request.asks.model, embeddings, as_base64=as_base64))

    def refuse(self, error: Exception, path: str) -> RawResponse:  # noqa: ARG002 - one shape for every path
        """Return a refusal; its status decides the type, as in Ollama."""
        status, message = status_and_message(error)
        fields = {
            "message": message or HTTPStatus(status).phrase,
            "type": _ERROR_TYPES.get(status, "api_error"),
            "param": None,
            "code": None,
        }
        return json_answer({"error": fields}, status=status)


async def _events(
    asked: CompletionRequest, deltas: AsyncGenerator[Delta, None], *, with_usage: bool
) -> AsyncGenerator[bytes, None]:
    called = False
    async with aclosing(deltas):
        async for delta in deltas:
            called = called or bool(delta.tool_calls)
            yield _event(frames.chunk(asked, delta, called=called))
            if delta.completion is not None and with_usage:
                yield _event(frames.usage_chunk(asked, delta.completion))
    yield b"data: [DONE]\n\n"


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"
