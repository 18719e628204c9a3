"""Parts of queries that are pure: averages, paths, formulas, older calls, patches, operations."""

from __future__ import annotations

from array import array
from typing import Any, cast

import pytest
import qdrant_edge as engine
from hypothesis import given
from hypothesis import strategies as st

from ragbed.qdrant.errors import ApiError
from ragbed.qdrant.request_stats import RequestStats
from ragbed.qdrant.translate import legacy
from ragbed.qdrant.translate.averages import recommended
from ragbed.qdrant.translate.batches import read_operations
from ragbed.qdrant.translate.config import read_config
from ragbed.qdrant.translate.config_updates import patched
from ragbed.qdrant.translate.formula import OPERATIONS, read_expression
from ragbed.qdrant.translate.paths import read_path, values_at
from ragbed.qdrant.translate.queries import read_query
from ragbed.qdrant.translate.references import PointSource
from ragbed.qdrant.translate.results import shortest
from ragbed.qdrant.translate.schema import VectorKind
from ragbed.qdrant.translate.vector_names import with_vector, without_vector

SCHEMA = {"": VectorKind(size=2), "e": VectorKind(size=2, ascending=True), "s": VectorKind(sparse=True)}
ROWS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=2)


def stored(point_id: Any, name: str) -> Any:
    """Return a vector that tells what was asked for."""
    return [float(point_id), float(len(name))]


def source(name: str = "here") -> PointSource:
    """Return a collection that knows others by any name."""
    return PointSource(name=name, schema=SCHEMA, lookup=stored, elsewhere=source)


@given(positives=st.lists(ROWS, min_size=1, max_size=4))
def test_average_of_positives_is_their_mean(positives: list[list[float]]) -> None:
    """Negatives only count where there are any."""
    found = cast("list[float]", recommended(positives, [], VectorKind(size=2)))

    assert found == pytest.approx([sum(column) / len(positives) for column in zip(*positives, strict=True)])


@given(example=ROWS, others=st.lists(ROWS, max_size=3))
def test_example_on_both_sides_of_equal_means_is_itself(
    example: list[float], others: list[list[float]]
) -> None:
    """Twice the positive mean less the negative one."""
    rows = [example, *others]
    found = cast("list[float]", recommended(rows, rows, VectorKind(size=2)))

    assert found == pytest.approx(recommended(rows, [], VectorKind(size=2)), abs=1e-9)


def test_sparse_average_has_the_indices_of_all() -> None:
    """What one example lacks counts as zero."""
    one, two = engine.SparseVector([1, 2], [2.0, 4.0]), engine.SparseVector([2, 3], [2.0, 2.0])

    found = cast("engine.SparseVector", recommended([one, two], [one], VectorKind(sparse=True)))

    assert (found.indices, found.values) == ([1, 2, 3], [0.0, 2.0, 2.0])


def test_multi_vectors_are_put_together() -> None:
    """Row by row, those of negatives with their sign turned."""
    found = recommended([[[1.0, 2.0]]], [[[3.0, 4.0]]], VectorKind(size=2, multi=True))

    assert found == [[1.0, 2.0], [-3.0, -4.0]]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("a", [1]),
        ("b.c", [2]),
        ("l", [3, {"x": 4}]),
        ("l[]", [3, {"x": 4}]),
        ("l[1].x", [4]),
        ("l[].x", [4]),
        ('"q.r"', [5]),
        ("a.b", []),
        ("l[7]", []),
        ("nothing", []),
    ],
)
def test_path_leads_to_values(path: str, values: list[Any]) -> None:
    """Of an array one by one; to nothing where there is nothing."""
    payload = {"a": 1, "b": {"c": 2}, "l": [3, {"x": 4}], "q.r": 5}

    assert values_at(payload, read_path(path)) == values


@pytest.mark.parametrize("path", ["a..b", "[", "a[x]", ".a", "a b"])
def test_bad_path_is_refused(path: str) -> None:
    """By name."""
    with pytest.raises(ApiError, match="invalid payload path"):
        read_path(path)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_is_read(name: str) -> None:
    """With the smallest argument that it takes."""
    many = name in ("mult", "sum")
    special: dict[str, Any] = {
        "div": {"left": 1, "right": "a"},
        "pow": {"base": 2, "exponent": 3},
        "geo_distance": {"origin": {"lon": 1, "lat": 2}, "to": "place"},
        "datetime": "2024-01-01T00:00:00Z",
        "datetime_key": "day",
        **{key: {"x": "n", "scale": 2} for key in ("lin_decay", "gauss_decay", "exp_decay")},
    }

    assert isinstance(
        read_expression({name: special.get(name, [1, "a"] if many else "a")}, "f"), engine.Expression
    )


@pytest.mark.parametrize("value", [None, [], {}, True, {"sum": 1}, {"frob": 1}, {"div": {"left": 1}}])
def test_bad_expressions_are_refused(value: Any) -> None:
    """Before the engine sees them."""
    with pytest.raises(ApiError):
        read_expression(value, "f")


