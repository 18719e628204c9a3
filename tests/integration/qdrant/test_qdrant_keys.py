"""Keys: one for everything, one for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from qdrant_server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLLECTION = {"vectors": {"size": 2, "distance": "Dot"}}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with both keys and one collection."""
    folder: Path = tmp_path_factory.mktemp("keys")
    (folder / "all").write_text("s3cret\n", encoding="utf-8")
    (folder / "read").write_text("r3ad\n", encoding="utf-8")
    flags = ("--api-key-file", str(folder / "all"), "--read-only-api-key-file", str(folder / "read"))
    with serving(folder / "data", *flags) as server:
        httpx.put(f"{server.url}/collections/a", json=COLLECTION, headers={"api-key": "s3cret"})
        yield server.url


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/collections", None),
        ("GET", "/collections/a", None),
        ("POST", "/collections/a/points/query", {"query": [1, 2]}),
        ("POST", "/collections/a/points/scroll", {}),
        ("POST", "/collections/a/points/count", {}),
        ("POST", "/collections/a/points", {"ids": [1]}),
        ("GET", "/metrics", None),
    ],
)
def test_reading_key_reads(url: str, method: str, path: str, body: object) -> None:
    """Searches too, although they are POSTs."""
    answer = httpx.request(method, url + path, json=body, headers={"authorization": "Bearer r3ad"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/collections/b"),
        ("PATCH", "/collections/a"),
        ("DELETE", "/collections/a"),
        ("PUT", "/collections/a/points"),
        ("POST", "/collections/a/points/delete"),
        ("POST", "/collections/a/points/batch"),
        ("POST", "/collections/aliases"),
        ("DELETE", "/issues"),
    ],
)
def test_reading_key_does_not_write(url: str, method: str, path: str) -> None:
    """403 in the envelope, before the body is looked at."""
    answer = httpx.request(method, url + path, headers={"api-key": "r3ad"})

    assert answer.status_code == 403
    assert answer.json()["status"]["error"] == "Forbidden: Global manage access is required"
