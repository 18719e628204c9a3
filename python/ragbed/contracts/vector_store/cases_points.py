"""Cases about points: written, changed, read, counted."""

# Tables read best in a layout of their own.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from typing import Any

import numpy as np
from qdrant_client import models as m

from ragbed.contracts.vector_store.case import Table, step
from ragbed.contracts.vector_store.worlds import UUID_9, UUID_10

TABLE = Table()
add = TABLE.add


def where(key: str, value: Any) -> m.Filter:
    """Return the filter for one value of a key."""
    return m.Filter(must=[m.FieldCondition(key=key, match=m.MatchValue(value=value))])


def above(key: str, value: float) -> m.Filter:
    """Return the filter for numbers over a bound."""
    return m.Filter(must=[m.FieldCondition(key=key, range=m.Range(gt=value))])


KIND_A = where("kind", "a")
MISSING = "no-such-collection"
ALL = step("scroll", limit=100, with_payload=True, with_vectors=True)
NEW = m.PointStruct(id=7, vector=[1.0, 7.0], payload={"n": 7, "new": True})
OLD = m.PointStruct(id=1, vector=[0.5, 0.5], payload={"replaced": True})


# --- upsert
add("upsert", "new and old points from a list", world="plain", then=(ALL,), points=[NEW, OLD])
add("upsert", "a batch of columns", world="plain", then=(ALL,),
    points=m.Batch(ids=[1, UUID_9], vectors=[[3.0, 3.0], [4.0, 4.0]], payloads=[{"x": 1}, {}]))
add("upsert", "named vectors, some left out", world="named", then=(ALL,),
    points=[m.PointStruct(id=5, vector={"words": m.SparseVector(indices=[9], values=[1.5])}),
            m.PointStruct(id=1, vector={"dense": [0.0, 2.0]})])
add("upsert", "a point without vectors", world="named", then=(ALL,), points=[m.PointStruct(id=6, vector={})])
add("upsert", "only where the filter matches or the point is new", world="plain", then=(ALL,),
    points=[OLD, NEW, m.PointStruct(id=2, vector=[0.0, 0.0], payload={"gone": 1})], update_filter=KIND_A)
add("upsert", "insert_only leaves old points", world="plain", then=(ALL,), points=[NEW, OLD],
    update_mode=m.UpdateMode.INSERT_ONLY)
add("upsert", "update_only adds none", world="plain", then=(ALL,), points=[NEW, OLD],
    update_mode=m.UpdateMode.UPDATE_ONLY)
add("upsert", "wait=False is acknowledged", world="plain", points=[NEW], wait=False)
add("upsert", "cosine vectors come back with unit length", world="named", then=(ALL,),
    points=[m.PointStruct(id=1, vector={"dense": [3.0, 4.0]})])
add("upsert", "wrong dimension", world="plain", then=(ALL,), says=("dimension", "2", "3"),
    points=[NEW, m.PointStruct(id=8, vector=[1.0, 2.0, 3.0])])
add("upsert", "unknown vector name", world="named", says=("nope",),
    points=[m.PointStruct(id=8, vector={"nope": [1.0, 2.0]})])
add("upsert", "unnamed vector where names are needed", world="named",
    points=[m.PointStruct(id=8, vector=[1.0, 2.0])])
add("upsert", "sparse indices given twice", world="named",
    points=[m.PointStruct(id=8, vector={"words": m.SparseVector(indices=[1, 1], values=[1.0, 2.0])})])
add("upsert", "sparse indices and values of different lengths", world="named",
    points=[m.PointStruct(id=8, vector={"words": m.SparseVector(indices=[1, 2], values=[1.0])})])
add("upsert", "id that is no UUID", world="plain", points=[m.PointStruct(id="seven", vector=[1.0, 2.0])])
add("upsert", "negative id", world="plain", points=[m.PointStruct(id=-7, vector=[1.0, 2.0])])
add("upsert", "columns of different lengths", world="plain",
    points=m.Batch(ids=[1, 2], vectors=[[3.0, 3.0]]))
add("upsert", "missing collection", world="nothing", points=[NEW], says=("doesn't exist",))
add("upsert", "no points", world="plain", points=[])
add("upsert", "a zero vector under cosine", world="named", then=(ALL,),
    points=[m.PointStruct(id=8, vector={"dense": [0.0, 0.0]})])
add("upsert", "nested payload of every JSON type", world="plain",
    then=(step("retrieve", ids=[8], with_payload=True),),
    points=[m.PointStruct(id=8, vector=[1.0, 2.0], payload={
        "null": None, "yes": True, "int": 2**53 + 1, "float": 1.5, "text": "ünïcode ☂", "list": [1, "a", None, []],
        "object": {"deep": {"deeper": [{}]}}, "": "empty key", "a.b": "dotted"})])

