"""Cases about queries: every form, and what surrounds it."""

# Tables read best in a layout of their own.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from typing import Any

import numpy as np
from qdrant_client import models as m

from ragbed.contracts.vector_store.case import Table
from ragbed.contracts.vector_store.cases_points import FILTERS, KIND_A, above, where
from ragbed.contracts.vector_store.worlds import OTHER, UUID_9

TABLE = Table()
add = TABLE.add

DENSE = [0.6, 0.1, 0.3, 0.2]
WORDS = m.SparseVector(indices=[1, 7], values=[1.0, 2.0])
BOTH = [
    m.Prefetch(query=DENSE, using="dense", limit=6),
    m.Prefetch(query=WORDS, using="words", limit=6),
]


def query(rule: str, /, **arguments: Any) -> None:
    """Add a query over the dense vectors, without payloads unless asked."""
    arguments.setdefault("with_payload", False)
    arguments.setdefault("using", "dense")
    says = arguments.pop("says", ())
    world = arguments.pop("world", "library")
    keep = arguments.pop("keep", None)
    add("query_points", rule, world=world, says=says, keep=keep, **arguments)


query("nearest by vector", query=DENSE)
query("nearest by array", query=np.array(DENSE), limit=3)
query("nearest by id", query=3, limit=4)
query("nearest by UUID", query=UUID_9, limit=4)
query("nearest by dot product", query=[1.0, 2.0], using="flat", limit=4)
query("nearest by several vectors", query=[[0.3, 0.4], [0.9, 0.1]], using="late", limit=5)
query("nearest by sparse vector", query=WORDS, using="words")
query("limit and offset", query=DENSE, limit=3, offset=2)
query("offset past the end", query=DENSE, limit=3, offset=50)
query("score threshold", query=DENSE, score_threshold=0.7)
query("payload and vectors", query=DENSE, limit=1, with_payload=["n", "kind"], with_vectors=["flat"])
query("payload keys left out", query=DENSE, limit=1,
      with_payload=m.PayloadSelectorExclude(exclude=["parts", "place"]))
query("filtered", query=DENSE, query_filter=KIND_A)
query("exact", query=DENSE, search_params=m.SearchParams(exact=True), limit=3)
query("hnsw_ef", query=DENSE, search_params=m.SearchParams(hnsw_ef=128), limit=3)
query("indexed_only", query=DENSE, search_params=m.SearchParams(indexed_only=True), limit=3)
query("quantization ignored", query=DENSE, limit=3,
      search_params=m.SearchParams(quantization=m.QuantizationSearchParams(ignore=True)))
query("acorn", query=DENSE, query_filter=KIND_A, limit=3,
      search_params=m.SearchParams(acorn=m.AcornSearchParams(enable=True)))
query("no query at all", query=None, using=None, limit=3)
query("mmr", limit=4, query=m.NearestQuery(nearest=DENSE, mmr=m.Mmr(diversity=0.7, candidates_limit=8)))
query("mmr with vectors", limit=4, with_vectors=["flat"], query=m.NearestQuery(nearest=DENSE, mmr=m.Mmr(diversity=0.7)))
query("mmr of defaults", limit=4, query=m.NearestQuery(nearest=DENSE, mmr=m.Mmr()))
for _strategy in m.RecommendStrategy:
    query(f"recommend by ids, {_strategy.value}", query=m.RecommendQuery(
        recommend=m.RecommendInput(positive=[1, 3], negative=[4], strategy=_strategy)))
    query(f"recommend by vectors, {_strategy.value}", limit=5, query=m.RecommendQuery(
        recommend=m.RecommendInput(positive=[DENSE, 1], negative=[[0.0, 0.0, 1.0, 0.0]], strategy=_strategy)))
query("recommend by negatives alone", limit=4, query=m.RecommendQuery(
    recommend=m.RecommendInput(negative=[4], strategy=m.RecommendStrategy.BEST_SCORE)))
query("recommend on nothing", query=m.RecommendQuery(recommend=m.RecommendInput()))
query("discover", query=m.DiscoverQuery(discover=m.DiscoverInput(
    target=DENSE, context=[m.ContextPair(positive=1, negative=4), m.ContextPair(positive=5, negative=2)])))
query("discover without context", limit=4, query=m.DiscoverQuery(
    discover=m.DiscoverInput(target=2, context=[])))
