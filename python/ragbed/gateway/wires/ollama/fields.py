"""What types the fields of Ollama's bodies have; a wrong one is refused as the real server refuses it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, TypeVar

from ragbed.gateway.wires.json_http import WireError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

_COMPLETION = {"stream": bool, "options": dict, "truncate": bool, "logprobs": bool, "top_logprobs": int}
CHAT = {**_COMPLETION, "messages": list, "tools": list}
GENERATE = {
    **_COMPLETION,
    "prompt": str,
    "suffix": str,
    "system": str,
    "template": str,
    "context": list,
    "raw": bool,
    "images": list,
}
EMBED = {"options": dict, "truncate": bool, "dimensions": int}
EMBEDDINGS = {"options": dict, "prompt": str}

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@-]*")
_DURATION = re.compile(r"[+-]?(?:(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)")
_THINK = ("high", "medium", "low", "max")
_MOST_LOGPROBS = 20


def typed(body: Mapping[str, Any], key: str, kind: type[T], *, default: T) -> T:
    """Return a field of the body, the default where absent or null; raise WireError on a wrong type."""
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise WireError(f"{key} must be of type {kind.__name__}, not {type(value).__name__}")
    return value


def require_types(body: Mapping[str, Any], fields: Mapping[str, type]) -> None:
    """Refuse a body in which one of these fields has another type; raise WireError."""
    for key, kind in fields.items():
        typed(body, key, kind, default=kind())
    if not 0 <= typed(body, "top_logprobs", int, default=0) <= _MOST_LOGPROBS:
        raise WireError(f"top_logprobs must be between 0 and {_MOST_LOGPROBS}")


def model_name(body: Mapping[str, Any], *, absent_is_unknown: bool = False) -> str:
    """Return the model asked for; `name` is the older key.

    Args:
        body: The request's.
        absent_is_unknown: Whether a body that names none is answered as one that names an unknown model.

    Raises:
        WireError: There is none, or it is no name.
    """
    name = typed(body, "model", str, default="") or typed(body, "name", str, default="")
    if not name and absent_is_unknown:
        raise WireError("model '' not found", status=404)
    if not name:
        raise WireError("model is required")
    if not _NAME.fullmatch(name):
        raise WireError("invalid model name")
    return name


def unloads(body: Mapping[str, Any]) -> bool:
    """Tell whether the model shall not stay loaded: `keep_alive` is no time at all; raise WireError."""
    value = body.get("keep_alive")
    if value is None:
        return False
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise WireError(f"Unsupported type: '{type(value).__name__}'")
    if not isinstance(value, str):
        return value == 0
    if not _DURATION.fullmatch(value):
        raise WireError(f'time: invalid duration "{value}"')
    return not re.search("[1-9]", value)


def wants_thought(body: Mapping[str, Any]) -> bool:
    """Tell whether the model shall think before it answers; raise WireError where `think` is no measure."""
    value = body.get("think")
    if isinstance(value, str) and value not in _THINK:
        raise WireError(
            f'invalid think value: "{value}" (must be "high", "medium", "low", "max", true, or false)'
        )
    if value is not None and not isinstance(value, bool | str):
        raise WireError(f"think must be a boolean or one of {', '.join(_THINK)}")
    return bool(value)


def require_base64(images: list[Any]) -> None:
    """Refuse images that are no base64; raise WireError."""
    for image in images:
        try:
            base64.b64decode(image, validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise WireError(f"an image is no base64: {error}") from error
