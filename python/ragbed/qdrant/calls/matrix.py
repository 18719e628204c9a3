"""Endpoints of the distances between sampled points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import qdrant_edge as engine

from ragbed.qdrant.calls.call import ApiRoute
from ragbed.qdrant.translate.fields import fields, integer, text
from ragbed.qdrant.translate.filters import read_filter
from ragbed.qdrant.translate.results import shortest
from ragbed.qdrant.translate.schema import DEFAULT, kind_of

if TYPE_CHECKING:
    from uuid import UUID

    from qdrant_edge import ConditionType, ScoredPoint

    from ragbed.qdrant.calls.call import Call

DEFAULT_SAMPLE = 10
DEFAULT_LIMIT = 3


def pairs(call: Call) -> Any:
    """Return the matrix as pairs of ids with their score."""
    cells = [(point, near) for point, row in _matrix(call) for near in row]
    scores = shortest([near.score for _, near in cells])
    return {
        "pairs": [
            {"a": point.id, "b": near.id, "score": score}
            for (point, near), score in zip(cells, scores, strict=True)
        ]
    }


def offsets(call: Call) -> Any:
    """Return the matrix as rows, columns and scores."""
    matrix = _matrix(call)
    column = {point.id: index for index, (point, _) in enumerate(matrix)}
    cells = [(index, column[near.id], near.score) for index, (_, row) in enumerate(matrix) for near in row]
    return {
        "offsets_row": [row for row, _, _ in cells],
        "offsets_col": [col for _, col, _ in cells],
        "scores": shortest([score for _, _, score in cells]),
        "ids": [point.id for point, _ in matrix],
    }


def _matrix(call: Call) -> list[tuple[ScoredPoint, list[ScoredPoint]]]:
    """Return points drawn at random, by id, each with those of them that are nearest to it."""
    shard = call.shard
    with fields(call.body) as members:
        members.unsupported("shard_key")
        condition = members.maybe("filter", read_filter)
        sample = members.optional("sample", integer(2), DEFAULT_SAMPLE)
        limit = members.optional("limit", integer(1), DEFAULT_LIMIT)
        using = members.optional("using", text, DEFAULT)
    kind_of(using, shard.config.schema)
    must: list[ConditionType] = [engine.HasVectorCondition(using)]
    if condition is not None:
        must.append(condition)
    drawn = engine.QueryRequest(
        limit=sample, query=engine.Sample.Random, filter=engine.Filter(must=must), with_vector=[using]
    )
    points = sorted(shard.query([drawn])[0], key=lambda point: _order(point.id))
    if len(points) < 2:
        return []
    among = engine.Filter(must=[engine.HasIdCondition({point.id for point in points})])
    rows = shard.query([_nearest(point, using, limit + 1, among) for point in points])
    return [(point, _without(point, row)[:limit]) for point, row in zip(points, rows, strict=True)]


def _order(point_id: int | UUID | str) -> tuple[bool, int, str]:
    """Return what sorts ids: numbers before UUIDs, as in Qdrant."""
    number = point_id if isinstance(point_id, int) else 0
    return not isinstance(point_id, int), number, str(point_id)


def _nearest(point: ScoredPoint, using: str, limit: int, among: engine.Filter) -> engine.QueryRequest:
    vectors: Any = point.vector
    vector = cast("Any", vectors[using] if isinstance(vectors, dict) else vectors)
    return engine.QueryRequest(limit=limit, query=engine.Query.Nearest(vector, using=using), filter=among)


def _without(point: ScoredPoint, row: list[ScoredPoint]) -> list[ScoredPoint]:
    return [near for near in row if near.id != point.id]


POINTS = "/collections/{name}/points"
ENDPOINTS = (
    ApiRoute(method="POST", path=f"{POINTS}/search/matrix/pairs", answer=pairs),
    ApiRoute(method="POST", path=f"{POINTS}/search/matrix/offsets", answer=offsets),
)
"""Every endpoint of this module."""
