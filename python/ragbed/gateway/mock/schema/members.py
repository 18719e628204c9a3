"""Which properties an object gets."""

from __future__ import annotations

import math
from itertools import chain, islice
from typing import TYPE_CHECKING

from ragbed.gateway.mock.schema.budget import MOST_ITEMS, require_size
from ragbed.gateway.mock.schema.keywords import dependent_names, mapping, number, schemas, texts
from ragbed.gateway.mock.schema.patterns import texts_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ragbed.gateway.mock.schema.keywords import Schema

_MOST_NAMES = 200


class MembersPlan:
    """Chooses the names of an object's properties.

    Args:
        parts: Schemas of the object.
    """

    def __init__(self, parts: Sequence[Schema]) -> None:
        self._parts = parts
        self.declared = list(dict.fromkeys(name for part in parts for name in mapping(part, "properties")))
        needed = [name for part in parts for name in texts(part, "required")]
        self.required = self._closed(needed)

    def choices(self, may_be: Callable[[str], bool]) -> Iterator[list[str]]:
        """Yield sets of names, the natural one first.

        Args:
            may_be: Tells whether a property of a name can be there at all.
        """
        says = any("required" in part for part in self._parts)
        optional = [name for name in self.declared if may_be(name)]
        least = int(max([0, *(number(part, "minProperties", 0) for part in self._parts)]))
        most = min([math.inf, *(number(part, "maxProperties", math.inf) for part in self._parts)])
        require_size("minProperties", least, MOST_ITEMS)
        first = self.required if says else self._closed([*self.required, *optional])
        tried = [first, self.required, self._closed([*self.required, *optional])]
        tried += [self._closed([*self.required, name]) for name in optional]
        tried += [
            [name for name in tried[2] if name != left] for left in optional if left not in self.required
        ]
        given: list[list[str]] = []
        for names in tried:
            full = self._filled(self._ordered(names), least, may_be)
            full = full if len(full) <= most else self.required
            if full not in given:
                given.append(full)
                yield full

    def _ordered(self, names: Iterable[str]) -> list[str]:
        """Return the names in the order of their declaration, the others behind them."""
        chosen = set(names)
        return [name for name in dict.fromkeys([*self.declared, *names]) if name in chosen]

    def _closed(self, names: Iterable[str]) -> list[str]:
        """Return the names and those that they need."""
        closed = dict.fromkeys(names)
        rest = list(closed)
        while rest:
            name = rest.pop()
            for part in self._parts:
                for other in dependent_names(part).get(name, ()):
                    if other not in closed:
                        closed[other] = None
                        rest.append(other)
        return list(closed)

    def _filled(self, names: list[str], least: int, may_be: Callable[[str], bool]) -> list[str]:
        """Return the names and as many more as the object must have at least."""
        if len(names) >= least:
            return names
        more = (name for name in self._others(least) if name not in names and may_be(name))
        return self._closed([*names, *islice(dict.fromkeys(more), least - len(names))])

    def _others(self, least: int) -> Iterator[str]:
        patterns = [pattern for part in self._parts for pattern in mapping(part, "patternProperties")]
        rules = [mapping(part, "propertyNames") for part in self._parts]
        inner = [one for rule in rules for word in ("allOf", "anyOf") for one in schemas(rule, word)]
        rules += [one for one in inner if isinstance(one, dict)]
        listed = [name for rule in rules for name in texts(rule, "enum")]
        patterns += [rule["pattern"] for rule in rules if isinstance(rule.get("pattern"), str)]
        made = (islice(texts_with(pattern), _MOST_NAMES) for pattern in patterns)
        return chain(
            self.declared,
            listed,
            chain.from_iterable(made),
            (f"property{place}" for place in range(least + _MOST_NAMES)),
            (chr(ord("a") + place) * size for size in range(1, 30) for place in range(26)),
        )