add("upload_points", "in batches", world="plain", then=(ALL,), points=[NEW, OLD], batch_size=1, wait=True)
add("upload_points", "in parallel", world="plain", then=(step("count"),), points=[NEW, OLD], parallel=2,
    method="fork", wait=True, max_retries=2)
add(
    "upload_points",
    "filtered",
    world="plain",
    then=(ALL,),
    points=[NEW, OLD],
    update_filter=KIND_A,
    wait=True,
)
add("upload_points", "insert_only", world="plain", then=(ALL,), points=[NEW, OLD], wait=True,
    update_mode=m.UpdateMode.INSERT_ONLY)
add("upload_collection", "an array, payloads and ids", world="plain", then=(ALL,),
    vectors=np.array([[1.0, 9.0], [2.0, 9.0]]), payload=[{"a": 1}, {"a": 2}], ids=[11, 12], wait=True)
add("upload_collection", "in parallel batches", world="plain", then=(step("count"),), batch_size=1, parallel=2,
    method="fork", max_retries=1, vectors=[[1.0, 9.0], [2.0, 9.0]], ids=[11, 12], wait=True)
add("upload_collection", "update_only with a filter", world="plain", then=(ALL,), vectors=[[1.0, 9.0], [2.0, 9.0]],
    ids=[2, 12], wait=True, update_mode=m.UpdateMode.UPDATE_ONLY, update_filter=KIND_A)

# --- delete, payload, vectors
add("delete", "by ids, one unknown", world="plain", then=(ALL,), points_selector=[1, 99])
add("delete", "by filter", world="plain", then=(ALL,), points_selector=KIND_A)
add("delete", "by ids in their own form", world="plain", then=(ALL,),
    points_selector=m.PointIdsList(points=[2]))
add("delete", "missing collection", world="nothing", points_selector=[1], says=("doesn't exist",))
add("delete", "unknown point", world="plain", then=(ALL,), points_selector=[99])
for method in ("set_payload", "overwrite_payload"):
    add(method, "by ids", world="plain", then=(ALL,), payload={"x": 1, "n": 50}, points=[1, 2])
    add(method, "by filter", world="plain", then=(ALL,), payload={"x": [1]}, points=KIND_A)
    add(method, "unknown point", world="plain", then=(ALL,), payload={"x": 1}, points=[99])
    add(method, "missing collection", world="nothing", payload={"x": 1}, points=[1])
add("set_payload", "under a key", world="plain", then=(ALL,), payload={"x": 1}, key="deep.er", points=[1])
add("set_payload", "null is stored", world="plain", then=(ALL,), payload={"n": None}, points=[1])
add("set_payload", "no points named", world="plain", then=(ALL,), payload={"x": 1}, points=[])
add("delete_payload", "keys by ids", world="plain", then=(ALL,), keys=["n", "nope"], points=[1])
add("delete_payload", "keys by filter", world="plain", then=(ALL,), keys=["kind"], points=above("n", 3))
add("delete_payload", "missing collection", world="nothing", keys=["n"], points=[1])
add("clear_payload", "by ids", world="plain", then=(ALL,), points_selector=[1, 2])
add("clear_payload", "by filter", world="plain", then=(ALL,), points_selector=KIND_A)
add("update_vectors", "of one name", world="named", then=(ALL,),
    points=[m.PointVectors(id=1, vector={"dense": [0.0, -1.0]})])
add("update_vectors", "unnamed", world="plain", then=(ALL,), points=[m.PointVectors(id=1, vector=[9.0, 9.0])])
add("update_vectors", "where a filter matches", world="plain", then=(ALL,), update_filter=KIND_A,
    points=[m.PointVectors(id=1, vector=[9.0, 9.0]), m.PointVectors(id=2, vector=[8.0, 8.0])])
add("update_vectors", "unknown point", world="plain", then=(ALL,),
    points=[m.PointVectors(id=99, vector=[9.0, 9.0])])
add("update_vectors", "wrong dimension", world="plain", then=(ALL,), says=("dimension",),
    points=[m.PointVectors(id=1, vector=[9.0])])
add("delete_vectors", "by ids", world="named", then=(ALL,), vectors=["words"], points=[1])
add("delete_vectors", "by filter", world="named", then=(ALL,), vectors=["dense"], points=above("n", 1))
add("delete_vectors", "unknown name", world="named", then=(ALL,), vectors=["nope"], points=[1])
add("batch_update_points", "operations of every kind, in order", world="plain", then=(ALL,), update_operations=[
    m.UpsertOperation(upsert=m.PointsList(points=[NEW])),
    m.DeleteOperation(delete=m.PointIdsList(points=[1])),
    m.SetPayloadOperation(set_payload=m.SetPayload(payload={"s": 1}, points=[2])),
    m.OverwritePayloadOperation(overwrite_payload=m.SetPayload(payload={"o": 1}, points=[3])),
    m.DeletePayloadOperation(delete_payload=m.DeletePayload(keys=["n"], points=[4])),
    m.ClearPayloadOperation(clear_payload=m.PointIdsList(points=[5])),
    m.UpdateVectorsOperation(update_vectors=m.UpdateVectors(points=[m.PointVectors(id=6, vector=[6.0, 6.0])])),
])
add("batch_update_points", "vectors deleted", world="named", then=(ALL,), update_operations=[
    m.DeleteVectorsOperation(delete_vectors=m.DeleteVectors(points=[1], vector=["words"]))])
