"""Ollama's `options`: known ones have a type, unknown and null ones are passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.gateway.wires.json_http import WireError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAMPLED = ("num_keep", "seed", "num_predict", "top_k", "repeat_last_n")
_LOADED = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread")
_WHOLE = (*_SAMPLED, *_LOADED)
_PENALTIES = ("repeat_penalty", "presence_penalty", "frequency_penalty")
_REAL = ("temperature", "top_p", "min_p", "typical_p", *_PENALTIES)
_TYPES = {
    **dict.fromkeys(_WHOLE, "integer"),
    **dict.fromkeys(_REAL, "float32"),
    "use_mmap": "boolean",
    "stop": "array",
}


def read_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options that are known and given; whole numbers are cut to such.

    Raises:
        WireError: One has a wrong type. As on the real wire, that is an error of the server.
    """
    given = {name: value for name, value in (options or {}).items() if name in _TYPES and value is not None}
    for name, value in given.items():
        if not _is(value, _TYPES[name]):
            raise WireError(f'option "{name}" must be of type {_TYPES[name]}', status=500)
    if not all(isinstance(sequence, str) for sequence in given.get("stop", ())):
        raise WireError('option "stop" must be of an array of strings', status=500)
    return {name: int(value) if name in _WHOLE else value for name, value in given.items()}


def _is(value: Any, kind: str) -> bool:
    if kind in {"integer", "float32"}:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, bool if kind == "boolean" else list)
