"""What Ollama's client would do by itself is held back: follow an answer to another host, send a key to any host."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import ollama
import pytest

from ragbed.llm.retrying import RetryingClient
from ragbed.llm.timeouts_and_retries import ClientPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Server(ThreadingHTTPServer):
    """Answers every request by sending it on to `elsewhere`, where that is set; remembers what it was sent."""

    elsewhere = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys: list[str | None] = []

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer."""
        self.server.keys.append(self.headers.get("authorization"))
        body = b'{"models": []}'
        self.send_response(307 if self.server.elsewhere else 200)
        if self.server.elsewhere:
            self.send_header("location", f"{self.server.elsewhere}{self.path}")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's word
        """Say nothing."""


@pytest.fixture
def servers() -> Iterator[tuple[_Server, _Server]]:
    """Two servers on loopback."""
    both = (_Server(), _Server())
    for server in both:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield both
    for server in both:
        server.shutdown()
        server.server_close()


def test_an_answer_leads_to_no_other_host(servers: tuple[_Server, _Server]) -> None:
    """The guard has judged one address; a redirect would go round it."""
    first, second = servers
    first.elsewhere = second.url
    asking = RetryingClient(first.url, ClientPolicy())

    with pytest.raises(ollama.ResponseError):
        asking.client(5.0).list()

    assert (len(first.keys), second.keys) == (1, [])
    asking.close()


def test_the_environments_key_stays_at_home(
    servers: tuple[_Server, _Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OLLAMA_API_KEY was given for another server than the one of a stack."""
    monkeypatch.setenv("OLLAMA_API_KEY", "the-key")
    asking = RetryingClient(servers[0].url, ClientPolicy())

    asking.client(5.0).list()

    assert servers[0].keys == [None]
    asking.close()
