"""Grouped queries: the best points of the best groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qdrant_client import models

if TYPE_CHECKING:
    import httpx
    from qdrant_client import QdrantClient

COUNT = 60


@pytest.fixture
def skewed(client: QdrantClient, name: str) -> str:
    """Sixty points, most of them in one group, which are also the nearest; two distances."""
    client.create_collection(
        name,
        vectors_config={
            "dot": models.VectorParams(size=1, distance=models.Distance.DOT),
            "euclid": models.VectorParams(size=1, distance=models.Distance.EUCLID),
        },
    )
    client.upsert(
        name,
        [
            models.PointStruct(
                id=number,
                vector={"dot": [float(COUNT - number)], "euclid": [float(number)]},
                payload={"group": group_of(number), "tags": [number % 2, "all"], "deep": {"n": number % 3}},
            )
            for number in range(COUNT)
        ],
    )
    return name


def group_of(number: int) -> str | int:
    """Return a point's group: the first fifty in one."""
    return "large" if number < 50 else number % 4


def groups(client: QdrantClient, name: str, **more: Any) -> list[tuple[Any, list[Any]]]:
    """Return the groups' keys and the ids of their points."""
    found = client.query_points_groups(name, **more).groups
    return [(group.id, [hit.id for hit in group.hits]) for group in found]


@pytest.mark.parametrize("using", ["dot", "euclid"])
@pytest.mark.parametrize(("limit", "size"), [(1, 1), (3, 2), (5, 3), (9, 50)])
def test_large_group_does_not_hide_the_others(
    client: QdrantClient, skewed: str, using: str, limit: int, size: int
) -> None:
    """The same groups as by sorting all points; a distance is better when it is smaller."""
    query = [1.0] if using == "dot" else [0.0]
    expected: dict[Any, list[int]] = {}
    for number in range(COUNT):
        expected.setdefault(group_of(number), []).append(number)
    best = [(key, members[:size]) for key, members in list(expected.items())[:limit]]

    assert (
        groups(client, skewed, query=query, using=using, group_by="group", limit=limit, group_size=size)
        == best
    )


def test_point_is_in_the_group_of_each_of_its_values(client: QdrantClient, skewed: str) -> None:
    """Of an array, and at the end of a path."""
    by_tag = groups(client, skewed, query=[1.0], using="dot", group_by="tags", limit=5, group_size=2)
    by_path = groups(client, skewed, query=[1.0], using="dot", group_by="deep.n", limit=5, group_size=1)

    assert dict(by_tag) == {0: [0, 2], "all": [0, 1], 1: [1, 3]}
    assert by_path == [(0, [0]), (1, [1]), (2, [2])]


def test_hits_carry_what_was_asked_for(client: QdrantClient, skewed: str) -> None:
    """Payload and vectors, instead of the key alone."""
    (group,) = client.query_points_groups(
        skewed,
        query=[1.0],
        using="dot",
        group_by="group",
        limit=1,
        group_size=1,
        with_payload=["deep"],
        with_vectors=["dot"],
    ).groups

    assert (group.hits[0].payload, group.hits[0].vector) == ({"deep": {"n": 0}}, {"dot": [60.0]})


def test_lookup_returns_the_point_whose_id_the_key_is(client: QdrantClient, skewed: str) -> None:
    """None where the key is not an id, or there is no such point."""
    found = client.query_points_groups(
        skewed,
        query=[1.0],
        using="dot",
        group_by="group",
        limit=3,
        with_lookup=models.WithLookup(collection=skewed, with_payload=["tags"]),
    ).groups

    assert [(group.id, group.lookup and group.lookup.payload) for group in found] == [
        ("large", None),
        (2, {"tags": [0, "all"]}),
        (3, {"tags": [1, "all"]}),
    ]


def test_older_calls_have_groups_too(http: httpx.Client, skewed: str) -> None:
    """Search and recommend."""
    search = {"vector": {"name": "dot", "vector": [1]}, "group_by": "group", "limit": 2, "group_size": 1}
    recommend = {"positive": [3], "using": "dot", "group_by": "group", "limit": 2, "group_size": 1}

    found = [
        http.post(f"/collections/{skewed}/points/{kind}/groups", json=body).json()["result"]["groups"]
        for kind, body in (("search", search), ("recommend", recommend))
    ]

    assert [[group["id"] for group in answer] for answer in found] == [["large", 2], ["large", 2]]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 400),
        ({"group_by": "group", "limit": 0}, 422),
        ({"group_by": "group", "group_size": 0}, 422),
        ({"group_by": "a..b"}, 400),
        ({"group_by": "group", "with_lookup": "nowhere"}, 404),
    ],
)
def test_bad_groupings_are_refused(
    http: httpx.Client, skewed: str, more: dict[str, Any], status: int
) -> None:
    """A missing key, a number out of range, no path, no collection."""
    body = {"query": [1], "using": "dot", **more}

    assert http.post(f"/collections/{skewed}/points/query/groups", json=body).status_code == status