add("batch_update_points", "by filter and mode", world="plain", then=(ALL,), update_operations=[
    m.UpsertOperation(upsert=m.PointsList(points=[NEW, OLD], update_mode=m.UpdateMode.INSERT_ONLY)),
    m.DeleteOperation(delete=m.FilterSelector(filter=KIND_A))])
add("batch_update_points", "a wrong operation in the middle", world="plain", then=(ALL,), update_operations=[
    m.DeleteOperation(delete=m.PointIdsList(points=[1])),
    m.UpdateVectorsOperation(update_vectors=m.UpdateVectors(points=[m.PointVectors(id=2, vector=[6.0])])),
    m.DeleteOperation(delete=m.PointIdsList(points=[3]))])

# --- read
add("retrieve", "known and unknown ids", ids=[3, 99, UUID_9])
add(
    "retrieve",
    "chosen keys and vectors",
    ids=[3],
    with_payload=["n", "shelf.row"],
    with_vectors=["flat", "words"],
)
add("retrieve", "without payload, with every vector", ids=[3], with_payload=False, with_vectors=True)
add("retrieve", "keys left out", ids=[3],
    with_payload=m.PayloadSelectorExclude(exclude=["parts", "title", "place"]))
add("retrieve", "missing collection", world="nothing", ids=[1], says=("doesn't exist",))
add("retrieve", "unknown vector name", ids=[3], with_vectors=["nope"])
add("scroll", "first page", limit=3, with_payload=["n"])
add("scroll", "page from an offset", limit=3, offset=4, with_payload=False)
add("scroll", "page from a UUID", limit=3, offset=UUID_9, with_payload=False)
add("scroll", "filtered", scroll_filter=KIND_A, with_payload=["kind"], with_vectors=["flat"])
add("scroll", "ordered by an integer", order_by="n", with_payload=["n"], limit=4)
add("scroll", "ordered downwards from a value", limit=3, with_payload=False,
    order_by=m.OrderBy(key="price", direction=m.Direction.DESC, start_from=9.0))
add("scroll", "ordered by a time", limit=3, with_payload=False,
    order_by=m.OrderBy(key="when", start_from="2024-05-01T00:00:00Z"))
add("scroll", "order and offset exclude each other", order_by="n", offset=3)
add("scroll", "order by a key without index", order_by="shelf.row", says=("index",))
add("scroll", "limit of zero", limit=0)
add("scroll", "missing collection", world="nothing", says=("doesn't exist",))
add("count", "all")
add("count", "filtered", count_filter=KIND_A, exact=True)
add("count", "approximate without a filter", exact=False)
add("count", "missing collection", world="nothing", says=("doesn't exist",))
add("facet", "of a keyword", key="kind")
add("facet", "of a list", key="tags", limit=2)
add("facet", "filtered and exact", key="kind", facet_filter=above("n", 4), exact=True)
add("facet", "of a bool", key="flag", exact=True)
add("facet", "of an integer", key="n", exact=True)
add("facet", "of a UUID", key="uid", limit=3, exact=True)
add("facet", "of a float", key="price", says=("index",))
add("facet", "of a key without index", key="shelf.row", says=("index",))
add("facet", "missing collection", world="nothing", key="n", says=("doesn't exist",))

