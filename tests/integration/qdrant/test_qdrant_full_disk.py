"""A disk that is all but full: writes are refused, reads go on, nothing is lost or judged damaged."""

from __future__ import annotations

from http import HTTPStatus
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from qdrant_server import serving, until

from small_disk import MOUNTABLE, resize, used_kb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = MOUNTABLE

ROOMY_KB = 400_000
SHORT_KB = 64_000
TEXT = "x" * 500_000


@pytest.fixture
def full(small_disk: Path) -> Iterator[tuple[httpx.Client, int]]:
    """Write until the disk has too little room; yield the client and how many points were acknowledged."""
    resize(small_disk, ROOMY_KB)
    with serving(small_disk / "data") as server, httpx.Client(base_url=server.url, timeout=20) as http:
        created = http.put("/collections/known", json={"vectors": {"size": 2, "distance": "Dot"}})
        assert created.status_code == HTTPStatus.OK
        resize(small_disk, used_kb(small_disk) + 70_000)
        acknowledged = next(number for number in count() if upsert(http, number) != HTTPStatus.OK)
        resize(small_disk, used_kb(small_disk) + SHORT_KB)
        yield http, acknowledged


def upsert(http: httpx.Client, number: int) -> int:
    """Write one big point and return the status."""
    point = {"id": number, "vector": [1.0, 2.0], "payload": {"text": TEXT}}
    answer = http.put("/collections/known/points?wait=true", json={"points": [point]})
    return answer.status_code


def counted(http: httpx.Client) -> int:
    """Return how many points the collection answers with."""
    answer = http.post("/collections/known/points/count", json={"exact": True})
    answer.raise_for_status()
    found: int = answer.json()["result"]["count"]
    return found


def test_a_write_without_room_is_refused_in_words(full: tuple[httpx.Client, int]) -> None:
    """As a real server refuses it; it would end the process."""
    http, acknowledged = full
    point = {"id": acknowledged, "vector": [1.0, 2.0]}

    answer = http.put("/collections/known/points?wait=true", json={"points": [point]})

    assert (acknowledged > 0, answer.status_code) == (True, HTTPStatus.INTERNAL_SERVER_ERROR)
    assert "No space left on device" in answer.json()["status"]["error"]


def test_a_collection_without_room_is_not_created(full: tuple[httpx.Client, int]) -> None:
    """And leaves no name behind."""
    http, _ = full

    answer = http.put("/collections/new", json={"vectors": {"size": 2, "distance": "Dot"}})

    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert http.get("/collections/new/exists").json()["result"] == {"exists": False}


def files(disk: Path) -> set[Path]:
    """Return what is in the server's folder."""
    return set((disk / "data").rglob("*"))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "index", {"field_name": "text", "field_schema": "text"}),
        ("POST", "points/payload", {"payload": {"a": 1}, "filter": {}}),
    ],
    ids=["an index", "every payload"],
)
def test_a_small_request_that_writes_much_needs_the_room(
    small_disk: Path, method: str, path: str, body: dict[str, Any]
) -> None:
    """By what the payloads take; there is room for a point."""
    resize(small_disk, ROOMY_KB)
    with serving(small_disk / "data") as server, httpx.Client(base_url=server.url, timeout=20) as http:
        http.put("/collections/known", json={"vectors": {"size": 2, "distance": "Dot"}})
        text = Random(1).randbytes(1_000_000).hex()  # noqa: S311  # what cannot be packed well
        for number in range(3):
            point = {"id": number, "vector": [1, 2], "payload": {"text": text}}
            http.put("/collections/known/points?wait=true", json={"points": [point]}).raise_for_status()
        resize(small_disk, used_kb(small_disk) + 67_000)

        answer = http.request(method, f"/collections/known/{path}?wait=true", json=body)

        assert "No space left on device" in answer.text
        assert upsert(http, 7) == HTTPStatus.OK


def test_a_snapshot_without_room_is_not_made(full: tuple[httpx.Client, int], small_disk: Path) -> None:
    """It would take what is left, and end the process at the next write."""
    http, _ = full

    answer = http.post("/collections/known/snapshots")

    assert "No space left on device" in answer.json()["status"]["error"]
    assert [path for path in files(small_disk) if "copy" in path.name or path.suffix == ".new"] == []


