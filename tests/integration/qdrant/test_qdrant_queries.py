"""Queries over the wire: nearest, hybrid, filtered, batched."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import pytest
from qdrant_client import QdrantClient, models

if TYPE_CHECKING:
    import httpx

KIND_A = models.Filter(must=[models.FieldCondition(key="kind", match=models.MatchValue(value="a"))])
SPARSE = models.SparseVector(indices=[3], values=[1.0])


def found(response: models.QueryResponse) -> list[tuple[Any, float]]:
    """Return ids and rounded scores."""
    return [(point.id, round(point.score, 3)) for point in response.points]


def test_nearest_points_come_first(client: QdrantClient, plain: str) -> None:
    """By dot product, best first, without payload or vector unless asked."""
    response = client.query_points(plain, query=[1.0, 1.0], limit=2, with_payload=False)

    assert found(response) == [(5, 6.0), (4, 5.0)]
    assert (response.points[0].payload, response.points[0].vector) == (None, None)


def test_offset_skips_the_best(client: QdrantClient, plain: str) -> None:
    """The second page goes on where the first ended."""
    assert found(client.query_points(plain, query=[1.0, 1.0], limit=2, offset=2)) == [(3, 4.0), (2, 3.0)]


def test_threshold_leaves_out_the_worse(client: QdrantClient, plain: str) -> None:
    """Scores above it stay."""
    assert len(client.query_points(plain, query=[1.0, 1.0], score_threshold=4.5).points) == 2


def test_filter_narrows_the_search(client: QdrantClient, plain: str) -> None:
    """Only matching points are ranked."""
    assert found(client.query_points(plain, query=[1.0, 1.0], query_filter=KIND_A)) == [
        (4, 5.0),
        (2, 3.0),
        (0, 1.0),
    ]


def test_parts_are_selected(client: QdrantClient, plain: str) -> None:
    """Keys in, keys out, vectors on request."""
    include = client.query_points(
        plain, query=[1.0, 1.0], limit=1, with_payload=["n"], with_vectors=True
    ).points[0]
    exclude = client.query_points(
        plain, query=[1.0, 1.0], limit=1, with_payload=models.PayloadSelectorExclude(exclude=["n"])
    ).points[0]

    assert (include.payload, include.vector, exclude.payload) == ({"n": 5}, [1.0, 5.0], {"kind": "b"})


def test_query_by_id_leaves_the_point_itself_out(client: QdrantClient, plain: str) -> None:
    """Its stored vector is the query."""
    assert found(client.query_points(plain, query=5, limit=2)) == [(4, 21.0), (3, 16.0)]


def test_query_by_id_keeps_the_filter(client: QdrantClient, plain: str) -> None:
    """Both apply: the filter, and leaving out the point."""
    assert found(client.query_points(plain, query=4, query_filter=KIND_A)) == [(2, 9.0), (0, 1.0)]


def test_named_dense_and_sparse_vectors_are_searched(client: QdrantClient, hybrid: str) -> None:
    """`using` says which; a sparse search finds only what shares an index."""
    dense = client.query_points(hybrid, query=[1.0, 0.0], using="dense", limit=1)
    sparse = client.query_points(hybrid, query=SPARSE, using="sparse")

    assert dense.points[0].id == 0
    assert {point.id for point in sparse.points} == {0, 2}


@pytest.mark.parametrize(
    ("query", "scores"),
    [
        (models.FusionQuery(fusion=models.Fusion.RRF), [(0, 0.833), (2, 0.75), (1, 0.333), (3, 0.2)]),
        (models.RrfQuery(rrf=models.Rrf(k=60)), [(0, 0.033), (2, 0.033), (1, 0.016), (3, 0.016)]),
    ],
    ids=["default", "k=60"],
)
def test_reciprocal_ranks_are_fused(
    client: QdrantClient, hybrid: str, query: models.Query, scores: list[tuple[int, float]]
) -> None:
    """Each ranking adds 1 / (k + rank), rank from 0."""
    prefetch = [
        models.Prefetch(query=[1.0, 0.0], using="dense"),
        models.Prefetch(query=SPARSE, using="sparse"),
    ]

    assert found(client.query_points(hybrid, prefetch=prefetch, query=query)) == scores


def test_distribution_scores_are_fused(client: QdrantClient, hybrid: str) -> None:
    """Each ranking's scores are spread over mean -3 to +3 deviations as 0 to 1, then added."""
    rankings: list[dict[str, Any]] = [
        {"query": [1.0, 0.0], "using": "dense"},
        {"query": SPARSE, "using": "sparse"},
    ]
    fused: dict[Any, float] = defaultdict(float)
    for ranking in rankings:
        scored = {point.id: point.score for point in client.query_points(hybrid, **ranking).points}
        mean, deviation = fmean(scored.values()), stdev(scored.values())
        for point_id, score in scored.items():
            fused[point_id] += (score - mean + 3 * deviation) / (6 * deviation)
    query = models.FusionQuery(fusion=models.Fusion.DBSF)

    response = client.query_points(
        hybrid, prefetch=[models.Prefetch(**ranking) for ranking in rankings], query=query
    )

    assert {point.id: point.score for point in response.points} == pytest.approx(fused)


