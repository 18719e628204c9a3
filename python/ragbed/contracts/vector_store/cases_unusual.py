"""Cases that are rare and valid: forms, sizes and combinations that a user comes upon one day."""

# Tables read best in a layout of their own.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from typing import Any

from qdrant_client import models as m

from ragbed.contracts.vector_store.case import Step, Table, step
from ragbed.contracts.vector_store.cases_points import ALL, KIND_A, above, where
from ragbed.contracts.vector_store.cases_queries import BOTH, DENSE, WORDS
from ragbed.contracts.vector_store.worlds import PLAIN

TABLE = Table()
add = TABLE.add

F, C = m.Filter, m.FieldCondition


def put(*points: m.PointStruct) -> Step:
    """Return a write that prepares."""
    return step("upsert", points=list(points), wait=True)


# --- ids and payloads
_UUIDS = ["550E8400-E29B-41D4-A716-446655440000", "550e8400e29b41d4a716446655440001",
          "urn:uuid:550e8400-e29b-41d4-a716-446655440002"]
add("upsert", "UUIDs in every spelling", world="plain", then=(ALL,),
    points=[m.PointStruct(id=name, vector=[1.0, 2.0]) for name in _UUIDS])
add("upsert", "the smallest and the largest id", world="plain", then=(ALL,),
    points=[m.PointStruct(id=n, vector=[1.0, 2.0]) for n in (0, 2**64 - 1)])
add("upsert", "an id beyond the largest", world="plain", then=(ALL,), points=[m.PointStruct(id=2**64, vector=[1.0, 2.0])])
add("upsert", "an id twice in one request", world="plain", then=(ALL,), points=[
    m.PointStruct(id=9, vector=[1.0, 2.0], payload={"v": 1}), m.PointStruct(id=9, vector=[3.0, 4.0], payload={"w": 2})])
add("upsert", "numbers at the ends of their ranges", world="plain", then=(step("retrieve", ids=[9]),), points=[
    m.PointStruct(id=9, vector=[1.0, 2.0], payload={"most": 2**63 - 1, "least": -(2**63), "unsigned": 2**64 - 1,
                                                    "beyond": 2**64, "large": 1e300, "small": 5e-324, "minus": -0.0})])
add("upsert", "a number that float32 cannot hold", world="plain", then=(ALL,), points=[m.PointStruct(id=9, vector=[1e39, 1.0])])
add("retrieve", "an id twice", ids=[3, 3, 1], with_payload=["n"])
add("retrieve", "keys inside lists", ids=[3], with_payload=["parts[].name", "tags[0]"])
add("set_payload", "under an element of a list", world="plain", then=(ALL,), payload={"x": 1}, key="list[0]", points=[1],
    before=(step("set_payload", payload={"list": [{"y": 1}, {"y": 2}]}, points=[1]),))
add("set_payload", "under a key that holds a number", world="plain", then=(ALL,), payload={"x": 1}, key="n", points=[1])
add("set_payload", "ids go before a filter", world="plain", then=(ALL,), payload={"x": 1}, points=m.FilterSelector(filter=F()))
add("overwrite_payload", "under a key", world="plain", then=(ALL,), payload={"x": 1}, key="deep", points=[1],
    before=(step("set_payload", payload={"deep": {"y": 1}, "other": 2}, points=[1]),))
add("delete_payload", "a nested key", world="plain", then=(ALL,), keys=["deep.y"], points=[1],
    before=(step("set_payload", payload={"deep": {"y": 1, "z": 2}}, points=[1]),))
add("update_vectors", "an empty sparse vector", world="named", then=(ALL,), points=[
    m.PointVectors(id=1, vector={"words": m.SparseVector(indices=[], values=[])})])
add("update_vectors", "sparse indices out of order", world="named", then=(ALL,), points=[
    m.PointVectors(id=1, vector={"words": m.SparseVector(indices=[9, 2], values=[1.0, 2.0])})])
add("update_vectors", "one of several, and a point twice", world="named", then=(ALL,), points=[
    m.PointVectors(id=1, vector={"dense": [0.0, -1.0]}), m.PointVectors(id=1, vector={"words": m.SparseVector(indices=[3], values=[4.0])})])

