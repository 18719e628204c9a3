"""Every call is in the journal once it has ended, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    import httpx

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "llm-call.schema.json").read_text(encoding="utf-8"))
CHAT = {"model": "qwen2.5:0.5b", "messages": [{"role": "user", "content": "hello"}]}


def calls(http: httpx.Client) -> list[dict[str, Any]]:
    """Return the records of all calls, each as the schema has it."""
    records: list[dict[str, Any]] = http.get("/ragbed/calls").json()["calls"]
    for record in records:
        Draft202012Validator(SCHEMA).validate(record)
    return records


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("path", "wire"), [("/api/chat", "ollama"), ("/v1/chat/completions", "openai")], ids=["ollama", "openai"]
)
def test_a_call_is_written_down_as_it_ended(http: httpx.Client, path: str, wire: str, stream: bool) -> None:
    """Model, tokens and cost, by whatever wire, whole or streamed."""
    http.post(path, json={**CHAT, "stream": stream}, headers={"X-Ragbed-Run": "r1", "X-Ragbed-Test": "t1"})
    (record,) = calls(http)

    assert {
        key: record[key] for key in ("run", "test", "wire", "operation", "model", "engine", "status")
    } == {
        "run": "r1",
        "test": "t1",
        "wire": wire,
        "operation": "chat",
        "model": "qwen2.5:0.5b",
        "engine": "mock",
        "status": "ok",
    }
    assert (record["input_tokens"], record["output_tokens"]) == (1, 6)
    assert (record["spent_usd"], record["simulated_usd"]) == (0, 0.000004)
    assert 0 < record["first_token_s"] <= record["seconds"]


def test_vectors_cost_what_was_read(http: httpx.Client) -> None:
    """An embedding writes no token, and that is known."""
    http.post("/api/embed", json={"model": "all-minilm", "input": ["word " * 100]})
    (record,) = calls(http)

    assert (record["operation"], record["model"]) == ("embed", "all-minilm:latest")
    assert (record["input_tokens"], record["output_tokens"], record["simulated_usd"]) == (100, 0, 0.000002)


@pytest.mark.parametrize(
    ("path", "body", "model", "engine"),
    [
        ("/api/chat", b"{", "", ""),
        ("/api/chat", b'{"model": "nope"}', "", ""),
        ("/v1/chat/completions", b"", "", ""),
        ("/api/embed", b'{"model": "qwen2.5:0.5b", "input": "a"}', "qwen2.5:0.5b", "mock"),
    ],
    ids=["not JSON", "unknown model", "no body", "cannot embed"],
)
def test_a_refused_call_is_written_down_with_unknown_tokens(
    http: httpx.Client, path: str, body: bytes, model: str, engine: str
) -> None:
    """Never with 0; the history of answered calls leaves it out."""
    status = http.post(path, content=body).status_code
    (record,) = calls(http)

    assert status >= 400
    assert (record["status"], record["model"], record["engine"]) == ("refused", model, engine)
    assert [record[key] for key in ("input_tokens", "output_tokens", "simulated_usd", "first_token_s")] == [
        None
    ] * 4
    assert http.get("/ragbed/history").json() == {"total": 0, "per_model": {}, "calls": []}


def test_a_scripted_answer_names_its_rule(http: httpx.Client) -> None:
    """By its pattern."""
    http.put("/ragbed/rules", json={"rules": [{"pattern": "^hel+o$", "answer": "hi"}]})
    http.post("/api/chat", json=CHAT)

    assert [record["rule"] for record in calls(http)] == ["^hel+o$"]


def test_a_client_that_leaves_is_written_down_with_unknown_tokens(http: httpx.Client) -> None:
    """How much was written is not known, that there was an answer is."""
    http.put("/ragbed/rules", json={"rules": [{"pattern": "^long$", "answer": "word " * 200_000}]})
    body = {"model": "qwen2.5:0.5b", "prompt": "long"}
    with http.stream("POST", "/api/generate", json=body) as response:
        next(response.iter_lines())
    records = calls(http)
    while not records:
        records = calls(http)

    assert [(record["status"], record["output_tokens"]) for record in records] == [("cancelled", None)]
    assert http.get("/ragbed/history").json()["total"] == 1


def test_loading_a_model_is_not_an_answer(http: httpx.Client) -> None:
    """It is a call, and the history of answers leaves it out."""
    http.post("/api/generate", json={"model": "qwen2.5:0.5b"})

    assert [record["status"] for record in calls(http)] == ["ok"]
    assert http.get("/ragbed/history").json()["total"] == 0


def test_the_same_request_has_the_same_key(http: httpx.Client) -> None:
    """White space and the order of fields do not count; everything else does."""
    for body in (
        b'{"model":"m","prompt":"a"}',
        b'{ "prompt": "a", "model": "m" }',
        b'{"model":"m","prompt":"b"}',
    ):
        http.post("/api/generate", content=body)
    http.post("/api/chat", content=b'{"model":"m","prompt":"a"}')
    keys = [record["key"] for record in calls(http)]

    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_reset_forgets_the_calls(http: httpx.Client) -> None:
    """With the history."""
    http.post("/api/chat", json=CHAT)
    http.post("/ragbed/reset")

    assert calls(http) == []


def test_the_calls_of_a_run_are_asked_for_by_their_end(http: httpx.Client) -> None:
    """One reader takes what ended since the last time, of a run or of one test of it."""
    for run, test in [("r1", "t1"), ("r1", "t2"), ("r2", "t1"), ("r1", "t1")]:
        http.post("/api/chat", json=CHAT, headers={"X-Ragbed-Run": run, "X-Ragbed-Test": test})

    def asked(**query: str) -> list[tuple[str, str]]:
        shown = http.get("/ragbed/calls", params=query).json()["calls"]
        return [(call["run"], call["test"]) for call in shown]

    first = http.get("/ragbed/calls", params={"run": "r1"}).json()["calls"][0]["id"]
    assert asked(run="r1") == [("r1", "t1"), ("r1", "t2"), ("r1", "t1")]
    assert asked(run="r1", test="t1") == [("r1", "t1"), ("r1", "t1")]
    assert asked(run="r1", after=first) == [("r1", "t2"), ("r1", "t1")]
    assert asked(run="r1", after="another-journal-7") == asked(run="r1")
    assert asked(run="r3") == []


def test_run_and_test_do_not_change_a_requests_key(http: httpx.Client) -> None:
    """The same question of two runs is the same request."""
    for run in ("r1", "r2"):
        http.post("/api/chat", json=CHAT, headers={"X-Ragbed-Run": run, "X-Ragbed-Test": f"test of {run}"})

    assert len({call["key"] for call in calls(http)}) == 1
