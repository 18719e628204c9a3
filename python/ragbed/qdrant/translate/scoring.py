"""What a query scores points by: nearness, examples, fusion, a formula, an order, or chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, InvalidValue, Unsupported
from ragbed.qdrant.translate.averages import recommended
from ragbed.qdrant.translate.fields import choice, fields, integer, list_of, number, one_or_many
from ragbed.qdrant.translate.formula import read_defaults, read_formula
from ragbed.qdrant.translate.inference import is_inference
from ragbed.qdrant.translate.order_by import DIRECTIONS, read_order_by
from ragbed.qdrant.translate.schema import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdrant_edge import NamedVector, ScoringQueryType

    from ragbed.qdrant.translate.fields import Fields
    from ragbed.qdrant.translate.references import Inputs
    from ragbed.qdrant.translate.schema import VectorKind

RRF_K = 2
"""Rank offset of reciprocal rank fusion where the request gives none; Qdrant's default."""

MMR_DIVERSITY = 0.5
MAX_CANDIDATES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """A query, and what comes of it.

    Attributes:
        query: The engine's form.
        ascending: A smaller score is better; None where the order is not by score.
        fuses: It merges prefetches by their ranks or scores.
        by_vector: It compares vectors of the collection.
    """

    query: ScoringQueryType
    ascending: bool | None = False
    fuses: bool = False
    by_vector: bool = False


def read_scoring(value: Any, path: str, inputs: Inputs, limit: int) -> Scoring:
    """Return a stage's query.

    Args:
        value: A vector, an id, or an object that names the kind of query.
        path: Where it stands in the body, for messages.
        inputs: Reads the vectors it is about.
        limit: The stage's limit, which some queries start from.
    """
    if not isinstance(value, dict) or "indices" in value or is_inference(value):
        return _nearest(inputs.read(value, path), inputs)
    with fields(value, path) as members:
        if "nearest" in members:
            return _read_nearest(members, inputs, limit)
        if "formula" in members:
            defaults = members.optional("defaults", read_defaults, {})
            formula = members.required("formula", lambda item, at: read_formula(item, at, defaults))
            return Scoring(query=formula)
        for name, read in BY_EXAMPLES.items():
            if name in members:
                return _with(read, members, name, inputs)
        for name, read_plain in PLAIN.items():
            if name in members:
                return members.required(name, read_plain)
        raise FormatError(f"data did not match any variant of untagged enum QueryInterface at `{path}`")


def _with(read: Callable[[Any, str, Inputs], Scoring], members: Fields, name: str, inputs: Inputs) -> Scoring:
    return members.required(name, lambda item, at: read(item, at, inputs))


def kind(inputs: Inputs) -> VectorKind:
    """Return the kind of vector that a stage compares with."""
    return kind_of(inputs.using, inputs.source.schema)


def _nearest(vector: NamedVector, inputs: Inputs) -> Scoring:
    return Scoring(
        query=engine.Query.Nearest(vector, using=inputs.using),
        ascending=kind(inputs).ascending,
        by_vector=True,
    )


def _read_nearest(members: Fields, inputs: Inputs, limit: int) -> Scoring:
    vector = members.required("nearest", inputs.read)
    mmr = members.maybe("mmr", lambda item, at: _read_mmr(item, at, vector, inputs, limit))
    return _nearest(vector, inputs) if mmr is None else Scoring(query=mmr, ascending=None, by_vector=True)


def _read_mmr(value: Any, path: str, vector: NamedVector, inputs: Inputs, limit: int) -> engine.Mmr:
    with fields(value, path) as members:
        diversity = members.optional("diversity", number, MMR_DIVERSITY)
        if not 0 <= diversity <= 1:
            raise InvalidValue(f"{path}.diversity", f"value {diversity:g} invalid, must be from 0.0 to 1.0")
        candidates = members.optional("candidates_limit", integer(0, MAX_CANDIDATES), limit)
    if kind(inputs).sparse:
        raise Unsupported(f"`{path}` of a sparse vector")
    return engine.Mmr(vector, 1 - diversity, candidates, using=inputs.using)


