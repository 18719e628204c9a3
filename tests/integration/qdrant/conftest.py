"""One server for the folder's tests, and a collection of its own for each."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_server import Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on an empty folder."""
    with serving(tmp_path_factory.mktemp("qdrant") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[QdrantClient]:
    """Qdrant's own client, checking the server's version as it does by default."""
    client = QdrantClient(url=server.url, timeout=20)
    yield client
    client.close()


@pytest.fixture(scope="session")
def http(server: Server) -> Iterator[httpx.Client]:
    """Plain HTTP to the same server."""
    with httpx.Client(base_url=server.url, timeout=20) as http:
        yield http


@pytest.fixture
def name(client: QdrantClient) -> Iterator[str]:
    """A name that no other test uses; the collection behind it is deleted afterwards."""
    name = f"test-{uuid4().hex}"
    yield name
    client.delete_collection(name)


@pytest.fixture
def plain(client: QdrantClient, name: str) -> str:
    """A collection of one unnamed vector of two numbers, compared by dot product, with six points."""
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    points = [
        models.PointStruct(
            id=number, vector=[1.0, float(number)], payload={"n": number, "kind": "ab"[number % 2]}
        )
        for number in range(6)
    ]
    client.upsert(name, points)
    return name


@pytest.fixture
def hybrid(client: QdrantClient, name: str) -> str:
    """A collection of a dense and a sparse vector whose rankings differ, with four points."""
    client.create_collection(
        name,
        vectors_config={"dense": models.VectorParams(size=2, distance=models.Distance.COSINE)},
        sparse_vectors_config={"sparse": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    vectors = [([1.0, 0.0], 3, 1.0), ([0.9, 0.1], 1, 1.0), ([0.1, 0.9], 3, 2.0), ([0.0, 1.0], 2, 1.0)]
    points = [
        models.PointStruct(
            id=number,
            vector={"dense": dense, "sparse": models.SparseVector(indices=[word, 7], values=[weight, 0.5])},
            payload={"word": word},
        )
        for number, (dense, word, weight) in enumerate(vectors)
    ]
    client.upsert(name, points)
    return name
