"""Clients with planted faults, and a good one, as the mock's verdict finds them."""

from __future__ import annotations

import contextlib
import random
import time
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.pytest_plugin.handles import MockLlm

    Client = Callable[[str], str]

CHAT = {"model": "qwen2.5:0.5b", "messages": [{"role": "user", "content": "hello"}]}
PASSES = {429, 503}


def ask(url: str, *, stream: bool = False) -> httpx.Response:
    """Send one request; an answer that breaks off raises."""
    return httpx.post(f"{url}/api/chat", json={**CHAT, "stream": stream}, timeout=30)


def good(url: str) -> str:
    """Honours Retry-After, else backs off with jitter; asks again for a broken answer; gives up after five tries."""
    for attempt in range(5):
        try:
            answer = ask(url, stream=True)
        except httpx.RemoteProtocolError:
            continue
        if answer.status_code not in PASSES:
            return answer.text
        pause_s = float(answer.headers.get("retry-after", 0)) or 0.1 * 2**attempt * random.uniform(0.8, 1.2)  # noqa: S311
        time.sleep(pause_s)
    return "gave up"


def impatient(url: str) -> str:
    """Does not read Retry-After."""
    for _ in range(3):
        if (answer := ask(url)).status_code == 200:
            return answer.text
    return "gave up"


def even(url: str) -> str:
    """Asks again at an even pace."""
    for _ in range(6):
        if (answer := ask(url)).status_code == 200:
            return answer.text
        time.sleep(0.5)
    return "gave up"


def stubborn(url: str) -> str:
    """Repeats what was refused for good."""
    return [ask(url), ask(url)][-1].text


def endless(url: str) -> str:
    """Does not give up."""
    for attempt in range(14):
        if (answer := ask(url)).status_code == 200:
            return answer.text
        time.sleep(0.01 * (attempt % 4))
    return "gave up"


def easily_beaten(url: str) -> str:
    """Takes one busy moment for the end."""
    return ask(url).text


def credulous(url: str) -> str:
    """Takes what it has read of a stream for the answer."""
    parts = []
    body = {**CHAT, "stream": True}
    with (
        contextlib.suppress(httpx.RemoteProtocolError),
        httpx.stream("POST", f"{url}/api/chat", json=body, timeout=30) as answer,
    ):
        parts.extend(answer.iter_text())
    return "".join(parts)


BUSY = {"status": 429, "headers": {"Retry-After": "0.5"}}
PLANTED = [
    (impatient, BUSY, "and Retry-After said 0.5 s"),
    (even, {"status": 503, "times": 5}, "times again at an even pace of"),
    (stubborn, {"status": 400, "times": 0}, "it asked again after HTTP 400, which will be refused again"),
    (endless, {"status": 503, "times": 0}, "it did not give up: 14 tries of one request failed"),
    (easily_beaten, {"status": 503}, "it did not ask again after HTTP 503"),
    (credulous, {"cut_after": 2}, "it did not ask again after an answer that broke off"),
]


@pytest.mark.parametrize(
    ("client", "fault", "said"), PLANTED, ids=[client.__name__ for client, *_ in PLANTED]
)
def test_a_planted_fault_is_found(
    client: Client, fault: dict[str, object], said: str, ragbed_llm: MockLlm
) -> None:
    """Though the client's own result may look fine."""
    ragbed_llm.fail(fault)
    client(ragbed_llm.url)

    assert said in "\n".join(ragbed_llm.verdict())
    with pytest.raises(AssertionError, match="the client of the LLM is not resilient:"):
        ragbed_llm.assert_resilient()


@pytest.mark.parametrize(
    "fault",
    [BUSY, {"status": 503, "times": 4}, {"status": 400}, {"status": 503, "times": 0}, {"cut_after": 2}],
    ids=["Retry-After", "busy", "refused for good", "never", "broken off"],
)
def test_a_good_client_passes(fault: dict[str, object], ragbed_llm: MockLlm) -> None:
    """Whatever meets it."""
    ragbed_llm.fail(fault)
    good(ragbed_llm.url)

    ragbed_llm.assert_resilient()


def test_without_a_fault_there_is_no_verdict(ragbed_llm: MockLlm) -> None:
    """A test that proves nothing says so."""
    good(ragbed_llm.url)

    with pytest.raises(AssertionError, match="no call met a fault"):
        ragbed_llm.assert_resilient()
