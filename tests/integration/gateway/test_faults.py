"""Faults that a test asks the mock LLM for, as clients of both wires meet them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ragbed.stores import StoreFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.pytest_plugin.handles import MockLlm

CHAT = {"model": "qwen2.5:0.5b", "messages": [{"role": "user", "content": "hello there"}], "stream": False}
EMBED = {"model": "all-minilm", "input": "hello there"}


@pytest.fixture
def client(ragbed_llm: MockLlm) -> Iterator[httpx.Client]:
    """A client without any retries of its own."""
    with httpx.Client(base_url=ragbed_llm.url, timeout=30) as client:
        yield client


def test_a_refusal_has_its_status_headers_and_the_wires_shape(
    ragbed_llm: MockLlm, client: httpx.Client
) -> None:
    """As often as asked; then calls are answered."""
    ragbed_llm.fail({"status": 429, "headers": {"Retry-After": "7"}, "message": "slow down", "times": 2})
    ollama = client.post("/api/chat", json=CHAT)
    openai = client.post("/v1/chat/completions", json=CHAT)
    after = client.post("/api/chat", json=CHAT)

    assert (ollama.status_code, ollama.json(), ollama.headers["retry-after"]) == (
        429,
        {"error": "slow down"},
        "7",
    )
    assert (openai.status_code, openai.json()["error"]["message"]) == (429, "slow down")
    assert after.status_code == 200
    assert [(call["status"], call["fault"]) for call in ragbed_llm.calls()] == [
        ("faulted", "fault-1"),
        ("faulted", "fault-1"),
        ("ok", None),
    ]


@pytest.mark.parametrize("cut_after", [0, 2])
@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_a_stream_breaks_off(path: str, cut_after: int, ragbed_llm: MockLlm, client: httpx.Client) -> None:
    """After so many chunks, without the end that HTTP asks for; the journal calls it faulted."""
    ragbed_llm.answers({"hello": "one two three four five six seven eight"})
    ragbed_llm.fail({"id": "cut", "cut_after": cut_after})
    chunks = []
    with client.stream("POST", path, json={**CHAT, "stream": True}) as answer:
        status = answer.status_code
        with pytest.raises(httpx.RemoteProtocolError):
            chunks.extend(answer.iter_raw())

    assert status == 200
    assert b"".join(chunks).count(b"\n") == cut_after * (1 if path == "/api/chat" else 2)
    assert [(call["status"], call["fault"]) for call in ragbed_llm.calls()] == [("faulted", "cut")]


def test_an_answer_in_one_piece_breaks_off(ragbed_llm: MockLlm, client: httpx.Client) -> None:
    """In its middle: half of the JSON is there."""
    ragbed_llm.fail({"cut_after": 1})
    with client.stream("POST", "/api/chat", json=CHAT) as answer, pytest.raises(httpx.RemoteProtocolError):
        answer.read()

    assert client.post("/api/chat", json=CHAT).status_code == 200


def test_a_delay_comes_before_the_answer(ragbed_llm: MockLlm, client: httpx.Client) -> None:
    """The call is answered all the same, and its record names the fault."""
    ragbed_llm.fail({"delay_s": 0.3})
    began = time.monotonic()
    answer = client.post("/api/chat", json=CHAT)

    assert answer.status_code == 200
    assert time.monotonic() - began >= 0.3
    assert [(call["status"], call["fault"]) for call in ragbed_llm.calls()] == [("ok", "fault-1")]


def test_a_fault_meets_the_calls_it_names(ragbed_llm: MockLlm, client: httpx.Client) -> None:
    """By pattern and operation; the first that is left wins."""
    ragbed_llm.fail(
        {"pattern": "nothing like it", "status": 500, "times": 0},
        {"operation": "embed", "pattern": "there$", "status": 503, "times": 0},
        {"pattern": "^hello", "operation": "chat", "status": 418},
    )
    statuses = [
        client.post("/api/embed", json=EMBED).status_code,
        client.post("/api/embed", json={**EMBED, "input": ["x", "over there"]}).status_code,
        client.post("/api/embed", json={**EMBED, "input": "elsewhere"}).status_code,
        client.post("/api/chat", json=CHAT).status_code,
        client.post("/api/chat", json=CHAT).status_code,
    ]
    faults = client.get("/ragbed/faults").json()["faults"]

    assert statuses == [503, 503, 200, 418, 200]
    assert [fault["met"] for fault in faults] == [0, 2, 1]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": "429"}, "fault 1 is wrong at status: '429'"),
        ({"status": True}, "fault 1 is wrong at status: True"),
        ({"statsu": 429}, "fault 1 is wrong at statsu: 429; it has "),
        ({"status": 200}, "has the status 200, which is not a refusal"),
        ({"pattern": "x"}, "fault 1 does nothing"),
        ({"pattern": "(", "status": 500}, "is not a regular expression"),
        ({"operation": "sing", "status": 500}, "the operation 'sing', which is not chat, generate or embed"),
        ({"delay_s": -1}, "has a number out of range"),
        ({"delay_s": float("1e9")}, "has a number out of range"),
        ({"status": 500, "headers": {"Retry-After": 1}}, "has a header that is not a text"),
        (7, "fault 1 is wrong at it: 7"),
    ],
)
def test_what_is_not_a_fault_is_refused(
    fault: Any, said: str, ragbed_llm: MockLlm, client: httpx.Client
) -> None:
    """The faults that were set before stay."""
    ragbed_llm.fail({"status": 503, "times": 0})
    with pytest.raises(StoreFailed) as error:
        ragbed_llm.fail(fault)

    assert said in error.value.message
    assert client.post("/api/chat", json=CHAT).status_code == 503


def test_a_reset_takes_faults_away(ragbed_llm: MockLlm, client: httpx.Client) -> None:
    """As it does with rules."""
    ragbed_llm.fail({"status": 503, "times": 0})
    ragbed_llm.reset()

    assert client.get("/ragbed/faults").json() == {"faults": []}
    assert client.post("/api/chat", json=CHAT).status_code == 200
