"""The smallest JSON value that a schema allows: what the mock answers where structure is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Schema = dict[str, Any]


def example(schema: Mapping[str, Any], text: str) -> Any:
    """Return a value of a JSON schema, the same for the same schema and text.

    Args:
        schema: With its `$defs`, where it refers to any. `pattern` and `format` are not followed; what is of a wrong
            type counts as not said.
        text: What strings hold, as far as their length may be.

    Returns:
        Objects with the properties that are required, with all where the schema does not say; arrays as short as
        they may be; the first of several choices that comes to an end; 0, or the least number allowed; None where a
        schema requires itself without end.
    """
    definitions = {
        "#": schema,
        **_given(schema, "definitions", dict, {}),
        **_given(schema, "$defs", dict, {}),
    }
    return _Writer(text, definitions).value(schema, frozenset())


class _Writer:
    """Writes values; what it goes through carries the names of the definitions that it is inside of."""

    def __init__(self, text: str, definitions: Mapping[str, Any]) -> None:
        self._text = text
        self._definitions = definitions

    def value(self, schema: Any, inside: frozenset[str]) -> Any:
        if not isinstance(schema, dict):
            return self._text
        if name := _referred(schema):
            return None if name in inside else self.value(self._definitions.get(name), inside | {name})
        if "const" in schema:
            return schema["const"]
        if enum := _given(schema, "enum", list, []):
            return enum[0]
        for choice in ("anyOf", "oneOf", "allOf"):
            if choices := _given(schema, choice, list, []):
                ending = [one for one in choices if _referred(one) not in inside]
                return self.value((ending or choices)[0], inside)
        return self._of_type(schema, inside)

    def _of_type(self, schema: Schema, inside: frozenset[str]) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = kind[0] if isinstance(kind, list) and kind else kind
        makers: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(schema, inside),
            "array": lambda: self._array(schema, inside),
            "string": lambda: _string(schema, self._text),
            "integer": lambda: int(_least(schema)),
            "number": lambda: _least(schema),
            "boolean": lambda: False,
        }
        return makers[kind]() if isinstance(kind, str) and kind in makers else None

    def _object(self, schema: Schema, inside: frozenset[str]) -> Schema:
        properties = _given(schema, "properties", dict, {})
        names = [name for name in _given(schema, "required", list, list(properties)) if isinstance(name, str)]
        return {name: self.value(properties.get(name), inside) for name in names}

    def _array(self, schema: Schema, inside: frozenset[str]) -> list[Any]:
        least = _given(schema, "minItems", int, 0)
        return [self.value(schema.get("items"), inside)] * least if least > 0 else []


def _referred(schema: Any) -> str:
    """Return the name of the definition that a schema refers to, `#` for the whole; empty where it refers to none."""
    return str(schema["$ref"]).rpartition("/")[2] if isinstance(schema, dict) and "$ref" in schema else ""


def _string(schema: Schema, text: str) -> str:
    return text[: _given(schema, "maxLength", int, len(text))].ljust(_given(schema, "minLength", int, 0), ".")


def _least(schema: Schema) -> float:
    above = _given(schema, "exclusiveMinimum", (int, float), None)
    if above is not None:
        return float(above) + 1
    return float(_given(schema, "minimum", (int, float), min(0, _given(schema, "maximum", (int, float), 0))))


def _given(schema: Mapping[str, Any], key: str, kind: type | tuple[type, ...], default: Any) -> Any:
    """Return what a schema says, if it is of the kind that it must be."""
    found = schema.get(key)
    return found if isinstance(found, kind) else default
