"""Fetch one large blob from a registry on loopback, against `curl -o` and then `sha256sum`; alternating rounds.

Run it by hand: `python tests/performance/models/transfer_bench.py [--bytes 1000000000] [--rounds 5]`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from hashlib import sha256
from pathlib import Path

from ragbed.models.blobs import BlobFolder
from ragbed.models.fetching import fetch, plan_fetch
from ragbed.models.sources import HttpSource
from ragbed.pins import load_model_lock

_SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *words): pass
    def do_GET(self):
        path = os.path.join(sys.argv[1], self.path.rpartition("/")[2].replace(":", "-"))
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.flush()
            sent = 0
            while sent < size:
                sent += os.sendfile(self.connection.fileno(), file.fileno(), sent, size - sent)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def main() -> None:
    """Measure and print both rates of every round, and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ragbed-bench-") as name:
        folder = Path(name)
        blob = _make_blob(folder / "served", given.bytes)
        lock = _make_lock(folder / "models.lock.json", blob, given.bytes)
        command = [sys.executable, "-c", _SERVER, str(folder / "served")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            try:
                _measure(
                    f"http://127.0.0.1:{server.stdout.readline().strip()}", lock, blob, folder, given.rounds
                )
            finally:
                server.terminate()


def _measure(url: str, lock: Path, blob: str, folder: Path, rounds: int) -> None:
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 1):  # the first warms the page cache and is not counted
        runs = ((ours, partial(_fetch, url, lock, folder)), (theirs, partial(_curl, url, blob, folder)))
        for times, run in runs if number % 2 else reversed(runs):
            times.append(run())
    size = load_model_lock(lock).select()[0].size_bytes / 1e6
    for fetched, curled in zip(ours[1:], theirs[1:], strict=True):
        print(f"fetch {size / fetched:6.0f} MB/s   curl and sha256sum {size / curled:6.0f} MB/s")
    ratio = statistics.median(theirs[1:]) / statistics.median(ours[1:])
    print(f"fetch runs at {ratio:.2f} of the rate of curl and sha256sum (medians of {rounds} rounds)")


def _fetch(url: str, lock: Path, folder: Path) -> float:
    into = BlobFolder(folder / "ours")
    pins = load_model_lock(lock).select()
    begun = time.perf_counter()
    fetch(plan_fetch(pins, into), {"registry.ollama.ai": HttpSource(url=url)}, into)
    took = time.perf_counter() - begun
    shutil.rmtree(into.root)
    return took


def _curl(url: str, digest: str, folder: Path) -> float:
    target = folder / "theirs"
    begun = time.perf_counter()
    subprocess.run(["curl", "-s", "-o", target, f"{url}/v2/library/large/blobs/{digest}"], check=True)
    summed = subprocess.run(["sha256sum", target], check=True, capture_output=True, text=True).stdout
    took = time.perf_counter() - begun
    assert summed.startswith(digest.removeprefix("sha256:"))
    target.unlink()
    return took


def _make_blob(folder: Path, size: int) -> str:
    """Write a blob of seeded blocks, and the config beside it; return the blob's digest."""
    folder.mkdir()
    digest, block = sha256(), sha256(b"seed").digest() * (1 << 15)
    beside = folder / "blob"
    with beside.open("wb") as file:
        for start in range(0, size, len(block)):
            piece = (start.to_bytes(8, "big") + block[8:])[: size - start]
            digest.update(piece)
            file.write(piece)
    beside.rename(folder / f"sha256-{digest.hexdigest()}")
    (folder / f"sha256-{sha256(b'{}').hexdigest()}").write_bytes(b"{}")
    return f"sha256:{digest.hexdigest()}"


def _make_lock(path: Path, blob: str, size: int) -> Path:
    config = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "digest": f"sha256:{sha256(b'{}').hexdigest()}",
        "size": 2,
    }
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": blob, "size": size}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": config,
        "layers": [layer],
    }
    digest = sha256(json.dumps(manifest, separators=(",", ":")).encode()).hexdigest()
    model = {
        "registry": "registry.ollama.ai",
        "name": "large",
        "tag": "latest",
        "purpose": "chat",
        "digest": f"sha256:{digest}",
        "manifest": {"config": config, "layers": [layer]},
    }
    lock = {
        "schema": 1,
        "default": "one",
        "sets": {"one": ["large:latest"]},
        "models": {"large:latest": model},
    }
    path.write_text(json.dumps(lock), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
