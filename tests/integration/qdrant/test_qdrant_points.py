"""Points over the wire: write, read, delete, payload, payload indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

if TYPE_CHECKING:
    import httpx

KIND_A = models.Filter(must=[models.FieldCondition(key="kind", match=models.MatchValue(value="a"))])


def ids(client: QdrantClient, name: str) -> list[Any]:
    """Return the ids of a collection's points, sorted."""
    return [record.id for record in client.scroll(name, limit=100)[0]]


def test_point_comes_back_as_it_was_written(client: QdrantClient, plain: str) -> None:
    """Payload of every JSON type, in any script, and the vector."""
    payload = {
        "text": "Grüße 集合 🙂",
        "n": -1,
        "f": 1.5,
        "big": 2**63 - 1,
        "none": None,
        "deep": [{"a": [True]}],
    }
    client.upsert(plain, [models.PointStruct(id=9, vector=[0.5, -2.0], payload=payload)])

    found = client.retrieve(plain, [9], with_vectors=True)[0]

    assert (found.payload, found.vector) == (payload, [0.5, -2.0])


def test_uuid_is_a_point_id(client: QdrantClient, plain: str) -> None:
    """Given with or without hyphens, it comes back with them."""
    point_id = "550e8400-e29b-41d4-a716-446655440000"
    client.upsert(plain, [models.PointStruct(id=UUID(point_id).hex, vector=[1.0, 1.0])])

    assert client.retrieve(plain, [point_id])[0].id == point_id


def test_batch_form_writes_points(client: QdrantClient, plain: str) -> None:
    """Columns of ids, vectors and payloads."""
    batch = models.Batch(ids=[10, 11], vectors=[[1.0, 2.0], [3.0, 4.0]], payloads=[{"a": 1}, {"a": 2}])
    client.upsert(plain, batch)

    assert [found.payload for found in client.retrieve(plain, [10, 11])] == [{"a": 1}, {"a": 2}]


def test_batch_form_takes_named_and_sparse_columns(client: QdrantClient, hybrid: str) -> None:
    """One column per vector name."""
    sparse = models.SparseVector(indices=[1], values=[2.0])
    client.upsert(hybrid, models.Batch(ids=[10], vectors={"dense": [[0.0, 1.0]], "sparse": [sparse]}))

    assert client.retrieve(hybrid, [10], with_vectors=True)[0].vector == {
        "dense": [0.0, 1.0],
        "sparse": sparse,
    }


def test_second_write_replaces_the_first(client: QdrantClient, plain: str) -> None:
    """Payload and vector are the new ones; the count stays."""
    client.upsert(plain, [models.PointStruct(id=1, vector=[9.0, 9.0], payload={"new": True})])

    found = client.retrieve(plain, [1], with_vectors=True)[0]
    assert (found.payload, found.vector, client.count(plain).count) == ({"new": True}, [9.0, 9.0], 6)


def test_get_one_point(http: httpx.Client, plain: str) -> None:
    """By id in the URL, whole."""
    answer = http.get(f"/collections/{plain}/points/2").json()

    assert answer["result"] == {"id": 2, "payload": {"n": 2, "kind": "a"}, "vector": [1.0, 2.0]}


def test_missing_point_is_404(http: httpx.Client, plain: str) -> None:
    """Getting it is an error; retrieving it among others leaves it out."""
    answer = http.get(f"/collections/{plain}/points/99")

    assert (answer.status_code, answer.json()["status"]["error"]) == (
        404,
        "Not found: Point with id 99 does not exists!",
    )
    assert http.post(f"/collections/{plain}/points", json={"ids": [99]}).json()["result"] == []


def test_points_are_deleted_by_id_and_by_filter(client: QdrantClient, plain: str) -> None:
    """What is left is what was not named."""
    client.delete(plain, [1])
    client.delete(plain, models.FilterSelector(filter=KIND_A))

    assert ids(client, plain) == [3, 5]


def test_scroll_pages_through_everything_once(client: QdrantClient, plain: str) -> None:
    """Each page begins where the last one said, and the last one says nothing."""
    first, offset = client.scroll(plain, limit=4)
    second, end = client.scroll(plain, limit=4, offset=offset)

    assert [record.id for record in first + second] == [0, 1, 2, 3, 4, 5]
    assert (offset, end) == (4, None)