query("context", query=m.ContextQuery(context=[m.ContextPair(positive=1, negative=4)]))
query("order by", using=None, limit=4, query=m.OrderByQuery(order_by=m.OrderBy(key="n", direction="desc")))
query("sample", using=None, query=m.SampleQuery(sample=m.Sample.RANDOM), limit=10,
      keep=lambda found: sorted(str(point.id) for point in found.points))
query("fusion by ranks", using=None, prefetch=BOTH, query=m.FusionQuery(fusion=m.Fusion.RRF))
query("fusion by distributions", using=None, prefetch=BOTH, query=m.FusionQuery(fusion=m.Fusion.DBSF))
query(
    "fusion by ranks, k and weights",
    using=None,
    prefetch=BOTH,
    query=m.RrfQuery(rrf=m.Rrf(k=10, weights=[3.0, 1.0])),
)
query("fusion with a threshold", using=None, prefetch=BOTH, score_threshold=0.4,
      query=m.FusionQuery(fusion=m.Fusion.RRF))
query("fusion with a filter outside", using=None, prefetch=BOTH, query_filter=KIND_A,
      query=m.FusionQuery(fusion=m.Fusion.RRF))
query("fusion without prefetch", using=None, query=m.FusionQuery(fusion=m.Fusion.RRF))
query("weights of another number than prefetches", using=None, prefetch=BOTH,
      query=m.RrfQuery(rrf=m.Rrf(weights=[1.0])))
query("rescored by another vector", prefetch=m.Prefetch(query=WORDS, using="words", limit=4), query=DENSE)
query("prefetch in a prefetch", using="flat", query=[1.0, 0.0], limit=3, prefetch=m.Prefetch(
    prefetch=[m.Prefetch(query=WORDS, using="words", limit=8)], query=DENSE, using="dense", limit=5))
query("prefetch with filter, threshold and parameters", query=DENSE, prefetch=m.Prefetch(
    query=DENSE, using="dense", filter=above("n", 2), score_threshold=0.3, limit=5,
    params=m.SearchParams(exact=True)))
query("prefetch without a query", query=DENSE, limit=3, prefetch=m.Prefetch(filter=KIND_A, limit=3))
query(
    "vector looked up elsewhere",
    query=2,
    using="flat",
    lookup_from=m.LookupLocation(collection=OTHER),
    limit=3,
)
query("vector of a name looked up elsewhere", query=2, using="flat", limit=3,
      lookup_from=m.LookupLocation(collection=OTHER, vector="flat"))
query("looked up in a missing collection", query=2, using="flat",
      lookup_from=m.LookupLocation(collection="no-such-collection"))
query("relevance feedback", limit=5, query=m.RelevanceFeedbackQuery(relevance_feedback=m.RelevanceFeedbackInput(
    target=DENSE, feedback=[m.FeedbackItem(example=1, score=0.9), m.FeedbackItem(example=4, score=0.1)],
    strategy=m.NaiveFeedbackStrategy(naive=m.NaiveFeedbackStrategyParams(a=1.0, b=1.0, c=1.0)))))

_FIRST = m.Prefetch(query=DENSE, using="dense", limit=10)
FORMULAS: dict[str, tuple[Any, dict[str, Any] | None]] = {
    "sum and product": (m.SumExpression(sum=["$score", m.MultExpression(mult=[0.1, "price"])]), None),
    "defaults for what is missing": (m.SumExpression(sum=["$score", "nope"]), {"nope": 2.5}),
    "a condition as 0 or 1": (m.SumExpression(sum=["$score", m.FieldCondition(key="kind", match=m.MatchValue(value="a"))]), None),
    "division and absolute value": (m.DivExpression(div=m.DivParams(left=m.AbsExpression(abs="price"), right="$score")), None),
    "negation, root, power, logarithm": (m.SumExpression(sum=[
        m.NegExpression(neg="$score"), m.SqrtExpression(sqrt="price"), m.LnExpression(ln="price"),
        m.PowExpression(pow=m.PowParams(base="price", exponent=0.5)), m.ExpExpression(exp="$score"),
        m.Log10Expression(log10="price")]), None),
    "distance on earth": (m.GeoDistance(geo_distance=m.GeoDistanceParams(origin=m.GeoPoint(lon=12, lat=48), to="place")), None),
    "decay": (m.SumExpression(sum=[
        m.GaussDecayExpression(gauss_decay=m.DecayParamsExpression(x="price", target=6.0, scale=3.0)),
        m.ExpDecayExpression(exp_decay=m.DecayParamsExpression(x="price", target=6.0, scale=3.0, midpoint=0.3)),
        m.LinDecayExpression(lin_decay=m.DecayParamsExpression(x="price", target=6.0, scale=3.0))]), None),
    "decay over time": (m.ExpDecayExpression(exp_decay=m.DecayParamsExpression(
        x=m.DatetimeKeyExpression(datetime_key="when"), target=m.DatetimeExpression(datetime="2024-06-01T00:00:00Z"),
        scale=2_592_000.0)), None),
    "a key that is missing": (m.SumExpression(sum=["$score", "nope"]), None),
    "a division by zero": (m.DivExpression(div=m.DivParams(left="$score", right=0.0)), None),
}
for _rule, (_formula, _defaults) in FORMULAS.items():
    query(
        f"formula: {_rule}",
        using=None,
        prefetch=_FIRST,
        query=m.FormulaQuery(formula=_formula, defaults=_defaults),
    )
