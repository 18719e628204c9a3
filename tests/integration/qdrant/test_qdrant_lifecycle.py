"""Collections that open when called for and rest when not; indexes built beside the use; bounded admission."""

from __future__ import annotations

import os
import socket
import time
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from qdrant_server import serving, until

if TYPE_CHECKING:
    from pathlib import Path

    from qdrant_server import Server

DOT = {"vectors": {"size": 2, "distance": "Dot"}}
LOW_THRESHOLD = {"indexing_threshold": 40, "deleted_threshold": 0.2, "vacuum_min_vector_number": 100}


def fill(http: httpx.Client, name: str, ids: range) -> None:
    """Write points whose vectors are `[1, id]`."""
    points = [{"id": number, "vector": [1, number], "payload": {"n": number}} for number in ids]
    http.put(f"/collections/{name}/points?wait=true", json={"points": points}).raise_for_status()


def nearest(http: httpx.Client, name: str) -> Any:
    """Return the id that `[0, 1]` finds first."""
    answer = http.post(f"/collections/{name}/points/query", json={"query": [0, 1], "limit": 1})
    return answer.json()["result"]["points"][0]["id"]


def info(http: httpx.Client, name: str) -> Any:
    """Return a collection's info."""
    return http.get(f"/collections/{name}").json()["result"]


def test_closed_collections_answer_and_cost_nothing(tmp_path: Path) -> None:
    """With four open at once, twenty cost the threads, maps and handles of four."""
    with (
        serving(tmp_path / "data", "--max-open", "4") as server,
        httpx.Client(base_url=server.url, timeout=20) as http,
    ):
        process = psutil.Process(server.process.pid)
        before = process.num_threads(), process.num_fds()
        for number in range(20):
            http.put(f"/collections/c{number}", json=DOT).raise_for_status()
            fill(http, f"c{number}", range(number + 1))

        found = [nearest(http, f"c{number}") for number in range(20)]

        assert found == list(range(20))
        assert process.num_threads() - before[0] <= 4 + 4  # the collections' and those that answer
        assert process.num_fds() - before[1] <= 4 * 2 + 2


def test_start_opens_no_collection(tmp_path: Path) -> None:
    """Ready with many collections is as quick as with none; the first call opens one."""
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=20) as http:
        for number in range(12):
            http.put(f"/collections/c{number}", json=DOT).raise_for_status()
        fill(http, "c7", range(8))

    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=20) as http:
        process = psutil.Process(server.process.pid)
        before = process.num_threads()

        assert nearest(http, "c7") == 7
        assert process.num_threads() <= before + 2  # the engine's, and one to answer with


def test_collection_found_damaged_when_called_for_is_set_aside(tmp_path: Path) -> None:
    """The call fails and says so, the next one finds no collection, the others go on."""
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        http.put("/collections/bad", json=DOT).raise_for_status()
        http.put("/collections/good", json=DOT).raise_for_status()
    for mark in (tmp_path / "data").glob("collections/*/collection.json"):
        if '"bad"' in mark.read_text():
            next(mark.parent.glob("shard/segments/*/segment.json")).write_text("{")

    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        statuses = [
            http.post(f"/collections/{name}/points/count", json={}).status_code
            for name in ("bad", "bad", "good")
        ]

        assert statuses[0] >= 400
        assert statuses[1:] == [404, 200]
    assert len(list((tmp_path / "data" / "damaged").iterdir())) == 1


def test_change_of_vectors_that_was_cut_off_damages_nothing(tmp_path: Path) -> None:
    """The engine had the new vector, `collection.json` not yet: the collection opens, with its points."""
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        http.put("/collections/c", json={"vectors": {"a": {"size": 2, "distance": "Dot"}}}).raise_for_status()
        point = {"id": 1, "vector": {"a": [1, 2]}}
        http.put("/collections/c/points?wait=true", json={"points": [point]}).raise_for_status()
        (mark,) = (tmp_path / "data").glob("collections/*/collection.json")
        before = mark.read_bytes()
        http.put(
            "/collections/c/vectors/b", json={"dense": {"size": 3, "distance": "Dot"}}
        ).raise_for_status()
        server.kill()
        mark.write_bytes(before)

    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        assert http.get("/collections/c/points/1").json()["result"]["vector"] == {"a": [1.0, 2.0]}


def create_large(http: httpx.Client, name: str, count: int) -> list[list[float]]:
    """Create a collection that is over its indexing threshold, and return its vectors."""
    random = Random(5)  # noqa: S311
    vectors = [[random.uniform(-1, 1) for _ in range(16)] for _ in range(count)]
    config = {"vectors": {"size": 16, "distance": "Dot"}, "optimizers_config": LOW_THRESHOLD}
    http.put(f"/collections/{name}", json=config).raise_for_status()
    points = [{"id": number, "vector": vector} for number, vector in enumerate(vectors)]
    http.put(f"/collections/{name}/points?wait=true", json={"points": points}).raise_for_status()
    return vectors


def test_index_is_built_in_the_background(http: httpx.Client, name: str) -> None:
    """Yellow over the threshold, green when it is built; nothing is lost, not what is written meanwhile."""
    vectors = create_large(http, name, 2000)
    statuses = [info(http, name)["status"]]
    late = 0
    while info(http, name)["status"] != "green" and late < 2000:
        point = {"id": 10_000 + late, "vector": vectors[late]}
        http.put(f"/collections/{name}/points?wait=true", json={"points": [point]}).raise_for_status()
        late += 1
        time.sleep(0.01)

    assert until(lambda: info(http, name)["status"] == "green")
    after = info(http, name)
    assert statuses == ["yellow"]
    assert after["indexed_vectors_count"] >= 2000
    assert after["points_count"] == 2000 + late