def test_scroll_filters_and_selects(client: QdrantClient, plain: str) -> None:
    """Only matching points, only the named keys, vectors on request."""
    found, _ = client.scroll(plain, scroll_filter=KIND_A, with_payload=["n"], with_vectors=True)

    assert [(record.payload, record.vector) for record in found] == [
        ({"n": 0}, [1.0, 0.0]),
        ({"n": 2}, [1.0, 2.0]),
        ({"n": 4}, [1.0, 4.0]),
    ]


def test_scroll_orders_by_an_indexed_key(client: QdrantClient, plain: str) -> None:
    """Descending, from a value on."""
    client.create_payload_index(plain, "n", models.PayloadSchemaType.INTEGER)
    order = models.OrderBy(key="n", direction=models.Direction.DESC, start_from=3)

    assert [record.id for record in client.scroll(plain, order_by=order)[0]] == [3, 2, 1, 0]


def test_count_counts_what_matches(client: QdrantClient, plain: str) -> None:
    """All points, or those of a filter."""
    assert (client.count(plain).count, client.count(plain, count_filter=KIND_A).count) == (6, 3)


def test_set_payload_merges(client: QdrantClient, plain: str) -> None:
    """Other keys stay; `key` writes below a path."""
    client.set_payload(plain, {"x": 1}, points=[0])
    client.set_payload(plain, {"y": 2}, points=[0], key="deep")

    assert client.retrieve(plain, [0])[0].payload == {"n": 0, "kind": "a", "x": 1, "deep": {"y": 2}}


def test_overwrite_payload_replaces(client: QdrantClient, plain: str) -> None:
    """Other keys go, for every point of the filter."""
    client.overwrite_payload(plain, {"x": 1}, points=models.FilterSelector(filter=KIND_A))

    assert [found.payload for found in client.retrieve(plain, [0, 1])] == [{"x": 1}, {"n": 1, "kind": "b"}]


def test_delete_and_clear_payload(client: QdrantClient, plain: str) -> None:
    """Keys go one by one, or all."""
    client.delete_payload(plain, ["n"], points=[0])
    client.clear_payload(plain, points_selector=[1])

    assert [found.payload for found in client.retrieve(plain, [0, 1])] == [{"kind": "a"}, {}]


def test_payload_index_is_shown_with_its_parameters(client: QdrantClient, plain: str) -> None:
    """Type, parameters and the number of points."""
    schema = models.TextIndexParams(
        type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.WORD, lowercase=True, min_token_len=2
    )
    client.create_payload_index(plain, "kind", schema)
    client.create_payload_index(plain, "n", models.PayloadSchemaType.INTEGER)

    found = client.get_collection(plain).payload_schema

    assert (found["kind"].data_type, found["kind"].params) == (models.PayloadSchemaType.TEXT, schema)
    assert (found["n"].params, found["n"].points) == (None, 6)


def test_payload_index_can_be_dropped(client: QdrantClient, plain: str) -> None:
    """It is shown no more, and filters go on working."""
    client.create_payload_index(plain, "kind", models.PayloadSchemaType.KEYWORD)
    client.delete_payload_index(plain, "kind")

    assert client.get_collection(plain).payload_schema == {}
    assert client.count(plain, count_filter=KIND_A).count == 3


def test_wait_changes_what_is_said(http: httpx.Client, plain: str) -> None:
    """The write is done either way."""
    body = {"points": [{"id": 1, "vector": [1, 1]}]}
    said = [
        http.put(f"/collections/{plain}/points?wait={wait}&ordering=strong&timeout=5", json=body).json()[
            "result"
        ]
        for wait in ("true", "false")
    ]

    assert [answer["status"] for answer in said] == ["completed", "acknowledged"]


