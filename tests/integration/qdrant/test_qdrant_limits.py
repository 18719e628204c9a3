"""What the engine could not read back is refused; what it takes is there after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from limit_rounds import difference, run, unreadable
from qdrant_server import serving

if TYPE_CHECKING:
    from pathlib import Path


DEEPEST = 122
SCROLL = {"limit": 100, "with_payload": True, "with_vector": True}


def nested(levels: int) -> dict[str, Any]:
    """A payload of so many levels, arrays and objects."""
    value: Any = 1
    for level in range(levels - 1):
        value = {"a": value} if level % 2 else [value]
    return {"a": value}


def filtered(depth: int, *, alone: bool = False) -> dict[str, Any]:
    """A filter in a filter; nothing matches it."""
    value: dict[str, Any] = {"must": [{"key": "n", "match": {"value": -7}}]}
    for _ in range(depth):
        value = {"must": value if alone else [value]}
    return value


def deepest_writes(deeper: int = 0) -> list[tuple[str, str, Any]]:
    """Every call that writes something nested, with the deepest that is taken, or what is so much deeper."""
    payload, condition = nested(DEEPEST + deeper), filtered(59 + deeper)
    point = {"id": 2, "vector": [1, 2], "payload": payload}
    batch = {"ids": [3], "vectors": [[1, 2]], "payloads": [payload]}
    below = {"points": [4], "payload": nested(62 + deeper), "key": ".".join("b" * 60)}
    return [
        ("PUT", "", {"points": [point]}),
        ("PUT", "", {"batch": batch}),
        ("PUT", "", {"points": [point], "update_filter": filtered(5)}),
        ("PUT", "", {"points": [{"id": 2, "vector": [1, 2]}], "update_filter": condition}),
        ("POST", "/payload", {"points": [4], "payload": payload}),
        ("PUT", "/payload", {"points": [4], "payload": payload}),
        ("POST", "/payload", below),
        ("POST", "/payload", {"filter": condition, "payload": {"c": 1}}),
        ("POST", "/payload/delete", {"filter": condition, "keys": ["n"]}),
        ("POST", "/payload/clear", {"filter": condition}),
        ("POST", "/delete", {"filter": condition}),
        ("POST", "/delete", {"filter": filtered(59 + deeper, alone=True)}),
        ("PUT", "/vectors", {"points": [{"id": 5, "vector": [2, 1]}], "update_filter": condition}),
        ("POST", "/vectors/delete", {"filter": condition, "vector": [""]}),
        ("POST", "/batch", {"operations": [{"upsert": {"points": [point]}}]}),
        ("POST", "/batch", {"operations": [{"delete": {"filter": condition}}]}),
    ]


def make(http: httpx.Client, name: str) -> None:
    """Create a collection with ten points."""
    http.put(f"/collections/{name}", json={"vectors": {"size": 2, "distance": "Dot"}}).raise_for_status()
    points = [{"id": number, "vector": [1, number], "payload": {"n": number}} for number in range(10)]
    http.put(f"/collections/{name}/points", json={"points": points}).raise_for_status()


def test_the_deepest_writes_are_there_after_a_kill(tmp_path: Path) -> None:
    """Each is in the log, which is read again."""
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        make(http, "deep")
        for method, path, body in deepest_writes():
            answer = http.request(method, f"/collections/deep/points{path}?wait=true", json=body)
            assert answer.status_code == 200, (method, path, answer.text)
        before = http.post("/collections/deep/points/scroll", json=SCROLL).json()["result"]
        server.kill()
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        after = http.post("/collections/deep/points/scroll", json=SCROLL).json()["result"]

    assert after == before
    assert len(after["points"]) == 10


@pytest.mark.parametrize("deeper", [1, 2, 10, 400])
def test_a_write_that_could_not_be_read_back_is_refused(http: httpx.Client, plain: str, deeper: int) -> None:
    """In a real server's words, before anything is written."""
    before = http.post(f"/collections/{plain}/points/scroll", json=SCROLL).json()["result"]

    for method, path, body in deepest_writes(deeper):
        answer = http.request(method, f"/collections/{plain}/points{path}?wait=true", json=body)
        assert answer.status_code == 400, (method, path, answer.text)
        assert "recursion limit exceeded" in answer.json()["status"]["error"]

    assert http.post(f"/collections/{plain}/points/scroll", json=SCROLL).json()["result"] == before


@pytest.mark.parametrize("levels", [124, 125, 900, 1100, 100_000])
@pytest.mark.parametrize("place", ["points/scroll", "points/query", "points/count", "points"])
def test_a_body_beyond_any_reader_is_refused(http: httpx.Client, plain: str, place: str, levels: int) -> None:
    """Where a real server's parser gives up, whatever the call; ours must not run out of stack."""
    deep = '{"must":' * levels + "{}" + "}" * levels
    body = f'{{"ids":[{deep}],"filter":{{"must":[{deep}]}}}}'

    answer = http.post(f"/collections/{plain}/{place}", content=body)

    assert answer.status_code == 400
    assert "recursion limit exceeded" in answer.json()["status"]["error"]


def test_nothing_acknowledged_is_lost_at_the_limits(tmp_path: Path) -> None:
    """A few batches of what `scripts/soak-qdrant --limits` does at length."""
    statuses, wrong = run(tmp_path / "data", bodies=60, batches=3, seed=11)

    assert wrong == []
    assert statuses[200] > 10


def test_a_lost_point_would_be_noticed() -> None:
    """So would a collection that answers an error."""
    assert difference({"c": [1, 2]}, {"c": [1]}) == ["c was [1, 2], is [1]"]
    assert unreadable({"c": "500 ..."}) != []
