"""Endpoints of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.qdrant.calls.call import Endpoint
from ragbed.qdrant.translate.queries import read_batch, read_query
from ragbed.qdrant.translate.results import scored_json

if TYPE_CHECKING:
    from qdrant_edge import ScoredPoint

    from ragbed.qdrant.calls.call import Call


def query(call: Call) -> Any:
    """Return the points that a query finds, best first."""
    shard = call.shard
    return _found(shard.query([read_query(call.body, shard.source)])[0])


def query_batch(call: Call) -> Any:
    """Return the points that each of several queries finds."""
    shard = call.shard
    return [_found(points) for points in shard.query(read_batch(call.body, shard.source))]


def _found(points: list[ScoredPoint]) -> Any:
    return {"points": [scored_json(point) for point in points]}


ENDPOINTS = (
    Endpoint(method="POST", path="/collections/{name}/points/query", answer=query),
    Endpoint(method="POST", path="/collections/{name}/points/query/batch", answer=query_batch),
)
"""Every endpoint of this module."""
