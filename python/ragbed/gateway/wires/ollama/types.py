"""The types of Ollama's request bodies, as its own Go package declares them.

Source: `api/types.go` of the Ollama that `stack.toml` pins; the tests compare every field with that package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.gateway.wires.go_json.durations import parse_duration
from ragbed.gateway.wires.go_json.errors import DecodeError, quote
from ragbed.gateway.wires.go_json.kinds import (
    Anything,
    Bool,
    Bytes,
    Kept,
    List,
    Map,
    Own,
    Pointer,
    Raw,
    Struct,
    Text,
    Whole,
)
from ragbed.gateway.wires.go_json.state import Kind, unmarshal
from ragbed.gateway.wires.go_json.text import Members, is_whole, repaired

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = ("high", "medium", "low", "max")
"""Measures of thinking that Ollama takes beside true and false."""

FOREVER_NS = (1 << 63) - 1
_LEVELS_NAMED = '"high", "medium", "low", "max", true, or false'
_S_NS = 1e9
_TEXT, _BOOL, _WHOLE, _ANY, _MAP = Text(), Bool(), Whole(), Anything(), Map()
_TEXTS = List(_TEXT, "[]string")
_SWITCH = Pointer(_BOOL)


def _duration(value: Any) -> int:
    """Return a duration in nanoseconds: a number is seconds, a text has units, below 0 is for ever."""
    held = unmarshal(value, _ANY)
    if isinstance(held, str):
        length = parse_duration(held)
    elif isinstance(held, int | float) and not isinstance(held, bool):
        length = -1 if held < 0 else min(int(held * _S_NS), FOREVER_NS)
    else:
        raise DecodeError(f"Unsupported type: '{_GO_NAMES[type(held)]}'")
    return FOREVER_NS if length < 0 else length


_GO_NAMES = {bool: "bool", list: "[]interface {}", dict: "map[string]interface {}", type(None): "%!s(<nil>)"}


def _think(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    if type(value) is not str:
        raise DecodeError(f"think must be a boolean or string ({_LEVELS_NAMED})")
    if value not in LEVELS:
        raise DecodeError(f"invalid think value: {quote(repaired(value))} (must be {_LEVELS_NAMED})")
    return value


def _ordered(reader: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """Return a reader of an object that keeps its order; its parser is stricter about names than Go's own."""

    def read(value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, Members):
            raise DecodeError("Value looks like object, but can't find closing '}' symbol")
        result = {}
        for name, member in value:
            if not is_whole(name):
                raise DecodeError("Encountered an invalid escape sequence in a string")
            result[name] = reader(member)
        return result

    return read


def _property_type(value: Any) -> list[str] | None:
    if type(value) is str:
        return [repaired(value)]
    if value is None:
        return [""]
    texts: list[str] | None = unmarshal(value, _TEXTS)
    return texts


def _property(value: Any) -> Any:
    return unmarshal(value, _PROPERTY)


def _message(value: Any) -> dict[str, Any]:
    held: dict[str, Any] = unmarshal(value, _MESSAGE)
    return {**held, "role": held["role"].lower()}


_DURATION = Pointer(Own("api.Duration", _duration, lambda: 0))
_THINK = Pointer(Own("api.ThinkValue", _think, lambda: None))
_PROPERTIES = Pointer(Own("api.ToolPropertiesMap", _ordered(_property), dict))
_PROPERTY_FIELDS: dict[str, Kind] = {
    "type": Own("api.PropertyType", _property_type, lambda: None),
    "items": _ANY,
    "description": _TEXT,
    "enum": List(_ANY, "[]interface {}"),
    "properties": _PROPERTIES,
    "required": _TEXTS,
}
_PROPERTY = Struct("api.ToolProperty", _PROPERTY_FIELDS)
_PROPERTY_FIELDS["anyOf"] = List(_PROPERTY, "[]api.ToolProperty")

_PARAMETERS = Struct(
    "api.ToolFunctionParameters",
    {"type": _TEXT, "$defs": _ANY, "items": _ANY, "required": _TEXTS, "properties": _PROPERTIES},
)
_FUNCTION = Struct("api.ToolFunction", {"name": _TEXT, "description": _TEXT, "parameters": Kept(_PARAMETERS)})
TOOL = Struct("api.Tool", {"type": _TEXT, "items": _ANY, "function": _FUNCTION})

_CALL_FIELDS: dict[str, Kind] = {
    "index": _WHOLE,
    "name": _TEXT,
    "arguments": Own("api.ToolCallFunctionArguments", _ordered(lambda value: unmarshal(value, _ANY)), dict),
}
_CALL = Struct("api.ToolCall", {"id": _TEXT, "function": Struct("api.ToolCallFunction", _CALL_FIELDS)})
_IMAGES = List(Bytes("api.ImageData"), "[]api.ImageData")
_MESSAGE = Struct(
    "api.Alias",
    {
        "role": _TEXT,
        "content": _TEXT,
        "thinking": _TEXT,
        "images": _IMAGES,
        "tool_calls": List(_CALL, "[]api.ToolCall"),
        "tool_name": _TEXT,
        "tool_call_id": _TEXT,
    },
)
_MESSAGES = List(Own("api.Message", _message, lambda: _message(None)), "[]api.Message")

_COMPLETION: dict[str, Kind] = {
    "model": _TEXT,
    "stream": _SWITCH,
    "format": Raw(),
    "keep_alive": _DURATION,
    "options": _MAP,
    "think": _THINK,
    "truncate": _SWITCH,
    "shift": _SWITCH,
    "_debug_render_only": _BOOL,
    "logprobs": _BOOL,
    "top_logprobs": _WHOLE,
}
_INT32 = Whole("int32", -(1 << 31), (1 << 31) - 1)

CHAT = Struct("api.ChatRequest", {**_COMPLETION, "messages": _MESSAGES, "tools": List(TOOL, "api.Tools")})
GENERATE = Struct(
    "api.GenerateRequest",
    {
        **_COMPLETION,
        "prompt": _TEXT,
        "suffix": _TEXT,
        "system": _TEXT,
        "template": _TEXT,
        "context": List(_WHOLE, "[]int"),
        "raw": _BOOL,
        "images": _IMAGES,
        "width": _INT32,
        "height": _INT32,
        "steps": _INT32,
    },
)
EMBED = Struct(
    "api.EmbedRequest",
    {
        "model": _TEXT,
        "input": _ANY,
        "keep_alive": _DURATION,
        "truncate": _SWITCH,
        "dimensions": _WHOLE,
        "options": _MAP,
    },
)
EMBEDDINGS = Struct(
    "api.EmbeddingRequest", {"model": _TEXT, "prompt": _TEXT, "keep_alive": _DURATION, "options": _MAP}
)
SHOW = Struct(
    "api.ShowRequest",
    {"model": _TEXT, "system": _TEXT, "template": _TEXT, "verbose": _BOOL, "options": _MAP, "name": _TEXT},
)
