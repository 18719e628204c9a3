"""Writes values of a schema: candidates, from what its keywords say, each checked before it is given.

Schemas that must hold together are kept as a list of parts. A part that offers a choice (`anyOf`, `oneOf`, `if`) is
replaced by each branch in turn, and the first branch that comes to an end gives the value.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from ragbed.gateway.mock.schema.arrays import lengths, placed
from ragbed.gateway.mock.schema.budget import MOST_ITEMS, require_size
from ragbed.gateway.mock.schema.checking import Distinct, are_unique
from ragbed.gateway.mock.schema.keywords import dependent_schemas, number, of_item, of_member, schemas, types
from ragbed.gateway.mock.schema.members import MembersPlan
from ragbed.gateway.mock.schema.references import reference, unreferred, without
from ragbed.gateway.mock.schema.scalars import constants, numbers, strings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragbed.gateway.mock.schema.budget import Budget
    from ragbed.gateway.mock.schema.checking import Checker
    from ragbed.gateway.mock.schema.keywords import Schema
    from ragbed.gateway.mock.schema.references import References

MOST_REPEATS = 3
"""How often a schema may be inside itself in a value."""

_ALTERNATIVES = (
    6  # other values of a member or an item that are tried where the first ones do not fit together
)
_DISTINCT = 500  # values of an item that are tried for one that is not there yet
_LIKELY = {
    "object": (
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "minProperties",
        "propertyNames",
    ),
    "array": ("items", "prefixItems", "contains", "minItems", "uniqueItems"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_EVERY_TYPE = ("string", "object", "array", "integer", "number", "boolean", "null")


class Writer:
    """Writes values of the schemas of one document.

    Args:
        references: Where its references lead.
        checker: Checks what is written.
        budget: What writing may cost.
        text: What strings hold.
        repeats: How often a schema may be inside itself.

    Attributes:
        was_limited: Whether a schema was to be inside itself more often.
    """

    def __init__(
        self, references: References, checker: Checker, budget: Budget, text: str, repeats: int
    ) -> None:
        self._references = references
        self._checker = checker
        self._budget = budget
        self._text = text
        self._repeats = repeats
        self._inside: Counter[str] = Counter()
        self.was_limited = False

    def values(self, parts: Sequence[Any]) -> Iterator[Any]:
        """Yield values that are of every part, without end for some schemas."""
        for value in self._of_branches(tuple(parts)):
            if all(self._checker.is_valid(part, value) for part in parts):
                yield value

    def _of_branches(self, parts: tuple[Any, ...]) -> Iterator[Any]:
        """Yield candidates; the first part that is not plain is replaced by what it stands for."""
        self._budget.spend()
        if any(part is False for part in parts):
            return
        plain = tuple(part for part in parts if isinstance(part, dict))
        for at, part in enumerate(plain):
            rest = (*plain[:at], *plain[at + 1 :])
            ref = reference(part)
            if ref is not None:
                yield from self._referred(ref, (*rest, unreferred(part)))
                return
            branches = _branches(part)
            if branches is not None:
                for branch in branches:
                    yield from self._of_branches((*rest, *branch))
                return
        yield from self._of_types(plain)

    def _referred(self, ref: str, rest: tuple[Any, ...]) -> Iterator[Any]:
        """Go on inside a definition; the count stands for as long as a value of it is being written."""
        if self._inside[ref] > self._repeats:
            self.was_limited = True
            return
        target = self._references.resolve(ref)
        candidates = self._of_branches((*rest, target))
        while True:
            self._inside[ref] += 1
            try:
                value = next(candidates)
            except StopIteration:
                return
            finally:
                self._inside[ref] -= 1
            yield value

    def _of_types(self, parts: tuple[Schema, ...]) -> Iterator[Any]:
        fixed = constants(parts)
        if fixed is not None:
            yield from fixed
            return
        for kind in _kinds(parts):
            yield from self._of_type(kind, parts)

    def _of_type(self, kind: str, parts: tuple[Schema, ...]) -> Iterator[Any]:
        if kind == "object":
            yield from self._objects(parts)
        elif kind == "array":
            yield from self._arrays(parts)
        elif kind == "string":
            yield from strings(parts or ({},), self._text)
        elif kind in {"integer", "number"}:
            yield from numbers(parts or ({},), whole=kind == "integer")
        else:
            yield from (False, True) if kind == "boolean" else (None,)

    def _objects(self, parts: tuple[Schema, ...]) -> Iterator[Any]:
        plan = MembersPlan(parts)
        for names in plan.choices(lambda name: self._may_be(parts, name)):
            self._budget.spend(len(names))
            options = {name: self._first(_member_parts(parts, name)) for name in names}
            held = {name: values for name, values in options.items() if values}
            if any(name not in held for name in plan.required):
                continue
            value = {name: values[0] for name, values in held.items()}
            yield value
            for name, values in held.items():
                yield from ({**value, name: other} for other in values[1:])

    def _may_be(self, parts: tuple[Schema, ...], name: str) -> bool:
        """Tell whether a property of a name can be there at all."""
        named = all(self._checker.is_valid(part.get("propertyNames", True), name) for part in parts)
        return named and not any(one is False for one in _member_parts(parts, name))

    def _first(self, parts: Sequence[Any]) -> list[Any]:
        return list(islice(self.values(parts), _ALTERNATIVES))

    def _arrays(self, parts: tuple[Schema, ...]) -> Iterator[Any]:
        wanted = [(part["contains"], _least_held(part)) for part in parts if "contains" in part]
        require_size("minItems", max([0, *(number(one, "minItems", 0) for one in parts)]), MOST_ITEMS)
        unique = any(part.get("uniqueItems") is True for part in parts)
        kept_out = [
            {"not": part["contains"]} for part in parts if "contains" in part and "maxContains" in part
        ]
        for length in lengths(parts, sum(count for _, count in wanted)):
            for assigned in placed(wanted, length):
                items = self._items(parts, assigned, kept_out, unique=unique)
                if items is not None:
                    yield from self._with_other_items(items, parts, assigned, unique=unique)

    def _items(
        self, parts: tuple[Schema, ...], assigned: Sequence[list[Any]], kept_out: list[Any], *, unique: bool
    ) -> list[Any] | None:
        """Return an item for each place; None where there is none for one of them."""
        items: list[Any] = []
        distinct = Distinct()
        going: dict[
            tuple[int, ...], Iterator[Any]
        ] = {}  # where items must differ, each goes on behind the last
        for place, more in enumerate(assigned):
            self._budget.spend()
            own = [*(of_item(part, place) for part in parts), *(more or kept_out)]
            key = tuple(map(id, own))
            candidates = going.setdefault(key, self.values(own)) if unique else self.values(own)
            tried = islice(candidates, _DISTINCT)
            value = next((one for one in tried if not unique or distinct.add(one)), _NOTHING)
            if value is _NOTHING:
                return None
            items.append(value)
        return items

    def _with_other_items(
        self, items: list[Any], parts: tuple[Schema, ...], assigned: Sequence[list[Any]], *, unique: bool
    ) -> Iterator[list[Any]]:
        """Yield the items, then the same with another value at one place, then longer ones of the same kind."""
        yield items
        for place, more in enumerate(assigned[:_ALTERNATIVES]):
            own = [*(of_item(part, place) for part in parts), *more]
            for other in self._first(own)[1:]:
                changed = [*items[:place], other, *items[place + 1 :]]
                if not unique or are_unique(changed):
                    yield changed


_NOTHING = object()


def _least_held(part: Schema) -> int:
    return int(number(part, "minContains", 1))


def _member_parts(parts: Sequence[Schema], name: str) -> list[Any]:
    return [one for part in parts for one in of_member(part, name)]


def _branches(part: Schema) -> list[tuple[Any, ...]] | None:
    """Return what a part may be replaced by, in the order to try; None for a plain one."""
    if "allOf" in part:
        return [(without(part, "allOf"), *schemas(part, "allOf"))]
    for word in ("anyOf", "oneOf"):
        if schemas(part, word):
            rest = without(part, word)
            return [(rest, choice) for choice in schemas(part, word)]
    if "if" in part:
        rest = without(part, "if", "then", "else")
        holds = (rest, part["if"], part.get("then", True))
        return [holds, (rest, part.get("else", True))]
    dependent = dependent_schemas(part)
    if dependent:
        names = [word for word in ("dependencies", "dependentSchemas") if word in part]
        rest = without(part, "dependentSchemas")
        kept = {name: row for name, row in part.get("dependencies", {}).items() if isinstance(row, list)}
        rest = {**rest, "dependencies": kept} if "dependencies" in names else rest
        return [(rest, *dependent.values()), (rest,)]
    return None


def _kinds(parts: Sequence[Schema]) -> list[str]:
    """Return the types that every part allows, the likeliest first."""
    stated = [types(part) for part in parts if types(part)]
    refused = {kind for part in parts for kind in _refused(part)}
    if stated:
        allowed = [kind for kind in stated[0] if all(_has(kinds, kind) for kinds in stated[1:])]
        narrower = [kind for kinds in stated[1:] for kind in kinds if all(_has(one, kind) for one in stated)]
        return [kind for kind in dict.fromkeys([*allowed, *narrower]) if kind not in refused]
    hinted = [
        kind for kind, words in _LIKELY.items() if any(word in part for part in parts for word in words)
    ]
    texts = any(word in part for part in parts for word in ("pattern", "minLength", "maxLength", "format"))
    ordered = [*(["string"] if texts else []), *hinted, *_EVERY_TYPE]
    return [kind for kind in dict.fromkeys(ordered) if kind not in refused]


def _has(kinds: Sequence[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _refused(part: Schema) -> list[str]:
    """Return the types that a part's `not` leaves no value of."""
    inner = part.get("not")
    return types(inner) if isinstance(inner, dict) and set(inner) == {"type"} else []
