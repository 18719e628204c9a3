"""Where a `$ref` leads, inside one schema document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin

from ragbed.gateway.engine import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_DATA = frozenset({"const", "enum", "default", "examples"})
_MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_REFERS = ("$ref", "$dynamicRef", "$recursiveRef")
_MOST_DEEP = 100


class References:
    """Finds parts of a schema by reference.

    Args:
        schema: The whole document.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._root = schema
        self._base = schema["$id"] if isinstance(schema.get("$id"), str) else ""
        self._named: dict[str, Any] = {}
        self._parts = list(self._walk(schema, self._base, 0))

    def require(self) -> None:
        """Refuse a schema with a reference that leads nowhere, or with an unknown type; raise NoAnswerError."""
        for part in self._parts:
            ref = reference(part)
            if ref is not None:
                self.resolve(ref)
            kinds = part.get("type", [])
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if not all(isinstance(kind, str) and kind in TYPES for kind in kinds):
                raise NoAnswerError("")

    def resolve(self, ref: str) -> Any:
        """Return the schema that a reference leads to.

        Raises:
            NoAnswerError: There is none; its message is empty, as a real server says no more either.
        """
        address, fragment = urldefrag(urljoin(self._base, ref) if self._base else ref)
        whole = self._root if address == urldefrag(self._base)[0] else self._named.get(address)
        if fragment and not fragment.startswith("/"):
            whole = self._named.get(f"{address}#{fragment}")
        elif fragment and whole is not None:
            whole = _pointed(whole, fragment)
        if not isinstance(whole, dict | bool):
            raise NoAnswerError("")
        return whole

    def _walk(self, schema: Any, base: str, depth: int) -> Iterator[dict[str, Any]]:
        """Yield every schema in a schema, and note the names that some have."""
        if depth > _MOST_DEEP:
            raise NoAnswerError("its parts lie too deep inside each other")
        if isinstance(schema, list):
            for item in schema:
                yield from self._walk(item, base, depth + 1)
        if not isinstance(schema, dict):
            return
        base = self._noted(schema, base)
        yield schema
        for keyword, value in schema.items():
            if keyword in _MAPS and isinstance(value, dict):
                yield from self._walk(list(value.values()), base, depth + 1)
            elif keyword not in _DATA:
                yield from self._walk(value, base, depth + 1)

    def _noted(self, schema: dict[str, Any], base: str) -> str:
        if isinstance(schema.get("$id"), str):
            base = urldefrag(urljoin(base, schema["$id"]))[0]
            self._named.setdefault(base, schema)
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(schema.get(keyword), str):
                self._named.setdefault(f"{base}#{schema[keyword]}", schema)
        return base


def reference(schema: Mapping[str, Any]) -> str | None:
    """Return what a schema refers to; None where it refers to nothing."""
    return next((schema[word] for word in _REFERS if isinstance(schema.get(word), str)), None)


def without(schema: Mapping[str, Any], *keywords: str) -> dict[str, Any]:
    """Return a schema without some of its keywords."""
    return {key: value for key, value in schema.items() if key not in keywords}


def unreferred(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands beside a reference."""
    return without(schema, *_REFERS)


def _pointed(schema: Any, pointer: str) -> Any:
    for token in unquote(pointer).split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, dict):
            schema = schema.get(key)
        elif isinstance(schema, list) and key.isdigit() and int(key) < len(schema):
            schema = schema[int(key)]
        else:
            return None
    return schema
