"""The smallest JSON value that a schema allows: what the mock answers where structure is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Schema = dict[str, Any]


def example(schema: Mapping[str, Any], text: str) -> Any:
    """Return a value of a JSON schema, the same for the same schema and text.

    Args:
        schema: With its `$defs`, where it refers to any. `pattern` and `format` are not followed.
        text: What strings hold, as far as their length may be.

    Returns:
        Objects with the properties that are required, with all where the schema does not say; arrays as short as
        they may be; the first of several choices; 0, or the least number allowed.
    """
    return _example(schema, text, schema.get("$defs", {}))


def _example(schema: Any, text: str, definitions: Mapping[str, Any]) -> Any:
    if not isinstance(schema, dict):
        return text
    if "$ref" in schema:
        return _example(definitions.get(str(schema["$ref"]).rpartition("/")[2]), text, definitions)
    if "const" in schema:
        return schema["const"]
    for choice in ("enum", "anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            first = schema[choice][0]
            return first if choice == "enum" else _example(first, text, definitions)
    return _of_type(schema, text, definitions)


def _of_type(schema: Schema, text: str, definitions: Mapping[str, Any]) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return _object(schema, text, definitions)
    if kind == "array":
        return [_example(schema.get("items"), text, definitions)] * schema.get("minItems", 0)
    makers: dict[str, Callable[[], Any]] = {
        "string": lambda: _string(schema, text),
        "integer": lambda: int(_least(schema)),
        "number": lambda: _least(schema),
        "boolean": lambda: False,
    }
    return makers[kind]() if kind in makers else None


def _object(schema: Schema, text: str, definitions: Mapping[str, Any]) -> Schema:
    properties = schema.get("properties", {})
    names = schema.get("required", list(properties))
    return {name: _example(properties.get(name), text, definitions) for name in names}


def _string(schema: Schema, text: str) -> str:
    return text[: schema.get("maxLength", len(text))].ljust(schema.get("minLength", 0), ".")


def _least(schema: Schema) -> float:
    if "exclusiveMinimum" in schema:
        return float(schema["exclusiveMinimum"]) + 1
    return float(schema.get("minimum", min(0, schema.get("maximum", 0))))