def _recommend(value: Any, path: str, inputs: Inputs) -> Scoring:
    strategies = {"average_vector": None, "best_score": engine.Query.RecommendBestScore}
    strategies["sum_scores"] = engine.Query.RecommendSumScores
    with fields(value, path) as members:
        positives = members.optional("positive", list_of(inputs.read), [])
        negatives = members.optional("negative", list_of(inputs.read), [])
        build = members.optional("strategy", choice(strategies), None)
    if not positives and not negatives:
        reason = "At least one positive or negative vector/id must be provided"
        raise InvalidValue("positives, negatives", reason)
    if build is None:
        return _nearest(recommended(positives, negatives, kind(inputs)), inputs)
    query = build(engine.RecommendQuery(positives, negatives), using=inputs.using)
    return Scoring(query=query, by_vector=True)


def _pairs(value: Any, path: str, inputs: Inputs) -> list[engine.ContextPair]:
    def pair(item: Any, at: str) -> engine.ContextPair:
        with fields(item, at) as members:
            return engine.ContextPair(
                members.required("positive", inputs.read), members.required("negative", inputs.read)
            )

    return one_or_many(pair)(value, path)


def _discover(value: Any, path: str, inputs: Inputs) -> Scoring:
    with fields(value, path) as members:
        target = members.required("target", inputs.read)
        pairs = members.optional("context", lambda item, at: _pairs(item, at, inputs), [])
    query = engine.Query.Discover(engine.DiscoverQuery(target, pairs), using=inputs.using)
    return Scoring(query=query, by_vector=True)


def _context(value: Any, path: str, inputs: Inputs) -> Scoring:
    query = engine.Query.Context(engine.ContextQuery(_pairs(value, path, inputs)), using=inputs.using)
    return Scoring(query=query, by_vector=True)


def _feedback(value: Any, path: str, inputs: Inputs) -> Scoring:
    def item_of(item: Any, at: str) -> engine.FeedbackItem:
        with fields(item, at) as members:
            return engine.FeedbackItem(
                members.required("example", inputs.read), members.required("score", number)
            )

    with fields(value, path) as members:
        target, feedback = (
            members.required("target", inputs.read),
            members.required("feedback", list_of(item_of)),
        )
        query = engine.FeedbackNaiveQuery(target, feedback, members.required("strategy", _strategy))
    if not feedback:
        raise InvalidValue(f"{path}.feedback", "feedback elements must be non-empty")
    return Scoring(query=engine.Query.FeedbackNaive(query, using=inputs.using), by_vector=True)


def _strategy(value: Any, path: str) -> engine.NaiveFeedbackStrategy:
    def naive(item: Any, at: str) -> engine.NaiveFeedbackStrategy:
        with fields(item, at) as inner:
            a, b, c = (inner.required(name, number) for name in ("a", "b", "c"))
        if b < 0:
            raise InvalidValue(f"{at}.b", f"value {b:g} invalid, must be 0.0 or larger")
        return engine.NaiveFeedbackStrategy(a, b, c)

    with fields(value, path) as members:
        return members.required("naive", naive)


def _fusion(value: Any, path: str) -> Scoring:
    fusions: dict[str, Any] = {"rrf": engine.Fusion.Rrf(k=RRF_K), "dbsf": engine.Fusion.Dbsf()}
    return Scoring(query=choice(fusions)(value, path), fuses=True)


def _rrf(value: Any, path: str) -> Scoring:
    with fields(value, path) as members:
        fusion: Any = engine.Fusion.Rrf(
            k=members.optional("k", integer(1), RRF_K), weights=members.maybe("weights", list_of(number))
        )
    return Scoring(query=fusion, fuses=True)


def _order_by(value: Any, path: str) -> Scoring:
    order = read_order_by(value, path)
    return Scoring(query=order, ascending=order.direction != DIRECTIONS["desc"])


def _sample(value: Any, path: str) -> Scoring:
    return Scoring(query=choice({"random": engine.Sample.Random})(value, path), ascending=None)


BY_EXAMPLES: dict[str, Callable[[Any, str, Inputs], Scoring]] = {
    "recommend": _recommend,
    "discover": _discover,
    "context": _context,
    "relevance_feedback": _feedback,
}
PLAIN: dict[str, Callable[[Any, str], Scoring]] = {
    "fusion": _fusion,
    "rrf": _rrf,
    "order_by": _order_by,
    "sample": _sample,
}