def test_a_recovery_without_room_changes_nothing(small_disk: Path) -> None:
    """What the collection holds stays, and nothing of the snapshot's files is left to fill the disk."""
    resize(small_disk, ROOMY_KB)
    with serving(small_disk / "data") as server, httpx.Client(base_url=server.url, timeout=20) as http:
        http.put("/collections/known", json={"vectors": {"size": 2, "distance": "Dot"}})
        upsert(http, 1)
        name = http.post("/collections/known/snapshots").json()["result"]["name"]
        location = f"{server.url}/collections/known/snapshots/{name}"
        upsert(http, 2)
        before = files(small_disk)
        (known,) = (small_disk / "data/collections").iterdir()
        resize(small_disk, used_kb(small_disk) + 64)

        answers = [
            http.put(f"/collections/{name}/snapshots/recover", json={"location": location})
            for name in ("known", "new")
        ]
        folders = {small_disk / "data/snapshots", small_disk / "data/snapshots/.incoming"}
        # beside what the collection itself may have written meanwhile
        left = {path for path in files(small_disk) - before if not path.is_relative_to(known)} - folders
        found = counted(http)

    assert [answer.status_code for answer in answers] == [HTTPStatus.INTERNAL_SERVER_ERROR] * 2
    assert all("No space left on device" in answer.text for answer in answers)
    assert (left, found) == (set(), 2)


def test_a_change_that_cannot_be_written_down_is_not_made(
    full: tuple[httpx.Client, int], small_disk: Path
) -> None:
    """It would be gone after a restart, and what was written in its name with it."""
    http, _ = full
    resize(small_disk, used_kb(small_disk))

    answer = http.patch("/collections/known", json={"metadata": {"colour": "red"}})

    config = http.get("/collections/known").json()["result"]["config"]
    assert (answer.status_code, "metadata" in config) == (HTTPStatus.INTERNAL_SERVER_ERROR, False)


def test_reads_go_on(full: tuple[httpx.Client, int]) -> None:
    """Every acknowledged point is there, and no other."""
    http, acknowledged = full

    assert counted(http) == acknowledged


def test_deleting_a_collection_makes_room(full: tuple[httpx.Client, int]) -> None:
    """It is not refused, and the next one can be created."""
    http, _ = full

    deleted = http.delete("/collections/known")
    created = http.put("/collections/known", json={"vectors": {"size": 2, "distance": "Dot"}})

    assert (deleted.status_code, created.status_code) == (HTTPStatus.OK, HTTPStatus.OK)


def test_with_room_writes_go_on(full: tuple[httpx.Client, int], small_disk: Path) -> None:
    """Without a restart."""
    http, acknowledged = full

    resize(small_disk, ROOMY_KB)

    assert upsert(http, acknowledged) == HTTPStatus.OK


def test_a_killed_server_on_a_full_disk_keeps_its_collections(small_disk: Path) -> None:
    """They cannot be opened, are not set aside as damaged, and are whole once there is room."""
    resize(small_disk, ROOMY_KB)
    with serving(small_disk / "data") as server, httpx.Client(base_url=server.url, timeout=20) as http:
        http.put("/collections/known", json={"vectors": {"size": 2, "distance": "Dot"}})
        upsert(http, 1)
        server.kill()
    resize(small_disk, used_kb(small_disk) + 64)

    with serving(small_disk / "data") as server, httpx.Client(base_url=server.url, timeout=20) as http:
        without_room = http.post("/collections/known/points/count", json={})
        resize(small_disk, ROOMY_KB)
        with_room = counted(http)

    assert "No space left on device" in without_room.json()["status"]["error"]
    assert with_room == 1


def info(http: httpx.Client) -> dict[str, Any]:
    """Return what the collection says of itself."""
    found: dict[str, Any] = http.get("/collections/known").json()["result"]
    return found


def test_a_collection_that_cannot_be_indexed_is_not_green(small_disk: Path) -> None:
    """It is red and says why, as on a real server; with room the index is built."""
    resize(small_disk, ROOMY_KB)
    config = {"vectors": {"size": 2, "distance": "Dot"}, "optimizers_config": {"indexing_threshold": 1}}
    points = [{"id": number, "vector": [number, 1]} for number in range(1000)]
    with serving(small_disk / "data") as server, httpx.Client(base_url=server.url, timeout=20) as http:
        http.put("/collections/known", json=config).raise_for_status()
        resize(small_disk, used_kb(small_disk) + 66_000)
        http.put("/collections/known/points?wait=true", json={"points": points}).raise_for_status()
        resize(small_disk, used_kb(small_disk) + SHORT_KB)

        assert until(lambda: info(http)["status"] == "red", within_s=30)
        without_room = info(http)
        resize(small_disk, ROOMY_KB)
        assert until(lambda: info(http)["status"] == "green", within_s=30)

        assert "Not enough space available" in without_room["optimizer_status"]["error"]
        assert (without_room["indexed_vectors_count"], info(http)["optimizer_status"]) == (0, "ok")
        assert info(http)["indexed_vectors_count"] == len(points)
