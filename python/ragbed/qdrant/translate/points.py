"""Writes to points: upsert, delete, payload changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import qdrant_edge as engine

from ragbed.qdrant.errors import BadRequest, InvalidValue
from ragbed.qdrant.translate.fields import choice, engine_value, fields, list_of, mapping, sequence, text
from ragbed.qdrant.translate.filters import read_filter
from ragbed.qdrant.translate.ids import read_id, read_ids
from ragbed.qdrant.translate.nesting import LOGGED_LEVELS, loggable_filter, within
from ragbed.qdrant.translate.paths import STEP
from ragbed.qdrant.translate.schema import DEFAULT, kind_of
from ragbed.qdrant.translate.vectors import read_point_vectors, read_stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qdrant_edge import UpdateOperation

    from ragbed.qdrant.translate.fields import Fields
    from ragbed.qdrant.translate.schema import VectorKind

T = TypeVar("T")

UPDATE_MODES = {
    "upsert": engine.UpdateMode.Upsert,
    "insert_only": engine.UpdateMode.InsertOnly,
    "update_only": engine.UpdateMode.UpdateOnly,
}


def read_upsert(body: Any, schema: Mapping[str, VectorKind], path: str = "") -> UpdateOperation:
    """Return the operation that writes points.

    Args:
        body: `{"points": [...]}` or `{"batch": {"ids": …, "vectors": …, "payloads": …}}`.
        schema: The collection's vectors.
        path: Where it stands in the request, for messages.
    """
    with fields(body, path) as members:
        members.unsupported("shard_key")
        if "batch" in members:
            points = members.required("batch", lambda value, path: list(_batch(value, path, schema)))
        else:
            points = members.required("points", list_of(lambda value, path: _point(value, path, schema)))
        return engine.UpdateOperation.upsert_points(
            not_empty(points),
            condition=members.maybe("update_filter", read_write_filter),
            update_mode=members.maybe("update_mode", choice(UPDATE_MODES)),
        )


def not_empty(items: list[T]) -> list[T]:
    """Return the items; raise BadRequest when there are none."""
    if not items:
        raise BadRequest("Empty update request")
    return items


def _point(value: Any, path: str, schema: Mapping[str, VectorKind]) -> engine.Point:
    with fields(value, path) as members:
        return make_point(
            members.required("id", read_id),
            members.required("vector", lambda item, at: read_point_vectors(item, at, schema)),
            members.maybe("payload", read_payload),
            path,
        )


def read_payload(value: Any, path: str, key: str | None = None) -> dict[str, Any]:
    """Return a payload to write.

    Args:
        value: The JSON value; must be an object.
        path: Where it stands in the body, for messages.
        key: The path below which it is written; each step nests it deeper.

    Raises:
        FormatError: It is not an object, or nested too deep to be read again.
    """
    steps = STEP.findall(key) if key else ()
    return mapping(within(value, LOGGED_LEVELS, path, around=len(steps)), path)


def read_write_filter(value: Any, path: str) -> engine.Filter:
    """Return the filter of a write, which goes to the log; raise FormatError where it is nested too deep for that."""
    return read_filter(loggable_filter(value, path), path)


def make_point(point_id: Any, vectors: Any, payload: dict[str, Any] | None, path: str) -> engine.Point:
    """Return an engine point; raise FormatError where a value does not fit it."""
    with engine_value(path):
        return engine.Point(id=point_id, vector=vectors, payload=payload)


def _batch(value: Any, path: str, schema: Mapping[str, VectorKind]) -> Iterator[engine.Point]:
    with fields(value, path) as members:
        ids = members.required("ids", read_ids)
        payloads = members.optional("payloads", sequence, [None] * len(ids))
        columns = members.required("vectors", lambda item, at: _columns(item, at, schema))
    for name, column in [("payloads", payloads), *(("vectors", column) for column in columns.values())]:
        if len(column) != len(ids):
            raise InvalidValue(f"{path}.{name}", f"{len(column)} given for {len(ids)} ids")
    for index, point_id in enumerate(ids):
        at = f"{path}.payloads[{index}]"
        payload = None if payloads[index] is None else read_payload(payloads[index], at)
        vectors = {name: column[index] for name, column in columns.items()}
        yield make_point(point_id, vectors, payload, f"{path}[{index}]")


def _columns(value: Any, path: str, schema: Mapping[str, VectorKind]) -> dict[str, list[Any]]:
    named = value if isinstance(value, dict) else {DEFAULT: value}
    return {
        name: [
            read_stored(item, f"{path}[{index}]", kind_of(name, schema))
            for index, item in enumerate(sequence(column, path))
        ]
        for name, column in named.items()
    }


def read_update_vectors(body: Any, schema: Mapping[str, VectorKind], path: str = "") -> UpdateOperation:
    """Return the operation that replaces vectors of points which exist.

    Args:
        body: `points`, each with `id` and `vector`, and `update_filter`.
        schema: The collection's vectors.
        path: Where it stands in the request, for messages.
    """

    def point(value: Any, at: str) -> engine.PointVectors:
        with fields(value, at) as members:
            point_id = members.required("id", read_id)
            vectors = members.required("vector", lambda item, name: read_point_vectors(item, name, schema))
        if all(_is_empty(vector) for vector in vectors.values()):
            raise InvalidValue(f"{at}.vector", "must specify vectors to update for point")
        with engine_value(at):
            return engine.PointVectors(point_id, vectors)

    with fields(body, path) as members:
        members.unsupported("shard_key")
        points = members.required("points", list_of(point))
        if not points:
            raise InvalidValue(members.at("points"), "must specify points to update")
        return engine.UpdateOperation.update_vectors(
            points, members.maybe("update_filter", read_write_filter)
        )


def _is_empty(vector: Any) -> bool:
    return isinstance(vector, engine.SparseVector) and not vector.indices


def read_delete_vectors(body: Any, schema: Mapping[str, VectorKind], path: str = "") -> UpdateOperation:
    """Return the operation that takes vectors, named by `vector` or `vectors`, away from points.

    Of all writes this one alone takes ids and a filter together, and is for the points of either.
    """
    with fields(body, path) as members:
        ids, condition = _targets(members)
        names = members.required("vectors" if "vectors" in members else "vector", list_of(text))
        if not names:
            raise InvalidValue(members.at("vector"), "must specify vector names to delete")
    for name in names:
        kind_of(name, schema)
    if ids and condition is not None:
        condition = engine.Filter(should=[engine.HasIdCondition(set(ids)), condition])
    if condition is not None:
        return engine.UpdateOperation.delete_vectors_by_filter(condition, names)
    return engine.UpdateOperation.delete_vectors(ids, names)


def read_delete(body: Any, path: str = "") -> UpdateOperation:
    """Return the operation that deletes points, by `{"points": ids}` or `{"filter": …}`."""
    with fields(body, path) as members:
        ids, condition = _target(members)
    if condition is not None:
        return engine.UpdateOperation.delete_points_by_filter(condition)
    return engine.UpdateOperation.delete_points(ids)


def _target(members: Fields) -> tuple[list[Any], engine.Filter | None]:
    """Take the points that a write is for: ids, or a filter where no ids are given."""
    ids, condition = _targets(members)
    return ids, None if ids else condition


def _targets(members: Fields) -> tuple[list[Any], engine.Filter | None]:
    """Take ids and a filter; raise BadRequest where there is neither, or no id among those given."""
    members.unsupported("shard_key")
    ids = members.maybe("points", read_ids)
    condition = members.maybe("filter", read_write_filter)
    if ids is None and condition is None:
        raise BadRequest("No filter or points provided")
    return [] if ids is None else not_empty(ids), condition


def read_set_payload(body: Any, path: str = "", *, overwrite: bool = False) -> UpdateOperation:
    """Return the operation that merges a payload into points, or replaces theirs.

    Args:
        body: `payload`, `points` or `filter`, and `key`, the path below which to write.
        path: Where it stands in the request, for messages.
        overwrite: Replace instead of merge.
    """
    operations = engine.UpdateOperation
    with fields(body, path) as members, engine_value("payload"):
        ids, condition = _target(members)
        key = members.maybe("key", text)
        payload = members.required("payload", lambda value, at: read_payload(value, at, key))
        if condition is not None:
            by_filter = (
                operations.overwrite_payload_by_filter if overwrite else operations.set_payload_by_filter
            )
            return by_filter(condition, payload, key)
        by_ids = operations.overwrite_payload if overwrite else operations.set_payload
        return by_ids(ids, payload, key)


def read_delete_payload(body: Any, path: str = "") -> UpdateOperation:
    """Return the operation that removes keys from points' payloads."""
    with fields(body, path) as members, engine_value("keys"):
        ids, condition = _target(members)
        keys = members.required("keys", list_of(text))
        if condition is not None:
            return engine.UpdateOperation.delete_payload_by_filter(condition, keys)
        return engine.UpdateOperation.delete_payload(ids, keys)


def read_clear_payload(body: Any, path: str = "") -> UpdateOperation:
    """Return the operation that empties points' payloads."""
    with fields(body, path) as members:
        ids, condition = _target(members)
    if condition is not None:
        return engine.UpdateOperation.clear_payload_by_filter(condition)
    return engine.UpdateOperation.clear_payload(ids)
