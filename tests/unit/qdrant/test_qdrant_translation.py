"""From JSON to engine objects and back: vectors, points, configurations, indexes, queries."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
import qdrant_edge as engine
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import models

from ragbed.qdrant.errors import ApiError
from ragbed.qdrant.translate.config import read_config
from ragbed.qdrant.translate.fields import choice, fields, integer, text
from ragbed.qdrant.translate.ids import read_id, read_path_id
from ragbed.qdrant.translate.payload_indexes import PARAMS, TYPES, read_schema, word
from ragbed.qdrant.translate.points import read_upsert
from ragbed.qdrant.translate.queries import read_query, read_scroll
from ragbed.qdrant.translate.references import PointSource
from ragbed.qdrant.translate.results import vector_json
from ragbed.qdrant.translate.schema import VectorKind
from ragbed.qdrant.translate.vectors import read_point_vectors, read_sparse, read_vector

SCHEMA = {"": VectorKind(size=2), "m": VectorKind(size=2, multi=True), "s": VectorKind(sparse=True)}
NUMBERS = st.floats(-1e6, 1e6, width=32)


def no_lookup(point_id: Any, name: str) -> Any:
    """Return a stored vector that tells what was asked for."""
    return [float(point_id), float(len(name))]


SOURCE = PointSource(schema=SCHEMA, lookup=no_lookup)


def error_of(call: Any, *arguments: Any) -> str:
    """Return the message that a call fails with."""
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    return str(caught.value)


def test_missing_and_null_fields_are_the_same() -> None:
    """A client may leave a field out or send null."""
    with fields({"a": None}) as found:
        assert (found.maybe("a", text), found.maybe("b", text), found.optional("c", text, "d")) == (
            None,
            None,
            "d",
        )


def test_fields_that_nobody_asked_for_are_refused() -> None:
    """They might change the result."""

    def read() -> None:
        with fields({"a": "x", "b": 1}, "body") as found:
            found.maybe("a", text)

    assert error_of(read) == "Format error in JSON body: unknown field `b` at `body`, expected one of `a`"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "Format error in JSON body: invalid type: boolean, expected an integer at `x`"),
        (1.0, "Format error in JSON body: invalid type: floating point, expected an integer at `x`"),
        (0, "Validation error in JSON body: [x: value 0 invalid, must be from 1 to 5]"),
        (6, "Validation error in JSON body: [x: value 6 invalid, must be from 1 to 5]"),
    ],
)
def test_integers_are_checked(value: Any, message: str) -> None:
    """Type first, then range."""
    assert error_of(integer(1, 5), value, "x") == message


@pytest.mark.parametrize("value", ["c", 1, None, ["a"]])
def test_unknown_words_are_refused(value: Any) -> None:
    """Values that cannot be keys of a table too."""
    assert "expected one of `a`, `b` at `x`" in error_of(choice({"a": 1, "b": 2}), value, "x")


@given(st.one_of(st.integers(0, 2**64 - 1), st.uuids()))
def test_valid_ids_are_taken(point_id: Any) -> None:
    """As JSON, and in a URL."""
    given_id = point_id if isinstance(point_id, int) else str(point_id)

    assert read_id(given_id, "id") == read_path_id(str(point_id)) == point_id


@pytest.mark.parametrize("value", [-1, 2**64, 1.0, True, "", "7", "x", None, []])
def test_other_ids_are_refused(value: Any) -> None:
    """Floats, negative numbers and text that is not a UUID."""
    assert "is not a valid point ID" in error_of(read_id, value, "id")


@given(st.lists(NUMBERS, min_size=2, max_size=2))
def test_dense_vector_is_passed_on(row: list[float]) -> None:
    """Unchanged, under the unnamed name."""
    assert read_point_vectors(row, "vector", SCHEMA) == {"": row}


@given(st.dictionaries(st.integers(0, 2**32 - 1), NUMBERS, max_size=5))
def test_sparse_vector_goes_there_and_back(entries: dict[int, float]) -> None:
    """Indices and values survive the engine's form."""
    body = {"indices": list(entries), "values": list(entries.values())}

    found = vector_json(read_sparse(body, "vector"))

    assert found["indices"] == body["indices"]
    assert array("f", found["values"]) == array("f", body["values"])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("", [1], "Vector dimension error: expected dim: 2, got 1"),
        ("", [], "expected dim: 2, got 0"),
        ("", [1, True], "expected an array of numbers"),
        ("", [[1, 2]], "multi and regular vectors"),
        ("", {"indices": [1], "values": [1]}, "sparse and regular vectors"),
        ("m", [], "expected dim: 2, got 0"),
        ("m", [[]], "all vectors must be non-empty"),
        ("m", [[1, 2], [3]], "all vectors must have the same dimension"),
        ("m", [[1, 2], 3], "invalid type: integer, expected a sequence at `v[1]`"),
        ("s", [1, 2], "sparse and regular vectors"),
        ("s", {"indices": [1]}, "missing field `values`"),
        ("s", {"indices": [1], "values": [1, 2]}, "must be the same length as indices"),
        ("s", {"indices": [1, 1], "values": [1, 2]}, "must be unique"),
        ("s", {"indices": [-1], "values": [1]}, "expected u32 at `v.indices[0]`"),
        ("s", {"indices": [2**32], "values": [1]}, "expected u32"),
        ("", "text", "invalid type: string"),
    ],
)
def test_bad_vectors_are_refused(name: str, value: Any, message: str) -> None:
    """Before the engine logs them."""
    assert message in error_of(read_vector, value, "v", SCHEMA[name])