# --- filters, each counted and listed
F, C = m.Filter, m.FieldCondition
FILTERS: dict[str, m.Filter] = {
    "value, text": where("kind", "b"),
    "value, integer": where("n", 7),
    "value, bool": where("flag", True),
    "value in a list": where("tags", "red"),
    "value of a nested key": where("shelf.row", 2),
    "value in a list of objects": where("parts[].name", "bolt"),
    "value of a UUID": where("uid", "00000000-0000-0000-0000-000000000bb8"),
    "any": F(must=[C(key="kind", match=m.MatchAny(any=["a", "c"]))]),
    "any of integers": F(must=[C(key="n", match=m.MatchAny(any=[7, 3, 99]))]),
    "any of nothing": F(must=[C(key="kind", match=m.MatchAny(any=[]))]),
    "except": F(must=[C(key="kind", match=m.MatchExcept(**{"except": ["a"]}))]),
    "except on a list": F(must=[C(key="tags", match=m.MatchExcept(**{"except": ["red"]}))]),
    "text, indexed": F(must=[C(key="title", match=m.MatchText(text="fox brown"))]),
    "text, any word": F(must=[C(key="title", match=m.MatchTextAny(text_any="snow lamps"))]),
    "text, phrase": F(must=[C(key="title", match=m.MatchPhrase(phrase="the fox"))]),
    "text, not indexed": F(must=[C(key="parts[].name", match=m.MatchText(text="bol"))]),
    "range": F(must=[C(key="price", range=m.Range(gte=3.0, lt=9.0))]),
    "range of integers": F(must=[C(key="n", range=m.Range(gt=2, lte=8))]),
    "range of times": F(must=[C(key="when", range=m.DatetimeRange(gt="2024-03-01T12:00:00Z", lte="2024-07-02"))]),
    "range with an offset in the time": F(must=[C(key="when", range=m.DatetimeRange(lt="2024-03-01T13:00:00+01:00"))]),
    "empty range": F(must=[C(key="n", range=m.Range())]),
    "box": F(must=[C(key="place", geo_bounding_box=m.GeoBoundingBox(
        top_left=m.GeoPoint(lon=12.5, lat=48.0), bottom_right=m.GeoPoint(lon=15.5, lat=44.0)))]),
    "radius": F(must=[C(key="place", geo_radius=m.GeoRadius(center=m.GeoPoint(lon=14, lat=46), radius=200_000))]),
    "polygon": F(must=[C(key="place", geo_polygon=m.GeoPolygon(exterior=m.GeoLineString(points=[
        m.GeoPoint(lon=10, lat=50), m.GeoPoint(lon=16, lat=50), m.GeoPoint(lon=16, lat=44),
        m.GeoPoint(lon=10, lat=44), m.GeoPoint(lon=10, lat=50)])))]),
    "polygon that is not closed": F(must=[C(key="place", geo_polygon=m.GeoPolygon(exterior=m.GeoLineString(points=[
        m.GeoPoint(lon=10, lat=50), m.GeoPoint(lon=16, lat=50), m.GeoPoint(lon=16, lat=44)])))]),
    "latitude out of range": F(must=[C(key="place", geo_radius=m.GeoRadius(
        center=m.GeoPoint(lon=14, lat=146), radius=1))]),
    "number of values": F(must=[C(key="tags", values_count=m.ValuesCount(gte=2))]),
    "number of values, none": F(must=[C(key="tags", values_count=m.ValuesCount(lt=1))]),
    "empty": F(must=[m.IsEmptyCondition(is_empty=m.PayloadField(key="gap"))]),
    "null": F(must=[m.IsNullCondition(is_null=m.PayloadField(key="gap"))]),
    "empty as a field's condition": F(must=[C(key="gap", is_empty=False)]),
    "null as a field's condition": F(must=[C(key="gap", is_null=True)]),
    "ids": F(must=[m.HasIdCondition(has_id=[1, UUID_10, 99])]),
    "no ids": F(must=[m.HasIdCondition(has_id=[])]),
    "has a vector": F(must=[m.HasVectorCondition(has_vector="words")]),
    "has an unknown vector": F(must=[m.HasVectorCondition(has_vector="nope")]),
    "nested": F(must=[m.NestedCondition(nested=m.Nested(key="parts", filter=F(must=[
        C(key="name", match=m.MatchValue(value="nut")), C(key="count", range=m.Range(gt=6))])))]),
    "slice": F(must=[m.SliceCondition(slice=m.Slice(total=2, index=0))]),
    "must, should and must not": F(must=[C(key="n", range=m.Range(gt=1))], must_not=[C(key="flag", match=m.MatchValue(value=True))],
                                   should=[C(key="kind", match=m.MatchValue(value="a")), C(key="kind", match=m.MatchValue(value="b"))]),
    "at least two": F(min_should=m.MinShould(min_count=2, conditions=[
        C(key="flag", match=m.MatchValue(value=True)), C(key="kind", match=m.MatchValue(value="a")),
        C(key="n", range=m.Range(gt=5))])),
    "at least none": F(min_should=m.MinShould(min_count=0, conditions=[C(key="n", range=m.Range(gt=5))])),
    "a filter in a filter": F(must_not=[F(should=[where("kind", "a"), where("kind", "b")])]),
    "nothing": F(),
    "empty lists": F(must=[], should=[], must_not=[]),
    "one condition without a list": F(must=C(key="kind", match=m.MatchValue(value="a"))),
    "a value of another type": where("n", "seven"),
    "a key that nobody has": where("nobody", 1),
}
for _name, _filter in FILTERS.items():
    add("scroll", f"filter: {_name}", scroll_filter=_filter, with_payload=False, limit=100)
    add("count", f"filter: {_name}", count_filter=_filter)
