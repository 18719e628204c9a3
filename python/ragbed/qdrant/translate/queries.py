"""Queries: nearest, fusion, order, sample, with prefetches; scroll and count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, Unsupported, WrongInput
from ragbed.qdrant.translate.fields import (
    boolean,
    choice,
    engine_value,
    fields,
    integer,
    json_type,
    list_of,
    number,
    one_or_many,
    text,
)
from ragbed.qdrant.translate.filters import excluding, read_filter
from ragbed.qdrant.translate.ids import PointId, read_id
from ragbed.qdrant.translate.selectors import read_with_payload, take_with_vector
from ragbed.qdrant.translate.vectors import DEFAULT, kind_of, read_vector, refuse_inference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdrant_edge import NamedVector, ScoringQueryType

    from ragbed.qdrant.translate.fields import Fields
    from ragbed.qdrant.translate.vectors import VectorKind

DEFAULT_LIMIT = 10
RRF_K = 2
"""Rank offset of reciprocal rank fusion where the request gives none; Qdrant's default."""

UNSUPPORTED_QUERIES = ("recommend", "discover", "context", "formula", "relevance_feedback")
DIRECTIONS = {"asc": engine.Direction.Asc, "desc": engine.Direction.Desc}


class Lookup(Protocol):
    """Finds the stored vector of a point, for queries by id."""

    def __call__(self, point_id: PointId, name: str) -> NamedVector:
        """Return the vector; raise NotFound where there is no such point, WrongInput where it lacks the vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a query may refer to.

    Attributes:
        schema: The collection's vectors.
        lookup: Finds the stored vector of a point.
    """

    schema: Mapping[str, VectorKind]
    lookup: Lookup


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """What a query and a prefetch have in common, read."""

    prefetches: list[engine.Prefetch]
    query: ScoringQueryType | None
    filter: engine.Filter | None
    params: engine.SearchParams | None
    score_threshold: float | None
    limit: int


def read_query(body: Any, source: Source, path: str = "") -> engine.QueryRequest:
    """Return the engine's form of a `/points/query` body.

    Raises:
        FormatError: Something is unknown or of the wrong type.
        Unsupported: A kind of query, or a parameter, that this server does not have.
        WrongInput: A vector does not fit the collection.
        NotFound: The point to start from is not there.
    """
    with fields(body, path) as found:
        found.unsupported("shard_key")
        stage = _stage(found, source)
        offset = found.optional("offset", integer(0), 0)
        with_payload = found.optional("with_payload", read_with_payload, default=False)
        with_vector = take_with_vector(found)
    return engine.QueryRequest(
        limit=stage.limit,
        offset=offset,
        query=stage.query,
        prefetches=stage.prefetches,
        with_vector=with_vector,
        with_payload=with_payload,
        filter=stage.filter,
        score_threshold=stage.score_threshold,
        params=stage.params,
    )


def read_prefetch(value: Any, path: str, source: Source) -> engine.Prefetch:
    """Return one stage of a query, whose results the stage around it works on."""
    with fields(value, path) as found:
        stage = _stage(found, source)
    return engine.Prefetch(
        limit=stage.limit,
        query=stage.query,
        prefetches=stage.prefetches,
        params=stage.params,
        filter=stage.filter,
        score_threshold=stage.score_threshold,
    )


def _stage(found: Fields, source: Source) -> _Stage:
    found.unsupported("lookup_from")
    using = found.optional("using", text, DEFAULT)
    start: list[PointId] = []
    prefetches = found.maybe("prefetch", one_or_many(lambda item, at: read_prefetch(item, at, source))) or []
    query = found.maybe("query", lambda item, at: _scoring(item, at, using, source, start))
    condition = found.maybe("filter", read_filter)
    if prefetches and query is None:
        raise WrongInput("Validation failed: cannot have prefetches without a query")
    return _Stage(
        prefetches=prefetches,
        query=query,
        filter=excluding(condition, set(start)) if start else condition,
        params=found.maybe("params", read_params),
        score_threshold=found.maybe("score_threshold", number),
        limit=found.optional("limit", integer(1), DEFAULT_LIMIT),
    )


