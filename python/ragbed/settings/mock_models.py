"""Models that a project declares for the mock LLM, in `[mock.models]` of `ragbed.toml`."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from ragbed.errors import ConfigurationError

CAPABILITIES = ("completion", "embedding", "tools", "thinking", "vision", "insert")
"""What a model can be declared to do, in Ollama's words."""

_KEYS = ("dimensions", "capabilities", "context")
_MOST_DIMENSIONS = 65_536
_MOST_CONTEXT = 100_000_000
_NAME = re.compile(
    r"(?:[A-Za-z0-9_][A-Za-z0-9_.:-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?"
)
_EXAMPLES = 'bge-m3 = { dimensions = 1024 }, or my-chat = { capabilities = ["completion", "tools"] }'


def read_models(raw: object, source: str) -> dict[str, dict[str, Any]]:
    """Return the declarations by name, checked; those of the environment are JSON.

    Args:
        raw: A table, or its JSON.
        source: Where it came from, for messages.

    Raises:
        ConfigurationError: A declaration is wrong; the message names the model.
    """
    tables = _parsed(raw, source) if isinstance(raw, str) else raw
    if not isinstance(tables, dict):
        raise ConfigurationError(
            f"mock.models ({source}) is not a table of models", hint=f"write {_EXAMPLES}"
        )
    models = {name: _model(str(name), table, source) for name, table in tables.items()}
    names = [name.lower().removesuffix(":latest") for name in models]
    for name in models:
        if names.count(name.lower().removesuffix(":latest")) > 1:
            raise _wrong(
                name, "is declared twice: a name without a tag means :latest, in capitals or not", source
            )
    return models


def _parsed(raw: str, source: str) -> object:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise ConfigurationError(
            f"mock.models ({source}) is not JSON: {error}",
            hint='write {"bge-m3": {"dimensions": 1024}}, or declare it in ragbed.toml',
        ) from None


def _model(name: str, table: object, source: str) -> dict[str, Any]:
    if not _NAME.fullmatch(name):
        raise _wrong(name, "is not the name of a model", source)
    if not isinstance(table, dict):
        raise _wrong(name, f"is {table!r}, expected a table", source)
    for key in table:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, n=1) or _KEYS
            raise _wrong(
                name, f"has the key {key!r}, which is not one of {', '.join(_KEYS)}", source, near[0]
            )
    dimensions = _number(name, table, "dimensions", _MOST_DIMENSIONS, source)
    context = _number(name, table, "context", _MOST_CONTEXT, source)
    capabilities = _capabilities(name, table, source, embeds=dimensions > 0)
    if ("embedding" in capabilities) != bool(dimensions):
        lacking = "dimensions" if not dimensions else '"embedding" among its capabilities'
        raise _wrong(name, f"embeds and lacks {lacking}", source)
    numbers = {"dimensions": dimensions, "context": context}
    return {"capabilities": capabilities, **{key: value for key, value in numbers.items() if value}}


def _capabilities(name: str, table: dict[str, Any], source: str, *, embeds: bool) -> list[str]:
    default = ["embedding"] if embeds else ["completion", "tools"]
    given = table.get("capabilities", default)
    if not isinstance(given, list) or not given:
        raise _wrong(
            name, f"has capabilities {given!r}, expected a list of {', '.join(CAPABILITIES)}", source
        )
    for one in given:
        if one not in CAPABILITIES:
            near = difflib.get_close_matches(str(one), CAPABILITIES, n=1)
            known = f"did you mean {near[0]}" if near else f"known are {', '.join(CAPABILITIES)}"
            raise _wrong(name, f"has the capability {one!r}, which no model has: {known}", source)
    more = [one for one in given if one not in {"completion", "embedding"}]
    if more and "completion" not in given:
        raise _wrong(name, f"has {', '.join(more)} without completion", source)
    return list(dict.fromkeys(given))


def _number(name: str, table: dict[str, Any], key: str, most: int, source: str) -> int:
    value = table.get(key, 0)
    if key not in table or (type(value) is int and 0 < value <= most):
        return int(value)
    raise _wrong(name, f"has {key} {value!r}, expected a whole number from 1 to {most}", source)


def _wrong(name: str, what: str, source: str, near: str = "") -> ConfigurationError:
    hint = f"did you mean {near}?" if near else f"write {_EXAMPLES}"
    return ConfigurationError(f'mock.models: "{name}" {what} ({source})', hint=hint)
