"""The wire as plain HTTP: what every response says, what is refused, and the control API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ragbed import __version__

if TYPE_CHECKING:
    import httpx

CHAT = {"model": "qwen2.5:0.5b", "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_root_says_who_runs(http: httpx.Client, method: str) -> None:
    """The health check of Ollama's clients works, and the text says that this is the mock."""
    response = http.request(method, "/")

    assert response.status_code == 200
    assert response.text == ("" if method == "HEAD" else "Ollama is running (ragbed mock)")


def test_version_names_the_substitute(http: httpx.Client) -> None:
    """Whoever attaches to the mock can tell it from a real Ollama."""
    assert http.get("/api/version").json() == {
        "version": "0.24.0",
        "ragbed": {"substitute": "mock-llm", "version": __version__},
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/api/tags", 200),
        ("POST", "/api/chat", 400),
        ("GET", "/api/chat", 405),
        ("GET", "/nothing/here", 404),
        ("POST", "/v1/chat/completions", 400),
        ("POST", "/v1/responses", 501),
        ("HEAD", "/api/blobs/sha256:0", 501),
        ("GET", "/ragbed/history", 200),
    ],
)
def test_every_response_names_the_substitute(http: httpx.Client, method: str, path: str, status: int) -> None:
    """Found or refused, the header is there."""
    response = http.request(method, path)

    assert (response.status_code, response.headers["X-Ragbed-Substitute"]) == (status, "mock-llm")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "missing request body"),
        (b'{"model": ', "unexpected EOF"),
        (b"\xff\xfe", "invalid character 'ÿ' looking for beginning of value"),
        (b"[]", "json: cannot unmarshal array into Go value of type api."),
        (b'{"model": "a b"}', "invalid model name"),
    ],
    ids=["empty", "cut off", "not UTF-8", "a list", "no name"],
)
@pytest.mark.parametrize("path", ["/api/chat", "/api/generate", "/api/embed", "/api/show"])
def test_bad_bodies_are_refused(http: httpx.Client, path: str, body: bytes, message: str) -> None:
    """A body that cannot be read is a 400 with Ollama's shape of error."""
    response = http.post(path, content=body)

    assert response.status_code == 400
    assert message in response.json()["error"]


def test_streaming_is_the_default(http: httpx.Client) -> None:
    """A body that does not mention `stream` is answered by lines of JSON."""
    response = http.post("/api/chat", json=CHAT)
    lines = [json.loads(line) for line in response.text.splitlines()]

    assert response.headers["content-type"] == "application/x-ndjson"
    assert [line["done"] for line in lines] == [False] * 6 + [True]


@pytest.mark.parametrize("extra", [{}, {"stream": False}], ids=["stream", "whole"])
def test_same_request_gives_the_same_bytes(http: httpx.Client, extra: dict[str, Any]) -> None:
    """No clock and no counter reaches a body."""
    assert (
        http.post("/api/chat", json={**CHAT, **extra}).content
        == http.post("/api/chat", json={**CHAT, **extra}).content
    )


def test_durations_are_whole_nanoseconds(http: httpx.Client) -> None:
    """The last frame carries Ollama's figures, made from the counts."""
    last = http.post("/api/chat", json={**CHAT, "stream": False}).json()

    assert (last["prompt_eval_duration"], last["eval_duration"]) == (100_000, 6_000_000)
    assert (last["load_duration"], last["total_duration"]) == (1_000_000, 7_100_000)


def test_a_call_without_a_prompt_loads_the_model(http: httpx.Client) -> None:
    """As on the real wire, no messages means: load, and say so."""
    body = http.post("/api/chat", json={"model": "qwen2.5:0.5b"}).json()

    assert (body["done"], body["done_reason"], body["message"]["content"]) == (True, "load", "")


def test_older_endpoint_given_input_returns_nothing(http: httpx.Client) -> None:
    """The real one's trap is kept: `input` instead of `prompt` gives an empty vector and no error."""
    response = http.post("/api/embeddings", json={"model": "all-minilm", "input": "text"})

    assert (response.status_code, response.json()) == (200, {"embedding": []})


