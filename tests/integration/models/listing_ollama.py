"""A server that lists and shows models as an Ollama does; what it says can be changed at will."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from sample_models import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ragbed.pins import ModelPin
    from sample_models import SampleModel


@dataclass(kw_only=True)
class Listed:
    """What the server says.

    Attributes:
        tags: An entry of `/api/tags` by model.
        shows: An answer of `/api/show` by model.
        substitute: What it calls itself where it is a mock; empty for a real one.
        url: Where it answers.
    """

    tags: dict[str, dict[str, Any]] = field(default_factory=dict)
    shows: dict[str, dict[str, Any]] = field(default_factory=dict)
    substitute: str = ""
    url: str = ""

    def add(self, model: SampleModel, pin: ModelPin, *, folder: Path | str = "/models") -> None:
        """List a model as a real Ollama would."""
        layers = dict(model.layers)
        name = pin.full_name
        self.tags[name] = {
            "name": name,
            "model": name,
            "digest": digest_of(model.manifest).removeprefix("sha256:"),
            "size": sum(len(content) for content in (*layers.values(), model.config)),
            "details": {"quantization_level": "F16", "parameter_size": "12K"},
        }
        weights = digest_of(layers["model"]).replace(":", "-")
        self.shows[name] = {
            "modelfile": f"# generated\nFROM {folder}/blobs/{weights}\nTEMPLATE x\n",
            "template": layers["template"].decode(),
            "system": layers["system"].decode(),
            "model_info": {"llama.context_length": 128, "llama.embedding_length": 64},
            "capabilities": ["completion"],
        }


class _Handler(BaseHTTPRequestHandler):
    listed: Listed

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer version or tags."""
        tags = {"models": list(self.listed.tags.values())}
        self._send({"/api/version": {"version": "0.24.0"}, "/api/tags": tags}.get(self.path))

    def do_POST(self) -> None:
        """Answer show."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._send(self.listed.shows.get(asked["model"]) if self.path == "/api/show" else None)

    def _send(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(404 if value is None else 200)
        self.send_header("Content-Length", str(len(content)))
        if self.listed.substitute:
            self.send_header("X-Ragbed-Substitute", self.listed.substitute)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def listing(listed: Listed) -> Iterator[Listed]:
    """Run the server on a free port of loopback; its `url` is set."""
    handler = type("Handler", (_Handler,), {"listed": listed})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        listed.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield listed
        finally:
            server.shutdown()
            thread.join()