def _scoring(value: Any, path: str, using: str, source: Source, start: list[PointId]) -> ScoringQueryType:
    """Return the query; `start` gains the id that it starts from, which its own results leave out."""
    if not isinstance(value, dict) or "indices" in value:
        return _nearest(value, path, using, source, start)
    refuse_inference(value, path)
    with fields(value, path) as found:
        found.unsupported(*UNSUPPORTED_QUERIES)
        if "nearest" in found:
            found.unsupported("mmr")
            return found.required("nearest", lambda item, at: _nearest(item, at, using, source, start))
        for name, read in KINDS.items():
            if name in found:
                query: ScoringQueryType = found.required(name, read)
                return query
    raise FormatError(f"data did not match any variant of a query at `{path}`")


def _nearest(value: Any, path: str, using: str, source: Source, start: list[PointId]) -> engine.Query:
    kind = kind_of(using, source.schema)
    if isinstance(value, list | dict):
        vector = read_vector(value, path, kind)
    else:
        start.append(read_id(value, path))
        vector = source.lookup(start[-1], using)
    return engine.Query.Nearest(vector, using=using)


def _fusion(value: Any, path: str) -> Any:
    fusions = {"rrf": engine.Fusion.Rrf(k=RRF_K), "dbsf": engine.Fusion.Dbsf()}
    return choice(fusions)(value, path)


def _rrf(value: Any, path: str) -> Any:
    with fields(value, path) as found:
        return engine.Fusion.Rrf(
            k=found.optional("k", integer(1), RRF_K), weights=found.maybe("weights", list_of(number))
        )


def read_order_by(value: Any, path: str) -> engine.OrderBy:
    """Return an order: a payload key, or an object with `key`, `direction` and `start_from`."""
    if isinstance(value, str):
        value = {"key": value}
    with fields(value, path) as found, engine_value(path, WrongInput):
        return engine.OrderBy(
            key=found.required("key", text),
            direction=found.maybe("direction", choice(DIRECTIONS)),
            start_from=found.maybe("start_from", _start_from),
        )


def _start_from(value: Any, path: str) -> int | float | str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise FormatError(f"invalid type: {json_type(value)}, expected a number or a time at `{path}`")
    return value


KINDS: dict[str, Any] = {
    "fusion": _fusion,
    "rrf": _rrf,
    "order_by": read_order_by,
    "sample": choice({"random": engine.Sample.Random}),
}


def read_params(value: Any, path: str) -> engine.SearchParams:
    """Return how to search: `hnsw_ef`, `exact`, `indexed_only`, `quantization`."""
    with fields(value, path) as found:
        found.unsupported("acorn", "idf")
        return engine.SearchParams(
            hnsw_ef=found.maybe("hnsw_ef", integer(0)),
            exact=found.optional("exact", boolean, default=False),
            indexed_only=found.optional("indexed_only", boolean, default=False),
            quantization=found.maybe("quantization", _quantization),
        )


def _quantization(value: Any, path: str) -> engine.QuantizationSearchParams:
    with fields(value, path) as found:
        return engine.QuantizationSearchParams(
            ignore=found.optional("ignore", boolean, default=False),
            rescore=found.maybe("rescore", boolean),
            oversampling=found.maybe("oversampling", number),
        )


def read_batch(body: Any, source: Source) -> list[engine.QueryRequest]:
    """Return the engine's form of a `/points/query/batch` body."""
    with fields(body) as found:
        return found.required("searches", list_of(lambda item, at: read_query(item, source, at)))


def read_scroll(body: Any) -> engine.ScrollRequest:
    """Return the engine's form of a `/points/scroll` body."""
    with fields(body) as found:
        found.unsupported("shard_key")
        order_by, offset = found.maybe("order_by", read_order_by), found.maybe("offset", read_id)
        if order_by is not None and offset is not None:
            raise Unsupported("`offset` together with `order_by`")
        return engine.ScrollRequest(
            offset=offset,
            limit=found.optional("limit", integer(1), DEFAULT_LIMIT),
            filter=found.maybe("filter", read_filter),
            with_payload=found.optional("with_payload", read_with_payload, default=True),
            with_vector=take_with_vector(found),
            order_by=order_by,
        )


def read_count(body: Any) -> engine.CountRequest:
    """Return the engine's form of a `/points/count` body."""
    with fields(body) as found:
        found.unsupported("shard_key")
        return engine.CountRequest(
            exact=found.optional("exact", boolean, default=True), filter=found.maybe("filter", read_filter)
        )
