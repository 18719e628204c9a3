"""The server as a process: start, stop, death, a second owner, damage, keys, and many clients at once."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse
from qdrant_server import STOP_TIMEOUT_S, command, serving

if TYPE_CHECKING:
    from pathlib import Path

DOT = models.VectorParams(size=2, distance=models.Distance.DOT)


def connect(url: str) -> QdrantClient:
    """Return a client that asks nothing in the background, for servers that are taken away."""
    return QdrantClient(url=url, check_compatibility=False)


def fill(url: str, name: str, count: int) -> None:
    """Create a collection with some points, an index and an alias."""
    client = connect(url)
    client.create_collection(name, vectors_config=DOT)
    points = [
        models.PointStruct(id=number, vector=[1.0, number], payload={"n": number}) for number in range(count)
    ]
    client.upsert(name, points, wait=True)
    client.create_payload_index(name, "n", models.PayloadSchemaType.INTEGER)
    alias = models.CreateAlias(collection_name=name, alias_name=f"{name}-alias")
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
    client.close()


def state(url: str, name: str) -> tuple[int, list[str], float]:
    """Return what `fill` wrote, as it is found now, through the alias."""
    client = connect(url)
    info = client.get_collection(f"{name}-alias")
    best = client.query_points(f"{name}-alias", query=[0.0, 1.0], limit=1).points[0].score
    client.close()
    return info.points_count or 0, sorted(info.payload_schema), best


def test_ready_line_is_the_only_line(tmp_path: Path) -> None:
    """It names the module and the address, and says the truth: the server answers."""
    with serving(tmp_path / "data") as server:
        assert server.line == f"ragbed.qdrant ready on {server.url}\n"
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        server.stop()
        assert server.process.stdout is not None
        assert server.process.stdout.read() == ""


@pytest.mark.parametrize("count", [1, 500])
def test_stop_is_clean(tmp_path: Path, count: int) -> None:
    """SIGTERM ends it with code 0, little data or more, and waits for no client that is still connected."""
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url) as connected:
        connected.get("/")
        fill(server.url, "kept", count)

        assert server.stop() == 0


def test_data_outlives_a_clean_stop(tmp_path: Path) -> None:
    """Points, indexes and aliases are there again."""
    with serving(tmp_path / "data") as server:
        fill(server.url, "kept", 50)
        server.stop()

    with serving(tmp_path / "data") as server:
        assert state(server.url, "kept") == (50, ["n"], 49.0)


def test_acknowledged_writes_outlive_a_kill(tmp_path: Path) -> None:
    """SIGKILL right after the answer loses nothing; twice, so that a replayed log is replayed again."""
    with serving(tmp_path / "data") as server:
        fill(server.url, "kept", 50)
        server.kill()
    with serving(tmp_path / "data") as server:
        client = connect(server.url)
        client.delete("kept", [49], wait=True)
        client.set_payload("kept", {"late": True}, points=[1], wait=True)
        server.kill()

    with serving(tmp_path / "data") as server:
        assert state(server.url, "kept") == (49, ["n"], 48.0)
        assert connect(server.url).retrieve("kept", [1])[0].payload == {"n": 1, "late": True}


def test_deleted_collection_stays_deleted_after_a_kill(tmp_path: Path) -> None:
    """Neither the collection nor its alias nor its files come back."""
    with serving(tmp_path / "data") as server:
        fill(server.url, "gone", 5)
        connect(server.url).delete_collection("gone")
        server.kill()

    with serving(tmp_path / "data") as server:
        client = connect(server.url)
        assert (client.get_collections().collections, client.get_aliases().aliases) == ([], [])
        assert list((tmp_path / "data" / "collections").iterdir()) == []


def test_half_made_collection_is_cleared_at_start(tmp_path: Path) -> None:
    """A folder whose creation was cut off is not a collection."""
    half = tmp_path / "data" / "collections" / "half"
    (half / "shard").mkdir(parents=True)

    with serving(tmp_path / "data") as server:
        assert connect(server.url).get_collections().collections == []
        assert not half.exists()


def damage(data: Path, name: str) -> None:
    """Cut off the description of a collection's segment."""
    for mark in data.glob("collections/*/collection.json"):
        if f'"{name}"' in mark.read_text():
            next(mark.parent.glob("shard/segments/*/segment.json")).write_text("{")


