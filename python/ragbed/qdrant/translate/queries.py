"""Queries, with prefetches; scroll, count and facets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import BadRequest, WrongInput
from ragbed.qdrant.translate.fields import (
    boolean,
    engine_value,
    fields,
    integer,
    list_of,
    number,
    one_or_many,
    text,
)
from ragbed.qdrant.translate.filters import excluding, read_filter
from ragbed.qdrant.translate.ids import read_id
from ragbed.qdrant.translate.order_by import read_order_by
from ragbed.qdrant.translate.params import read_params
from ragbed.qdrant.translate.references import Inputs, PointSource, read_lookup
from ragbed.qdrant.translate.schema import DEFAULT, kind_of
from ragbed.qdrant.translate.scoring import Scoring, read_scoring
from ragbed.qdrant.translate.selectors import read_with_payload, take_with_vector

if TYPE_CHECKING:
    from qdrant_edge import WithPayloadType, WithVectorType

    from ragbed.qdrant.translate.fields import Fields
    from ragbed.qdrant.translate.ids import PointId

DEFAULT_LIMIT = 10
MAX_LIMIT = 2**63 - 1

FACET_FACTOR, LEAST_FACET_LIMIT = 4, 128
"""How many hits of a facet the engine is asked for, for each that is returned, and at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a query, read: the query itself, or a prefetch whose results the stage around it works on."""

    prefetches: list[Stage]
    scoring: Scoring | None
    filter: engine.Filter | None
    params: engine.SearchParams | None
    score_threshold: float | None
    limit: int

    @property
    def ascending(self) -> bool | None:
        """Whether a smaller score is better; None where results are not in an order of scores."""
        return None if self.scoring is None else self.scoring.ascending

    def request(
        self,
        *,
        limit: int,
        offset: int = 0,
        condition: engine.Filter | None,
        with_payload: WithPayloadType = False,
        with_vector: WithVectorType = False,
        scale: int = 1,
    ) -> engine.QueryRequest:
        """Return the engine's form; `scale` multiplies the limits of prefetches."""
        return engine.QueryRequest(
            limit=limit,
            offset=offset,
            query=None if self.scoring is None else self.scoring.query,
            prefetches=[stage.prefetch(scale) for stage in self.prefetches],
            with_vector=with_vector,
            with_payload=with_payload,
            filter=condition,
            score_threshold=self.score_threshold,
            params=self.params,
        )

    def prefetch(self, scale: int) -> engine.Prefetch:
        """Return the engine's form of a prefetch."""
        return engine.Prefetch(
            limit=self.limit * scale,
            query=None if self.scoring is None else self.scoring.query,
            prefetches=[stage.prefetch(scale) for stage in self.prefetches],
            params=self.params,
            filter=self.filter,
            score_threshold=self.score_threshold,
        )


def read_query(body: Any, source: PointSource, path: str = "") -> engine.QueryRequest:
    """Return the engine's form of a `/points/query` body.

    Raises:
        FormatError: Something is unknown or of the wrong type.
        Unsupported: A kind of query, or a parameter, that this server does not have.
        BadRequest: Parts of the query do not go together.
        WrongInput: A vector does not fit the collection.
        NotFound: The point to start from is not there.
    """
    with fields(body, path) as members:
        stage = take_stage(members, source)
        offset = members.optional("offset", integer(0), 0)
        with_payload = members.optional("with_payload", read_with_payload, default=False)
        with_vector = take_with_vector(members)
    limit, offset = _page(stage, offset)
    return stage.request(
        limit=limit,
        offset=offset,
        condition=stage.filter,
        with_payload=with_payload,
        with_vector=with_vector,
    )


def _page(stage: Stage, offset: int) -> tuple[int, int]:
    """Return limit and offset as the server around the engine applies them.

    A random sample has no order, so its offset is ignored, but for one drawn from prefetches. `mmr` picks `limit`
    points, and the offset skips the first of those.
    """
    query = stage.scoring.query if stage.scoring else None
    if isinstance(query, engine.Sample) and not stage.prefetches:
        return stage.limit, 0
    if isinstance(query, engine.Mmr):
        return max(stage.limit - offset, 0), offset
    return stage.limit, offset


def take_stage(members: Fields, source: PointSource) -> Stage:
    """Take a query's fields: points that it refers to by id, in prefetches too, are left out of its results."""
    members.unsupported("shard_key")
    referenced: set[PointId] = set()
    stage = _stage(members, source, referenced)
    if not referenced:
        return stage
    return Stage(
        prefetches=stage.prefetches,
        scoring=stage.scoring,
        filter=excluding(stage.filter, referenced),
        params=stage.params,
        score_threshold=stage.score_threshold,
        limit=stage.limit,
    )


