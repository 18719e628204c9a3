"""Snapshots: made, listed, fetched, deleted, and put back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from qdrant_client import models

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    from qdrant_client import QdrantClient
    from qdrant_server import Server


@pytest.fixture
def snapshot(client: QdrantClient, plain: str) -> models.SnapshotDescription:
    """A snapshot of a collection of six points."""
    made = client.create_snapshot(plain)
    assert made is not None
    return made


def contents(client: QdrantClient, name: str) -> Any:
    """Return all points with their vectors and payloads."""
    return client.scroll(name, limit=100, with_vectors=True)[0]


def test_snapshot_is_listed_until_it_is_deleted(
    client: QdrantClient, plain: str, snapshot: models.SnapshotDescription
) -> None:
    """With name, size and checksum."""
    assert client.list_snapshots(plain) == [snapshot]

    client.delete_snapshot(plain, snapshot.name)

    assert client.list_snapshots(plain) == []


def test_downloaded_snapshot_has_the_size_and_checksum_that_were_named(
    http: httpx.Client, plain: str, snapshot: models.SnapshotDescription
) -> None:
    """The file arrives whole, and small: the engine's reserved space is not in it."""
    answer = http.get(f"/collections/{plain}/snapshots/{snapshot.name}")

    assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (
        snapshot.size,
        snapshot.checksum,
    )
    assert snapshot.size < 2_000_000


def test_recovery_brings_back_what_was_there(
    client: QdrantClient, server: Server, plain: str, snapshot: models.SnapshotDescription
) -> None:
    """Points, vectors and payloads; what came later is gone, and writing goes on."""
    before = contents(client, plain)
    client.delete(plain, models.PointIdsList(points=[1, 2]))
    client.upsert(plain, [models.PointStruct(id=77, vector=[1.0, 1.0])])

    client.recover_snapshot(plain, f"{server.url}/collections/{plain}/snapshots/{snapshot.name}")

    assert contents(client, plain) == before
    client.upsert(plain, [models.PointStruct(id=78, vector=[1.0, 1.0])])
    assert client.count(plain).count == 7


def test_upload_makes_a_collection_that_is_not_there(
    client: QdrantClient, http: httpx.Client, plain: str, snapshot: models.SnapshotDescription
) -> None:
    """With the configuration of the one that the snapshot was made of."""
    content = http.get(f"/collections/{plain}/snapshots/{snapshot.name}").content
    other = f"{plain}-again"

    answer = http.post(
        f"/collections/{other}/snapshots/upload?priority=snapshot&checksum={snapshot.checksum}",
        files={"snapshot": (snapshot.name, content)},
    )

    assert answer.json()["result"] is True
    assert contents(client, other) == contents(client, plain)
    assert client.get_collection(other).config == client.get_collection(plain).config
    client.delete_collection(other)


def test_local_file_is_recovered(
    client: QdrantClient,
    http: httpx.Client,
    plain: str,
    snapshot: models.SnapshotDescription,
    tmp_path: Path,
) -> None:
    """By a `file://` location."""
    file = tmp_path / "a b.snapshot"
    file.write_bytes(http.get(f"/collections/{plain}/snapshots/{snapshot.name}").content)

    assert client.recover_snapshot(plain, file.as_uri(), checksum=snapshot.checksum)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("", 501, "a snapshot that was not made by it"),
        ("?checksum=" + "0" * 64, 400, "checksum mismatch"),
        ("?priority=mine", 400, "unknown variant `mine`"),
    ],
    ids=["of another make", "checksum", "priority"],
)
def test_bad_snapshot_is_refused(
    http: httpx.Client, plain: str, query: str, status: int, message: str
) -> None:
    """Each with its reason; the collection stays as it was."""
    path, files = f"/collections/{plain}/snapshots/upload{query}", {"snapshot": ("a", b"no snapshot")}

    answer = http.post(path, files=files)

    assert (answer.status_code, message in answer.json()["status"]["error"]) == (status, True)
    assert http.post(f"/collections/{plain}/points/count", json={}).json()["result"] == {"count": 6}


def test_damaged_snapshot_is_refused(
    client: QdrantClient, http: httpx.Client, plain: str, snapshot: models.SnapshotDescription
) -> None:
    """A file that cannot be unpacked; the collection stays as it was."""
    path = f"/collections/{plain}/snapshots"
    content = bytearray(http.get(f"{path}/{snapshot.name}").content)
    content[100:200] = b"\xff" * 100

    answer = http.post(f"{path}/upload", files={"snapshot": ("a", bytes(content))})

    assert (answer.status_code, "the snapshot is damaged" in answer.text) == (400, True)
    assert client.count(plain).count == 6


@pytest.mark.parametrize(
    ("location", "status"),
    [("https://example.com/a.snapshot", 403), ("ftp://localhost/a", 400), ("file:///nowhere/a", 400)],
)
def test_snapshots_come_from_this_machine(http: httpx.Client, plain: str, location: str, status: int) -> None:
    """Nothing is fetched from elsewhere."""
    answer = http.put(f"/collections/{plain}/snapshots/recover", json={"location": location})

    assert answer.status_code == status


@pytest.mark.parametrize("wanted", ["nowhere.snapshot", "..%2Fcollection.json", ".hidden.snapshot"])
def test_snapshot_that_is_not_there_is_404(http: httpx.Client, plain: str, wanted: str) -> None:
    """Nothing but snapshots can be named."""
    assert http.get(f"/collections/{plain}/snapshots/{wanted}").status_code == 404
    assert http.delete(f"/collections/{plain}/snapshots/{wanted}").status_code == 404


def test_who_does_not_wait_hears_that_it_is_taken(
    client: QdrantClient, http: httpx.Client, plain: str
) -> None:
    """With 202 and no result; the snapshot is made."""
    answer = http.post(f"/collections/{plain}/snapshots?wait=false")

    assert (answer.status_code, answer.json()["status"], "result" in answer.json()) == (
        202,
        "accepted",
        False,
    )
    assert len(client.list_snapshots(plain)) == 1


def test_who_does_not_wait_hears_of_no_failure(http: httpx.Client) -> None:
    """As little as of success; who waits does."""
    path = "/collections/nowhere/snapshots"

    assert [http.post(f"{path}?wait={wait}").status_code for wait in ("false", "true")] == [202, 404]


def test_snapshot_of_everything(client: QdrantClient, http: httpx.Client, plain: str) -> None:
    """Made, listed, downloaded, deleted."""
    made = client.create_full_snapshot()
    assert made is not None

    content = http.get(f"/snapshots/{made.name}").content

    assert hashlib.sha256(content).hexdigest() == made.checksum
    assert [found.name for found in client.list_full_snapshots()] == [made.name]
    client.delete_full_snapshot(made.name)
    assert (plain in content.decode("latin-1"), client.list_full_snapshots()) == (False, [])