for _rule, _filter in FILTERS.items():
    query(f"filter: {_rule}", query=DENSE, query_filter=_filter)

query("wrong dimension", query=[1.0, 2.0], says=("dimension",))
query("unknown vector name", query=DENSE, using="nope", says=("nope",))
query("no vector name where it is needed", query=DENSE, using=None)
query("unknown id", query=99, says=("99",))
query("dense vector for a sparse name", query=DENSE, using="words")
query("sparse vector for a dense name", query=WORDS, using="dense")
query("limit of zero", query=DENSE, limit=0)
query("negative limit", query=DENSE, limit=-1)
query("missing collection", world="nothing", query=DENSE, says=("doesn't exist",))
query("text to embed on the server", query=m.Document(text="fox", model="qdrant/bm25"), using="words")
query("not a number", query=[float("nan"), 0.0, 0.0, 0.0])

add("query_batch_points", "queries of different forms", requests=[
    m.QueryRequest(query=DENSE, using="dense", limit=2), m.QueryRequest(limit=2, with_payload=["n"]),
    m.QueryRequest(prefetch=BOTH, query=m.FusionQuery(fusion=m.Fusion.RRF), limit=3),
    m.QueryRequest(query=m.RecommendQuery(recommend=m.RecommendInput(positive=[1])), using="dense", limit=2)])
add("query_batch_points", "one wrong query fails them all", requests=[
    m.QueryRequest(query=DENSE, using="dense", limit=2), m.QueryRequest(query=[1.0], using="dense")])
add("query_batch_points", "no queries", requests=[])


def groups(rule: str, /, **arguments: Any) -> None:
    """Add a grouped query over the dense vectors."""
    arguments = {"with_payload": False, "query": DENSE, "using": "dense", **arguments}
    world = arguments.pop("world", "library")
    says = arguments.pop("says", ())
    add("query_points_groups", rule, world=world, says=says, **arguments)


groups("by a keyword", group_by="kind", limit=2, group_size=2)
groups("by an integer", group_by="n", limit=3, group_size=1)
groups("by a list", group_by="tags", limit=3, group_size=2)
groups("by a nested key", group_by="shelf.row", limit=4, group_size=3, with_payload=["shelf"])
groups("with what is known of each group", group_by="shelf.row", limit=4, group_size=1,
       with_lookup=m.WithLookup(collection=OTHER, with_payload=True, with_vectors=True))
groups(
    "with the name of a collection to look up in",
    group_by="shelf.row",
    limit=2,
    group_size=1,
    with_lookup=OTHER,
)
groups("filtered, with a threshold and vectors", group_by="kind", query_filter=above("n", 2), score_threshold=0.4,
       with_vectors=["flat"], search_params=m.SearchParams(exact=True))
groups("after fusion", group_by="kind", using=None, prefetch=BOTH, query=m.FusionQuery(fusion=m.Fusion.RRF))
groups("of a vector looked up elsewhere", group_by="kind", using="flat", query=2, limit=2, group_size=2,
       lookup_from=m.LookupLocation(collection=OTHER))
groups("by a key that nobody has", group_by="nobody")
groups("size of zero", group_by="kind", group_size=0)
groups("missing collection", world="nothing", group_by="kind", says=("doesn't exist",))

_MATRIX: dict[str, Any] = {"using": "dense", "sample": 10, "limit": 2}
for _method in ("search_matrix_pairs", "search_matrix_offsets"):
    add(_method, "of every point", **_MATRIX)
    add(_method, "of filtered points", query_filter=where("kind", "a"), **_MATRIX)
    add(_method, "of a sparse vector", using="words", sample=10, limit=2)
    add(_method, "sample of one", using="dense", sample=1, limit=2)
    add(_method, "missing collection", world="nothing", **_MATRIX)
