"""The models of our own tests: what they are, and that they do what the other tests rely on."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from ollama import Client

from ragbed.models.layout import manifests_in
from ragbed.pins import load_model_lock
from tiny_models.models import LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def client(real_ollama: str) -> Iterator[Client]:
    """The official client, on the real Ollama."""
    with Client(real_ollama, timeout=120) as client:
        yield client


def test_tiny_models_are_those_of_the_lock(tiny_models: Path) -> None:
    """Each manifest in the folder has the digest that the lock names."""
    found = {
        name: f"sha256:{sha256(path.read_bytes()).hexdigest()}" for name, path in manifests_in(tiny_models)
    }

    assert found == {name: pin.digest for name, pin in load_model_lock(LOCK).models.items()}


def test_minilm_gives_the_vectors_of_its_publisher(client: Client) -> None:
    """The weights are the real ones: "hello world" has the vector that all-MiniLM-L6-v2 gives it elsewhere."""
    vector = client.embed("made-minilm", "hello world", truncate=False).embeddings[0]

    assert len(vector) == 384
    assert vector[:4] == pytest.approx([-0.0345, 0.0309, 0.0067, 0.0261], abs=2e-4)


def test_tiny_model_says_the_same_for_the_same_seed(client: Client) -> None:
    """Seed and temperature decide what it says; another seed, other words."""
    said = [
        client.generate("made-tiny", "Tell me.", options={"seed": seed}).response for seed in (1, 1, 2, 3, 4)
    ]

    assert said[0] == said[1]
    assert len(set(said)) > 1


def test_tiny_model_ends_by_itself(client: Client) -> None:
    """An answer is a sentence or more of whole words."""
    answer = client.generate("made-tiny", "Tell me.", options={"seed": 1})

    assert answer.done_reason == "stop"
    assert answer.response.endswith(".")


def test_tiny_model_calls_the_tool_it_knows(client: Client) -> None:
    """Offered `get_weather` it calls it, as Ollama's own parser of tool calls understands it."""
    message = client.chat(
        "made-tiny", [{"role": "user", "content": "How is the weather?"}], tools=[_WEATHER]
    ).message

    assert message.tool_calls
    assert message.tool_calls[0].function.name == "get_weather"
    assert message.tool_calls[0].function.arguments == {"city": "Paris"}