@pytest.mark.parametrize(
    ("older", "body", "query"),
    [
        (
            legacy.search,
            {"vector": [1, 2], "limit": 3},
            {"query": {"nearest": [1, 2]}, "using": "", "limit": 3},
        ),
        (
            legacy.search,
            {"vector": {"name": "e", "vector": [1, 2]}, "top": 3, "with_payload": True},
            {"query": {"nearest": [1, 2]}, "using": "e", "limit": 3, "with_payload": True},
        ),
        (
            legacy.recommend,
            {"positive": [1], "strategy": "best_score", "limit": 1, "using": "e"},
            {"query": {"recommend": {"positive": [1], "strategy": "best_score"}}, "using": "e", "limit": 1},
        ),
        (
            legacy.discover,
            {"context": [{"positive": 1, "negative": 2}], "limit": 1},
            {"query": {"context": [{"positive": 1, "negative": 2}]}, "using": "", "limit": 1},
        ),
    ],
    ids=["search", "named", "recommend", "context"],
)
def test_older_calls_become_queries(older: Any, body: dict[str, Any], query: dict[str, Any]) -> None:
    """And those are read."""
    assert older(body) == query
    assert isinstance(read_query(query, source()), engine.QueryRequest)


@pytest.mark.parametrize(
    ("older", "body", "message"),
    [
        (legacy.search, {"vector": [1, 2]}, "missing field `limit`"),
        (legacy.search, {"vector": 5, "limit": 1}, "expected a vector"),
        (legacy.search, {"vector": [1, 2], "limit": 1, "exact": True}, "unknown field `exact`"),
        (legacy.recommend, {"limit": 1}, "At least one positive vector ID"),
        (legacy.recommend, {"limit": 1, "strategy": "sum_scores"}, "At least one positive or negative"),
        (legacy.discover, {"limit": 1}, "target and/or context_pairs must be specified"),
    ],
)
def test_bad_older_calls_are_refused(older: Any, body: dict[str, Any], message: str) -> None:
    """With Qdrant's reasons."""
    with pytest.raises(ApiError, match=message):
        older(body)


def test_only_points_of_the_searched_collection_are_left_out() -> None:
    """An id in another collection is another point."""
    here, there = {"collection": "here"}, {"collection": "there"}

    assert read_query({"query": 5, "lookup_from": here}, source()).filter is not None
    assert read_query({"query": 5, "lookup_from": there}, source()).filter is None


def test_patch_keeps_what_it_does_not_name() -> None:
    """Objects are merged, quantization is replaced; the body that was given stays as it was."""
    body = {
        "vectors": {"size": 2, "distance": "Dot", "hnsw_config": {"m": 4}},
        "hnsw_config": {"m": 8, "ef_construct": 50},
        "quantization_config": {"binary": {}},
        "metadata": {"a": 1, "b": 2},
    }
    before = str(body)
    patch = {
        "vectors": {"": {"hnsw_config": {"ef_construct": 60}}},
        "hnsw_config": {"m": 16},
        "quantization_config": "Disabled",
        "metadata": {"a": None, "c": 3},
    }

    changed = patched(body, patch)

    assert changed == {
        "vectors": {"size": 2, "distance": "Dot", "hnsw_config": {"m": 4, "ef_construct": 60}},
        "hnsw_config": {"m": 16, "ef_construct": 50},
        "quantization_config": None,
        "metadata": {"b": 2, "c": 3},
    }
    assert str(body) == before


def test_vector_comes_and_goes() -> None:
    """The unnamed one keeps its place under the empty name."""
    body = {"vectors": {"size": 2, "distance": "Dot"}}

    dense = with_vector(body, "d", {"dense": {"size": 3, "distance": "Dot"}})
    both = with_vector(dense, "s", {"sparse": {"modifier": "idf", "datatype": "float16"}})

    assert set(read_config(both).schema) == {"", "d", "s"}
    assert both["sparse_vectors"]["s"] == {"modifier": "idf", "index": {"datatype": "float16"}}
    assert set(read_config(without_vector(without_vector(both, "d"), "s")).schema) == {""}


def test_operations_are_read_with_their_place() -> None:
    """The message says which is bad, and where."""
    body = {"operations": [{"delete": {"points": [1]}}, {"set_payload": {"points": [1]}}]}

    with pytest.raises(ApiError, match=r"missing field `payload` at `operations\[1\].set_payload`"):
        read_operations(body, SCHEMA)


def test_tally_counts_by_kind_and_status() -> None:
    """Sorted."""
    tally = RequestStats()
    for status in (200, 404, 200):
        tally.add("GET", "/collections/{name}", status, 0.5)

    assert [(status, found.count, found.total_s) for _, _, status, found in tally.all()] == [
        (200, 2, 1.0),
        (404, 1, 0.5),
    ]


@given(values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_numbers_of_32_bits_are_shown_short_and_read_back_the_same(values: list[float]) -> None:
    """As a real server shows them."""
    found = shortest(values)

    assert array("f", found) == array("f", values)
    assert all(len(repr(one)) <= len(repr(other)) for one, other in zip(found, values, strict=True))


def test_score_is_a_number_that_people_write() -> None:
    """Not its 64 bit neighbour; whole numbers stay what they are, and what is too large is left."""
    assert shortest(array("f", [0.1, 2.0]).tolist()) == [0.1, 2.0]
    assert shortest([float("inf")]) == [float("inf")]
