"""Whether a value is of a schema: JSON Schema 2020-12, and what older drafts wrote otherwise.

`format` is not checked, as by most validators. The tests compare with the package `jsonschema`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ragbed.gateway.mock.schema.keywords import (
    Schema,
    bounds,
    dependent_names,
    dependent_schemas,
    mapping,
    number,
    of_item,
    of_member,
    schemas,
    texts,
    types,
    within,
)
from ragbed.gateway.mock.schema.patterns import is_in
from ragbed.gateway.mock.schema.references import reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ragbed.gateway.mock.schema.budget import Budget
    from ragbed.gateway.mock.schema.references import References


class Checker:
    """Checks values against schemas of one document.

    Args:
        references: Where its references lead.
        budget: What checking may cost.
    """

    def __init__(self, references: References, budget: Budget) -> None:
        self._references = references
        self._budget = budget
        self._under_way: set[tuple[int, int]] = set()

    def is_valid(self, schema: Any, value: Any) -> bool:
        """Tell whether a value is of a schema; one that requires itself without end allows everything."""
        self._budget.spend()
        if not isinstance(schema, dict):
            return schema is not False
        visit = (id(schema), id(value))
        if visit in self._under_way:
            return True
        self._under_way.add(visit)
        try:
            return (
                self._is_valid_elsewhere(schema, value)
                and _is_of_scalars(schema, value)
                and self._is_of_parts(schema, value)
            )
        finally:
            self._under_way.discard(visit)

    def _is_valid_elsewhere(self, schema: Schema, value: Any) -> bool:
        """Check the keywords that apply other schemas to the same value."""
        ref = reference(schema)
        all_of = [*schemas(schema, "allOf"), *([] if ref is None else [self._references.resolve(ref)])]
        if not all(self.is_valid(one, value) for one in all_of):
            return False
        any_of, one_of = schemas(schema, "anyOf"), schemas(schema, "oneOf")
        if any_of and not any(self.is_valid(one, value) for one in any_of):
            return False
        if one_of and sum(self.is_valid(one, value) for one in one_of) != 1:
            return False
        if "not" in schema and self.is_valid(schema["not"], value):
            return False
        return "if" not in schema or self._is_of_branch(schema, value)

    def _is_of_branch(self, schema: Schema, value: Any) -> bool:
        branch = "then" if self.is_valid(schema["if"], value) else "else"
        return self.is_valid(schema.get(branch, True), value)

    def _is_of_parts(self, schema: Schema, value: Any) -> bool:
        if isinstance(value, dict):
            return self._is_of_members(schema, value)
        return not isinstance(value, list) or self._is_of_items(schema, value)

    def _is_of_members(self, schema: Schema, value: Schema) -> bool:
        if not _has_names(schema, value):
            return False
        needed = [one for name, one in dependent_schemas(schema).items() if name in value]
        if not all(self.is_valid(one, value) for one in needed):
            return False
        named = schema.get("propertyNames", True)
        if not all(self.is_valid(named, name) for name in value):
            return False
        if not all(self.is_valid(one, value[name]) for name in value for one in of_member(schema, name)):
            return False
        if "unevaluatedProperties" not in schema:
            return True
        seen = set(self._seen_names(schema, value))
        rest = [member for name, member in value.items() if name not in seen]
        return all(self.is_valid(schema["unevaluatedProperties"], member) for member in rest)

    def _is_of_items(self, schema: Schema, value: list[Any]) -> bool:
        if not within(len(value), schema, "minItems", "maxItems"):
            return False
        if schema.get("uniqueItems") is True and not are_unique(value):
            return False
        if not all(self.is_valid(of_item(schema, place), item) for place, item in enumerate(value)):
            return False
        if "contains" in schema:
            held = sum(self.is_valid(schema["contains"], item) for item in value)
            least = number(schema, "minContains", 1)
            if not least <= held <= number(schema, "maxContains", math.inf):
                return False
        if "unevaluatedItems" not in schema:
            return True
        seen = self._seen_places(schema, value)
        rest = [item for place, item in enumerate(value) if place not in seen]
        return all(self.is_valid(schema["unevaluatedItems"], item) for item in rest)

    def _seen_names(self, schema: Any, value: Schema) -> Iterator[str]:
        """Yield the names of the members that some keyword has looked at."""
        if not isinstance(schema, dict):
            return
        own = any(word in schema for word in ("additionalProperties", "unevaluatedProperties"))
        for name in value:
            patterns = mapping(schema, "patternProperties")
            if own or name in mapping(schema, "properties") or any(is_in(one, name) for one in patterns):
                yield name
        for other in self._holding(schema, value):
            yield from self._seen_names(other, value)
        for name, dependent in dependent_schemas(schema).items():
            if name in value:
                yield from self._seen_names(dependent, value)

    def _seen_places(self, schema: Any, value: list[Any]) -> set[int]:
        if not isinstance(schema, dict):
            return set()
        if "items" in schema or ("unevaluatedItems" in schema and schema["unevaluatedItems"] is not False):
            return set(range(len(value)))
        seen = set(range(min(len(value), len(schemas(schema, "prefixItems")))))
        if "contains" in schema:
            seen |= {at for at, item in enumerate(value) if self.is_valid(schema["contains"], item)}
        return seen.union(*(self._seen_places(other, value) for other in self._holding(schema, value)))

    def _holding(self, schema: Schema, value: Any) -> list[Any]:
        """Return the schemas that apply to the same value, and hold for it."""
        applied = [*schemas(schema, "allOf"), *schemas(schema, "anyOf"), *schemas(schema, "oneOf")]
        ref = reference(schema)
        applied += [] if ref is None else [self._references.resolve(ref)]
        if "if" in schema:
            holds = self.is_valid(schema["if"], value)
            applied += [schema["if"]] * holds + [schema.get("then" if holds else "else", True)]
        return [one for one in applied if self.is_valid(one, value)]


def _has_names(schema: Schema, value: Schema) -> bool:
    """Check the keywords that look at the names alone."""
    needed = set(texts(schema, "required"))
    needed.update(*(others for name, others in dependent_names(schema).items() if name in value))
    return within(len(value), schema, "minProperties", "maxProperties") and needed <= value.keys()


def _is_of_scalars(schema: Schema, value: Any) -> bool:
    """Check the keywords that look at the value alone."""
    kinds = types(schema)
    if kinds and not any(is_of_type(kind, value) for kind in kinds):
        return False
    if "const" in schema and not same(schema["const"], value):
        return False
    if isinstance(schema.get("enum"), list) and not any(same(one, value) for one in schema["enum"]):
        return False
    if isinstance(value, str):
        pattern = schema.get("pattern")
        long_enough = within(len(value), schema, "minLength", "maxLength")
        return long_enough and (not isinstance(pattern, str) or is_in(pattern, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _is_in_range(schema, value) and _is_multiple(schema, value)
    return True


def _is_in_range(schema: Schema, value: float) -> bool:
    low, above, high, below = bounds(schema)
    return low <= value <= high and above < value < below


def _is_multiple(schema: Schema, value: float) -> bool:
    factor = number(schema, "multipleOf", 0)
    if factor <= 0:
        return True
    if not isinstance(factor, int):
        quotient = value / factor
        if math.isinf(quotient):
            return Fraction(value) % Fraction(factor) == 0
        return int(quotient) == quotient
    return not value % factor


_IS: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    ),
}


def is_of_type(kind: str, value: Any) -> bool:
    """Tell whether a value has a type; 1.0 is an integer."""
    return kind not in _IS or _IS[kind](value)


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal: 1 is 1.0 and is not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


class Distinct:
    """Values of which no two are equal."""

    def __init__(self) -> None:
        self._scalars: set[Any] = set()
        self._others: list[Any] = []

    def add(self, value: Any) -> bool:
        """Take a value in; tell whether it was not there yet."""
        if isinstance(value, list | dict):
            if any(same(value, other) for other in self._others):
                return False
            self._others.append(value)
            return True
        key = (isinstance(value, bool), value)
        if key in self._scalars:
            return False
        self._scalars.add(key)
        return True


def are_unique(values: list[Any]) -> bool:
    """Tell whether no two values are equal."""
    distinct = Distinct()
    return all(distinct.add(value) for value in values)
