"""From the engine's points to JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

if TYPE_CHECKING:
    from qdrant_edge import Record, ScoredPoint


def record_json(record: Record) -> dict[str, Any]:
    """Return a stored point as JSON, without the parts that were not asked for."""
    return {"id": record.id, **_parts(record)}


def scored_json(point: ScoredPoint) -> dict[str, Any]:
    """Return a found point as JSON, without the parts that were not asked for."""
    return {"id": point.id, "version": point.version, "score": point.score, **_parts(point)}


def _parts(point: Record | ScoredPoint) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if (payload := point.payload) is not None:
        parts["payload"] = payload
    if (vector := point.vector) is not None:
        parts["vector"] = vector_json(vector)
    if (order_value := point.order_value) is not None:
        parts["order_value"] = order_value
    return parts


def vector_json(vector: Any) -> Any:
    """Return a vector, or named vectors, as JSON."""
    if isinstance(vector, dict):
        return {name: vector_json(item) for name, item in vector.items()}
    if isinstance(vector, engine.SparseVector):
        return {"indices": vector.indices, "values": vector.values}
    return vector
