"""What one client sends does not hold up another."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TURNS = [{"role": "user", "content": f"{'a' * 60}!"}]
PATIENCE_S = 20  # on an idle machine it is some hundredths
HUGE = 70 * 1024 * 1024


def ask(http: httpx.Client, **fields: Any) -> httpx.Response:
    """Send a chat."""
    return http.post("/api/chat", json={"model": "llama3.1:8b", "messages": TURNS, "stream": False, **fields})


def slowest_while(url: str, work: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
    """Return what came of some work, and the longest that another client waited for an answer meanwhile, in seconds."""
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    waits = []
    with httpx.Client(base_url=url, timeout=30) as other:
        other.get("/api/version")
        thread.start()
        while thread.is_alive():
            begun = time.monotonic()
            other.get("/api/version").raise_for_status()
            waits.append(time.monotonic() - begun)
            time.sleep(0.01)
    return answers[0], max(waits)


def test_pattern_that_takes_exponentially_long_is_refused(http: httpx.Client) -> None:
    """By name, and other clients are answered meanwhile."""
    http.put("/ragbed/rules", json={"rules": [{"pattern": "(a|aa)+$", "answer": "b"}]}).raise_for_status()

    response, waited = slowest_while(str(http.base_url), lambda: ask(http))

    assert response.status_code == 500
    assert "rule pattern '(a|aa)+$' was not searched to its end within" in response.json()["error"]
    assert waited < PATIENCE_S


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "minItems": 300_000_000},
        {"type": "array", "items": {"type": "array", "items": {}, "minItems": 9000}, "minItems": 9000},
    ],
    ids=["flat", "nested"],
)
def test_schema_that_asks_for_too_much_is_refused(http: httpx.Client, schema: dict[str, Any]) -> None:
    """In the words of a server that can make no grammar of it."""
    response, waited = slowest_while(str(http.base_url), lambda: ask(http, format=schema))

    assert response.status_code == 500
    assert response.json()["error"].startswith("invalid JSON schema in format: ")
    assert waited < PATIENCE_S


def _parts() -> Iterator[bytes]:
    for _ in range(HUGE // (1 << 20)):
        yield b" " * (1 << 20)


@pytest.mark.parametrize("path", ["/api/embed", "/v1/embeddings", "/ragbed/rules"])
def test_body_over_the_limit_is_refused_before_it_is_read(http: httpx.Client, path: str) -> None:
    """Announced or sent in pieces."""
    method = "PUT" if path == "/ragbed/rules" else "POST"
    response = http.request(method, path, content=_parts())
    connection = HTTPConnection(http.base_url.host, http.base_url.port or 80, timeout=30)
    connection.putrequest(method, path)
    connection.putheader("Content-Length", str(300 * 1024 * 1024))
    connection.endheaders(b"{}")  # the rest is never sent: the answer does not wait for it

    with closing(connection), connection.getresponse() as early:
        assert [response.status_code, early.status] == [413, 413]
    assert "request body too large" in response.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/nowhere", b"", 404),
        ("GET", "/v1", b"", 404),
        ("GET", "/v1/chat/completions", b"", 405),
        ("POST", "/v1/chat/completions", b"", 400),
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", b'{"model": 5}', 400),
        ("POST", "/v1/chat/completions", b'{"model": "nope", "messages": [{"content": "a"}]}', 404),
        ("POST", "/v1/embeddings", b'{"model": "llama3.1:8b", "input": "a"}', 400),
        ("POST", "/v1/responses", b"{}", 501),
    ],
)
def test_errors_below_v1_have_openais_shape(
    http: httpx.Client, method: str, path: str, body: bytes, status: int
) -> None:
    """Whatever goes wrong."""
    response = http.request(method, path, content=body)
    error = response.json()["error"]

    assert response.status_code == status
    assert sorted(error) == ["code", "message", "param", "type"]
    assert error["message"]


@pytest.mark.parametrize(
    ("path", "fields"), [("/v1/models", ["code", "message", "param", "type"]), ("/api/tags", None)]
)
def test_a_foreign_page_is_refused_in_the_shape_of_the_wire(
    http: httpx.Client, path: str, fields: list[str] | None
) -> None:
    """A client below /v1 reads OpenAI's errors, another one Ollama's."""
    response = http.get(path, headers={"origin": "https://page.example"})
    error = response.json()["error"]

    assert response.status_code == 403
    assert (sorted(error) if isinstance(error, dict) else None) == fields