def test_damaged_collection_is_set_aside_and_the_others_open(tmp_path: Path) -> None:
    """Its files are kept, the log says where, the rest works."""
    with serving(tmp_path / "data") as server:
        fill(server.url, "good", 5)
        fill(server.url, "bad", 5)
        server.stop()
    damage(tmp_path / "data", "bad")

    with serving(tmp_path / "data") as server:
        names = [found.name for found in connect(server.url).get_collections().collections]
        assert (names, state(server.url, "good")[0]) == (["good"], 5)

    (kept,) = (tmp_path / "data" / "damaged").iterdir()
    assert f"damaged collection set aside in {kept}" in (tmp_path / "data.log").read_text()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a server that is expected to refuse."""
    return subprocess.run(arguments, capture_output=True, text=True, timeout=STOP_TIMEOUT_S, check=False)


def test_second_server_on_a_folder_is_refused(tmp_path: Path) -> None:
    """One line, exit code 2, and the first goes on."""
    with serving(tmp_path / "data") as server:
        second = run(*command(tmp_path / "data"))

        assert (second.returncode, second.stdout) == (2, "")
        assert second.stderr == (
            f"ragbed.qdrant: the data folder {tmp_path / 'data'} is in use by another server "
            f"(process {server.process.pid})\n"
        )
        assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_host_of_other_machines_is_refused(tmp_path: Path) -> None:
    """Only loopback."""
    refused = run(*command(tmp_path / "data", "--host", "0.0.0.0"))  # noqa: S104

    assert refused.returncode == 2
    assert "refused to listen on '0.0.0.0'" in refused.stderr


def test_taken_port_is_refused(tmp_path: Path) -> None:
    """With the port in the message."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = run(*command(tmp_path / "data", "--port", port))

    assert refused.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr


def test_key_is_asked_for(tmp_path: Path) -> None:
    """As header or bearer token; probes need none."""
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    with serving(tmp_path / "data", "--api-key-file", str(key)) as server:
        url = f"{server.url}/collections"
        sent: list[dict[str, str]] = [
            {},
            {"api-key": "wrong"},
            {"api-key": "s3cret"},
            {"authorization": "Bearer s3cret"},
        ]
        answers = [httpx.get(url, headers=headers) for headers in sent]

        assert [answer.status_code for answer in answers] == [401, 401, 200, 200]
        assert answers[0].text == "Must provide an API key or an Authorization bearer token"
        assert httpx.get(f"{server.url}/readyz").status_code == 200


@pytest.mark.parametrize(
    ("content", "why"), [(None, "cannot read"), (" \n", "is empty")], ids=["missing", "empty"]
)
def test_bad_key_file_is_refused(tmp_path: Path, content: str | None, why: str) -> None:
    """A server that was to ask for a key never starts without one."""
    if content is not None:
        (tmp_path / "key").write_text(content)
    refused = run(*command(tmp_path / "data", "--api-key-file", str(tmp_path / "key")))

    assert refused.returncode == 2
    assert why in refused.stderr


def test_command_line_serves_too(tmp_path: Path) -> None:
    """`ragbed qdrant serve` is the same server."""
    arguments = [
        sys.executable,
        "-m",
        "ragbed",
        "qdrant",
        "serve",
        "--port",
        "0",
        "--data",
        str(tmp_path / "data"),
    ]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        answer = httpx.get(url).json()
        process.terminate()

        assert answer["ragbed"]["substitute"] == "embedded-qdrant"
        assert process.wait(STOP_TIMEOUT_S) == 0


def test_every_response_says_what_answered(http: httpx.Client) -> None:
    """Fine or not, routed or not."""
    answers = [http.get(path) for path in ("/", "/readyz", "/collections", "/collections/x", "/nowhere")]

    assert {answer.headers["x-ragbed-substitute"] for answer in answers} == {"embedded-qdrant"}


