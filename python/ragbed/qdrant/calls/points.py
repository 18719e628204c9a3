"""Endpoints of points: write, read, count, and payload indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.qdrant.calls.call import ApiRoute
from ragbed.qdrant.errors import NotFound, WrongInput
from ragbed.qdrant.translate import points
from ragbed.qdrant.translate.batches import read_operations
from ragbed.qdrant.translate.fields import fields
from ragbed.qdrant.translate.ids import read_ids, read_path_id
from ragbed.qdrant.translate.payload_indexes import delete_index, read_create_index
from ragbed.qdrant.translate.queries import read_count, read_scroll
from ragbed.qdrant.translate.results import record_json
from ragbed.qdrant.translate.selectors import read_with_payload, take_with_vector

if TYPE_CHECKING:
    from qdrant_edge import UpdateOperation

    from ragbed.qdrant.calls.call import Call
    from ragbed.qdrant.shard import Shard


COPIES = 2
"""Space that an index of the payloads may take, or writing all of them anew, in sizes of what they take."""


def _applied(call: Call, operation: UpdateOperation, shard: Shard | None = None) -> Any:
    """Apply a write. It is done on return either way; the status only says what the client asked to hear."""
    return _answer(call, (shard or call.shard).update(operation, len(call.content)))


def _applied_to_all(call: Call, operation: UpdateOperation) -> Any:
    """Apply a write that may write every payload anew, whatever its own size."""
    shard = call.shard
    return _answer(call, shard.update(operation, len(call.content) + COPIES * shard.payload_bytes))


def _changed_payload(call: Call, body: Any, operation: UpdateOperation) -> Any:
    return (_applied if body.get("points") else _applied_to_all)(call, operation)


def _answer(call: Call, number: int) -> Any:
    return {"operation_id": number, "status": "completed" if call.wait else "acknowledged"}


def upsert(call: Call) -> Any:
    """Write points, new or existing."""
    shard = call.shard  # looked up once: an alias may move between the check of the vectors and the write
    return _applied(call, points.read_upsert(call.points, shard.config.schema), shard)


def update_vectors(call: Call) -> Any:
    """Replace vectors of points."""
    shard = call.shard
    return _applied(call, points.read_update_vectors(call.points, shard.config.schema), shard)


def delete_vectors(call: Call) -> Any:
    """Take vectors away from points."""
    shard = call.shard
    return _applied(call, points.read_delete_vectors(call.body, shard.config.schema), shard)


def batch(call: Call) -> Any:
    """Apply several writes in order; the first that fails ends it, and those before it stay."""
    shard = call.shard
    done = []
    for operation in read_operations(call.points, shard.config.schema):
        if isinstance(operation, WrongInput):
            raise operation
        done.append(_applied(call, operation, shard))
    return done


def delete(call: Call) -> Any:
    """Delete points by ids or filter."""
    return _applied(call, points.read_delete(call.body))


def set_payload(call: Call) -> Any:
    """Merge a payload into points."""
    body = call.body
    return _changed_payload(call, body, points.read_set_payload(body))


def overwrite_payload(call: Call) -> Any:
    """Replace points' payload."""
    body = call.body
    return _changed_payload(call, body, points.read_set_payload(body, overwrite=True))


def delete_payload(call: Call) -> Any:
    """Remove keys from points' payload."""
    body = call.body
    return _changed_payload(call, body, points.read_delete_payload(body))


def clear_payload(call: Call) -> Any:
    """Empty points' payload."""
    return _applied(call, points.read_clear_payload(call.body))


def create_index(call: Call) -> Any:
    """Build a payload index."""
    return _applied_to_all(call, read_create_index(call.body))


def drop_index(call: Call) -> Any:
    """Drop a payload index."""
    return _applied(call, delete_index(call.path["field_name"]))


def retrieve(call: Call) -> Any:
    """Return the points of some ids; those that do not exist are left out."""
    with fields(call.body) as members:
        members.unsupported("shard_key")
        ids = members.required("ids", read_ids)
        with_payload = members.optional("with_payload", read_with_payload, default=False)
        with_vector = take_with_vector(members)
    records = call.shard.retrieve(ids, with_payload=with_payload, with_vector=with_vector)
    return [record_json(record) for record in records]


def get_point(call: Call) -> Any:
    """Return one point, whole; raise NotFound when it is not there."""
    point_id = read_path_id(call.path["id"])
    records = call.shard.retrieve([point_id], with_payload=True, with_vector=True)
    if not records:
        raise NotFound(f"Point with id {point_id} does not exists!")
    return record_json(records[0])


def scroll(call: Call) -> Any:
    """Return a page of points, and where the next begins."""
    records, next_offset = call.shard.scroll(read_scroll(call.body))
    return {"points": [record_json(record) for record in records], "next_page_offset": next_offset}


def count(call: Call) -> Any:
    """Return how many points match."""
    return {"count": call.shard.count(read_count(call.body))}


POINTS = "/collections/{name}/points"
ENDPOINTS = (
    ApiRoute(method="PUT", path=POINTS, answer=upsert, turn="collection"),
    ApiRoute(method="POST", path=POINTS, answer=retrieve),
    ApiRoute(method="POST", path=f"{POINTS}/delete", answer=delete, turn="collection"),
    ApiRoute(method="POST", path=f"{POINTS}/scroll", answer=scroll),
    ApiRoute(method="POST", path=f"{POINTS}/count", answer=count),
    ApiRoute(method="POST", path=f"{POINTS}/payload", answer=set_payload, turn="collection"),
    ApiRoute(method="PUT", path=f"{POINTS}/payload", answer=overwrite_payload, turn="collection"),
    ApiRoute(method="POST", path=f"{POINTS}/payload/delete", answer=delete_payload, turn="collection"),
    ApiRoute(method="POST", path=f"{POINTS}/payload/clear", answer=clear_payload, turn="collection"),
    ApiRoute(method="PUT", path=f"{POINTS}/vectors", answer=update_vectors, turn="collection"),
    ApiRoute(method="POST", path=f"{POINTS}/vectors/delete", answer=delete_vectors, turn="collection"),
    ApiRoute(method="POST", path=f"{POINTS}/batch", answer=batch, turn="collection"),
    ApiRoute(method="GET", path=f"{POINTS}/{{id}}", answer=get_point),
    ApiRoute(method="PUT", path="/collections/{name}/index", answer=create_index, turn="collection"),
    ApiRoute(
        method="DELETE", path="/collections/{name}/index/{field_name}", answer=drop_index, turn="collection"
    ),
)
"""Every endpoint of this module."""