def _prefetch(value: Any, path: str, source: PointSource, referenced: set[PointId]) -> Stage:
    with fields(value, path) as members:
        return _stage(members, source, referenced)


def _stage(members: Fields, source: PointSource, referenced: set[PointId]) -> Stage:
    using = members.optional("using", text, DEFAULT)
    lookup = members.maybe("lookup_from", lambda item, at: read_lookup(item, at, source, using))
    inputs = Inputs(source=source, using=using, lookup=lookup or (source, using), referenced=referenced)
    limit = members.optional("limit", integer(1), DEFAULT_LIMIT)
    prefetches = one_or_many(lambda item, at: _prefetch(item, at, source, referenced))
    stage = Stage(
        prefetches=members.optional("prefetch", prefetches, []),
        scoring=members.maybe("query", lambda item, at: read_scoring(item, at, inputs, limit)),
        filter=members.maybe("filter", read_filter),
        params=members.maybe("params", read_params),
        score_threshold=members.maybe("score_threshold", number),
        limit=limit,
    )
    _check(stage, using, source)
    return stage


def _check(stage: Stage, using: str, source: PointSource) -> None:
    """Refuse what does not go together, as Qdrant does; raise BadRequest."""
    scoring = stage.scoring
    if stage.prefetches and scoring is None:
        raise BadRequest(
            "A query is needed to merge the prefetches. Can't have prefetches without defining a query."
        )
    if stage.score_threshold is not None:
        if scoring is None:
            raise BadRequest(
                "A query is needed to use the score_threshold. "
                "Can't have score_threshold without defining a query."
            )
        if isinstance(scoring.query, engine.OrderBy):
            raise BadRequest("Can't use score_threshold with an order_by query.")
    if scoring is not None and scoring.fuses and using != DEFAULT:
        raise BadRequest("Fusion queries cannot be combined with the 'using' field.")
    if using != DEFAULT:
        kind_of(using, source.schema)


def read_batch(body: Any, source: PointSource) -> list[engine.QueryRequest]:
    """Return the engine's form of a `/points/query/batch` body."""
    with fields(body) as members:
        return members.required("searches", list_of(lambda item, at: read_query(item, source, at)))


def read_scroll(body: Any) -> engine.ScrollRequest:
    """Return the engine's form of a `/points/scroll` body."""
    with fields(body) as members:
        members.unsupported("shard_key")
        order_by, offset = members.maybe("order_by", read_order_by), members.maybe("offset", read_id)
        if order_by is not None and offset is not None:
            raise WrongInput(
                "Cannot use an `offset` when using `order_by`. The alternative for paging is to use "
                "`order_by.start_from` and a filter to exclude the IDs that you've already seen for the "
                "`order_by.start_from` value"
            )
        return engine.ScrollRequest(
            offset=offset,
            limit=members.optional("limit", integer(1), DEFAULT_LIMIT),
            filter=members.maybe("filter", read_filter),
            with_payload=members.optional("with_payload", read_with_payload, default=True),
            with_vector=take_with_vector(members),
            order_by=order_by,
        )


def read_count(body: Any) -> engine.CountRequest:
    """Return the engine's form of a `/points/count` body."""
    with fields(body) as members:
        members.unsupported("shard_key")
        return engine.CountRequest(
            exact=members.optional("exact", boolean, default=True),
            filter=members.maybe("filter", read_filter),
        )


def read_facet(body: Any) -> tuple[engine.FacetRequest, int]:
    """Return the engine's form of a `/facet` body, and how many of its hits are wanted.

    Where the counts need not be exact the engine looks at a sample of the values, which grows with the limit; the
    server around it asks for more than it returns.
    """
    with fields(body) as members, engine_value("key", WrongInput):
        members.unsupported("shard_key")
        limit = members.optional("limit", integer(1), DEFAULT_LIMIT)
        exact = members.optional("exact", boolean, default=False)
        asked = limit if exact else max(limit * FACET_FACTOR, LEAST_FACET_LIMIT)
        request = engine.FacetRequest(
            key=members.required("key", text),
            limit=min(asked, MAX_LIMIT),
            exact=exact,
            filter=members.maybe("filter", read_filter),
        )
        return request, limit