def test_history_tells_prompt_model_and_arguments(http: httpx.Client) -> None:
    """A test can assert what its application asked."""
    http.post("/api/generate", json={"model": "llama3.2:1b", "prompt": "hello", "options": {"seed": 7}})
    http.post("/api/embed", json={"model": "all-minilm", "input": ["a", "b"], "truncate": False})
    http.post("/api/embed", json={"model": "unknown", "input": "refused calls are not counted"})

    assert http.get("/ragbed/history").json() == {
        "total": 2,
        "per_model": {"all-minilm:latest": 1, "llama3.2:1b": 1},
        "calls": [
            {
                "operation": "generate",
                "model": "llama3.2:1b",
                "prompts": ["hello"],
                "arguments": {"options": {"seed": 7}},
            },
            {
                "operation": "embed",
                "model": "all-minilm:latest",
                "prompts": ["a", "b"],
                "arguments": {"truncate": False},
            },
        ],
    }


def test_reset_keeps_rules_unless_asked(http: httpx.Client) -> None:
    """Between two tests the history goes; the rules go on request."""
    http.put("/ragbed/rules", json={"rules": [{"pattern": "hello", "answer": "hi"}]})
    http.post("/api/chat", json=CHAT)
    http.post("/ragbed/reset")

    assert http.get("/ragbed/history").json()["total"] == 0
    assert http.get("/ragbed/rules").json() == {"rules": [{"pattern": "hello", "answer": "hi"}]}
    assert http.post("/ragbed/reset", json={"rules": True}).json() == {"total": 0, "rules": 0}


@pytest.mark.parametrize(
    "rules",
    [
        None,
        {},
        ["hello"],
        [{"pattern": "a"}],
        [{"pattern": "(", "answer": "b"}],
        [{"pattern": "a", "answer": 5}],
        [{"pattern": "a", "tool_calls": []}],
        [{"pattern": "a", "tool_calls": [{"name": "search"}]}],
        [{"pattern": "a", "answer": "b", "tool_calls": [{"name": "search", "arguments": {}}]}],
    ],
    ids=[
        "absent",
        "an object",
        "a string",
        "no answer",
        "broken pattern",
        "wrong type",
        "no calls",
        "no arguments",
        "both",
    ],
)
def test_wrong_rules_change_nothing(http: httpx.Client, rules: object) -> None:
    """A set of rules is taken whole or not at all."""
    http.put("/ragbed/rules", json={"rules": [{"pattern": "hello", "answer": "hi"}]})
    response = http.put("/ragbed/rules", json={"rules": rules})

    assert response.status_code == 400
    assert http.get("/ragbed/rules").json()["rules"] == [{"pattern": "hello", "answer": "hi"}]


def test_rule_of_tool_calls_is_shown_as_it_was_set(http: httpx.Client) -> None:
    """What `PUT` takes, `GET` gives."""
    rule = {"pattern": "hello", "tool_calls": [{"name": "search", "arguments": {"query": "x", "limit": 3}}]}

    assert http.put("/ragbed/rules", json={"rules": [rule]}).json() == {"rules": [rule]}
    assert http.get("/ragbed/rules").json() == {"rules": [rule]}


def test_scripted_call_reaches_the_client(http: httpx.Client) -> None:
    """In the shape of Ollama's own, with an identity that the same request has again."""
    http.put(
        "/ragbed/rules",
        json={"rules": [{"pattern": "h", "tool_calls": [{"name": "f", "arguments": {"x": 1}}]}]},
    )
    body = {**CHAT, "stream": False, "tools": [{"type": "function", "function": {"name": "f"}}]}

    call, again = (http.post("/api/chat", json=body).json()["message"]["tool_calls"][0] for _ in range(2))

    assert call["function"] == {"index": 0, "name": "f", "arguments": {"x": 1}}
    assert call["id"] == again["id"]