# --- filters
_NESTED = F(must=[C(key="name", match=m.MatchValue(value="bolt")), C(key="count", range=m.Range(lt=4))])
FILTERS: dict[str, Any] = {
    "nested in must not": F(must_not=[m.NestedCondition(nested=m.Nested(key="parts[]", filter=_NESTED))]),
    "four deep": F(must=[F(should=[F(must_not=[KIND_A]), F(must=[F(must=[above("n", 6)])])])]),
    "missing a vector": F(must_not=[m.HasVectorCondition(has_vector="late")]),
    "times without a zone": F(must=[C(key="when", range=m.DatetimeRange(gte="2024-03-01 12:00:00", lt="2024-08-01"))]),
    "a box over the date line": F(must=[C(key="place", geo_bounding_box=m.GeoBoundingBox(
        top_left=m.GeoPoint(lon=18.5, lat=60.0), bottom_right=m.GeoPoint(lon=12.5, lat=0.0)))]),
    "a polygon with a hole": F(must=[C(key="place", geo_polygon=m.GeoPolygon(
        exterior=m.GeoLineString(points=[m.GeoPoint(lon=a, lat=b) for a, b in ((10, 50), (20, 50), (20, 40), (10, 40), (10, 50))]),
        interiors=[m.GeoLineString(points=[m.GeoPoint(lon=a, lat=b) for a, b in ((13, 48), (16, 48), (16, 44), (13, 44), (13, 48))])]))]),
    "two conditions on one field": F(must=[C(key="n", range=m.Range(gt=1), match=m.MatchValue(value=7))]),
    "except of nothing": F(must=[C(key="kind", match=m.MatchExcept(**{"except": []}))]),
    "except on a key that nobody has": F(must=[C(key="nobody", match=m.MatchExcept(**{"except": ["a"]}))]),
    "a key in quotes": where('"shelf".row', 2),
    "a range the wrong way round": F(must=[C(key="n", range=m.Range(gt=8, lt=2))]),
    "null elements": F(must=[m.IsNullCondition(is_null=m.PayloadField(key="gap[]"))]),
    "more than there are": F(min_should=m.MinShould(min_count=2, conditions=[KIND_A])),
    "a path that is none": where("shelf..row", 2),
}
for _rule, _filter in FILTERS.items():
    add("count", f"rare filter: {_rule}", count_filter=_filter)
    add("query_points", f"rare filter: {_rule}", query=DENSE, using="dense", with_payload=False, query_filter=_filter)
add("count", "rare filter: a list with a null in it is null", world="plain",
    before=(step("set_payload", payload={"gap": [None, 1]}, points=[1]), step("set_payload", payload={"gap": None}, points=[2])),
    count_filter=F(must=[m.IsNullCondition(is_null=m.PayloadField(key="gap"))]))


# --- queries
def query(rule: str, /, **arguments: Any) -> None:
    """Add a query without payloads unless asked."""
    add("query_points", rule, **{"with_payload": False, **arguments})


query("prefetches four deep, over every kind of vector", limit=4, using="late", query=[[0.3, 0.4], [0.9, 0.1]], prefetch=[
    m.Prefetch(query=m.FusionQuery(fusion=m.Fusion.RRF), limit=20, prefetch=[
        m.Prefetch(query=DENSE, using="dense", limit=6, prefetch=[m.Prefetch(query=WORDS, using="words", limit=9)]),
        m.Prefetch(query=[1.0, 0.5], using="flat", limit=6, filter=above("n", 1))]),
    m.Prefetch(query=m.OrderByQuery(order_by=m.OrderBy(key="price")), limit=2)])
query("fusion of recommendations", query=m.FusionQuery(fusion=m.Fusion.DBSF), prefetch=[
    m.Prefetch(query=m.RecommendQuery(recommend=m.RecommendInput(positive=[1], negative=[4])), using="dense", limit=6),
    m.Prefetch(query=m.ContextQuery(context=[m.ContextPair(positive=1, negative=4)]), using="flat", limit=6)])
query("formula: scores of two prefetches", prefetch=BOTH, query=m.FormulaQuery(
    formula=m.SumExpression(sum=["$score[0]", m.MultExpression(mult=["$score[1]", 0.1])]), defaults={"$score[0]": 0.0, "$score[1]": -1.0}))
query("formula: instead of a division by zero", prefetch=BOTH[0], query=m.FormulaQuery(formula=m.DivExpression(
    div=m.DivParams(left="$score", right=m.SumExpression(sum=["n", -7.0]), by_zero_default=3.0))))
query("formula: a default that is a time", prefetch=BOTH[0], query=m.FormulaQuery(
    formula=m.SumExpression(sum=["$score", m.ExpDecayExpression(exp_decay=m.DecayParamsExpression(
        x=m.DatetimeKeyExpression(datetime_key="nope"), target=m.DatetimeExpression(datetime="2024-06-01T00:00:00Z"), scale=86_400.0))]),
    defaults={"nope": "2024-06-02T00:00:00Z"}))
