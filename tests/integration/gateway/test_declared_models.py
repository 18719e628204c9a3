"""A mock that is started in a project answers for the models that the project declares."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ollama
import pytest

if TYPE_CHECKING:
    import httpx

TURNS = [{"role": "user", "content": "hello"}]
PICTURE = [{"role": "user", "content": "hello", "images": ["aGk="]}]
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city"}}
JOKE = {"type": "object", "properties": {"joke": {"type": "string"}}, "required": ["joke"]}


def chat(http: httpx.Client, model: str = "thinker", **fields: Any) -> Any:
    """Return the body of an answer that is not streamed."""
    body = {"model": model, "messages": TURNS, "stream": False, **fields}
    return http.post("/api/chat", json=body).raise_for_status().json()


def test_declared_models_are_listed_beside_the_known_ones(declaring: httpx.Client) -> None:
    """By Ollama's API and by OpenAI's."""
    tags = [model["name"] for model in declaring.get("/api/tags").json()["models"]]
    listed = [model["id"] for model in declaring.get("/v1/models").json()["data"]]

    assert tags == listed
    assert {"bge-m3:latest", "plain:latest", "hf.co/me/small-gguf:q4_k_m", "all-minilm:latest"} <= set(tags)


def test_show_tells_capabilities(declaring: httpx.Client) -> None:
    """As they were declared, with the context."""
    shown = declaring.post("/api/show", json={"model": "thinker"}).json()

    assert shown["capabilities"] == ["completion", "tools", "thinking", "vision", "insert"]
    assert shown["model_info"]["llama.context_length"] == 4096


@pytest.mark.parametrize(
    "name", ["bge-m3", "BGE-M3:latest", "library/bge-m3", "registry.ollama.ai/library/bge-m3"]
)
def test_declared_dimension_is_that_of_the_vectors(declaring: httpx.Client, name: str) -> None:
    """By three endpoints, and cut where the client asks for fewer."""
    embed = declaring.post("/api/embed", json={"model": name, "input": "a"}).json()["embeddings"][0]
    cut = declaring.post("/api/embed", json={"model": name, "input": "a", "dimensions": 256}).json()[
        "embeddings"
    ][0]
    older = declaring.post("/api/embeddings", json={"model": name, "prompt": "a"}).json()["embedding"]
    openai = declaring.post("/v1/embeddings", json={"model": name, "input": "a"}).json()["data"][0][
        "embedding"
    ]

    assert [len(embed), len(cut), len(older), len(openai)] == [1024, 256, 1024, 1024]
    assert embed == older == openai


def test_unknown_model_is_told_how_to_declare_it(declaring: httpx.Client) -> None:
    """In the refusal itself, where a client shows it."""
    with ollama.Client(str(declaring.base_url)) as client, pytest.raises(ollama.ResponseError) as caught:
        client.chat("nope", TURNS)

    assert caught.value.status_code == 404
    assert caught.value.error.startswith(
        "model 'nope' not found; declare it in ragbed.toml, [mock.models] \"nope\" = {"
    )


@pytest.mark.parametrize(
    ("think", "sentences"),
    [(None, 2), (True, 2), ("low", 1), ("medium", 2), ("high", 3), ("max", 4), (False, 0)],
)
def test_thinking_model_thinks_as_hard_as_it_is_asked(
    declaring: httpx.Client, think: Any, sentences: int
) -> None:
    """Without a word it thinks, as Ollama's do."""
    message = chat(declaring, **({} if think is None else {"think": think}))["message"]

    assert message.get("thinking", "").count(".") == sentences
    assert message["content"] == "I am a mock LLM response."


@pytest.mark.parametrize("path", ["chat", "generate"])
def test_thought_is_streamed_before_the_answer(declaring: httpx.Client, path: str) -> None:
    """Frame by frame; joined, it is that of the whole answer."""
    body = {"model": "thinker", "messages": TURNS, "prompt": "hello"}
    lines = declaring.post(f"/api/{path}", json=body).text.splitlines()
    frames = [json.loads(line) for line in lines]
    parts = [frame.get("message", frame) for frame in frames]
    whole = declaring.post(f"/api/{path}", json={**body, "stream": False}).json()

    assert "".join(part.get("thinking", "") for part in parts) == whole.get("message", whole)["thinking"]
    assert "thinking" in parts[0]
    assert "thinking" not in parts[-2]


def test_openai_clients_get_the_thought_as_reasoning(declaring: httpx.Client) -> None:
    """`reasoning_effort` and `reasoning` set its measure; `none` is silence."""
    body = {"model": "thinker", "messages": TURNS}
    answers = [
        declaring.post("/v1/chat/completions", json={**body, **more}).json()["choices"][0]["message"]
        for more in (
            {"reasoning_effort": "low"},
            {"reasoning": {"effort": "high"}},
            {"reasoning_effort": "none"},
        )
    ]

    assert [answer.get("reasoning", "").count(".") for answer in answers] == [1, 3, 0]


def test_rule_scripts_the_thought(declaring: httpx.Client) -> None:
    """Beside its answer."""
    rule = {"pattern": "hello", "answer": "hi", "thinking": "A greeting."}
    declaring.put("/ragbed/rules", json={"rules": [rule]}).raise_for_status()
    message = chat(declaring)["message"]
    shown = declaring.get("/ragbed/rules").json()["rules"]
    declaring.post("/ragbed/reset", json={"rules": True})

    assert (message["thinking"], message["content"], shown) == ("A greeting.", "hi", [rule])


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"think": True}, 400, '"plain" does not support thinking'),
        ({"think": "high"}, 400, '"plain" does not support thinking'),
        ({"think": False}, 200, ""),
        ({"tools": [TOOL]}, 400, "registry.ollama.ai/library/plain:latest does not support tools"),
        ({"messages": PICTURE}, 500, "this model is missing data required for image input"),
        ({"model": "thinker", "messages": PICTURE}, 200, ""),
        ({"model": "bge-m3"}, 400, '"bge-m3" does not support chat'),
    ],
    ids=["think", "measure", "no thought", "tools", "picture", "picture seen", "embedding model"],
)
def test_models_do_what_they_can(
    declaring: httpx.Client, fields: dict[str, Any], status: int, message: str
) -> None:
    """And refuse the rest in Ollama's words."""
    response = declaring.post(
        "/api/chat", json={"model": "plain", "messages": TURNS, "stream": False, **fields}
    )

    assert response.status_code == status
    assert message in response.json().get("error", "")


def test_tools_and_format_go_together(declaring: httpx.Client) -> None:
    """A question about the tool calls it, another is answered in the format."""
    both = {"tools": [TOOL], "format": JOKE}
    called = chat(declaring, messages=[{"role": "user", "content": "What is the weather in Rome?"}], **both)
    told = chat(declaring, messages=[{"role": "user", "content": "Tell me a joke"}], **both)

    assert called["message"]["tool_calls"][0]["function"]["name"] == "get_weather"
    assert list(json.loads(told["message"]["content"])) == ["joke"]
