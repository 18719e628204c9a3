"""Endpoints of queries and facets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.qdrant.calls.call import ApiRoute
from ragbed.qdrant.errors import NotFound
from ragbed.qdrant.translate.queries import read_batch, read_facet, read_query
from ragbed.qdrant.translate.references import PointSource
from ragbed.qdrant.translate.results import found_json

if TYPE_CHECKING:
    from ragbed.qdrant.calls.call import Call
    from ragbed.qdrant.collections import Collections
    from ragbed.qdrant.shard import Shard


def source_of(collections: Collections, shard: Shard) -> PointSource:
    """Return what a query of one collection may refer to: its own points, and those of the others."""

    def elsewhere(collection: str) -> PointSource:
        if not collections.exists(collection):
            raise NotFound(f"Collection {collection} not found")
        return source_of(collections, collections.find(collection))

    return PointSource(
        name=shard.name, schema=shard.config.schema, lookup=shard.vector_of, elsewhere=elsewhere
    )


def query(call: Call) -> Any:
    """Return the points that a query finds, best first."""
    shard = call.shard
    request = read_query(call.body, source_of(call.collections, shard))
    return {"points": found_json(request, shard.query([request])[0])}


def query_batch(call: Call) -> Any:
    """Return the points that each of several queries finds."""
    shard = call.shard
    requests = read_batch(call.body, source_of(call.collections, shard))
    batches = shard.query(requests) if requests else []
    return [
        {"points": found_json(request, points)} for request, points in zip(requests, batches, strict=True)
    ]


def facet(call: Call) -> Any:
    """Return how many points hold each value of a payload key."""
    request, limit = read_facet(call.body)
    facets = call.shard.facet(request)
    return {"hits": [{"value": hit.value, "count": hit.count} for hit in facets.hits[:limit]]}


ENDPOINTS = (
    ApiRoute(method="POST", path="/collections/{name}/points/query", answer=query),
    ApiRoute(method="POST", path="/collections/{name}/points/query/batch", answer=query_batch),
    ApiRoute(method="POST", path="/collections/{name}/facet", answer=facet),
)
"""Every endpoint of this module."""
