"""What the server itself costs: from the request read to the response written, less the engine's work."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson
import psutil
import qdrant_edge as engine
import uvloop
from side_by_side import NAME, SIZE, make_vectors

from ragbed.qdrant.app import App
from ragbed.qdrant.collections import Collections

POINTS = 10_000
CALLS = 300


def own_share_ms() -> dict[str, float]:
    """Return p50 of a query through the application, of the engine's part alone, and their difference."""
    with tempfile.TemporaryDirectory(prefix="bench-qdrant-") as folder:
        collections = Collections.open(Path(folder))
        app = App(collections)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            whole, alone = runner.run(_measure(app, collections))
        app.close()
        collections.close()
    return {"query in all": whole, "engine": alone, "own share": whole - alone}


async def _measure(app: App, collections: Collections) -> tuple[float, float]:
    await ask(app, "PUT", f"/collections/{NAME}", {"vectors": {"size": SIZE, "distance": "Cosine"}})
    rows = make_vectors(POINTS).tolist()
    for first in range(0, POINTS, 500):
        points = [{"id": number, "vector": rows[number]} for number in range(first, first + 500)]
        await ask(app, "PUT", f"/collections/{NAME}/points", {"points": points})
    shard = collections.find(NAME)
    bodies = [orjson.dumps({"query": row, "limit": 10}) for row in rows[:CALLS]]
    requests = [
        engine.QueryRequest(query=engine.Query.Nearest(row), limit=10, with_payload=True, with_vector=False)
        for row in rows[:CALLS]
    ]
    whole, alone = [], []
    for body, request in zip(bodies, requests, strict=True):
        started = time.perf_counter()
        await ask(app, "POST", f"/collections/{NAME}/points/query", body)
        between = time.perf_counter()
        shard.query([request])
        whole.append(between - started)
        alone.append(time.perf_counter() - between)
    return median(whole) * 1e3, median(alone) * 1e3


async def ask(app: App, method: str, path: str, body: Any) -> None:
    """Send one request through the application; raise RuntimeError when it is refused."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"wait=true" if method == "PUT" else b"",
        "headers": [(b"content-length", str(len(content)).encode())],
    }
    statuses: list[int] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    if statuses != [200]:
        raise RuntimeError(f"{method} {path} answered {statuses}")


def life() -> dict[str, float]:
    """Return one start's time to ready, idle memory, and time to stop."""
    with tempfile.TemporaryDirectory(prefix="bench-qdrant-") as folder:
        command = [sys.executable, "-P", "-s", "-m", "ragbed.qdrant", "--port", "0", "--data", folder]
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            line = process.stdout.readline() if process.stdout else ""
            httpx.get(f"{line.split()[-1]}/readyz").raise_for_status()
            ready = time.perf_counter() - started
            memory = psutil.Process(process.pid).memory_info().rss
            stopping = time.perf_counter()
            os.kill(process.pid, signal.SIGTERM)
            process.wait()
            return {
                "ready, s": ready,
                "idle memory, MB": memory / 1e6,
                "stop, s": time.perf_counter() - stopping,
            }


def lives(count: int) -> dict[str, float]:
    """Return the medians of several starts."""
    found = [life() for _ in range(count)]
    return {name: median(each[name] for each in found) for name in found[0]}
