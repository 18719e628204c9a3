"""Names of models, as each of Ollama's endpoints reads and refuses them.

Source: `server/model_resolver.go` and `types/model/name.go` of the Ollama that `stack.toml` pins.
"""

from __future__ import annotations

import re

from ragbed.gateway.wires.json_http import WireError

_HOST = r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}"
_NAMESPACE = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}"
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAME = re.compile(rf"(?:(?:{_HOST}/)?{_NAMESPACE}/)?{_PART}(?::{_PART})?")
_LOCAL = re.compile(r":local$", re.IGNORECASE)


def model_name(name: str, *, absent_is_unknown: bool = False) -> str:
    """Return the model asked for, as it was asked for.

    Args:
        name: The field of the body; white space around it is passed over.
        absent_is_unknown: Whether a body that names none is answered as one that names an unknown model.

    Raises:
        WireError: There is none, or it is not a name.
    """
    if not name.strip():
        raise (
            WireError(f"model '{name}' not found", status=404)
            if absent_is_unknown
            else WireError("model is required")
        )
    base = _LOCAL.sub("", name.strip())
    if not _NAME.fullmatch(base):
        raise WireError("invalid model name")
    return base
