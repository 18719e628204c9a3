"""Collections that change: their settings, their vectors, and vectors of points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qdrant_client import models

if TYPE_CHECKING:
    import httpx
    from qdrant_client import QdrantClient

QUANTIZATIONS = [
    {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}},
    {"product": {"compression": "x4"}},
    {"binary": {"encoding": "two_bits", "query_encoding": "scalar8bits"}},
    {"turbo": {"bits": "bits2"}},
]


@pytest.mark.parametrize("given", QUANTIZATIONS, ids=lambda given: next(iter(given)))
def test_quantization_is_kept_and_shown(http: httpx.Client, name: str, given: dict[str, Any]) -> None:
    """Of the collection and of a vector; points go in and are found."""
    vectors = {"size": 8, "distance": "Dot", "quantization_config": given}
    body = {"vectors": vectors, "quantization_config": given}

    http.put(f"/collections/{name}", json=body).raise_for_status()

    config = http.get(f"/collections/{name}").json()["result"]["config"]
    assert (config["quantization_config"], config["params"]["vectors"]["quantization_config"]) == (
        given,
        given,
    )
    points = {"points": [{"id": number, "vector": [number] * 8} for number in range(5)]}
    http.put(f"/collections/{name}/points?wait=true", json=points).raise_for_status()
    params = {"quantization": {"rescore": True, "oversampling": 2.0}}
    found = http.post(f"/collections/{name}/points/query", json={"query": [1] * 8, "params": params})
    assert found.json()["result"]["points"][0]["id"] == 4


def test_patch_changes_what_it_names(client: QdrantClient, plain: str) -> None:
    """The rest stays, the points too."""
    client.update_collection(
        plain,
        optimizers_config=models.OptimizersConfigDiff(indexing_threshold=500),
        hnsw_config=models.HnswConfigDiff(m=8),
        vectors_config={"": models.VectorParamsDiff(on_disk=True)},
        collection_params=models.CollectionParamsDiff(read_fan_out_factor=2),
        quantization_config=models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8)
        ),
        metadata={"owner": "me"},
    )

    config = client.get_collection(plain).config
    assert (config.hnsw_config.m, config.hnsw_config.ef_construct) == (8, 100)
    assert config.optimizer_config.indexing_threshold == 500
    assert config.params.vectors.model_dump(exclude_none=True) == {  # type: ignore[union-attr]
        "size": 2,
        "distance": models.Distance.DOT,
        "on_disk": True,
    }
    assert (config.params.read_fan_out_factor, config.metadata) == (2, {"owner": "me"})
    assert (config.quantization_config is not None, client.count(plain).count) == (True, 6)


def test_quantization_is_taken_away_by_a_word(client: QdrantClient, plain: str) -> None:
    """`Disabled`."""
    binary = models.BinaryQuantization(binary=models.BinaryQuantizationConfig())
    client.update_collection(plain, quantization_config=binary)

    client.update_collection(plain, quantization_config=models.Disabled.DISABLED)

    assert client.get_collection(plain).config.quantization_config is None


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"vectors": {"zz": {"on_disk": True}}}, 400, "Not existing vector name error: zz"),
        ({"vectors": {"": {"size": 3}}}, 400, "unknown field `size` at `vectors.`"),
        ({"hnsw_config": {"ef_construct": 1}}, 422, "value 1 invalid"),
        ({"shard_number": 2}, 400, "unknown field `shard_number`"),
        ({"strict_mode_config": {"enabled": True}}, 501, "strict_mode_config.enabled"),
    ],
)
def test_bad_patches_are_refused(
    http: httpx.Client, plain: str, body: dict[str, Any], status: int, message: str
) -> None:
    """Each with its reason; nothing changes."""
    before = http.get(f"/collections/{plain}").json()["result"]["config"]

    answer = http.patch(f"/collections/{plain}", json=body)

    assert (answer.status_code, message in answer.json()["status"]["error"]) == (status, True), answer.text
    assert http.get(f"/collections/{plain}").json()["result"]["config"] == before


def test_patch_of_nothing_is_404(http: httpx.Client) -> None:
    """As in Qdrant."""
    assert http.patch("/collections/nowhere", json={}).status_code == 404


def test_collection_gains_and_loses_vectors(client: QdrantClient, plain: str) -> None:
    """Points lack a new vector until it is written, and lose it with its name."""
    dense = models.DenseVectorConfig(size=3, distance=models.Distance.EUCLID)
    client.create_vector_name(plain, "more", models.DenseVectorNameConfig(dense=dense))
    sparse = models.SparseVectorConfig(modifier=models.Modifier.IDF)
    client.create_vector_name(plain, "words", models.SparseVectorNameConfig(sparse=sparse))
    client.update_vectors(plain, [models.PointVectors(id=3, vector={"more": [1.0, 2.0, 3.0]})])

    assert [p.id for p in client.query_points(plain, query=[0.0, 0.0, 0.0], using="more").points] == [3]
    params = client.get_collection(plain).config.params
    assert (set(params.vectors or ()), set(params.sparse_vectors or ())) == ({"", "more"}, {"words"})

    client.delete_vector_name(plain, "more")

    assert client.retrieve(plain, [3], with_vectors=True)[0].vector == [1.0, 3.0]
    assert set(client.get_collection(plain).config.params.vectors or ()) == {""}


def test_collection_without_vectors_holds_payloads(client: QdrantClient, name: str) -> None:
    """A vector can be added later."""
    client.create_collection(name, vectors_config={})
    client.upsert(name, [models.PointStruct(id=1, vector={}, payload={"a": 1})])
    dense = models.DenseVectorConfig(size=1, distance=models.Distance.DOT)

    client.create_vector_name(name, "late", models.DenseVectorNameConfig(dense=dense))
    client.update_vectors(name, [models.PointVectors(id=1, vector={"late": [2.0]})])

    found = client.query_points(name, query=[2.0], using="late", with_payload=True).points
    assert [(point.score, point.payload) for point in found] == [(4.0, {"a": 1})]


def test_vectors_of_points_are_replaced_and_taken_away(client: QdrantClient, hybrid: str) -> None:
    """The others of the point, and its payload, stay."""
    client.update_vectors(hybrid, [models.PointVectors(id=0, vector={"dense": [0.0, 2.0]})])
    client.delete_vectors(hybrid, ["sparse"], [0, 1])
    client.delete_vectors(
        hybrid,
        ["dense"],
        models.Filter(must=[models.FieldCondition(key="word", match=models.MatchValue(value=2))]),
    )

    first, second, *_, last = client.retrieve(hybrid, [0, 1, 2, 3], with_vectors=True)
    assert (first.vector, first.payload) == ({"dense": [0.0, 1.0]}, {"word": 3})
    assert set(second.vector or ()) == {"dense"}
    assert set(last.vector or ()) == {"sparse"}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (models.UpdateMode.UPSERT, {1: "new", 9: "new"}),
        (models.UpdateMode.INSERT_ONLY, {1: None, 9: "new"}),
        (models.UpdateMode.UPDATE_ONLY, {1: "new"}),
    ],
)
def test_update_mode_says_which_points_are_written(
    client: QdrantClient, plain: str, mode: models.UpdateMode, expected: dict[int, str | None]
) -> None:
    """Those that exist, those that do not, or both."""
    points = [models.PointStruct(id=number, vector=[0.0, 0.0], payload={"x": "new"}) for number in (1, 9)]

    client.upsert(plain, points, update_mode=mode)

    found = client.retrieve(plain, [1, 9])
    assert {point.id: (point.payload or {}).get("x") for point in found} == expected


def test_update_filter_keeps_points_from_change(client: QdrantClient, plain: str) -> None:
    """Of upserts and of vectors; points that do not exist are written."""
    only = models.Filter(must=[models.FieldCondition(key="kind", match=models.MatchValue(value="b"))])
    points = [models.PointStruct(id=number, vector=[9.0, 9.0]) for number in (0, 1, 9)]

    client.upsert(plain, points, update_filter=only)
    client.update_vectors(
        plain,
        [models.PointVectors(id=2, vector=[8.0, 8.0]), models.PointVectors(id=3, vector=[8.0, 8.0])],
        update_filter=only,
    )

    found = client.retrieve(plain, [0, 1, 2, 3, 9], with_vectors=True)
    assert [point.vector for point in found] == [[1.0, 0.0], [9.0, 9.0], [1.0, 2.0], [8.0, 8.0], [9.0, 9.0]]


def test_batch_applies_every_kind_of_write_in_order(client: QdrantClient, plain: str) -> None:
    """Each sees what those before it did."""
    point = models.PointStruct(id=50, vector=[1.0, 1.0], payload={"a": 1, "b": 2})
    operations: list[Any] = [
        models.UpsertOperation(upsert=models.PointsList(points=[point])),
        models.SetPayloadOperation(set_payload=models.SetPayload(payload={"c": 3}, points=[50])),
        models.DeletePayloadOperation(delete_payload=models.DeletePayload(keys=["a"], points=[50])),
        models.UpdateVectorsOperation(
            update_vectors=models.UpdateVectors(points=[models.PointVectors(id=50, vector=[7.0, 7.0])])
        ),
        models.OverwritePayloadOperation(
            overwrite_payload=models.SetPayload(payload={"only": True}, points=[1])
        ),
        models.ClearPayloadOperation(clear_payload=models.PointIdsList(points=[2])),
        models.DeleteVectorsOperation(delete_vectors=models.DeleteVectors(points=[3], vector=[""])),
        models.DeleteOperation(delete=models.PointIdsList(points=[4])),
    ]

    results = client.batch_update_points(plain, operations)

    found = {point.id: point for point in client.scroll(plain, limit=100, with_vectors=True)[0]}
    assert (found[50].payload, found[50].vector) == ({"b": 2, "c": 3}, [7.0, 7.0])
    assert [found[number].payload for number in (1, 2)] == [{"only": True}, {}]
    assert (found[3].vector, 4 in found, len(results)) == ({}, False, 8)


def test_batch_ends_at_the_write_that_does_not_fit(http: httpx.Client, plain: str) -> None:
    """What went before it is done, what comes after it is not, and the message says why."""
    wrong = {"upsert": {"points": [{"id": 1, "vector": [1]}]}}
    body = {"operations": [{"delete": {"points": [1]}}, wrong, {"delete": {"points": [2]}}]}

    answer = http.post(f"/collections/{plain}/points/batch", json=body)

    assert (answer.status_code, "expected dim: 2, got 1" in answer.text) == (400, True)
    assert [http.get(f"/collections/{plain}/points/{number}").status_code for number in (1, 2)] == [404, 200]


def test_malformed_batch_writes_nothing(http: httpx.Client, plain: str) -> None:
    """All of it is read before any is applied."""
    body = {"operations": [{"delete": {"points": [1]}}, {"upsert": {"points": [{"vector": [1, 1]}]}}]}

    answer = http.post(f"/collections/{plain}/points/batch", json=body)

    assert (answer.status_code, "missing field `id`" in answer.text) == (400, True)
    assert http.get(f"/collections/{plain}/points/1").status_code == 200


@pytest.mark.parametrize(
    ("call", "body", "expected"),
    [
        ("PUT points/vectors", {"points": []}, (422, "must specify points to update")),
        ("PUT points/vectors", {"points": [{"id": 99, "vector": [1, 1]}]}, (404, "No point with id 99")),
        ("PUT points/vectors", {"points": [{"id": 1, "vector": {"a": [1]}}]}, (400, "vector name error: a")),
        ("POST points/vectors/delete", {"points": [1], "vector": []}, (422, "must specify vector names")),
        ("POST points/vectors/delete", {"points": [1], "vector": ["a"]}, (400, "vector name error: a")),
        ("POST points/vectors/delete", {"vector": [""]}, (400, "No filter or points provided")),
        ("POST points/batch", {"operations": [{"frob": {}}]}, (400, "enum UpdateOperation")),
        ("PUT vectors/a", {"dense": {"size": 0, "distance": "Dot"}}, (422, "dense.size")),
        ("PUT vectors/a", {"both": {}}, (400, "enum VectorNameConfig")),
    ],
)
def test_bad_changes_are_refused(
    http: httpx.Client, plain: str, call: str, body: Any, expected: tuple[int, str]
) -> None:
    """Each with its status and reason."""
    (method, path), (status, message) = call.split(), expected
    answer = http.request(method, f"/collections/{plain}/{path}", json=body)

    assert (answer.status_code, message in answer.json()["status"]["error"]) == (status, True), answer.text
