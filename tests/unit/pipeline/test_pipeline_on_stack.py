"""The numbers of the settings reach the pipeline's client of Ollama."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.llm import ClientPolicy
from ragbed.pins import Provenance
from ragbed.pipeline.adapters.ollama import OllamaConnection
from ragbed.pipeline.on_stack import pipeline_config
from ragbed.settings import resolve_settings
from ragbed.stack import SERVICES, Endpoint, Stack
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = {
    "RAGBED_LLM__LOAD_TIMEOUT_S": "11",
    "RAGBED_EMBEDDING__TIMEOUT_S": "12",
    "RAGBED_LLM__FIRST_TOKEN_TIMEOUT_S": "13",
    "RAGBED_LLM__ANSWER_TIMEOUT_S": "14",
    "RAGBED_LLM__KEEP_ALIVE": "15m",
    "RAGBED_LLM__NUM_THREAD": "3",
}


def somewhere(service: str) -> Endpoint:
    """Return a service that ran already."""
    return Endpoint(
        service=service,
        url="http://127.0.0.1:1",
        launcher="attach",
        product=service,
        version="1",
        real=True,
        provenance=Provenance(channel="external"),
    )


def test_the_pipeline_asks_by_the_policy_that_fingerprints_ask_by(tmp_path: Path) -> None:
    """With another keep-alive or number of threads one of them would have the model loaded anew."""
    settings = resolve_settings(environ=OTHERS, folder=tmp_path)
    stack = Stack(id="s", endpoints={service: somewhere(service) for service in SERVICES})

    config = pipeline_config(stack, settings, folder=StateFolder(tmp_path))

    with OllamaConnection(config).session as session:
        assert session.policy == ClientPolicy.of(settings, num_thread=3)
    assert (session.policy.load_s, session.policy.embed_s, session.policy.keep_alive) == (11, 12, "15m")
