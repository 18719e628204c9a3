"""OpenAI's request bodies, turned into the engine's requests as Ollama does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.gateway.engine import CompletionRequest, EmbeddingRequest, Message
from ragbed.gateway.wires.go_json import DecodeError, first_value
from ragbed.gateway.wires.go_json.base64 import decode_base64
from ragbed.gateway.wires.go_json.text import Members
from ragbed.gateway.wires.json_http import WireError
from ragbed.gateway.wires.ollama.requests import read_format, texts_of, tool_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.gateway.wires.ollama.bodies import Body

_EFFORTS = ("high", "medium", "low", "max", "none")
_PICTURES = ("data:;base64,", *(f"data:image/{kind};base64," for kind in ("jpeg", "jpg", "png", "webp")))
_GO_NAMES = {
    type(None): "<nil>",
    bool: "bool",
    int: "float64",
    float: "float64",
    dict: "map[string]interface {}",
}


def chat_request(body: Body, model: str) -> CompletionRequest:
    """Return the engine's request for a body of `/v1/chat/completions`; raise WireError."""
    fields = body.fields
    if not fields["messages"]:
        raise WireError("[] is too short - 'messages'")
    messages = tuple(turn for message in fields["messages"] for turn in _messages(message))
    limit = fields["max_tokens"]
    return CompletionRequest(
        operation="chat",
        model=model,
        messages=messages,
        schema=_schema(fields["response_format"]),
        tools=tuple(tool_of(tool["function"]) for tool in fields["tools"] or ()),
        think=_think(fields),
        stop=_stop(fields["stop"]),
        max_tokens=limit if limit and limit > 0 else None,
        arguments=body.arguments,
    )


def text_request(body: Body, model: str) -> CompletionRequest:
    """Return the engine's request for a body of `/v1/completions`."""
    fields = body.fields
    limit = fields["max_tokens"]
    turns = (Message(role="user", content=fields["prompt"]),)
    return CompletionRequest(
        operation="generate",
        model=model,
        messages=turns,
        inserts=bool(fields["suffix"]),
        stop=_stop(fields["stop"]),
        max_tokens=limit if limit and limit > 0 else None,
        arguments=body.arguments,
    )


def embed_request(body: Body, model: str) -> EmbeddingRequest:
    """Return the engine's request for a body of `/v1/embeddings`; raise WireError."""
    fields = body.fields
    form = fields["encoding_format"]
    if form.lower() not in {"", "float", "base64"}:
        raise WireError(
            f"Invalid value for 'encoding_format' = {form}. Supported values: ['float', 'base64']."
        )
    if fields["input"] is None or fields["input"] == []:
        raise WireError("invalid input")
    return EmbeddingRequest(
        model=model,
        texts=texts_of(fields["input"]) or ("",),
        dimensions=max(fields["dimensions"], 0) or None,
        arguments=body.arguments,
    )


def _messages(message: Mapping[str, Any]) -> list[Message]:
    """Return the turns of a message: content in parts becomes a turn for each part."""
    role, content = message["role"].lower(), message["content"]
    for call in message["tool_calls"] or ():
        _require_arguments(call["function"]["arguments"])
    if isinstance(content, str):
        return [Message(role=role, content=content)]
    if isinstance(content, list):
        return [_part(role, part) for part in content]
    if message["tool_calls"] is None:
        raise WireError(f"invalid message content type: {_GO_NAMES[type(content)]}")
    return [Message(role=role, content="")]


def _part(role: str, part: object) -> Message:
    fields = part if isinstance(part, dict) else {}
    text = fields.get("text")
    if fields.get("type") == "text" and isinstance(text, str):
        return Message(role=role, content=text)
    if fields.get("type") == "image_url":
        place = fields.get("image_url")
        _require_picture(place.get("url") if isinstance(place, dict) else place)
        return Message(role=role, content="", images=1)
    raise WireError("invalid message format")


def _require_picture(url: object) -> None:
    if not isinstance(url, str):
        raise WireError("invalid message format")
    if url.startswith(("http://", "https://")):
        raise WireError("image URLs are not currently supported, please use base64 encoded data instead")
    prefix = next((one for one in _PICTURES if url.startswith(one)), None)
    if prefix is None:
        raise WireError("invalid image input")
    try:
        decode_base64(url.removeprefix(prefix))
    except DecodeError:
        raise WireError("invalid image input") from None


def _require_arguments(text: str) -> None:
    try:
        value = first_value(text.encode("utf-8", "surrogatepass"))
    except DecodeError:
        raise WireError("invalid tool call arguments") from None
    if not isinstance(value, Members | None):
        raise WireError("invalid tool call arguments")


def _think(fields: Mapping[str, Any]) -> bool | str | None:
    effort: str = fields["reasoning"]["effort"] if fields["reasoning"] else fields["reasoning_effort"] or ""
    if not effort:
        return None
    if effort not in _EFFORTS:
        raise WireError(
            f'invalid reasoning value: \'{effort}\' (must be "high", "medium", "low", "max", or "none")'
        )
    return False if effort == "none" else effort


def _stop(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    texts: Sequence[object] = value if isinstance(value, list) else ()
    return tuple(text for text in texts if isinstance(text, str))


def _schema(asked: Mapping[str, Any] | None) -> dict[str, Any] | None:
    kind = (asked or {}).get("type", "").strip().lower()
    if kind == "json_object":
        return {}
    if kind == "json_schema" and asked and asked["json_schema"]:
        return read_format(asked["json_schema"]["schema"])
    return None