@pytest.mark.parametrize(
    ("point", "status", "message"),
    [
        ({"id": 1, "vector": [1, 2, 3]}, 400, "Wrong input: Vector dimension error: expected dim: 2, got 3"),
        ({"id": 1, "vector": {"zz": [1]}}, 400, "Wrong input: Not existing vector name error: zz"),
        ({"id": 1, "vector": [1, "x"]}, 400, "expected an array of numbers at `points[0].vector`"),
        ({"id": 1, "vector": [[1, 2]]}, 400, "multi and regular vectors"),
        ({"id": 1, "vector": {"": {"indices": [1], "values": [1]}}}, 400, "sparse and regular vectors"),
        ({"id": -1, "vector": [1, 2]}, 400, "value -1 is not a valid point ID"),
        ({"id": "abc", "vector": [1, 2]}, 400, "value abc is not a valid point ID"),
        ({"vector": [1, 2]}, 400, "missing field `id` at `points[0]`"),
        ({"id": 1, "vector": [1, 2], "payloads": {}}, 400, "unknown field `payloads` at `points[0]`"),
        ({"id": 1, "vector": {"text": "hello", "model": "m"}}, 501, "inference by model `m`"),
    ],
    ids=[
        "dimension",
        "name",
        "text",
        "multi",
        "sparse",
        "negative",
        "no uuid",
        "no id",
        "unknown",
        "inference",
    ],
)
def test_bad_points_are_refused_and_none_is_written(
    http: httpx.Client, plain: str, point: dict[str, Any], status: int, message: str
) -> None:
    """The whole request fails, the good point of it too."""
    body = {"points": [point, {"id": 77, "vector": [1, 1]}]}
    answer = http.put(f"/collections/{plain}/points?wait=true", json=body)

    assert (answer.status_code, message in answer.json()["status"]["error"]) == (status, True)
    assert http.get(f"/collections/{plain}/points/77").status_code == 404


def test_ragged_multi_vector_does_not_break_the_collection(client: QdrantClient, name: str) -> None:
    """The engine would panic on it, and again when it replays its log."""
    config = models.VectorParams(
        size=2,
        distance=models.Distance.DOT,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
    )
    client.create_collection(name, vectors_config=config)
    with pytest.raises(UnexpectedResponse, match="all vectors must have the same dimension"):
        client.upsert(name, [models.PointStruct(id=1, vector=[[1.0, 2.0], [3.0]])])

    client.upsert(name, [models.PointStruct(id=1, vector=[[1.0, 2.0], [3.0, 4.0]])])

    assert client.query_points(name, query=[[1.0, 1.0]]).points[0].score == 7.0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("PUT", "points", {"points": []}, 400, "Empty update request"),
        ("PUT", "points", {"points": [{"id": 1, "vector": [1, 1]}], "shard_key": "a"}, 501, "`shard_key`"),
        ("POST", "points/delete", {}, 400, "No filter or points provided"),
        ("POST", "points/payload", {"payload": {"a": 1}, "points": [99]}, 404, "No point with id 99 found"),
        ("POST", "points/scroll", {"limit": 0}, 422, "limit: value 0 invalid, must be 1 or larger"),
        ("POST", "points/scroll", {"order_by": "n"}, 400, "No range index for `order_by` key: `n`"),
        ("POST", "points/scroll", [], 400, "invalid type: sequence, expected an object"),
        (
            "POST",
            "points/count",
            {"exakt": True},
            400,
            "unknown field `exakt`, expected one of `exact`, `filter`",
        ),
        ("POST", "points/count?exact=true", {}, 400, "unknown field `exact`"),
        ("POST", "points/count?timeout=0", {}, 400, "expected a nonzero u64"),
        ("PUT", "points?wait=maybe", {"points": [{"id": 1, "vector": [1, 1]}]}, 400, "`wait` is `maybe`"),
        ("PUT", "index", {"field_name": "a"}, 400, "Can't auto-detect field type"),
        ("PUT", "index", {"field_name": "a", "field_schema": "word"}, 400, "unknown variant `word`"),
        ("PUT", "index", {"field_name": "a..", "field_schema": "keyword"}, 400, "invalid JSON path"),
        ("GET", "points/abc", None, 400, 'Can not recognize "abc" as point id'),
    ],
)
def test_bad_calls_are_refused(
    http: httpx.Client, plain: str, *, method: str, path: str, body: Any, status: int, message: str
) -> None:
    """Each with its status and reason, in Qdrant's envelope."""
    answer = http.request(method, f"/collections/{plain}/{path}", json=body)

    assert answer.status_code == status
    assert message in answer.json()["status"]["error"]
