"""A registry on loopback with planted faults: broken connections, wrong bytes, no ranges, errors, redirects."""

from __future__ import annotations

import random
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sample_models import SampleModel


@dataclass(kw_only=True)
class Registry:
    """What the registry holds, and how it misbehaves.

    Attributes:
        models: The models.
        seed: Chooses where faults strike; the same seed gives the same faults.
        breaks: How many answers with a blob break off half-way.
        corrupts: How many answers with a blob have one wrong byte.
        errors: Answers 500 so many times first.
        status: Answers this to every blob; 0 for none.
        ranges: Whether it knows ranges.
        redirect: Sends everybody there; empty for none.
        gate: Where given, each blob stops half-way until it is set.
        halfway: Set once a blob stands at the gate.
    """

    models: list[SampleModel]
    seed: int = 0
    breaks: int = 0
    corrupts: int = 0
    errors: int = 0
    status: int = 0
    ranges: bool = True
    redirect: str = ""
    gate: Event | None = None
    halfway: Event = field(default_factory=Event)
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    served_bytes: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - reproducible, not secret

    @property
    def blobs(self) -> dict[str, bytes]:
        """Return every blob by digest."""
        return {digest: content for model in self.models for digest, content in model.blobs.items()}

    def fault(self, size: int) -> tuple[int, int]:
        """Return after how many bytes this answer breaks off, and which byte is wrong; -1 for none."""
        with self._lock:
            kinds = ["break"] * self.breaks + ["corrupt"] * self.corrupts
            if size < 2 or not kinds:
                return -1, -1
            if self._chance.choice(kinds) == "break":
                self.breaks -= 1
                return self._chance.randrange(size), -1
            self.corrupts -= 1
            return -1, self._chance.randrange(size)

    def fails(self) -> bool:
        """Tell whether this request gets an error of the server."""
        with self._lock:
            self.errors -= 1
            return self.errors >= 0


class _Handler(BaseHTTPRequestHandler):
    registry: Registry

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a blob or a manifest."""
        registry = self.registry
        registry.asked.append((self.path, self.headers.get("Range", "")))
        _, kind, name = self.path.rsplit("/", 2)
        if registry.redirect:
            self._send(307, b"", Location=registry.redirect + self.path)
        elif registry.fails():
            self._send(500, b"busy")
        elif kind == "manifests":
            found = [
                m.manifest for m in registry.models if self.path == f"/v2/library/{m.name}/manifests/latest"
            ]
            self._send(200, found[0]) if found else self._send(404, b"")
        elif registry.status or name not in registry.blobs:
            self._send(registry.status or 404, b"")
        else:
            self._blob(name, registry.blobs[name])

    def _send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def _blob(self, digest: str, content: bytes) -> None:
        start = 0
        if self.registry.ranges and (asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))):
            start = int(asked[1])
        rest = bytearray(content[start:])
        breaks_at, wrong = self.registry.fault(len(rest))
        if wrong >= 0:
            rest[wrong] ^= 0xFF
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        sent = rest if breaks_at < 0 else rest[:breaks_at]
        self.registry.served_bytes[digest] += len(sent)
        if self.registry.gate and len(sent) > 1:
            self.wfile.write(sent[: len(sent) // 2])
            self.wfile.flush()
            self.registry.halfway.set()
            self.registry.gate.wait(30)
            sent = sent[len(sent) // 2 :]
        try:
            self.wfile.write(sent)
        except OSError:
            self.close_connection = True


@contextmanager
def running(registry: Registry) -> Iterator[Registry]:
    """Run a registry on a free port of loopback; its `url` is set."""
    handler = type("Handler", (_Handler,), {"registry": registry})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        registry.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield registry
        finally:
            if registry.gate:
                registry.gate.set()
            server.shutdown()
            thread.join()
