"""From the engine's points to JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import qdrant_edge as engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdrant_edge import QueryRequest, Record, ScoredPoint


def record_json(record: Record) -> dict[str, Any]:
    """Return a stored point as JSON, without the parts that were not asked for."""
    return {"id": record.id, **_parts(record)}


def scored_json(points: Sequence[ScoredPoint]) -> list[dict[str, Any]]:
    """Return found points as JSON, without the parts that were not asked for."""
    scores = shortest([point.score for point in points])
    return [
        {"id": point.id, "version": point.version, "score": score, **_parts(point)}
        for point, score in zip(points, scores, strict=True)
    ]


def found_json(request: QueryRequest, points: Sequence[ScoredPoint]) -> list[dict[str, Any]]:
    """Return what a query found as JSON, without the vectors that the engine adds for diversity's sake."""
    hits = scored_json(points)
    if isinstance(request.query, engine.Mmr) and request.with_vector is not True:
        for point in hits:
            _keep_vectors(point, request.with_vector or [])
    return hits


def _keep_vectors(point: dict[str, Any], names: Sequence[str]) -> None:
    vectors = point.pop("vector", None)
    if names and isinstance(vectors, dict):
        point["vector"] = {name: vector for name, vector in vectors.items() if name in names}


def shortest(values: list[float]) -> list[float]:
    """Return numbers of 32 bits as the ones of 64 that a real server writes: 0.1, not 0.10000000149011612.

    The engine knows the shortest decimal that reads back as the same number; it shows it in its `repr`s.
    """
    shown = repr(engine.PointVectors(0, values))
    try:
        return list(map(float, orjson.loads(shown[shown.index("[") : -1])))
    except orjson.JSONDecodeError:  # infinity, from a number too large for 32 bits
        return values


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
        return {"indices": vector.indices, "values": shortest(vector.values)}
    if vector and isinstance(vector[0], list):
        return [shortest(row) for row in vector]
    return shortest(vector)
