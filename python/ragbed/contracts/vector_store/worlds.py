"""The collections that cases run on, small enough to work out by hand.

`library` is shared and only read. `plain`, `indexed`, `named` and `nothing` belong to one case alone.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from qdrant_client import models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdrant_client import QdrantClient

SCOPE = f"{os.getpid():x}{uuid4().hex[:6]}"
"""Part of every name, so that two runs can share a server; outcomes show `SCOPE` instead."""

LIBRARY, PLAIN, NAMED, NOTHING, OTHER = (
    f"conformance-{SCOPE}-{word}" for word in ("library", "plain", "named", "nothing", "other")
)
ALIAS, ALIAS_2 = f"conformance-{SCOPE}-alias", f"conformance-{SCOPE}-alias-2"
COLLECTIONS = {"library": LIBRARY, "plain": PLAIN, "indexed": PLAIN, "named": NAMED, "nothing": NOTHING}

UUID_9 = str(UUID(int=9))
UUID_10 = str(UUID(int=10))
IDS: list[Any] = [1, 2, 3, 4, 5, 6, 7, 8, UUID_9, UUID_10]

_DENSE = [
    [0.9, 0.1, 0.0, 0.2], [0.1, 0.8, 0.3, 0.0], [0.4, 0.4, 0.4, 0.1], [0.0, 0.2, 0.9, 0.3], [0.7, 0.0, 0.1, 0.6],
    [0.2, 0.3, 0.1, 0.9], [0.5, 0.9, 0.0, 0.4], [0.3, 0.1, 0.8, 0.8], [0.8, 0.6, 0.2, 0.1], [0.6, 0.2, 0.5, 0.7],
]  # fmt: skip
_TITLES = [
    "The quick brown fox", "A lazy dog sleeps", "Brown bread and butter", "The dog and the fox", "Quick recipes",
    "Sleep and dreams", "Butter lamps", "A fox in the snow", "Snow, bread, silence", "The brown river",
]  # fmt: skip
_GAPS: list[Any] = [1, None, [], "x"]
_DOT = models.VectorParams(size=2, distance=models.Distance.DOT)


def _payload(n: int) -> dict[str, Any]:
    payload = {
        "kind": "abc"[n % 3],
        "n": n * 7 % 11,
        "price": n * 1.5,
        "flag": n % 2 == 0,
        "tags": [tag for i, tag in enumerate(("red", "green", "blue")) if n >> i & 1],
        "when": f"2024-{n:02d}-01T12:00:00Z",
        "place": {"lon": 10.0 + n, "lat": 50.0 - n},
        "title": _TITLES[n - 1],
        "uid": str(UUID(int=n * 1000)),
        "parts": [{"name": "bolt", "count": n}, {"name": "nut", "count": 10 - n}],
        "shelf": {"row": n % 4},
    }
    if n % 5:
        payload["gap"] = _GAPS[n % 4]
    return payload


def library_points() -> list[models.PointStruct]:
    """Return the ten points of the library."""
    return [
        models.PointStruct(
            id=point_id,
            vector={
                "dense": _DENSE[n - 1],
                "flat": [float(n), float(11 - n)],
                "late": [[n / 10, 1 - n / 10], [0.5, n / 20]],
                "words": models.SparseVector(indices=[n % 4, 7, 10 + n], values=[1.0 + n, 0.5 + n / 16, 2.0]),
            },
            payload=_payload(n),
        )
        for n, point_id in enumerate(IDS, 1)
    ]


def plain_points() -> list[models.PointStruct]:
    """Return the six points of a plain collection."""
    return [
        models.PointStruct(id=n, vector=[1.0, float(n)], payload={"n": n, "kind": "ab"[n % 2]})
        for n in range(1, 7)
    ]


def named_points() -> list[models.PointStruct]:
    """Return the three points of a collection of named vectors; the last has no sparse one."""
    return [
        models.PointStruct(id=1, vector={"dense": [1.0, 0.0], "words": _sparse(1, 1.0)}, payload={"n": 1}),
        models.PointStruct(id=2, vector={"dense": [0.6, 0.8], "words": _sparse(2, 2.0)}, payload={"n": 2}),
        models.PointStruct(id=3, vector={"dense": [0.0, 1.0]}, payload={"n": 3}),
    ]


def _sparse(index: int, value: float) -> models.SparseVector:
    return models.SparseVector(indices=[index], values=[value])


def make_library(client: QdrantClient) -> None:
    """Create the library, indexed, and the collection that lookups go to."""
    late = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    client.create_collection(
        LIBRARY,
        vectors_config={
            "dense": models.VectorParams(size=4, distance=models.Distance.COSINE),
            "flat": _DOT,
            "late": models.VectorParams(size=2, distance=models.Distance.DOT, multivector_config=late),
        },
        sparse_vectors_config={"words": models.SparseVectorParams()},
    )
    kinds = models.PayloadSchemaType
    for key, kind in {"kind": kinds.KEYWORD, "n": kinds.INTEGER, "price": kinds.FLOAT, "flag": kinds.BOOL,
                      "tags": kinds.KEYWORD, "when": kinds.DATETIME, "place": kinds.GEO, "title": kinds.TEXT,
                      "uid": kinds.UUID}.items():  # fmt: skip
        client.create_payload_index(LIBRARY, key, kind, wait=True)
    client.upsert(LIBRARY, library_points(), wait=True)
    make_other(client)


def make_other(client: QdrantClient) -> None:
    """Create the collection that lookups go to: ids and vectors of its own."""
    client.create_collection(OTHER, vectors_config={"flat": _DOT})
    client.upsert(
        OTHER,
        [
            models.PointStruct(id=n, vector={"flat": [float(n), 1.0]}, payload={"row": f"row {n}"})
            for n in range(4)
        ],
        wait=True,
    )


def make_plain(client: QdrantClient) -> None:
    """Create a collection of one unnamed vector."""
    client.create_collection(PLAIN, vectors_config=_DOT)
    client.upsert(PLAIN, plain_points(), wait=True)


def make_indexed(client: QdrantClient) -> None:
    """Create the plain collection with a payload index; apart, because indexes take time."""
    make_plain(client)
    client.create_payload_index(PLAIN, "n", models.PayloadSchemaType.INTEGER, wait=True)


def make_named(client: QdrantClient) -> None:
    """Create a collection of a dense and a sparse vector."""
    client.create_collection(
        NAMED,
        vectors_config={"dense": models.VectorParams(size=2, distance=models.Distance.COSINE)},
        sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    client.upsert(NAMED, named_points(), wait=True)


_MAKERS = {"plain": make_plain, "indexed": make_indexed, "named": make_named}


@contextmanager
def world(client: QdrantClient, name: str) -> Iterator[None]:
    """Make a world of its own for one case and take it away; the library must be there already."""
    try:
        if name in _MAKERS:
            _MAKERS[name](client)
        yield
    finally:
        if name != "library":
            client.delete_collection(COLLECTIONS[name])


@contextmanager
def library(client: QdrantClient) -> Iterator[None]:
    """Make the shared library and take it away."""
    try:
        make_library(client)
        yield
    finally:
        client.delete_collection(LIBRARY)
        client.delete_collection(OTHER)
