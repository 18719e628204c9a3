"""What the keywords of a schema hold; one that holds something of a wrong type counts as not said."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ragbed.gateway.mock.schema.patterns import is_in

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]


def bounds(schema: Schema) -> tuple[float, float, float, float]:
    """Return what a number must reach, exceed, not exceed and stay below; draft 4 wrote the second as a switch."""
    low, high = number(schema, "minimum", -math.inf), number(schema, "maximum", math.inf)
    above, below = number(schema, "exclusiveMinimum", -math.inf), number(schema, "exclusiveMaximum", math.inf)
    if schema.get("exclusiveMinimum") is True:
        above = low
    if schema.get("exclusiveMaximum") is True:
        below = high
    return low, above, high, below


def within(size: int, schema: Mapping[str, Any], least: str, most: str) -> bool:
    """Tell whether a size lies between two keywords."""
    return number(schema, least, 0) <= size <= number(schema, most, math.inf)


def number(schema: Mapping[str, Any], keyword: str, default: float) -> float:
    """Return the number that a keyword holds, the default where it holds none."""
    value = schema.get(keyword)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def schemas(schema: Mapping[str, Any], keyword: str) -> list[Any]:
    """Return the schemas in the list that a keyword holds."""
    value = schema.get(keyword)
    return [one for one in value if isinstance(one, dict | bool)] if isinstance(value, list) else []


def mapping(schema: Mapping[str, Any], keyword: str) -> dict[str, Any]:
    """Return the object that a keyword holds."""
    value = schema.get(keyword)
    return value if isinstance(value, dict) else {}


def texts(schema: Mapping[str, Any], keyword: str) -> list[str]:
    """Return the texts in the list that a keyword holds."""
    value = schema.get(keyword)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def types(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a schema allows; none where it does not say."""
    return [schema["type"]] if isinstance(schema.get("type"), str) else texts(schema, "type")


def dependent_names(schema: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return which properties need which others."""
    rows = {**mapping(schema, "dependencies"), **mapping(schema, "dependentRequired")}
    return {name: texts(rows, name) for name, row in rows.items() if isinstance(row, list)}


def dependent_schemas(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return which schemas hold where a property is there."""
    rows = {**mapping(schema, "dependencies"), **mapping(schema, "dependentSchemas")}
    return {name: row for name, row in rows.items() if isinstance(row, dict | bool)}


def of_member(schema: Mapping[str, Any], name: str) -> list[Any]:
    """Return what a schema says of the property of a name."""
    own = [mapping(schema, "properties")[name]] if name in mapping(schema, "properties") else []
    own += [one for pattern, one in mapping(schema, "patternProperties").items() if is_in(pattern, name)]
    return own or [schema.get("additionalProperties", True)]


def of_item(schema: Mapping[str, Any], place: int) -> Any:
    """Return what a schema says of the item at a place; older drafts have a list in `items`."""
    first = schemas(schema, "prefixItems") or schemas(schema, "items")
    if place < len(first):
        return first[place]
    rest = schema.get("additionalItems" if isinstance(schema.get("items"), list) else "items", True)
    return rest if isinstance(rest, dict | bool) else True
