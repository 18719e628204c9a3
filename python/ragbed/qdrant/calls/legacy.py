"""Endpoints of the older `search`, `recommend` and `discover`, which servers still answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.qdrant.calls.call import ApiRoute
from ragbed.qdrant.calls.queries import source_of
from ragbed.qdrant.translate import legacy
from ragbed.qdrant.translate.fields import fields, list_of
from ragbed.qdrant.translate.queries import read_query
from ragbed.qdrant.translate.results import scored_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.qdrant.calls.call import Call

    AsQuery = Callable[[Any, str], dict[str, Any]]


def _one(as_query: AsQuery) -> Callable[[Call], Any]:
    def answer(call: Call) -> Any:
        """Return the points found, best first."""
        shard = call.shard
        request = read_query(as_query(call.body, ""), source_of(call.collections, shard))
        return scored_json(shard.query([request])[0])

    return answer


def _batch(as_query: AsQuery) -> Callable[[Call], Any]:
    def answer(call: Call) -> Any:
        """Return the points that each of several requests finds."""
        shard = call.shard
        source = source_of(call.collections, shard)
        with fields(call.body) as members:
            requests = members.required(
                "searches", list_of(lambda item, at: read_query(as_query(item, at), source, at))
            )
        return [scored_json(points) for points in shard.query(requests)] if requests else []

    return answer


POINTS = "/collections/{name}/points"
ENDPOINTS = tuple(
    endpoint
    for name, as_query in (
        ("search", legacy.search),
        ("recommend", legacy.recommend),
        ("discover", legacy.discover),
    )
    for endpoint in (
        ApiRoute(method="POST", path=f"{POINTS}/{name}", answer=_one(as_query)),
        ApiRoute(method="POST", path=f"{POINTS}/{name}/batch", answer=_batch(as_query)),
    )
)
"""Every endpoint of this module."""