def test_batch_columns_must_be_of_one_length() -> None:
    """As many vectors and payloads as ids."""
    body = {"batch": {"ids": [1, 2], "vectors": [[1, 2]]}}

    assert "[batch.vectors: 1 given for 2 ids]" in error_of(read_upsert, body, SCHEMA)


def test_configuration_is_described_over_defaults() -> None:
    """What was asked for wins; null is not asked for."""
    body = {
        "vectors": {"size": 2, "distance": "Dot"},
        "hnsw_config": {"m": 4, "ef_construct": None},
        "optimizers_config": {"indexing_threshold": 0},
    }

    described = read_config(body).describe()

    assert (described["hnsw_config"]["m"], described["hnsw_config"]["ef_construct"]) == (4, 100)
    assert described["optimizer_config"]["indexing_threshold"] == 0


def test_described_configuration_is_what_the_client_reads() -> None:
    """Every field that its model wants is there."""
    config = read_config(
        {
            "vectors": {
                "a": {"size": 2, "distance": "Cosine", "datatype": "float16", "hnsw_config": {"m": 8}}
            },
            "sparse_vectors": {"s": {"index": {"on_disk": True}, "modifier": "idf"}},
            "shard_number": 2,
            "metadata": {"owner": "me"},
        }
    )

    parsed = models.CollectionConfig.model_validate(config.describe())

    assert (parsed.params.shard_number, parsed.metadata) == (2, {"owner": "me"})


def test_schema_names_every_vector() -> None:
    """Dense, multi and sparse."""
    config = read_config(
        {
            "vectors": {
                "a": {"size": 2, "distance": "Dot"},
                "m": {"size": 3, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}},
            },
            "sparse_vectors": {"s": {}},
        }
    )

    assert config.schema == {
        "a": VectorKind(size=2),
        "m": VectorKind(size=3, multi=True),
        "s": VectorKind(sparse=True),
    }


def test_vector_may_be_called_size() -> None:
    """An object under `size` is a named vector, not a number that is missing."""
    assert set(read_config({"vectors": {"size": {"size": 2, "distance": "Dot"}}}).schema) == {"size"}


@pytest.mark.parametrize("name", sorted(TYPES))
def test_index_type_has_a_short_and_a_long_form(name: str) -> None:
    """By name alone, or as an object; the name comes back."""
    assert word(read_schema(name, "field_schema")) == name
    assert isinstance(read_schema({"type": name, "on_disk": True}, "field_schema"), PARAMS[name][0])


def test_bad_index_parameter_is_refused() -> None:
    """With those that the type has."""
    message = error_of(read_schema, {"type": "geo", "tokenizer": "word"}, "field_schema")

    assert "unknown field `tokenizer` at `field_schema`, expected one of `type`, `on_disk`" in message


@pytest.mark.parametrize(
    "query", [[1, 2], {"nearest": [1, 2]}, 5, {"nearest": 5}], ids=["bare", "named", "bare id", "named id"]
)
def test_nearest_has_a_short_and_a_long_form(query: Any) -> None:
    """Both become a query with the default limit."""
    request = read_query({"query": query}, SOURCE)

    assert isinstance(request.query, engine.Query)
    assert (request.limit, request.offset) == (10, 0)


def test_only_queries_by_id_gain_a_filter() -> None:
    """It leaves out the point itself."""
    assert read_query({"query": [1, 2]}, SOURCE).filter is None
    assert isinstance(read_query({"query": 5}, SOURCE).filter, engine.Filter)


def test_prefetches_nest() -> None:
    """One or several, each with its own limit."""
    body = {"query": [1, 2], "prefetch": {"query": [1, 2], "limit": 5, "prefetch": [{"limit": 9}]}}

    (outer,) = read_query(body, SOURCE).prefetches

    assert (outer.limit, [inner.limit for inner in outer.prefetches]) == (5, [9])


def test_scroll_with_order_and_offset_is_refused() -> None:
    """Qdrant has no such page."""
    assert "Cannot use an `offset` when using `order_by`" in error_of(
        read_scroll, {"order_by": "n", "offset": 3}
    )
