"""The parts of a body: values, payloads, vectors and filters, ordinary ones or at a limit of the engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from limit_values import DEPTHS, IDS, NUMBERS, SIZES, TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

SIZE = 4
SQUARE = [{"lon": lon, "lat": lat} for lon, lat in ((0, 0), (0, 1), (1, 1), (1, 0), (0, 0))]


class Written(str):
    """JSON as it goes over the wire, which no encoder would write."""

    __slots__ = ()


def as_json(value: Any) -> str:
    """Return JSON of a value, `Written` parts as they are; deep values are welcome."""
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{as_json(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    return json.dumps(value)


class Parts:
    """Generates parts.

    Args:
        random: Where every choice comes from, so that a seed repeats a run.
    """

    def __init__(self, random: Random) -> None:
        self._random = random

    def _often(self) -> bool:
        """Whether this part of a body is an ordinary one, lest one limit in each hid the others."""
        return self._random.random() < 0.55

    def nested(self) -> Written:
        """A value nested to a limit: arrays, objects or both; the only key may be empty."""
        depth = self._random.choice(DEPTHS)
        opening, closing = self._random.choice(
            (('{"a":', "}"), ('{"":', "}"), ("[", "]"), ('[{"a":', "}]"), ("[1,[],", "]"))
        )
        levels = max(1, depth // (2 if len(closing) == 2 else 1))
        return Written(opening * levels + "1" + closing * levels)

    def text(self) -> str:
        """A string at a limit."""
        if self._often():
            return self._random.choice("abn")
        return (
            self._random.choice(TEXTS) if self._random.random() < 0.95 else "x" * self._random.choice(SIZES)
        )

    def value(self) -> Any:
        """A payload's value at a limit."""
        if self._often():
            return self._random.choice(
                (1, 2.5, "a", True, None, [1, 2], {"b": "c"}, "2020-01-01T00:00:00Z", {"lon": 1, "lat": 2})
            )
        kinds: tuple[Callable[[], Any], ...] = (
            self.nested,
            self.nested,
            lambda: Written(self._random.choice(NUMBERS)),
            self.text,
            lambda: [self.text() for _ in range(3)],
            lambda: {f"k{n}": n for n in range(self._random.choice((0, 1, 1000, 5000)))},
            lambda: [0] * self._random.choice((0, 1, 1000, 50_000)),
            lambda: {self.text(): 1, self.text(): None},
            lambda: {"lon": Written(self._random.choice(NUMBERS)), "lat": 90},
            lambda: Written('{"a":1,"a":2}'),
        )
        return self._random.choice(kinds)()

    def payload(self) -> Any:
        """A payload at a limit."""
        if self._often():
            return {"n": self._random.randrange(10), "a": [{"b": self._random.randrange(10)}]}
        return self._random.choice(
            (self.nested, lambda: {"n": self.value()}, lambda: {self.text(): self.value()})
        )()

    def point_id(self) -> Written:
        """A point's id: mostly one that can be."""
        if self._random.random() < 0.85:
            return Written(str(self._random.randrange(40)))
        return Written(self._random.choice(IDS))

    def ids(self) -> list[Any]:
        """Several ids, sometimes very many."""
        return (
            list(range(30_000))
            if self._random.random() < 0.01
            else [self.point_id() for _ in range(self._random.randrange(1, 4))]
        )

    def number(self) -> Any:
        """A vector's number."""
        return (
            Written(self._random.choice(NUMBERS))
            if self._random.random() < 0.08
            else round(self._random.uniform(-1, 1), 3)
        )

    def row(self, size: int = SIZE) -> list[Any]:
        """A vector: mostly one that can be."""
        if self._random.random() < 0.1:
            return [0.0] * size
        return [
            self.number()
            for _ in range(
                size if self._random.random() < 0.9 else self._random.choice((0, 1, size + 1, 10_000))
            )
        ]

    def sparse(self) -> dict[str, Any]:
        """A sparse vector: indices twice, unsorted, huge, or fewer than values."""
        indices: list[Any] = self._random.sample((0, 1, 7, 2**31, 2**32 - 1), 3)
        if self._random.random() < 0.2:
            indices[0] = self._random.choice((2**32, -1, 1.0, indices[1]))
        return {
            "indices": indices,
            "values": [self.number() for _ in range(self._random.choice((3, 3, 3, 2)))],
        }

    def vectors(self) -> Any:
        """The vectors of a point."""
        rows = [self.row(2) for _ in range(self._random.choice((0, 1, 2, 50)))]
        made = {
            "dense": self.row(),
            "rows": rows,
            "far": self.row(),
            "words": self.sparse(),
            "idf": self.sparse(),
        }
        names = self._random.sample(sorted(made), self._random.randrange(1, 4))
        chosen: dict[str, Any] = {name: made[name] for name in names}
        return chosen if self._random.random() < 0.95 else {self.text(): self.row()}

    def point(self) -> dict[str, Any]:
        """A point; half of them have ordinary vectors, so that they are taken if their payload is."""
        vectors = self.vectors() if self._random.random() < 0.5 else {"far": [1, 2, 3, 4]}
        return {"id": self.point_id(), "vector": vectors, "payload": self.payload()}

    def filter(self) -> Written:
        """A filter nested to a limit, in one of the ways that there are."""
        if self._often():
            return Written(as_json({"must": [self._leaf()]}))
        leaf = as_json(self._leaf())
        ways = (
            ('{"must":[', "]}"),
            ('{"must":', "}"),
            ('{"must_not":[', "]}"),
            ('{"should":[', "]}"),
            ('{"nested":{"key":"a","filter":{"must":[', "]}}}"),
            ('{"min_should":{"min_count":1,"conditions":[', "]}}"),
        )
        opening, closing = self._random.choice(ways)
        count = max(1, self._random.choice(DEPTHS) // (1 + self._random.randrange(3)))
        return Written('{"must":[' + opening * count + leaf + closing * count + "]}")

    def _leaf(self) -> Any:
        number = Written(self._random.choice(NUMBERS))
        return self._random.choice(
            (
                {"key": self.text(), "match": {"value": 7}},
                {"key": "n", "match": {"value": number}},
                {"key": "n", "match": {"any": [self.text(), self.text()]}},
                {"key": "n", "match": {"text": self.text()}},
                {"key": "n", "range": {"gte": number, "lt": Written(self._random.choice(NUMBERS))}},
                {"key": "n", "range": {"gte": "2020-01-01T00:00:00Z"}},
                {"key": "n", "values_count": {"gt": number}},
                {"key": "n", "geo_radius": {"center": {"lon": number, "lat": 0}, "radius": number}},
                {
                    "key": "n",
                    "geo_polygon": {
                        "exterior": {
                            "points": [{"lon": n % 2, "lat": n % 3} for n in range(5)]
                            + [{"lon": 0, "lat": 0}]
                        }
                    },
                },
                {"has_id": self.ids()},
                {"has_vector": self.text()},
                {"is_empty": {"key": self.text()}},
                {"is_null": {"key": self.text()}},
                {},
            )
        )

    def _target(self) -> dict[str, Any]:
        return {"points": self.ids()} if self._random.random() < 0.6 else {"filter": self.filter()}