@pytest.mark.parametrize("path", ["/readyz", "/livez", "/healthz"])
def test_probes_answer(http: httpx.Client, path: str) -> None:
    """In plain text, as Qdrant's do."""
    answer = http.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/collections/x/shards", 501),
        ("POST", "/cluster/recover", 501),
        ("GET", "/dashboard", 501),
        ("GET", "/favicon.ico", 404),
        ("POST", "/collections/x", 404),
        ("GET", "/collections/x/nowhere", 404),
    ],
)
def test_missing_call_is_named(http: httpx.Client, method: str, path: str, status: int) -> None:
    """501 where a real server would answer, with the way to one; 404 elsewhere."""
    answer = http.request(method, path)

    assert answer.status_code == status
    assert f"`{method} {path}`" in answer.json()["status"]["error"]


def test_broken_json_is_refused(http: httpx.Client) -> None:
    """400 in the envelope."""
    answer = http.put("/collections/x", content=b'{"vectors": ')

    assert answer.status_code == 400
    assert answer.json()["status"]["error"].startswith("Format error in JSON body: ")


def test_body_over_the_limit_is_refused(http: httpx.Client) -> None:
    """100 MiB; the message names the limit."""
    answer = http.put("/collections/x", content=b" " * (100 * 1024 * 1024 + 1))

    assert (answer.status_code, "104857600 bytes" in answer.json()["status"]["error"]) == (413, True)


def test_writers_at_once_lose_nothing(client: QdrantClient, name: str) -> None:
    """Eight writers and readers beside them: every point is there, no call fails."""
    client.create_collection(name, vectors_config=DOT)

    def write(writer: int) -> None:
        for first in range(0, 100, 10):
            ids = range(writer * 100 + first, writer * 100 + first + 10)
            client.upsert(name, [models.PointStruct(id=number, vector=[1.0, number]) for number in ids])
            client.query_points(name, query=[1.0, 1.0], limit=5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    assert client.count(name).count == 800


def test_only_one_of_many_creations_wins(client: QdrantClient, name: str) -> None:
    """The others conflict; the collection is whole."""

    def create(_: int) -> int:
        try:
            client.create_collection(name, vectors_config=DOT)
        except UnexpectedResponse as error:
            return error.status_code or 0
        return 200

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(8)))

    assert statuses == [200, *[409] * 7]


def test_deletion_beside_readers_breaks_no_one(client: QdrantClient, plain: str) -> None:
    """A reader gets its answer or a 404, never anything else."""

    def read(_: int) -> int:
        try:
            client.query_points(plain, query=[1.0, 1.0])
        except UnexpectedResponse as error:
            return error.status_code or 0
        return 200

    with ThreadPoolExecutor(8) as pool:
        reads = [pool.submit(read, number) for number in range(60)]
        pool.submit(client.delete_collection, plain).result()
        statuses = {done.result() for done in reads}

    assert statuses <= {200, 404}


def test_ten_thousand_points_are_searched_right(client: QdrantClient, name: str) -> None:
    """The ten nearest are the ten nearest, by brute force; with a filter too."""
    random = Random(7)  # noqa: S311
    size, total = 16, 10_000
    vectors = [[random.uniform(-1, 1) for _ in range(size)] for _ in range(total)]
    config = models.VectorParams(size=size, distance=models.Distance.DOT)
    client.create_collection(name, vectors_config=config)
    for first in range(0, total, 1000):
        numbers = range(first, first + 1000)
        payloads = [{"even": number % 2 == 0} for number in numbers]
        rows = [vectors[number] for number in numbers]
        client.upsert(name, models.Batch(ids=list(numbers), vectors=rows, payloads=payloads))

    def score(number: int) -> float:
        return sum(a * b for a, b in zip(vectors[number], vectors[0], strict=True))

    nearest = sorted(range(total), key=score, reverse=True)
    even = models.Filter(must=[models.FieldCondition(key="even", match=models.MatchValue(value=True))])
    found = [
        [
            point.id
            for point in client.query_points(name, query=vectors[0], limit=10, query_filter=condition).points
        ]
        for condition in (None, even)
    ]

    assert found == [nearest[:10], [number for number in nearest if number % 2 == 0][:10]]
    assert client.count(name).count == total
