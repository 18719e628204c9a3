"""The same work on every target, in alternating rounds."""

from __future__ import annotations

import gc
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

import numpy as np
from qdrant_client import models

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdrant_client import QdrantClient
    from targets import Target

NAME = "ragbed-bench"
SIZE = 384
BATCH = 100
KINDS = 10
"""A filtered query looks at a tenth of the points."""

BLOCK = 10_000
"""Vectors made at once: a million of them would take several times their room."""

CLIENTS = 8
FILTER = models.Filter(must=[models.FieldCondition(key="kind", match=models.MatchValue(value="kind 3"))])


def make_vectors(count: int, *, seed: int = 7) -> Any:
    """Return vectors of unit length that lie like embeddings do: 24 directions matter, the rest is noise."""
    random = np.random.default_rng(seed)
    latent = np.random.default_rng(11).standard_normal((24, SIZE), dtype="float32")
    vectors = np.empty((count, SIZE), "float32")
    for first in range(0, count, BLOCK):
        block = vectors[first : first + BLOCK]
        block[:] = random.standard_normal((len(block), 24), dtype="float32") @ latent
        block += np.float32(0.3) * random.standard_normal(block.shape, dtype="float32")
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


def load(client: QdrantClient, vectors: Any) -> float:
    """Create the collection anew, write the vectors in batches, and return the seconds that took."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # local mode warns of its size and of indexes that it lacks
        client.delete_collection(NAME)
        config = models.VectorParams(size=SIZE, distance=models.Distance.COSINE)
        client.create_collection(NAME, vectors_config=config)
        client.create_payload_index(NAME, "kind", models.PayloadSchemaType.KEYWORD)
        rows = vectors.tolist()
        started = time.perf_counter()
        for first in range(0, len(rows), BATCH):
            points = [
                models.PointStruct(id=number, vector=rows[number], payload={"kind": f"kind {number % KINDS}"})
                for number in range(first, min(first + BATCH, len(rows)))
            ]
            client.upsert(NAME, points, wait=True)
        return time.perf_counter() - started


def wait_until_green(client: QdrantClient) -> None:
    """Wait for the indexing, which would take a core from what is measured."""
    while client.get_collection(NAME).status != models.CollectionStatus.GREEN:
        time.sleep(0.2)


def operations(queries: list[list[float]]) -> dict[str, Callable[[QdrantClient, int], object]]:
    """Return what is measured, each by number of the call."""

    def vector(number: int) -> list[float]:
        return queries[number % len(queries)]

    return {
        "query": lambda client, n: client.query_points(NAME, query=vector(n), limit=10),
        "filtered query": lambda client, n: client.query_points(
            NAME, query=vector(n), query_filter=FILTER, limit=10
        ),
        "scroll": lambda client, n: client.scroll(NAME, limit=100, offset=(n * 97) % 9000),
        "count": lambda client, _: client.count(NAME, count_filter=FILTER, exact=True),
    }


def timed(client: QdrantClient, call: Callable[[QdrantClient, int], object], calls: int) -> list[float]:
    """Return how long each call took, in seconds."""
    took = []
    for number in range(calls):
        started = time.perf_counter()
        call(client, number)
        took.append(time.perf_counter() - started)
    return took


def throughput(target: Target, call: Callable[[QdrantClient, int], object], calls: int) -> float:
    """Return the calls per second of eight clients at once."""
    clients = [target.connect() for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        started = time.perf_counter()
        list(pool.map(lambda client: timed(client, call, calls), clients))
        took = time.perf_counter() - started
    if target.remote:
        for client in clients:
            client.close()
    return CLIENTS * calls / took


def compare(found: list[Target], *, points: int, rounds: int, calls: int) -> dict[str, dict[str, float]]:
    """Return each target's figures: seconds for the upserts, milliseconds per call, calls per second."""
    vectors = make_vectors(points)
    work = operations(make_vectors(100, seed=8).tolist())
    figures: dict[str, dict[str, float]] = {target.name: {} for target in found}
    clients = {target.name: target.connect() for target in found}
    for target in found:
        figures[target.name]["upsert, points/s"] = points / load(clients[target.name], vectors)
        wait_until_green(clients[target.name])
    gc.collect()
    gc.freeze()  # else the points that local mode holds here are gone through again and again, whoever is measured
    for name, call in work.items():
        took: dict[str, list[float]] = {target.name: [] for target in found}
        many: dict[str, list[float]] = {target.name: [] for target in found}
        for _ in range(rounds):
            for target in found:
                took[target.name] += timed(clients[target.name], call, calls)
                many[target.name].append(throughput(target, call, max(3, calls // CLIENTS)))
        for target in found:
            figures[target.name] |= {
                f"{name} p50, ms": median(took[target.name]) * 1e3,
                f"{name} p99, ms": quantiles(took[target.name], n=100)[98] * 1e3,
                f"{name}, {CLIENTS} clients, calls/s": median(many[target.name]),
            }
    gc.unfreeze()
    for target in found:
        clients[target.name].delete_collection(NAME)
    return figures
