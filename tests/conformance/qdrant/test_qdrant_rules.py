"""The rules around the engine, asked one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from qdrant_conformance.rules import RULES, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = [rule for rule in RULES if rule.asks]
NAME = "rules"
MANY = "many-values"
POINTS = {"points": [{"id": n, "vector": [1, n], "payload": {"n": n, "k": f"{n}"}} for n in range(6)]}


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    """The judged server, with a collection of six points."""
    with httpx.Client(base_url=url, timeout=60) as http:
        collection = f"/collections/{NAME}"
        http.put(collection, json={"vectors": {"size": 2, "distance": "Dot"}}).raise_for_status()
        index = {"field_name": "n", "field_schema": "integer"}
        http.put(f"{collection}/index?wait=true", json=index).raise_for_status()
        http.put(f"{collection}/points?wait=true", json=POINTS).raise_for_status()
        yield http
        for name in (NAME, f"{NAME}-other", MANY):
            http.delete(f"/collections/{name}")


@pytest.mark.parametrize("rule", ASKED, ids=[rule.what for rule in ASKED])
def test_a_rule_holds(http: httpx.Client, rule: Rule) -> None:
    """As its status and words say."""
    assert rule.asks is not None
    method, path, body = rule.asks

    answer = http.request(method, f"/collections/{NAME}{path}", json=body)

    assert (answer.status_code, rule.says in answer.text.replace("\\", "")) == (rule.status, True), (
        answer.text
    )


@pytest.mark.parametrize(("offset", "found"), [(0, 3), (4, 3), (100, 3)])
def test_a_random_sample_has_no_offset(http: httpx.Client, offset: int, found: int) -> None:
    """Its order is another every time."""
    body = {"query": {"sample": "random"}, "limit": 3, "offset": offset}

    for path, asked in (("query", body), ("query/batch", {"searches": [body]})):
        result = http.post(f"/collections/{NAME}/points/{path}", json=asked).json()["result"]
        points = result["points"] if path == "query" else result[0]["points"]
        assert len(points) == found


def test_a_sample_of_prefetches_has_one(http: httpx.Client) -> None:
    """There the offset counts."""
    body = {"prefetch": {"limit": 6}, "query": {"sample": "random"}, "limit": 3, "offset": 4}

    assert len(http.post(f"/collections/{NAME}/points/query", json=body).json()["result"]["points"]) == 2


@pytest.mark.parametrize(("offset", "found"), [(0, 3), (1, 2), (3, 0), (9, 0)])
def test_an_offset_takes_from_what_mmr_picked(http: httpx.Client, offset: int, found: int) -> None:
    """It picks as many as the limit says, whatever the offset."""
    query = {"nearest": [1, 1], "mmr": {"candidates_limit": 6}}
    ids = [
        [
            point["id"]
            for point in http.post(f"/collections/{NAME}/points/query", json=body).json()["result"]["points"]
        ]
        for body in ({"query": query, "limit": 3}, {"query": query, "limit": 3, "offset": offset})
    ]

    assert (ids[1], len(ids[1])) == (ids[0][offset:], found)


def test_vectors_are_deleted_by_ids_and_by_filter(http: httpx.Client) -> None:
    """Where both are given; a payload goes to the ids alone."""
    one = {"key": "n", "match": {"value": 1}}
    path, both = f"/collections/{NAME}/points", {"points": [0], "filter": {"must": one}}
    http.post(f"{path}/payload?wait=true", json={"payload": {"a": 1}, **both}).raise_for_status()
    http.post(f"{path}/vectors/delete?wait=true", json={"vector": [""], **both}).raise_for_status()

    found = http.post(path, json={"ids": [0, 1, 2], "with_payload": ["a"], "with_vector": True}).json()[
        "result"
    ]

    http.put(f"{path}?wait=true", json=POINTS).raise_for_status()
    assert [point["payload"] for point in found] == [{"a": 1}, {}, {}]
    assert [point["vector"] for point in found] == [{}, {}, [1.0, 2.0]]


def test_a_facet_of_many_values(http: httpx.Client) -> None:
    """Up to the sample's size the first of equal values are shown; an exact one always shows them."""
    http.put(f"/collections/{MANY}", json={}).raise_for_status()
    for key in ("few", "many"):
        index = {"field_name": key, "field_schema": "keyword"}
        http.put(f"/collections/{MANY}/index?wait=true", json=index).raise_for_status()
    points = [
        {"id": n, "vector": {}, "payload": {"few": f"{n % 1200:04}", "many": f"{n * 7919 % 2400:04}"}}
        for n in range(2400)
    ]
    http.put(f"/collections/{MANY}/points?wait=true", json={"points": points}).raise_for_status()

    def hits(**body: object) -> list[str]:
        result = http.post(f"/collections/{MANY}/facet", json=body).json()["result"]
        return [hit["value"] for hit in result["hits"]]

    assert hits(key="few", limit=3) == ["0000", "0001", "0002"]
    assert hits(key="many", limit=3, exact=True) == ["0000", "0001", "0002"]
    assert len(hits(key="many", limit=2400)) == 2400