def test_prefetched_points_are_ranked_again(client: QdrantClient, hybrid: str) -> None:
    """The outer query sees only what the inner one found."""
    prefetch = models.Prefetch(query=SPARSE, using="sparse")

    response = client.query_points(hybrid, prefetch=prefetch, query=[0.0, 1.0], using="dense")

    assert [point.id for point in response.points] == [2, 0]


def test_outer_filter_reaches_the_prefetches(client: QdrantClient, hybrid: str) -> None:
    """A filter on the fusion is a filter on what is fused."""
    prefetch = [models.Prefetch(query=[1.0, 0.0], using="dense", limit=1)]
    word = models.Filter(must=[models.FieldCondition(key="word", match=models.MatchValue(value=2))])
    query = models.FusionQuery(fusion=models.Fusion.RRF)

    response = client.query_points(hybrid, prefetch=prefetch, query=query, query_filter=word)

    assert [point.id for point in response.points] == [3]


def test_batch_answers_each_query_as_if_alone(client: QdrantClient, plain: str) -> None:
    """In order, each with its own limit and filter."""
    requests = [
        models.QueryRequest(query=[1.0, 1.0], limit=1),
        models.QueryRequest(query=[1.0, -1.0], limit=2, filter=KIND_A),
    ]

    assert [found(response) for response in client.query_batch_points(plain, requests)] == [
        [(5, 6.0)],
        [(0, 1.0), (2, -1.0)],
    ]


def test_query_without_a_vector_lists_points(client: QdrantClient, plain: str) -> None:
    """By id, as scroll does."""
    assert [point.id for point in client.query_points(plain, limit=2).points] == [0, 1]


def test_order_and_sample_are_queries(client: QdrantClient, plain: str) -> None:
    """Ordered by a key, or drawn at random."""
    client.create_payload_index(plain, "n", models.PayloadSchemaType.INTEGER)
    order = models.OrderByQuery(order_by=models.OrderBy(key="n", direction=models.Direction.DESC))

    assert [point.id for point in client.query_points(plain, query=order, limit=2).points] == [5, 4]
    sample = client.query_points(plain, query=models.SampleQuery(sample=models.Sample.RANDOM), limit=4).points
    assert len({point.id for point in sample}) == 4


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"query": [1, 2, 3]}, 400, "Vector dimension error: expected dim: 2, got 3"),
        ({"query": [1, 2], "using": "zz"}, 400, "Not existing vector name error: zz"),
        ({"query": {"indices": [1], "values": [1]}}, 400, "sparse and regular vectors"),
        ({"query": 99}, 404, "Not found: No point with id 99 found"),
        ({"query": "abc"}, 400, "value abc is not a valid point ID"),
        ({"query": [1, 2], "limit": 0}, 422, "limit: value 0 invalid"),
        ({"query": {"fusion": "rrf"}}, 400, "cannot apply Fusion without prefetches"),
        ({"prefetch": {"query": [1, 2]}}, 400, "Bad request: A query is needed to merge the prefetches."),
        ({"query": {"fusion": "max"}, "prefetch": {"query": [1, 2]}}, 400, "unknown variant `max`"),
        ({"query": [1, 2], "top": 3}, 400, "unknown field `top`"),
        ({"query": [1, 2], "params": {"ef": 3}}, 400, "unknown field `ef` at `params`"),
        ({"query": {"text": "hello", "model": "m"}}, 501, "inference by model `m`"),
        ({"query": [1, 2], "filter": {"must": [{"key": "n"}]}}, 422, "At least one field condition"),
        ({"query": [1, 2], "filter": {"must": [{"slice": {}}]}}, 400, "missing field `total`"),
        ({"score_threshold": 1}, 400, "Can't have score_threshold without defining a query."),
        ({"query": {"order_by": "n"}, "score_threshold": 1}, 400, "Can't use score_threshold"),
        (
            {"query": {"fusion": "rrf"}, "prefetch": {"query": [1, 2]}, "using": "a"},
            400,
            "Fusion queries cannot be combined with the 'using' field.",
        ),
    ],
)
def test_bad_queries_are_refused(
    http: httpx.Client, plain: str, body: dict[str, Any], status: int, message: str
) -> None:
    """Each with its status and reason."""
    answer = http.post(f"/collections/{plain}/points/query", json=body)

    assert answer.status_code == status
    assert message in answer.json()["status"]["error"]


def test_bad_query_of_a_batch_is_named(http: httpx.Client, plain: str) -> None:
    """The message says which."""
    body = {"searches": [{"query": [1, 2]}, {"query": [1, 2], "limit": 0}]}
    answer = http.post(f"/collections/{plain}/points/query/batch", json=body)

    assert "searches[1].limit: value 0 invalid" in answer.json()["status"]["error"]
