"""Every form of query: by examples, by feedback, by a formula, diverse, in groups, with vectors from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qdrant_client import models

if TYPE_CHECKING:
    import httpx
    from qdrant_client import QdrantClient


def ask(http: httpx.Client, name: str, body: dict[str, Any]) -> list[tuple[int, float]]:
    """Return ids and scores that a query finds."""
    answer = http.post(f"/collections/{name}/points/query", json=body)
    assert answer.status_code == 200, answer.text
    return [(point["id"], point["score"]) for point in answer.json()["result"]["points"]]


def ids(found: list[tuple[int, float]]) -> list[int]:
    """Return the ids alone."""
    return [point_id for point_id, _ in found]


def test_average_of_examples_is_what_is_searched_for(http: httpx.Client, plain: str) -> None:
    """Twice the mean of the positive less the mean of the negative; the examples are left out."""
    body = {"query": {"recommend": {"positive": [1, [1, 5]], "negative": [0]}}, "limit": 2}

    assert ask(http, plain, body) == [(5, 31.0), (4, 25.0)]


def test_best_score_prefers_what_is_nearer_to_a_positive(http: httpx.Client, plain: str) -> None:
    """Positive above zero, negative below."""
    body = {
        "query": {"recommend": {"positive": [4], "negative": [[-9, 0]], "strategy": "best_score"}},
        "limit": 5,
    }

    assert ids(ask(http, plain, body)) == [5, 3, 2, 1, 0]


def test_sum_of_scores_takes_negatives_alone(http: httpx.Client, plain: str) -> None:
    """What is least like the negative comes first."""
    body = {"query": {"recommend": {"negative": [5], "strategy": "sum_scores"}}, "limit": 2}

    assert ask(http, plain, body) == [(0, -1.0), (1, -6.0)]


def test_examples_of_a_sparse_vector_are_averaged(http: httpx.Client, hybrid: str) -> None:
    """Indices of any of them count."""
    body = {"query": {"recommend": {"positive": [0, 3]}}, "using": "sparse", "limit": 1}

    assert ids(ask(http, hybrid, body)) == [2]


def test_discovery_stays_on_the_right_side_of_its_pairs(http: httpx.Client, hybrid: str) -> None:
    """Points nearer to the negative end score below zero."""
    pair = {"positive": [1, 0], "negative": [0, 1]}
    body = {"query": {"discover": {"target": [0, 1], "context": [pair]}}, "using": "dense"}

    scores = dict(ask(http, hybrid, body))

    assert {point for point, score in scores.items() if score > 0} == {0, 1}


def test_context_without_target_scores_at_most_zero(http: httpx.Client, hybrid: str) -> None:
    """Zero wherever no pair is violated."""
    body = {"query": {"context": {"positive": [1, 0], "negative": [0, 1]}}, "using": "dense"}

    assert [score == 0 for _, score in ask(http, hybrid, body)] == [True, True, False, False]


def test_diversity_brings_other_points_than_nearness(http: httpx.Client, hybrid: str) -> None:
    """The second is no longer the twin of the first."""
    nearest = {"query": {"nearest": [1, 0.05]}, "using": "dense", "limit": 2}
    diverse = {
        "query": {"nearest": [1, 0.05], "mmr": {"diversity": 0.9, "candidates_limit": 4}},
        "using": "dense",
        "limit": 2,
    }

    assert set(ids(ask(http, hybrid, nearest))) == {0, 1}
    assert set(ids(ask(http, hybrid, diverse))) != {0, 1}


def test_feedback_moves_the_ranking(http: httpx.Client, plain: str) -> None:
    """Its answers carry scores of their own."""
    query = {
        "target": [1, 0],
        "feedback": [{"example": 5, "score": 0.9}, {"example": 0, "score": 0.1}],
        "strategy": {"naive": {"a": 0.5, "b": 0.5, "c": 0.5}},
    }

    assert set(ids(ask(http, plain, {"query": {"relevance_feedback": query}}))) == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("formula", "defaults", "best"),
    [
        ({"sum": ["$score", {"mult": [-3, "n"]}]}, {}, (0, 1.0)),
        ({"sum": ["n", {"mult": [9, {"key": "kind", "match": {"value": "a"}}]}]}, {}, (4, 13.0)),
        ({"neg": {"abs": {"sum": ["n", -3]}}}, {}, (3, 0.0)),
        ({"div": {"left": 6, "right": "n", "by_zero_default": 99}}, {}, (0, 99.0)),
        ({"pow": {"base": "n", "exponent": 2}}, {}, (5, 25.0)),
        ({"sqrt": {"exp": {"ln": {"sum": ["missing", "n"]}}}}, {"missing": 4}, (5, 3.0)),
        ({"gauss_decay": {"x": "n", "target": 2, "scale": 1}}, {}, (2, 1.0)),
        ({"geo_distance": {"origin": {"lon": 0, "lat": 0}, "to": "at"}}, {"at": {"lon": 0, "lat": 0}}, None),
    ],
    ids=["score", "condition", "neg abs", "div", "pow", "default", "decay", "geo"],
)
def test_formula_scores_what_a_prefetch_found(
    http: httpx.Client, plain: str, formula: Any, defaults: dict[str, Any], best: tuple[int, float] | None
) -> None:
    """Numbers, payload keys, conditions and the earlier score, put together."""
    body = {
        "prefetch": {"query": [1, 1], "limit": 10},
        "query": {"formula": formula, "defaults": defaults},
        "limit": 6,
    }

    found = ask(http, plain, body)

    assert found[0] == pytest.approx(best) if best else {score for _, score in found} == {0.0}


@pytest.mark.parametrize("formula", [{"sum": ["missing", 1]}, {"ln": "n"}, {"sqrt": {"neg": "n"}}])
def test_formula_that_fails_on_a_point_says_what_to_look_for(
    http: httpx.Client, plain: str, formula: Any
) -> None:
    """The engine only says that it was cancelled; a user needs to hear of values and defaults."""
    body = {"prefetch": {"query": [1, 1], "limit": 10}, "query": {"formula": formula}}

    answer = http.post(f"/collections/{plain}/points/query", json=body)

    assert answer.status_code == 400
    assert "`defaults`" in answer.json()["status"]["error"]


def test_lookup_takes_the_vector_of_a_point_elsewhere(
    client: QdrantClient, http: httpx.Client, plain: str
) -> None:
    """The point of that id here is not left out, for it is another."""
    other = f"{plain}-other"
    config = {"there": models.VectorParams(size=2, distance=models.Distance.DOT)}
    client.create_collection(other, vectors_config=config)
    client.upsert(other, [models.PointStruct(id=5, vector={"there": [0.0, -1.0]})])
    place = {"collection": other, "vector": "there"}

    found = ask(http, plain, {"query": 5, "lookup_from": place, "limit": 6})

    assert found[-1] == (5, -5.0)
    client.delete_collection(other)


def test_point_of_a_nested_prefetch_is_left_out_of_the_results_alone(http: httpx.Client, plain: str) -> None:
    """The prefetch itself may find it."""
    body = {"prefetch": {"query": 5, "limit": 6}, "query": [1, 1], "limit": 6}

    assert ids(ask(http, plain, body)) == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"query": {"recommend": {}}}, 422, "At least one positive or negative vector/id"),
        ({"query": {"recommend": {"negative": [1]}}}, 400, "Positive vectors should not be empty"),
        ({"query": {"recommend": {"positive": [1], "strategy": "best"}}}, 400, "unknown variant `best`"),
        ({"query": {"discover": {"target": [1, 2, 3]}}}, 400, "expected dim: 2, got 3"),
        (
            {"query": {"discover": {"target": 1, "context": [{"positive": 1}]}}},
            400,
            "missing field `negative`",
        ),
        ({"query": {"nearest": [1, 2], "mmr": {"diversity": 2}}}, 422, "must be from 0.0 to 1.0"),
        ({"query": {"nearest": [1, 2], "mmr": {"candidates_limit": 20000}}}, 422, "16384 or less"),
        ({"query": {"formula": "$score"}}, 400, "cannot apply Formula without prefetches"),
        (
            {"query": {"formula": {"frob": 1}}, "prefetch": {}},
            400,
            "did not match any variant of a condition",
        ),
        ({"query": 1, "lookup_from": {"collection": "nowhere"}}, 404, "nowhere"),
        ({"query": 1, "params": {"acorn": {"enable": True, "max_selectivity": 2}}}, 422, "max_selectivity"),
        ({"query": {"colour": "red"}}, 400, "did not match any variant of untagged enum QueryInterface"),
    ],
)
def test_bad_forms_are_refused(
    http: httpx.Client, plain: str, body: dict[str, Any], status: int, message: str
) -> None:
    """Each with its status and reason."""
    answer = http.post(f"/collections/{plain}/points/query", json=body)

    assert (answer.status_code, message in answer.json()["status"]["error"]) == (status, True), answer.text


def test_texts_become_sparse_vectors_by_bm25(client: QdrantClient, http: httpx.Client, name: str) -> None:
    """Stored as documents, searched as queries; the model is inside a real server too."""
    client.create_collection(
        name,
        vectors_config={},
        sparse_vectors_config={"text": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    texts = ["the red apple", "a green pear", "red and green"]
    points = [
        {"id": number, "vector": {"text": {"text": text, "model": "qdrant/bm25"}}}
        for number, text in enumerate(texts)
    ]
    http.put(f"/collections/{name}/points?wait=true", json={"points": points}).raise_for_status()

    query = {"text": "apples", "model": "Qdrant/BM25", "options": {"language": "english"}}

    assert ids(ask(http, name, {"query": query, "using": "text"})) == [0]


def test_facet_counts_values(client: QdrantClient, plain: str) -> None:
    """Most frequent first, among the points that a filter leaves."""
    client.create_payload_index(plain, "kind", models.PayloadSchemaType.KEYWORD)
    below = models.Filter(must=[models.FieldCondition(key="n", range=models.Range(lt=3))])

    hits = client.facet(plain, "kind", facet_filter=below, exact=True).hits

    assert [(hit.value, hit.count) for hit in hits] == [("a", 2), ("b", 1)]


def test_slices_part_the_points(client: QdrantClient, http: httpx.Client, plain: str) -> None:
    """Every point is in one of them."""
    body = {"filter": {"must": [{"slice": {"total": 3, "index": 0}}]}}
    counted = [
        http.post(
            f"/collections/{plain}/points/count",
            json={"filter": {"must": [{"slice": {"total": 3, "index": index}}]}},
        ).json()["result"]["count"]
        for index in range(3)
    ]

    assert sum(counted) == client.count(plain).count
    assert http.post(f"/collections/{plain}/points/scroll", json=body).status_code == 200


@pytest.mark.parametrize("kind", ["search", "recommend", "discover"])
def test_older_calls_find_what_queries_find(http: httpx.Client, plain: str, kind: str) -> None:
    """Alone and in a batch; `top` is the older name of `limit`."""
    old, new = {
        "search": ({"vector": [1, 2]}, [1, 2]),
        "recommend": ({"positive": [1], "negative": [2]}, {"recommend": {"positive": [1], "negative": [2]}}),
        "discover": ({"target": 1, "context": []}, {"discover": {"target": 1, "context": []}}),
    }[kind]
    path = f"/collections/{plain}/points/{kind}"

    one = http.post(path, json={**old, "top": 3}).json()["result"]
    many = http.post(f"{path}/batch", json={"searches": [{**old, "limit": 3}]}).json()["result"]

    assert [(point["id"], point["score"]) for point in one] == ask(http, plain, {"query": new, "limit": 3})
    assert many == [one]


def test_matrix_holds_the_scores_between_sampled_points(client: QdrantClient, plain: str) -> None:
    """Each with its nearest among them, itself excepted."""
    pairs = client.search_matrix_pairs(plain, sample=6, limit=2).pairs
    offsets = client.search_matrix_offsets(plain, sample=6, limit=2)

    assert {(pair.a, pair.b): pair.score for pair in pairs}[2, 5] == 11.0
    assert all(pair.a != pair.b and pair.score == 1 + pair.a * pair.b for pair in pairs)
    assert (offsets.ids, len(offsets.scores)) == ([0, 1, 2, 3, 4, 5], 12)
