"""Filters: what they match, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_edge import CountRequest, ScrollRequest

from ragbed.qdrant.errors import ApiError
from ragbed.qdrant.shard import Shard
from ragbed.qdrant.translate.config import read_config
from ragbed.qdrant.translate.filters import excluding, read_filter
from ragbed.qdrant.translate.payload_indexes import read_create_index
from ragbed.qdrant.translate.points import read_upsert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

UUID_ID = "550e8400-e29b-41d4-a716-446655440000"
PAYLOADS: dict[Any, dict[str, Any]] = {
    0: {},
    1: {"n": 1, "word": "red", "flag": True},
    2: {"n": 2, "word": "blue", "flag": False, "tags": ["x", "y"]},
    3: {"n": -3, "word": "grün", "tags": []},
    4: {"n": 2.5, "word": None, "tags": ["y", "z", "z"]},
    5: {"n": [1, 9], "word": ["red", "blue"], "flag": [True, False]},
    6: {"n": 10, "place": {"lon": 13.4, "lat": 52.5}, "when": "2025-03-01T12:00:00Z"},
    7: {"n": 0, "place": {"lon": 2.35, "lat": 48.85}, "when": "2026-03-01T12:00:00+01:00"},
    8: {"offers": [{"price": 5, "shop": "a"}, {"price": 9, "shop": "b"}]},
    UUID_ID: {"n": 7, "word": "a longer red text"},
}


INDEXES = {"n": "float", "word": "keyword", "tags": "keyword", "flag": "bool"}


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shard]:
    """A collection with the points above."""
    yield from filled(tmp_path_factory.mktemp("filters"))


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shard]:
    """The same, with payload indexes."""
    for shard in filled(tmp_path_factory.mktemp("indexed")):
        for name, kind in INDEXES.items():
            shard.update(read_create_index({"field_name": name, "field_schema": kind}))
        yield shard


def filled(folder: Path) -> Iterator[Shard]:
    """Create a collection with the points above, and close it afterwards."""
    config = read_config(
        {"vectors": {"": {"size": 1, "distance": "Dot"}, "b": {"size": 1, "distance": "Dot"}}}
    )
    shard = Shard.create(folder / "shard", "filters", config)
    points = [{"id": key, "vector": {"": [1]}, "payload": payload} for key, payload in PAYLOADS.items()]
    points[0]["vector"] = {"": [1], "b": [1]}
    shard.update(read_upsert({"points": points}, config.schema))
    yield shard
    shard.close()


def matching(shard: Shard, body: dict[str, Any]) -> set[Any]:
    """Return the ids that a filter matches."""
    request = ScrollRequest(limit=100, filter=read_filter(body, "filter"), with_payload=False)
    return {
        str(record.id) if isinstance(record.id, UUID) else record.id for record in shard.scroll(request)[0]
    }


CASES: list[tuple[str, dict[str, Any], set[Any]]] = [
    ("integer", {"key": "n", "match": {"value": 2}}, {2}),
    ("in array", {"key": "n", "match": {"value": 1}}, {1, 5}),
    ("keyword", {"key": "word", "match": {"value": "red"}}, {1, 5}),
    ("unicode", {"key": "word", "match": {"value": "grün"}}, {3}),
    ("true", {"key": "flag", "match": {"value": True}}, {1, 5}),
    ("false", {"key": "flag", "match": {"value": False}}, {2, 5}),
    ("one is not true", {"key": "flag", "match": {"value": 1}}, set()),
    ("any", {"key": "word", "match": {"any": ["blue", "grün"]}}, {2, 3, 5}),
    ("any of none", {"key": "word", "match": {"any": []}}, set()),
    ("except", {"key": "word", "match": {"except": ["red"]}}, {2, 3, 5, UUID_ID}),
    ("text", {"key": "word", "match": {"text": "longer"}}, {UUID_ID}),
    ("range", {"key": "n", "range": {"gte": 2, "lt": 7}}, {2, 4}),
    ("open range", {"key": "n", "range": {"gt": 8}}, {5, 6}),
    ("time", {"key": "when", "range": {"lt": "2026-01-01T00:00:00Z"}}, {6}),
    ("time with zone", {"key": "when", "range": {"gte": "2026-03-01T11:00:00Z"}}, {7}),
    ("count", {"key": "tags", "values_count": {"gte": 3}}, {4}),
    ("radius", {"key": "place", "geo_radius": {"center": {"lon": 13, "lat": 52}, "radius": 90000}}, {6}),
    (
        "box",
        {
            "key": "place",
            "geo_bounding_box": {"top_left": {"lon": 0, "lat": 50}, "bottom_right": {"lon": 5, "lat": 40}},
        },
        {7},
    ),
    (
        "polygon",
        {
            "key": "place",
            "geo_polygon": {
                "exterior": {
                    "points": [{"lon": x, "lat": y} for x, y in [(0, 40), (5, 40), (5, 50), (0, 50), (0, 40)]]
                }
            },
        },
        {7},
    ),
    ("ids", {"has_id": [1, UUID_ID, 99]}, {1, UUID_ID}),
    ("vector", {"has_vector": "b"}, {0}),
    ("null", {"is_null": {"key": "word"}}, {4}),
    ("null as field", {"key": "word", "is_null": True}, {4}),
    ("empty", {"is_empty": {"key": "tags"}}, set(PAYLOADS) - {2, 4}),
    ("empty as field", {"key": "tags", "is_empty": False}, {2, 4}),
    ("inner key", {"key": "offers[].price", "match": {"value": 9}}, {8}),
]


@pytest.mark.parametrize(("condition", "ids"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_condition_matches(shard: Shard, condition: dict[str, Any], ids: set[Any]) -> None:
    """Each kind of condition, alone."""
    assert matching(shard, {"must": [condition]}) == ids


def test_one_condition_needs_no_array(shard: Shard) -> None:
    """`must` takes an object too."""
    assert matching(shard, {"must": {"key": "n", "match": {"value": 2}}}) == {2}


def test_nested_conditions_hold_for_one_element(shard: Shard) -> None:
    """Price and shop of the same offer."""

    def offer(price: int, shop: str) -> dict[str, Any]:
        must = [{"key": "price", "match": {"value": price}}, {"key": "shop", "match": {"value": shop}}]
        return {"must": [{"nested": {"key": "offers", "filter": {"must": must}}}]}

    assert (matching(shard, offer(5, "a")), matching(shard, offer(5, "b"))) == ({8}, set())


def test_min_should_counts(shard: Shard) -> None:
    """At least so many of the conditions."""
    conditions = [{"key": "n", "range": {"gt": 0}}, {"key": "word", "match": {"value": "blue"}}]

    assert matching(shard, {"min_should": {"conditions": conditions, "min_count": 2}}) == {2, 5}


def test_empty_filter_matches_everything(shard: Shard) -> None:
    """As does a filter of empty lists."""
    assert matching(shard, {}) == matching(shard, {"must": [], "must_not": []}) == set(PAYLOADS)


def test_excluded_ids_are_left_out(shard: Shard) -> None:
    """Of all points, or of those that a filter matches."""
    red = read_filter({"must": {"key": "word", "match": {"value": "red"}}}, "filter")
    counts = [shard.count(CountRequest(filter=excluding(condition, {1}))) for condition in (None, red)]

    assert counts == [len(PAYLOADS) - 1, 1]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"most": []}, "unknown field `most` at `filter`, expected one of `must`"),
        ({"must": [{"key": "n"}]}, "[filter.must[0]: At least one field condition must be specified]"),
        ({"must": [{"key": "n", "range": {"above": 1}}]}, "unknown field `above` at `filter.must[0].range`"),
        ({"must": [{"key": "n", "range": {"gt": True}}]}, "invalid type: boolean, expected f64"),
        ({"must": [{"key": "n", "range": {"gt": "noon"}}]}, "failed to parse date-time"),
        ({"must": [{"key": "n", "match": {"value": 1.5}}]}, "invalid type: floating point"),
        ({"must": [{"key": "n", "match": {"any": [1, "a"]}}]}, "an array of strings or an array of integers"),
        ({"must": [{"key": "n", "match": {"any": [True]}}]}, "an array of strings or an array of integers"),
        ({"must": [{"key": "n", "match": {"any": 1}}]}, "invalid type: integer, expected a sequence"),
        ({"must": [{"key": "n", "match": {}}]}, "did not match any variant of a match"),
        ({"must": [{"key": "n..", "match": {"value": 1}}]}, "Wrong input: invalid JSON path n.."),
        ({"must": [{"is": 1}]}, "did not match any variant of a condition at `filter.must[0]`"),
        ({"must": [{"has_id": ["x"]}]}, "value x is not a valid point ID"),
        ({"must": [1]}, "invalid type: integer, expected an object at `filter.must[0]`"),
        ([], "invalid type: sequence, expected an object at `filter`"),
    ],
)
def test_bad_filters_are_refused(body: Any, message: str) -> None:
    """With the place and the reason."""
    with pytest.raises(ApiError) as caught:
        read_filter(body, "filter")

    assert message in str(caught.value)


def values(payload: dict[str, Any], key: str) -> list[Any]:
    """Return a key's values as filters see them: an array's elements, or the one value."""
    value = payload.get(key)
    return [item for item in (value if isinstance(value, list) else [value]) if item is not None]


def numbers(payload: dict[str, Any]) -> list[float]:
    """Return the numbers under `n`."""
    return [value for value in values(payload, "n") if isinstance(value, int | float)]


def holds(condition: dict[str, Any], key: Any, payload: dict[str, Any]) -> bool:
    """Say by brute force whether a condition holds."""
    match condition:
        case {"match": {"value": wanted}, "key": field}:
            return any(value == wanted and type(value) is type(wanted) for value in values(payload, field))
        case {"match": {"any": wanted}, "key": field}:
            return any(value in wanted for value in values(payload, field))
        case {"range": {"gte": low, "lt": high}}:
            return any(low <= value < high for value in numbers(payload))
        case {"is_empty": {"key": field}}:
            return not values(payload, field)
        case {"has_id": ids}:
            return key in ids
    return matches(condition, key, payload)


def matches(body: dict[str, Any], key: Any, payload: dict[str, Any]) -> bool:
    """Say by brute force whether a filter matches."""
    must, should, must_not = (body.get(name, []) for name in ("must", "should", "must_not"))
    return (
        all(holds(condition, key, payload) for condition in must)
        and (not should or any(holds(condition, key, payload) for condition in should))
        and not any(holds(condition, key, payload) for condition in must_not)
    )


WORDS = st.sampled_from(["red", "blue", "grün", "x", "y", "none"])
KEYS = st.sampled_from(["n", "word", "tags", "flag", "missing"])
LEAVES: SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(
        lambda key, value: {"key": key, "match": {"value": value}},
        KEYS,
        st.one_of(WORDS, st.integers(-3, 10), st.booleans()),
    ),
    st.builds(lambda key, any_of: {"key": key, "match": {"any": any_of}}, KEYS, st.lists(WORDS, max_size=3)),
    st.builds(
        lambda low, width: {"key": "n", "range": {"gte": low, "lt": low + width}},
        st.integers(-4, 10),
        st.floats(0, 8),
    ),
    st.builds(lambda key: {"is_empty": {"key": key}}, KEYS),
    st.builds(lambda ids: {"has_id": ids}, st.lists(st.sampled_from([*PAYLOADS, 99]), max_size=3)),
)


def clauses(conditions: SearchStrategy[dict[str, Any]]) -> SearchStrategy[dict[str, Any]]:
    """Return filters over some conditions."""
    some = st.lists(conditions, min_size=1, max_size=3)
    return st.fixed_dictionaries({}, optional={"must": some, "should": some, "must_not": some})


FILTERS = clauses(st.recursive(LEAVES, clauses, max_leaves=6))


@settings(max_examples=300, deadline=None)
@given(body=FILTERS)
def test_filters_match_what_brute_force_matches(shard: Shard, indexed: Shard, body: dict[str, Any]) -> None:
    """Generated filters, nested ones too, with payload indexes and without."""
    expected = {key for key, payload in PAYLOADS.items() if matches(body, key, payload)}

    assert matching(shard, body) == expected
    assert matching(indexed, body) == expected
