"""How long an array may be, and where the items go that it must contain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ragbed.gateway.mock.schema.keywords import number, schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragbed.gateway.mock.schema.keywords import Schema

_LONGER = 4  # lengths that are tried beyond the shortest


def lengths(parts: Sequence[Schema], contained: int) -> list[int]:
    """Return the lengths to try: as many items as are listed one by one, else as few as may be.

    Args:
        parts: Schemas of the array.
        contained: Items that it must contain.
    """
    least = int(max([0, *(number(part, "minItems", 0) for part in parts)]))
    most = min([math.inf, *(number(part, "maxItems", math.inf) for part in parts)])
    listed = max([0, *(_listed(part) for part in parts)])
    first = max(least, min(listed, most))
    tried = [first, *range(least, least + contained + listed + _LONGER)]
    return [int(length) for length in dict.fromkeys(tried) if least <= length <= most]


def _listed(part: Schema) -> int:
    return len(schemas(part, "prefixItems") or schemas(part, "items"))


def placed(wanted: Sequence[tuple[Any, int]], length: int) -> Iterator[list[list[Any]]]:
    """Yield which schemas each place gets beside its own, for the items that the array must contain.

    Args:
        wanted: Schemas and how many items of each there must be.
        length: Of the array.
    """
    if not wanted:
        yield [[] for _ in range(length)]
        return
    for start in range(max(1, length)):
        places: list[list[Any]] = [[] for _ in range(length)]
        at = start
        for schema, count in wanted:
            for _ in range(min(count, length)):
                places[(length - 1 - at) % length].append(schema)
                at += 1
        yield places