def test_deleted_points_are_vacuumed(http: httpx.Client, name: str) -> None:
    """Their room is taken back: what is indexed is what is left."""
    create_large(http, name, 2000)
    assert until(lambda: info(http, name)["indexed_vectors_count"] >= 2000)
    http.post(
        f"/collections/{name}/points/delete?wait=true", json={"points": list(range(900))}
    ).raise_for_status()

    assert until(lambda: info(http, name)["indexed_vectors_count"] == 1100)
    assert until(lambda: info(http, name)["status"] == "green")


def test_index_follows_its_parameters(http: httpx.Client, name: str) -> None:
    """Others are asked for, and it is built again."""
    create_large(http, name, 2000)
    assert until(lambda: info(http, name)["indexed_vectors_count"] >= 2000)
    assert until(lambda: info(http, name)["status"] == "green")
    http.patch(f"/collections/{name}", json={"hnsw_config": {"m": 4}}).raise_for_status()

    assert info(http, name)["status"] == "yellow"
    assert until(lambda: info(http, name)["status"] == "green")
    assert info(http, name)["indexed_vectors_count"] >= 2000


def test_indexing_can_be_switched_off(tmp_path: Path) -> None:
    """Searches stay exact, the status green."""
    with serving(tmp_path / "data", "--no-optimize") as server, httpx.Client(base_url=server.url) as http:
        create_large(http, "c", 2000)

        assert (info(http, "c")["status"], info(http, "c")["indexed_vectors_count"]) == ("green", 0)


def test_indexed_collection_outlives_a_kill(tmp_path: Path) -> None:
    """The optimized files are in force, with what was written after; no other files are left."""
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        vectors = create_large(http, "c", 2000)
        assert until(lambda: info(http, "c")["indexed_vectors_count"] >= 2000)
        point = {"id": 5000, "vector": vectors[0]}
        http.put("/collections/c/points?wait=true", json={"points": [point]}).raise_for_status()
        server.kill()

    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        assert info(http, "c")["points_count"] == 2001
    (folder,) = (tmp_path / "data" / "collections").iterdir()
    assert len(list(folder.glob("shard*"))) == 1


def test_kill_while_an_index_is_built_loses_nothing(tmp_path: Path) -> None:
    """The old files are in force; what was begun beside them goes once nobody writes there any more."""
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        create_large(http, "c", 3000)
        collections = tmp_path / "data" / "collections"
        assert until(lambda: len(list(collections.glob("*/shard*"))) > 1)
        server.kill()

    for _ in range(2):
        with serving(tmp_path / "data", "--no-optimize") as server, httpx.Client(base_url=server.url) as http:
            assert info(http, "c")["points_count"] == 3000
    assert len(list((tmp_path / "data" / "collections").glob("*/shard*"))) == 1


def test_client_that_goes_away_in_the_middle_writes_nothing(
    server: Server, http: httpx.Client, name: str
) -> None:
    """Even where the part that came is whole JSON."""
    http.put(f"/collections/{name}", json=DOT).raise_for_status()
    body = b'{"points": [{"id": 1, "vector": [1, 1]}]}'
    head = f"PUT /collections/{name}/points?wait=true HTTP/1.1\r\nhost: localhost\r\n"
    head += f"content-length: {len(body) + 9}\r\n\r\n"
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head.encode() + body)
        http.get("/readyz")  # the server has read what there is
    http.get("/readyz")

    assert http.post(f"/collections/{name}/points/count", json={}).json()["result"]["count"] == 0


def test_announced_size_over_the_limit_is_refused_unread(server: Server) -> None:
    """The answer comes before the body."""
    head = f"PUT /collections/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: {101 * 1024 * 1024}\r\n\r\n"
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode())

        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_bodies_that_wait_are_bounded(server: Server) -> None:
    """Over 256 MiB of announced bodies a request is told to come again; room is given back when clients go."""
    port = int(server.url.rpartition(":")[2])
    head = f"PUT /collections/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: {99 * 1024 * 1024}\r\n\r\n{{".encode()
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(2)]
    with held[0], held[1], socket.create_connection(("127.0.0.1", port), timeout=10) as third:
        for connection in held:
            connection.sendall(head)
        assert until(lambda: httpx.get(f"{server.url}/readyz").status_code == 200)
        third.sendall(head)
        answer = third.recv(1000)

    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b"retry-after: 1" in answer
    body = b" " * (99 * 1024 * 1024)
    assert until(
        lambda: httpx.put(f"{server.url}/collections/x", content=body, timeout=20).status_code == 400
    )


def test_many_small_collections_are_deleted_whole(http: httpx.Client, server: Server) -> None:
    """Their folders go with them."""
    names = [f"gone-{os.getpid()}-{number}" for number in range(10)]
    for name in names:
        http.put(f"/collections/{name}", json=DOT).raise_for_status()
    for name in names:
        http.delete(f"/collections/{name}").raise_for_status()

    listed = {found["name"] for found in http.get("/collections").json()["result"]["collections"]}
    assert not listed & set(names)


def test_small_collection_is_green_from_the_first_point_on(http: httpx.Client, name: str) -> None:
    """Yellow is for what waits to be indexed."""
    http.put(f"/collections/{name}", json=DOT).raise_for_status()
    fill(http, name, range(50))

    assert info(http, name)["status"] == "green"
