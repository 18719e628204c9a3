"""The doctor beside a server that answers Ollama's paths otherwise than Ollama."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doctor_run import Machine

ANSWERS: dict[str, object] = {
    "/api/version": {"version": "0.24.0"},
    "/api/tags": {"models": [{"name": "all-minilm:latest", "digest": "ab"}]},
    "/api/ps": {"models": ["all-minilm:latest"]},
}


class _Odd(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer by path."""
        content = json.dumps(ANSWERS.get(self.path)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_HEAD = do_GET  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def odd_ollama() -> Iterator[str]:
    """The URL of a server that lists what is loaded by names alone."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Odd) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_that_answers_otherwise_costs_no_other_line(machine: Machine, odd_ollama: str) -> None:
    """It has not the pinned models, which is told; the rest of the screen is there."""
    seen = machine.run(OLLAMA_HOST=odd_ollama)

    assert (seen.code, seen["ollama"]["state"]) == (ExitCode.SERVICE_MISSING, "missing")
    assert seen.state("postgres", "redis", "qdrant") == ["ok"] * 3
