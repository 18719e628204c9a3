"""Ollama's request bodies, checked and turned into the engine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ragbed.gateway.engine import CompletionRequest, EmbeddingRequest, Message
from ragbed.gateway.wires.json_http import WireError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

_INTEGER_OPTIONS = ("num_predict", "num_ctx", "seed")
_JSON_FIELDS = frozenset({"answer", "citations"})
_PROMPT_FIELDS = frozenset({"model", "messages", "prompt", "input"})


def model_name(body: Mapping[str, Any]) -> str:
    """Return the model asked for; `name` is the older key."""
    name = body.get("model") or body.get("name")
    if not isinstance(name, str):
        raise WireError("model is required")
    return name


def wants_stream(body: Mapping[str, Any]) -> bool:
    """Tell whether to stream: as on the real wire, yes unless the client says no."""
    return typed(body, "stream", bool, default=True)


def chat_request(body: Mapping[str, Any]) -> CompletionRequest:
    """Return the engine's request for a body of `/api/chat`."""
    turns = typed(body, "messages", list, default=[])
    return _completion("chat", body, tuple(_message(turn) for turn in turns))


def generate_request(body: Mapping[str, Any]) -> CompletionRequest:
    """Return the engine's request for a body of `/api/generate`; no messages when there is no prompt."""
    if body.get("suffix"):
        raise WireError(f'"{model_name(body)}" does not support insert')
    prompt = typed(body, "prompt", str, default="")
    system = typed(body, "system", str, default="")
    turns = [Message(role="system", content=system)] if system else []
    return _completion("generate", body, (*turns, Message(role="user", content=prompt)) if prompt else ())


def embed_request(body: Mapping[str, Any]) -> EmbeddingRequest:
    """Return the engine's request for a body of `/api/embed`."""
    return EmbeddingRequest(
        model=model_name(body),
        texts=_texts(body.get("input")),
        dimensions=typed(body, "dimensions", int, default=0) or None,
        truncate=typed(body, "truncate", bool, default=True),
        context=_options(body).get("num_ctx"),
        arguments=_arguments(body),
    )


def legacy_embed_request(body: Mapping[str, Any]) -> EmbeddingRequest:
    """Return the engine's request for a body of `/api/embeddings`; no texts when there is no prompt."""
    prompt = typed(body, "prompt", str, default="")
    texts = (prompt,) if prompt else ()
    return EmbeddingRequest(model=model_name(body), texts=texts, arguments=_arguments(body))


def typed(body: Mapping[str, Any], key: str, kind: type[T], *, default: T) -> T:
    """Return a field of the body, the default where absent or null; raise WireError on a wrong type."""
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise WireError(f"{key} must be of type {kind.__name__}, not {type(value).__name__}")
    return value


def _completion(operation: Any, body: Mapping[str, Any], messages: tuple[Message, ...]) -> CompletionRequest:
    options = _options(body)
    limit = options.get("num_predict", -1)
    if body.get("think"):
        raise WireError(f'"{model_name(body)}" does not support thinking')
    return CompletionRequest(
        operation=operation,
        model=model_name(body),
        messages=messages,
        json_answer=_json_answer(body.get("format")),
        stop=_stop(options.get("stop")),
        max_tokens=limit if limit > 0 else None,
        arguments=_arguments(body),
    )


def _message(turn: object) -> Message:
    if not isinstance(turn, dict):
        raise WireError(f"a message must be an object, not {type(turn).__name__}")
    return Message(role=typed(turn, "role", str, default=""), content=typed(turn, "content", str, default=""))


def _texts(value: object) -> tuple[str, ...]:
    """Return the texts of `input`; on the real wire null and the bare empty string are no text at all."""
    if value is None or value == "":
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise WireError("invalid input type")
    return tuple(texts)


def _options(body: Mapping[str, Any]) -> dict[str, Any]:
    options = typed(body, "options", dict, default={})
    given = {name: value for name, value in options.items() if value is not None}
    for name in _INTEGER_OPTIONS:
        if name in given and (isinstance(given[name], bool) or not isinstance(given[name], int)):
            raise WireError(f'option "{name}" must be of type integer')
    return given


def _stop(value: object) -> tuple[str, ...]:
    sequences = [value] if isinstance(value, str) else value or []
    if not isinstance(sequences, list) or not all(isinstance(one, str) for one in sequences):
        raise WireError('option "stop" must be of type array')
    return tuple(sequences)


def _json_answer(value: object) -> bool:
    """Tell whether JSON is asked for; refuse a schema that the mock's one object cannot satisfy."""
    if value is None or value == "":
        return False
    if value == "json":
        return True
    if isinstance(value, dict) and set(value.get("properties", ())) == _JSON_FIELDS:
        return True
    raise WireError(
        'the mock LLM answers format "json" and schemas of exactly the properties answer and citations; '
        "give a rule for any other, or set OLLAMA_HOST to a real Ollama",
        status=501,
    )


def _arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in _PROMPT_FIELDS and value is not None}
