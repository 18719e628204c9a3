"""An Ollama that gives what vectors and answers a test wants: on a graphics card, unsteady, of any dimension."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(kw_only=True)
class VectorOllama:
    """What the server has and says.

    Attributes:
        model: The one model that it has, name with tag.
        embeds: Whether that is an embedding model, or one that chats.
        digest: Of that model.
        version: Its own.
        size_bytes: Of the model in memory.
        gpu_bytes: What of it lies on a graphics card.
        dimensions: Of its vectors.
        steady: False gives each request other vectors, and other answers.
        requests: How often it was asked to embed or to chat.
        threads: How many threads it was asked to compute with, 0 for no word of it, each number once.
        url: Where it answers.
    """

    model: str = "tiny:latest"
    embeds: bool = True
    digest: str = "1" * 64
    version: str = "0.24.0"
    size_bytes: int = 100
    gpu_bytes: int = 0
    dimensions: int = 8
    steady: bool = True
    requests: int = 0
    threads: set[int] = field(default_factory=set)
    url: str = field(default="")

    def get(self, path: str) -> Any:
        """Return what it answers to a GET; None for what it does not know."""
        listed = {"name": self.model, "model": self.model, "digest": self.digest, "size": self.size_bytes}
        return {
            "/api/version": {"version": self.version},
            "/api/tags": {"models": [listed]},
            "/api/ps": {"models": [{**listed, "size_vram": self.gpu_bytes}]},
        }.get(path)

    def post(self, path: str, asked: dict[str, Any]) -> Any:
        """Return what it answers to a POST; None for what it does not know."""
        if path == "/api/show":
            return {"capabilities": ["embedding" if self.embeds else "completion"]}
        self.requests += 1
        self.threads.add((asked.get("options") or {}).get("num_thread", 0))
        seed = "" if self.steady else str(self.requests)
        if path == "/api/embed":
            return {"model": self.model, "embeddings": [self._vector(seed + text) for text in asked["input"]]}
        texts = [message["content"] for message in asked["messages"]]
        said = {"role": "assistant", "content": f"{seed}You said: {' '.join(texts)}"}
        return {"model": self.model, "message": said, "done": True, "done_reason": "stop"}

    def _vector(self, text: str) -> list[float]:
        return [byte / 255 - 0.5 for byte in sha256(text.encode()).digest()[: self.dimensions]]


class _Handler(BaseHTTPRequestHandler):
    ollama: VectorOllama

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer version, tags and what is loaded."""
        self._send(self.ollama.get(self.path))

    def do_POST(self) -> None:
        """Answer show, embed and chat."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._send(self.ollama.post(self.path, asked))

    def _send(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(404 if value is None else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def embedding(ollama: VectorOllama) -> Iterator[VectorOllama]:
    """Run the server on a free port of loopback; its `url` is set."""
    handler = type("Handler", (_Handler,), {"ollama": ollama})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        ollama.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield ollama
        finally:
            server.shutdown()
            thread.join()
