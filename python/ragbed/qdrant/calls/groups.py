"""Endpoints of queries whose results are grouped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from ragbed.qdrant.calls.call import ApiRoute
from ragbed.qdrant.calls.queries import source_of
from ragbed.qdrant.errors import NotFound
from ragbed.qdrant.translate import legacy
from ragbed.qdrant.translate.groups import collect, read_grouping
from ragbed.qdrant.translate.results import record_json, scored_json

if TYPE_CHECKING:
    from ragbed.qdrant.calls.call import Call
    from ragbed.qdrant.translate.groups import GroupId, Grouping, Lookup


def query_groups(call: Call) -> Any:
    """Return the best groups of points that a query finds."""
    return _groups(call, call.body)


def search_groups(call: Call) -> Any:
    """Return the same for the older `search`."""
    return _groups(call, legacy.search(call.body))


def recommend_groups(call: Call) -> Any:
    """Return the same for the older `recommend`."""
    return _groups(call, legacy.recommend(call.body))


def _groups(call: Call, body: Any) -> Any:
    shard = call.shard
    grouping = read_grouping(body, source_of(call.collections, shard))
    groups = collect(grouping, lambda request: shard.query([request])[0])
    ids = list({hit.id: None for _, hits in groups for hit in hits})
    records = shard.retrieve(ids, with_payload=grouping.with_payload, with_vector=grouping.with_vector)
    whole = {record.id: record_json(record) for record in records}
    looked_up = _looked_up(call, grouping, [key for key, _ in groups])
    return {
        "groups": [
            {"id": key, "hits": [_hit(hit, whole) for hit in scored_json(hits)]}
            | ({"lookup": looked_up[key]} if key in looked_up else {})
            for key, hits in groups
        ]
    }


def _hit(point: dict[str, Any], whole: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    """Return a point with the parts that were asked for, instead of the key it was grouped by."""
    shown = {name: item for name, item in point.items() if name not in ("payload", "vector")}
    return shown | {name: item for name, item in whole.get(point["id"], {}).items() if name != "order_value"}


def _looked_up(call: Call, grouping: Grouping, keys: list[GroupId]) -> dict[GroupId, Any]:
    lookup = grouping.lookup
    if lookup is None:
        return {}
    ids = {point_id: key for key in keys if (point_id := _as_id(key)) is not None}
    return {ids[record["id"]]: record for record in _records(call, lookup, list(ids))}


def _records(call: Call, lookup: Lookup, ids: list[int | UUID]) -> list[dict[str, Any]]:
    if not call.collections.exists(lookup.collection):
        raise NotFound(f"Collection {lookup.collection} not found")
    shard = call.collections.find(lookup.collection)
    records = shard.retrieve(ids, with_payload=lookup.with_payload, with_vector=lookup.with_vector)
    return [record_json(record) for record in records]


def _as_id(key: GroupId) -> int | UUID | None:
    if isinstance(key, int):
        return key if key >= 0 else None
    try:
        return UUID(key)
    except ValueError:
        return None


POINTS = "/collections/{name}/points"
ENDPOINTS = (
    ApiRoute(method="POST", path=f"{POINTS}/query/groups", answer=query_groups),
    ApiRoute(method="POST", path=f"{POINTS}/search/groups", answer=search_groups),
    ApiRoute(method="POST", path=f"{POINTS}/recommend/groups", answer=recommend_groups),
)
"""Every endpoint of this module."""