query("formula: an element of a list", prefetch=BOTH[0], query=m.FormulaQuery(
    formula=m.SumExpression(sum=["$score", "parts[0].count"])))
query("formula: ids, vectors and what is empty as conditions", prefetch=BOTH[0], query=m.FormulaQuery(
    formula=m.SumExpression(sum=["$score", m.HasIdCondition(has_id=[1, 2]), m.HasVectorCondition(has_vector="late"),
                                 m.IsEmptyCondition(is_empty=m.PayloadField(key="gap"))])))
query("formula: over a threshold, filtered", prefetch=BOTH[0], query_filter=KIND_A, score_threshold=4.0,
      query=m.FormulaQuery(formula=m.SumExpression(sum=["$score", "price"])))
query("order by, from a value, downwards", limit=4, query=m.OrderByQuery(order_by=m.OrderBy(key="price", direction="desc", start_from=9.0)))
query("order by, from a time, filtered", limit=4, query_filter=F(must_not=[KIND_A]),
      query=m.OrderByQuery(order_by=m.OrderBy(key="when", start_from="2024-03-01T12:00:00Z")))
query("order by after prefetch", prefetch=BOTH[0], query=m.OrderByQuery(order_by=m.OrderBy(key="n", direction="desc")))
query("a row as a multi vector", query=[0.3, 0.4], using="late", limit=4)
query("rows of different lengths", query=[[0.5, 2.0], [3.0]], using="late", limit=4)
query("a sparse vector of nothing", query=m.SparseVector(indices=[], values=[]), using="words")
query("looked up under a name that is not there", query=1, using="flat",
      lookup_from=m.LookupLocation(collection=PLAIN, vector="nope"))
query("limit and offset beyond all", query=DENSE, using="dense", limit=2**40, offset=2)
query("weights of nothing", prefetch=BOTH, query=m.RrfQuery(rrf=m.Rrf(k=1, weights=[0.0, 1.0])), limit=3)
add("query_points_groups", "rare: by a formula", group_by="kind", limit=3, group_size=2, with_payload=False, prefetch=BOTH[0],
    query=m.FormulaQuery(formula=m.SumExpression(sum=["$score", "price"])))
add("query_points_groups", "rare: by an element of a list of objects", group_by="parts[].count", limit=20, group_size=1,
    query=DENSE, using="dense", with_payload=False, keep=lambda found: sorted(group.id for group in found.groups))
add("query_points_groups", "rare: by a bool", group_by="flag", query=DENSE, using="dense", with_payload=False)

# --- collections
_LATE = m.MultiVectorConfig(comparator=m.MultiVectorComparator.MAX_SIM)
_MADE = step("create_collection", vectors_config={
    "bytes": m.VectorParams(size=3, distance=m.Distance.DOT, datatype=m.Datatype.UINT8),
    "half": m.VectorParams(size=3, distance=m.Distance.EUCLID, datatype=m.Datatype.FLOAT16),
    "rows": m.VectorParams(size=2, distance=m.Distance.MANHATTAN, multivector_config=_LATE),
}, sparse_vectors_config={"words": m.SparseVectorParams(modifier=m.Modifier.IDF)})
add("upsert", "values that the datatype cannot hold", world="nothing", before=(_MADE,), then=(ALL,), points=[
    m.PointStruct(id=1, vector={"bytes": [300.0, -5.0, 1.7], "half": [1e6, 1 / 3, -1e-9]})])
for _kind, _rows in {"of different lengths": [[0.5, 2.0], [3.0]], "of nothing": [[]]}.items():
    add("upsert", f"rows {_kind}", world="nothing", before=(_MADE,), then=(ALL,), points=[
        m.PointStruct(id=1, vector={"rows": _rows})])
add("query_points", "a distance below a threshold", world="nothing", using="half", query=[0.0, 0.0, 0.0], score_threshold=3.0,
    before=(_MADE, put(*(m.PointStruct(id=n, vector={"half": [float(n), 0.0, 0.0]}) for n in range(6)))))
for _rule, _name in {"a slash": "a/b", "a quote": 'a"b', "more than 200 bytes": "ü" * 101, "letters of any script": "ünï code.☂"}.items():
    add("create_collection", f"a vector's name with {_rule}", world="nothing", vectors_config={
        _name: m.VectorParams(size=2, distance=m.Distance.DOT)})
    add("create_collection", f"a sparse vector's name with {_rule}", world="nothing", vectors_config={},
        sparse_vectors_config={_name: m.SparseVectorParams()})
add("create_collection", "a sparse vector without a name", world="nothing", vectors_config={},
    sparse_vectors_config={"": m.SparseVectorParams()})
