"""Queries whose results are grouped by a payload key.

As in Qdrant, candidates are asked for a few times: without the groups that are full already, then only in the best
groups that are not; so that few large groups do not hide the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import WrongInput
from ragbed.qdrant.translate.fields import engine_value, fields, integer, text
from ragbed.qdrant.translate.paths import read_path, values_at
from ragbed.qdrant.translate.queries import take_stage
from ragbed.qdrant.translate.selectors import read_with_payload, read_with_vector, take_with_vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdrant_edge import ConditionType, QueryRequest, ScoredPoint, WithPayloadType, WithVectorType

    from ragbed.qdrant.translate.paths import Step
    from ragbed.qdrant.translate.queries import Stage
    from ragbed.qdrant.translate.references import PointSource

DEFAULT_SIZE = 3
ROUNDS = 5
"""Requests that each of the two phases may take."""

GroupId = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Where to look up the point whose id a group's key is, and which parts of it to return."""

    collection: str
    with_payload: WithPayloadType
    with_vector: WithVectorType


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """A grouped query, read.

    Attributes:
        stage: What scores the points; its limit is how many groups are wanted.
        key: Payload key to group by.
        size: Most points of a group.
        with_payload: Which payload keys of the points go back.
        with_vector: Which of their vectors.
        lookup: Where to look up the groups; None for nowhere.
    """

    stage: Stage
    key: str
    size: int
    with_payload: WithPayloadType
    with_vector: WithVectorType
    lookup: Lookup | None


@dataclass(slots=True)
class _Group:
    best: float
    hits: list[ScoredPoint] = field(default_factory=list)


def read_grouping(body: Any, source: PointSource) -> Grouping:
    """Return a `/points/query/groups` body, read; raises as `read_query` does."""
    with fields(body) as members:
        return Grouping(
            stage=take_stage(members, source),
            key=members.required("group_by", text),
            size=members.optional("group_size", integer(1), DEFAULT_SIZE),
            with_payload=members.optional("with_payload", read_with_payload, default=False),
            with_vector=take_with_vector(members),
            lookup=members.maybe("with_lookup", _lookup),
        )


def _lookup(value: Any, path: str) -> Lookup:
    if isinstance(value, str):
        return Lookup(collection=value, with_payload=True, with_vector=False)
    with fields(value, path) as members:
        return Lookup(
            collection=members.required("collection", text),
            with_payload=members.optional("with_payload", read_with_payload, default=True),
            with_vector=members.optional("with_vectors", read_with_vector, default=False),
        )


def collect(
    grouping: Grouping, search: Callable[[QueryRequest], list[ScoredPoint]]
) -> list[tuple[GroupId, list[ScoredPoint]]]:
    """Return the best groups, each with its best points, which carry neither payload nor vector of their own.

    Args:
        grouping: What is asked for.
        search: Runs one query.
    """
    groups = _Groups(grouping)
    for filling in (False, True):
        for _ in range(ROUNDS):
            if groups.complete():
                return groups.best()
            hits = search(groups.request(filling=filling))
            groups.add(hits)
            if not hits:
                break
    return groups.best()


class _Groups:
    """Groups under collection."""

    def __init__(self, grouping: Grouping) -> None:
        self._grouping = grouping
        self._wanted = grouping.stage.limit
        self._steps: list[Step] = read_path(grouping.key)
        self._groups: dict[GroupId, _Group] = {}
        self._seen: set[Any] = set()

    def add(self, points: list[ScoredPoint]) -> None:
        for point in points:
            keys = values_at(point.payload or {}, self._steps)
            if not all(isinstance(key, str | int) and not isinstance(key, bool) for key in keys):
                continue
            for key in dict.fromkeys(keys):
                self._seen.add(point.id)
                group = self._groups.setdefault(key, _Group(self._rank(point)))
                group.best = min(group.best, self._rank(point))
                group.hits.append(point)

    def _rank(self, point: ScoredPoint) -> float:
        """Return a number that is smaller for better points."""
        ascending = self._grouping.stage.ascending
        value = point.score if point.order_value is None else float(point.order_value)
        return 0.0 if ascending is None else value if ascending else -value

    def _best_keys(self) -> list[GroupId]:
        return sorted(self._groups, key=lambda key: self._groups[key].best)[: self._wanted]

    def _full(self, key: GroupId) -> bool:
        return len(self._groups[key].hits) >= self._grouping.size

    def complete(self) -> bool:
        best = self._best_keys()
        return len(best) >= self._wanted and all(map(self._full, best))

    def best(self) -> list[tuple[GroupId, list[ScoredPoint]]]:
        return [
            (key, sorted(self._groups[key].hits, key=self._rank)[: self._grouping.size])
            for key in self._best_keys()
        ]

    def request(self, *, filling: bool) -> QueryRequest:
        grouping, stage = self._grouping, self._grouping.stage
        must: list[ConditionType] = [] if stage.filter is None else [stage.filter]
        with engine_value("group_by", WrongInput):
            must_not: list[ConditionType] = [engine.IsEmptyCondition(grouping.key)]
        if self._seen:
            must_not.append(engine.HasIdCondition(self._seen))
        if filling:
            lacking = [key for key in self._best_keys() if not self._full(key)]
            must += self._matches(lacking, engine.MatchAny)
        else:
            must += self._matches(list(filter(self._full, self._groups)), engine.MatchExcept)
        with engine_value("group_by", WrongInput):
            return stage.request(
                limit=self._wanted * grouping.size,
                condition=engine.Filter(must=must, must_not=must_not),
                with_payload=engine.PayloadSelector.Include([grouping.key.removesuffix("[]")]),
                scale=grouping.size,
            )

    def _matches(self, keys: list[GroupId], build: Any) -> list[ConditionType]:
        numbers = [key for key in keys if isinstance(key, int) and key < 2**63]
        words = [key for key in keys if isinstance(key, str)]
        return [
            engine.FieldCondition(key=self._grouping.key, match=build(some))
            for some in (numbers, words)
            if some
        ]
