"""How cost and recall change with the number of points, once they are indexed."""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median
from typing import Any

import httpx
import numpy as np
import orjson
from markdown import table
from side_by_side import NAME, SIZE, make_vectors

from ragbed.qdrant import running

PATH = f"/collections/{NAME}"
QUERIES = 100
TOP = 10
BATCH = 1000


def figures(points: int) -> dict[str, float]:
    """Return a size's figures: seconds to write and to index, p50 of a query in milliseconds, recall@10."""
    vectors, queries = make_vectors(points), make_vectors(QUERIES, seed=8)
    with running() as url, httpx.Client(base_url=url, timeout=600) as http:
        http.put(PATH, json={"vectors": {"size": SIZE, "distance": "Cosine"}}).raise_for_status()
        started = time.perf_counter()
        for first in range(0, points, BATCH):
            write(http, vectors, first, min(first + BATCH, points))
        written = time.perf_counter()
        while (info := http.get(PATH).json()["result"])["status"] != "green":
            time.sleep(0.2)
        indexed = time.perf_counter()
        took, found = zip(*(search(http, query) for query in queries.tolist()), strict=True)
    best = np.argsort(-(queries @ vectors.T), axis=1)[:, :TOP]
    recall = np.mean([len(set(row) & set(ids)) / TOP for row, ids in zip(best.tolist(), found, strict=True)])
    return {
        "points": points,
        "write, s": written - started,
        "index, s": indexed - written,
        "indexed": info["indexed_vectors_count"],
        "query p50, ms": median(took) * 1e3,
        "recall@10": float(recall),
    }


def write(http: httpx.Client, vectors: Any, first: int, last: int) -> None:
    """Write some of the vectors."""
    points = [
        {"id": number, "vector": row} for number, row in enumerate(vectors[first:last].tolist(), start=first)
    ]
    http.put(f"{PATH}/points?wait=true", content=orjson.dumps({"points": points})).raise_for_status()


def search(http: httpx.Client, query: list[float]) -> tuple[float, list[int]]:
    """Return how long a query took, and what it found."""
    started = time.perf_counter()
    answer = http.post(f"{PATH}/points/query", json={"query": query, "limit": TOP})
    took = time.perf_counter() - started
    return took, [point["id"] for point in answer.json()["result"]["points"]]


def main() -> None:
    """Measure the sizes that the flags ask for, and print a table of them after each."""
    parser = argparse.ArgumentParser(prog="scripts/soak-qdrant --scale", description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    rows: dict[str, dict[str, float]] = {}
    for size in parser.parse_args().sizes:
        rows[f"{size:,} points"] = figures(size)
        sys.stdout.write(f"{table(rows)}\n\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
