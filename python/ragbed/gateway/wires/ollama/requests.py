"""Ollama's request bodies, turned into the engine's requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ragbed.gateway.engine import CompletionRequest, EmbeddingRequest, Message, Tool
from ragbed.gateway.wires.go_json.errors import quote
from ragbed.gateway.wires.json_http import WireError
from ragbed.gateway.wires.ollama.options import read_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.gateway.wires.ollama.bodies import Body

_MOST_LOGPROBS = 20


def wants_stream(body: Body) -> bool:
    """Tell whether to stream: as on the real wire, yes unless the client says no."""
    return body.fields["stream"] is not False


def unloads(body: Body) -> bool:
    """Tell whether the model shall not stay loaded: `keep_alive` is no time at all."""
    return bool(body.fields["keep_alive"] == 0)


def require_logprobs(body: Body) -> None:
    """Refuse more tokens beside each token than Ollama gives; raise WireError."""
    if not 0 <= body.fields["top_logprobs"] <= _MOST_LOGPROBS:
        raise WireError(f"top_logprobs must be between 0 and {_MOST_LOGPROBS}")


def chat_request(body: Body, model: str) -> CompletionRequest:
    """Return the engine's request for a body of `/api/chat`; raise WireError."""
    turns = tuple(_message(turn) for turn in body.fields["messages"] or ())
    tools = tuple(tool_of(tool["function"]) for tool in body.fields["tools"] or ())
    return _completion("chat", body, model, turns, tools=tools)


def generate_request(body: Body, model: str) -> CompletionRequest:
    """Return the engine's request for a body of `/api/generate`; no messages when there is no prompt.

    Raises:
        WireError: An option has a wrong type, or the format is none.
    """
    fields = body.fields
    if fields["raw"] and (fields["system"] or fields["template"] or fields["context"]):
        raise WireError("raw mode does not support template, system, or context")
    system = [Message(role="system", content=fields["system"])] if fields["system"] else []
    prompt = Message(role="user", content=fields["prompt"], images=len(fields["images"] or ()))
    turns = (*system, prompt) if fields["prompt"] else ()
    return _completion("generate", body, model, turns, inserts=bool(fields["suffix"]))


def embed_request(body: Body, model: str) -> EmbeddingRequest:
    """Return the engine's request for a body of `/api/embed`; raise WireError."""
    fields = body.fields
    return EmbeddingRequest(
        model=model,
        texts=texts_of(fields["input"]),
        dimensions=max(fields["dimensions"], 0) or None,
        truncate=fields["truncate"] is not False,
        context=read_options(fields["options"]).get("num_ctx"),
        unload=unloads(body),
        arguments=body.arguments,
    )


def legacy_embed_request(body: Body, model: str) -> EmbeddingRequest:
    """Return the engine's request for a body of `/api/embeddings`; no texts when there is no prompt."""
    return EmbeddingRequest(
        model=model,
        texts=(body.fields["prompt"],) if body.fields["prompt"] else (),
        truncate=False,
        context=read_options(body.fields["options"]).get("num_ctx"),
        unload=unloads(body),
        arguments=body.arguments,
    )


def texts_of(value: object) -> tuple[str, ...]:
    """Return the texts of `input`; on the real wire null and the bare empty string are no text at all."""
    if value is None or value == "":
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise WireError("invalid input type")
    return tuple(texts)


def _completion(
    operation: Any,
    body: Body,
    model: str,
    messages: tuple[Message, ...],
    *,
    tools: tuple[Tool, ...] = (),
    inserts: bool = False,
) -> CompletionRequest:
    fields = body.fields
    options = read_options(fields["options"])
    limit = options.get("num_predict", -1)
    return CompletionRequest(
        operation=operation,
        model=model,
        messages=messages,
        schema=read_format(fields["format"]) if messages else None,
        tools=tools,
        think=fields["think"],
        inserts=inserts,
        truncate=fields["truncate"] is not False,
        context=options.get("num_ctx"),
        stop=tuple(options.get("stop", ())),
        max_tokens=limit if limit > 0 else None,
        unload=unloads(body),
        arguments=body.arguments,
    )


def _message(turn: Mapping[str, Any]) -> Message:
    return Message(role=turn["role"], content=turn["content"], images=_count(turn["images"]))


def _count(images: Sequence[bytes] | None) -> int:
    return len(images or ())


def tool_of(function: Mapping[str, Any]) -> Tool:
    """Return the function that a client offers as a tool."""
    parameters = function["parameters"]
    return Tool(
        name=function["name"],
        description=function["description"],
        parameters=parameters if isinstance(parameters, dict) else {},
    )


def read_format(value: object) -> dict[str, Any] | None:
    """Return the schema of the answer: None for plain text, an empty one for any JSON object.

    Raises:
        WireError: It is neither. As on the real wire, that is an error of the server.
    """
    if value is None or value == "":
        return None
    if value == "json":
        return {}
    if not isinstance(value, dict):
        raise WireError(
            f'invalid format: {quote(json.dumps(value))}; expected "json" or a valid JSON Schema object',
            status=500,
        )
    return value
