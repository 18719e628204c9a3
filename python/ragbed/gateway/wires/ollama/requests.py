"""Ollama's request bodies, checked and turned into the engine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.gateway.engine import CompletionRequest, EmbeddingRequest, Message, Tool
from ragbed.gateway.wires.json_http import WireError
from ragbed.gateway.wires.ollama import fields
from ragbed.gateway.wires.ollama.fields import model_name, require_base64, require_types, typed
from ragbed.gateway.wires.ollama.options import read_options

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANSWER_FIELDS = frozenset({"answer", "citations"})
_SCHEMA_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_PROMPT_FIELDS = frozenset({"model", "messages", "prompt", "input"})


def wants_stream(body: Mapping[str, Any]) -> bool:
    """Tell whether to stream: as on the real wire, yes unless the client says no."""
    return typed(body, "stream", bool, default=True)


def chat_request(body: Mapping[str, Any]) -> CompletionRequest:
    """Return the engine's request for a body of `/api/chat`."""
    require_types(body, fields.CHAT)
    turns = typed(body, "messages", list, default=[])
    return _completion("chat", body, tuple(_message(turn) for turn in turns))


def generate_request(body: Mapping[str, Any]) -> CompletionRequest:
    """Return the engine's request for a body of `/api/generate`; no messages when there is no prompt."""
    require_types(body, fields.GENERATE)
    require_base64(typed(body, "images", list, default=[]))
    system = typed(body, "system", str, default="")
    if body.get("raw") and (system or body.get("template") or body.get("context")):
        raise WireError("raw mode does not support template, system, or context")
    if body.get("suffix"):
        raise WireError(f"{model_name(body)} does not support insert")
    prompt = typed(body, "prompt", str, default="")
    turns = [Message(role="system", content=system)] if system else []
    return _completion("generate", body, (*turns, Message(role="user", content=prompt)) if prompt else ())


def embed_request(body: Mapping[str, Any]) -> EmbeddingRequest:
    """Return the engine's request for a body of `/api/embed`."""
    require_types(body, fields.EMBED)
    return EmbeddingRequest(
        model=model_name(body),
        texts=_texts(body.get("input")),
        dimensions=typed(body, "dimensions", int, default=0) or None,
        truncate=typed(body, "truncate", bool, default=True),
        context=read_options(body).get("num_ctx"),
        arguments=_arguments(body),
    )


def legacy_embed_request(body: Mapping[str, Any]) -> EmbeddingRequest:
    """Return the engine's request for a body of `/api/embeddings`; no texts when there is no prompt."""
    require_types(body, fields.EMBEDDINGS)
    prompt = typed(body, "prompt", str, default="")
    return EmbeddingRequest(
        model=model_name(body),
        texts=(prompt,) if prompt else (),
        truncate=False,
        context=read_options(body).get("num_ctx"),
        arguments=_arguments(body),
    )


def _completion(operation: Any, body: Mapping[str, Any], messages: tuple[Message, ...]) -> CompletionRequest:
    if fields.wants_thought(body):
        raise WireError(f'"{model_name(body)}" does not support thinking')
    options = read_options(body)
    limit = options.get("num_predict", -1)
    schema = _schema(body.get("format"))
    return CompletionRequest(
        operation=operation,
        model=model_name(body),
        messages=messages,
        json_answer=schema == {},
        schema=schema or None,
        tools=tuple(_tool(tool) for tool in typed(body, "tools", list, default=[])),
        truncate=typed(body, "truncate", bool, default=True),
        context=options.get("num_ctx"),
        stop=tuple(options.get("stop", ())),
        max_tokens=limit if limit > 0 else None,
        arguments=_arguments(body),
    )


def _message(turn: object) -> Message:
    if not isinstance(turn, dict):
        raise WireError(f"a message must be an object, not {type(turn).__name__}")
    require_base64(typed(turn, "images", list, default=[]))
    return Message(role=typed(turn, "role", str, default=""), content=typed(turn, "content", str, default=""))


def _tool(tool: object) -> Tool:
    if not isinstance(tool, dict):
        raise WireError(f"a tool must be an object, not {type(tool).__name__}")
    function = typed(tool, "function", dict, default={})
    return Tool(
        name=typed(function, "name", str, default=""),
        parameters=typed(function, "parameters", dict, default={}),
    )


def _texts(value: object) -> tuple[str, ...]:
    """Return the texts of `input`; on the real wire null and the bare empty string are no text at all."""
    if value is None or value == "":
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise WireError("invalid input type")
    return tuple(texts)


def _schema(value: object) -> dict[str, Any] | None:
    """Return the schema of the answer: None for plain text, an empty one for the mock's own JSON object.

    As on the real wire, what is no format is an error of the server.
    """
    if value is None or value == "":
        return None
    if value == "json":
        return {}
    if not isinstance(value, dict):
        raise WireError(
            f'invalid format: {value!r}; expected "json" or a valid JSON Schema object', status=500
        )
    kinds = value.get("type", [])
    if not _SCHEMA_TYPES.issuperset(kinds if isinstance(kinds, list) else [kinds]):
        raise WireError("invalid JSON schema in format", status=500)
    return {} if set(value.get("properties", ())) == _ANSWER_FIELDS else value


def _arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in _PROMPT_FIELDS and value is not None}
