"""Ollama's wire: calls below `/api/`, streams in lines of JSON, errors as `{"error": …}`."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import orjson
from starlette.exceptions import HTTPException

from ragbed.gateway.engine import InputTooLongError, ModelNotFoundError, joined
from ragbed.gateway.exchange import RawResponse
from ragbed.gateway.wires.json_http import json_answer, status_and_message
from ragbed.gateway.wires.ollama import frames, types
from ragbed.gateway.wires.ollama.catalogue import Catalogue
from ragbed.gateway.wires.ollama.forms import Form, operations, read_form
from ragbed.gateway.wires.ollama.names import model_name
from ragbed.gateway.wires.ollama.requests import (
    chat_request,
    embed_request,
    generate_request,
    legacy_embed_request,
    require_logprobs,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Any

    from starlette.routing import Route

    from ragbed.gateway.engine import CompletionRequest, Delta, EmbeddingRequest, Embeddings, Engine
    from ragbed.gateway.exchange import LlmRequest, RawRequest
    from ragbed.gateway.wires.ollama.bodies import Body

_LEGACY_EMBED = "/api/embeddings"


def _ask_chat(body: Body, engine: Engine) -> CompletionRequest:
    require_logprobs(body)
    name = model_name(body.fields["model"])
    engine.model(name)
    return chat_request(body, name)


def _ask_generate(body: Body, engine: Engine) -> CompletionRequest:
    require_logprobs(body)
    name = model_name(body.fields["model"], absent_is_unknown=True)
    engine.model(name)
    return generate_request(body, name)


def _ask_embed(body: Body, engine: Engine) -> EmbeddingRequest:
    name = model_name(body.fields["model"], absent_is_unknown=True)
    return _of_known_model(embed_request(body, name), engine)


def _ask_legacy_embed(body: Body, engine: Engine) -> EmbeddingRequest:
    return _of_known_model(legacy_embed_request(body, model_name(body.fields["model"])), engine)


def _of_known_model(asked: EmbeddingRequest, engine: Engine) -> EmbeddingRequest:
    """Return a request whose model there is; raise ModelNotFoundError in the words of these endpoints."""
    try:
        engine.model(asked.model)
    except ModelNotFoundError as error:
        said = f'model "{asked.model}" not found, try pulling it first'
        raise ModelNotFoundError(said, hint=error.hint) from error
    return asked


_FORMS = {
    "/api/chat": Form(operation="chat", kind=types.CHAT, ask=_ask_chat),
    "/api/generate": Form(operation="generate", kind=types.GENERATE, ask=_ask_generate),
    "/api/embed": Form(operation="embed", kind=types.EMBED, ask=_ask_embed),
    _LEGACY_EMBED: Form(operation="embed", kind=types.EMBEDDINGS, ask=_ask_legacy_embed),
}


class OllamaWire:
    """Speaks as Ollama does."""

    name = "ollama"
    prefix = ""
    operations = operations(_FORMS)

    def routes(self, engine: Engine) -> list[Route]:
        """Return the endpoints beside the calls."""
        return Catalogue(engine).routes()

    async def read(self, raw: RawRequest, engine: Engine) -> LlmRequest:
        """Return what a call asks for; raise WireError or ModelNotFoundError."""
        return await read_form(_FORMS, raw, engine)

    async def write(
        self, request: LlmRequest, asked: CompletionRequest, deltas: AsyncGenerator[Delta, None]
    ) -> RawResponse:
        """Return an answer: as on the real wire in lines, unless the client says no."""
        if asked.messages and request.fields["stream"] is not False:
            headers = {"content-type": "application/x-ndjson"}
            return RawResponse(headers=headers, body=_lines(asked, deltas))
        answer, completion = await joined(deltas)
        if not asked.messages:
            return json_answer(frames.loaded(asked, completion))
        return json_answer(frames.last(asked, answer, completion))

    def write_embeddings(self, request: LlmRequest, embeddings: Embeddings) -> RawResponse:
        """Return vectors; like the real one, the older endpoint gives an empty one for a body without `prompt`."""
        if request.path == _LEGACY_EMBED:
            return json_answer({"embedding": embeddings.vectors[0] if embeddings.vectors else []})
        return json_answer(frames.embedded(request.asks.model, embeddings))

    def refuse(self, error: Exception, path: str) -> RawResponse:
        """Return a refusal; what Ollama's router does not know is plain text, as Go has it."""
        if isinstance(error, HTTPException):
            headers = {"content-type": "text/plain; charset=utf-8", **(error.headers or {})}
            return RawResponse(status=error.status_code, headers=headers, body=error.detail.encode())
        status, message = status_and_message(error)
        if path == _LEGACY_EMBED and isinstance(error, InputTooLongError):
            status = 500
        return json_answer({"error": message}, status=status)


async def _lines(
    asked: CompletionRequest, deltas: AsyncGenerator[Delta, None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(deltas):
        async for delta in deltas:
            yield orjson.dumps(_frame(asked, delta), option=orjson.OPT_APPEND_NEWLINE)


def _frame(asked: CompletionRequest, delta: Delta) -> dict[str, Any]:
    return (
        frames.piece(asked, delta)
        if delta.completion is None
        else frames.last(asked, delta, delta.completion)
    )
