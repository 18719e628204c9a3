"""`/metrics` of the mock LLM: calls, tokens and seconds, as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

CHAT = {"model": "qwen2.5:0.5b", "messages": [{"role": "user", "content": "one two three"}]}


@pytest.fixture
def fresh(gateway_process: tuple[subprocess.Popen[str], str]) -> Iterator[httpx.Client]:
    """A client of a gateway that was not asked yet."""
    with httpx.Client(base_url=gateway_process[1], timeout=30) as client:
        yield client


def metrics(client: httpx.Client) -> dict[str, float]:
    """Return every sample of the page by name and labels."""
    page = client.get("/metrics")
    assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line.rpartition(" ") for line in page.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_a_gateway_that_was_not_asked_has_an_empty_page(fresh: httpx.Client) -> None:
    """There is nothing to count."""
    assert metrics(fresh) == {}


def test_calls_tokens_and_seconds_are_counted(fresh: httpx.Client) -> None:
    """Of whole answers, streams, embeddings and refusals, on both wires."""
    whole = fresh.post("/api/chat", json={**CHAT, "stream": False}).json()
    fresh.post("/api/chat", json=CHAT)
    fresh.post("/v1/chat/completions", json=CHAT)
    fresh.post("/api/embed", json={"model": "all-minilm", "input": "four words are here"})
    fresh.post("/api/chat", json={**CHAT, "model": "no-such"})

    seen = metrics(fresh)

    calls = {name: value for name, value in seen.items() if name.startswith("ragbed_llm_calls_total")}
    chat = 'operation="chat",model="qwen2.5:0.5b",status="ok"'
    assert calls == {
        f'ragbed_llm_calls_total{{wire="ollama",{chat}}}': 2,
        f'ragbed_llm_calls_total{{wire="openai",{chat}}}': 1,
        'ragbed_llm_calls_total{wire="ollama",operation="embed",model="all-minilm:latest",status="ok"}': 1,
        'ragbed_llm_calls_total{wire="ollama",operation="chat",model="(other)",status="refused"}': 1,
    }
    tokens = 'ragbed_llm_tokens_total{model="qwen2.5:0.5b",direction="%s"}'
    assert seen[tokens % "input"] == 3 * whole["prompt_eval_count"]
    assert seen[tokens % "output"] == 3 * whole["eval_count"]
    seconds = 'ragbed_llm_call_seconds%s{operation="chat",model="qwen2.5:0.5b"%s}'
    assert seen[seconds % ("_count", "")] == 3
    assert seen[seconds % ("_bucket", ',le="+Inf"')] == 3
    assert 0 < seen[seconds % ("_sum", "")] < 30


def test_a_reset_leaves_the_counters(fresh: httpx.Client) -> None:
    """A counter that fell would read as a restart of the server."""
    fresh.post("/api/chat", json=CHAT)
    fresh.post("/ragbed/reset")

    assert fresh.get("/ragbed/history").json()["total"] == 0
    assert metrics(fresh)['ragbed_llm_tokens_total{model="qwen2.5:0.5b",direction="input"}'] > 0
