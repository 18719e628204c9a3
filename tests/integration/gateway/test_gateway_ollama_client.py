"""The official Ollama client, sync and async, against the mock over real HTTP."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING

import ollama
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

CHAT_MODEL = "llama3.1:8b"
GROUNDED = """Passages:
[1] docs/ports.md — Ports
Qdrant listens on port 6333 unless told otherwise.

[2] docs/redis.md — Eviction
Valkey evicts keys once maxmemory is reached.

Question: Which port does Qdrant listen on?
"""
ANSWER = "Qdrant listens on port 6333 unless told otherwise. [1]"
TURNS = [{"role": "user", "content": GROUNDED}]


def test_models_are_listed(client: ollama.Client) -> None:
    """The pinned sets of the smoke run are there, each with a digest."""
    models = client.list().models

    assert [model.model for model in models] == [
        "all-minilm:latest",
        "nomic-embed-text:latest",
        "qwen2.5:0.5b",
        "llama3.2:1b",
        "llama3.1:8b",
    ]
    assert all(len(model.digest or "") == 64 for model in models)


def test_model_is_shown(client: ollama.Client) -> None:
    """Dimension, context and capability are told as Ollama tells them."""
    shown = client.show("all-minilm")

    assert shown.capabilities == ["embedding"]
    assert shown.modelinfo is not None
    assert (shown.modelinfo["bert.embedding_length"], shown.modelinfo["bert.context_length"]) == (384, 512)


def test_used_models_run_until_unloaded(client: ollama.Client) -> None:
    """A model is running once used, and no longer after a call with keep_alive 0 and no prompt."""
    client.generate(CHAT_MODEL, "hi")
    before = [model.model for model in client.ps().models]
    done = client.generate(CHAT_MODEL, keep_alive=0)

    assert CHAT_MODEL in before
    assert done.done_reason == "unload"
    assert CHAT_MODEL not in [model.model for model in client.ps().models]


@pytest.mark.parametrize(
    ("texts", "count"),
    [("one text", 1), (["one", "two", ""], 3), ([], 0)],
    ids=["single", "batch", "empty list"],
)
def test_embed_returns_a_unit_vector_per_text(
    client: ollama.Client, texts: str | list[str], count: int
) -> None:
    """One text or many, none included: as many vectors, each of length 1."""
    vectors = client.embed("all-minilm", texts).embeddings

    assert len(vectors) == count
    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-5) for vector in vectors)


def test_embed_cuts_dimensions(client: ollama.Client) -> None:
    """`dimensions` gives shorter vectors."""
    assert len(client.embed("nomic-embed-text", "text", dimensions=256).embeddings[0]) == 256


def test_embed_truncates_unless_told_not_to(client: ollama.Client) -> None:
    """A text over the context is cut and counted so; with truncate off it is a 400."""
    text = "word " * 600

    assert client.embed("all-minilm", text).prompt_eval_count == 512
    with pytest.raises(ollama.ResponseError, match="the input length exceeds the context length") as caught:
        client.embed("all-minilm", text, truncate=False)
    assert caught.value.status_code == 400


def test_older_embedding_endpoint_agrees(client: ollama.Client) -> None:
    """`/api/embeddings` gives the same vector as `/api/embed`."""
    assert (
        client.embeddings("all-minilm", "text").embedding == client.embed("all-minilm", "text").embeddings[0]
    )


def test_chat_quotes_and_cites(client: ollama.Client) -> None:
    """A prompt under the contract is answered from its passages, with counts in words."""
    response = client.chat(CHAT_MODEL, TURNS)

    assert response.message.content == ANSWER
    assert (response.done_reason, response.prompt_eval_count, response.eval_count) == (
        "stop",
        len(GROUNDED.split()),
        9,
    )


def test_generate_answers_as_chat_does(client: ollama.Client) -> None:
    """Both endpoints give one answer."""
    assert client.generate(CHAT_MODEL, GROUNDED).response == ANSWER


def test_json_format_names_the_citations(client: ollama.Client) -> None:
    """`format="json"` gives one object."""
    response = client.chat(CHAT_MODEL, TURNS, format="json")

    assert json.loads(response.message.content or "") == {"answer": ANSWER, "citations": [1]}


def test_chat_streams_in_frames(client: ollama.Client) -> None:
    """Several frames carry the answer, the last one the counts and the reason."""
    frames = list(client.chat(CHAT_MODEL, TURNS, stream=True))

    assert len(frames) == 10
    assert "".join(frame.message.content or "" for frame in frames) == ANSWER
    assert [frame.done for frame in frames] == [False] * 9 + [True]
    assert (frames[-1].done_reason, frames[-1].eval_count) == ("stop", 9)


def test_generate_streams_in_frames(client: ollama.Client) -> None:
    """The same holds for generate."""
    frames = list(client.generate(CHAT_MODEL, GROUNDED, stream=True))

    assert "".join(frame.response or "" for frame in frames) == ANSWER
    assert frames[-1].done is True


@pytest.mark.parametrize(
    ("options", "text", "reason"),
    [
        ({"num_predict": 3}, "Qdrant listens on ", "length"),
        ({"stop": ["6333"], "seed": 1}, "Qdrant listens on port ", "stop"),
    ],
    ids=["num_predict", "stop"],
)
def test_options_end_an_answer(
    client: ollama.Client, options: dict[str, object], text: str, reason: str
) -> None:
    """Limits are kept, and say so; a seed is accepted."""
    response = client.generate(CHAT_MODEL, GROUNDED, options=options)

    assert (response.response, response.done_reason) == (text, reason)


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        (lambda c: c.chat("x", TURNS), 404, "model 'x' not found"),
        (lambda c: list(c.chat("x", TURNS, stream=True)), 404, "model 'x' not found"),
        (lambda c: c.generate("x", "hi"), 404, "model 'x' not found"),
        (lambda c: c.embed("x", "hi"), 404, 'model "x" not found, try pulling it first'),
        (lambda c: c.show("x"), 404, "model 'x' not found"),
        (lambda c: c.embed(CHAT_MODEL, "hi"), 400, "this model does not support embeddings"),
        (lambda c: c.chat("all-minilm", TURNS), 400, '"all-minilm" does not support chat'),
        (lambda c: c.chat(CHAT_MODEL, TURNS, think=True), 400, "does not support thinking"),
        (lambda c: c.pull("all-minilm"), 501, "POST /api/pull is not supported by ragbed's mock LLM"),
        (lambda c: c.push("all-minilm"), 501, "set OLLAMA_HOST to a real Ollama"),
        (lambda c: c.create("mine", from_="all-minilm"), 501, "POST /api/create is not supported"),
        (lambda c: c.delete("all-minilm"), 501, "DELETE /api/delete is not supported"),
    ],
    ids=[
        "chat",
        "chat stream",
        "generate",
        "embed",
        "show",
        "chat model embeds",
        "embedding model chats",
        "think",
        "pull",
        "push",
        "create",
        "delete",
    ],
)
def test_refusals_reach_the_client(
    client: ollama.Client, call: Callable[[ollama.Client], object], status: int, message: str
) -> None:
    """Each refusal has Ollama's status and a sentence that names what was asked."""
    with pytest.raises(ollama.ResponseError) as caught:
        call(client)

    assert caught.value.status_code == status
    assert message in caught.value.error


def test_concurrent_calls_get_their_own_answers(http: httpx.Client) -> None:
    """Fifty calls at once, streams among them, each get the answer to their own prompt, and all are counted."""
    rules = [{"pattern": f"^number {n}$", "answer": f"answer {n} " * 20} for n in range(50)]
    http.put("/ragbed/rules", json={"rules": rules}).raise_for_status()

    async def one(client: ollama.AsyncClient, number: int) -> str:
        turns = [{"role": "user", "content": f"number {number}"}]
        if number % 2:
            return (await client.chat(CHAT_MODEL, turns)).message.content or ""
        return "".join(
            [f.message.content or "" async for f in await client.chat(CHAT_MODEL, turns, stream=True)]
        )

    async def ask_all() -> list[str]:
        async with ollama.AsyncClient(str(http.base_url), timeout=30) as client:
            return await asyncio.gather(*(one(client, number) for number in range(50)))

    assert asyncio.run(ask_all()) == [rule["answer"] for rule in rules]
    assert http.get("/ragbed/history").json()["per_model"] == {CHAT_MODEL: 50}


def test_concurrent_embeddings_agree_with_single_ones(http: httpx.Client, client: ollama.Client) -> None:
    """Batches that run at once do not mix their vectors."""
    texts = [f"text number {number} of the batch" for number in range(40)]

    async def embed_all() -> list[list[float]]:
        async with ollama.AsyncClient(str(http.base_url), timeout=30) as many:
            answers = await asyncio.gather(*(many.embed("all-minilm", [text]) for text in texts))
            return [list(answer.embeddings[0]) for answer in answers]

    assert asyncio.run(embed_all()) == client.embed("all-minilm", texts).embeddings


def test_a_client_that_leaves_disturbs_nobody(http: httpx.Client, client: ollama.Client) -> None:
    """A stream given up after its first frame ends there; the next call is answered."""
    rules = [{"pattern": "^long$", "answer": "word " * 50_000}]
    http.put("/ragbed/rules", json={"rules": rules}).raise_for_status()

    async def leave() -> str:
        async with ollama.AsyncClient(str(http.base_url), timeout=30) as leaving:
            stream = await leaving.generate(CHAT_MODEL, "long", stream=True)
            first = await anext(aiter(stream))
            return first.response or ""

    assert asyncio.run(leave()) == "word "
    assert client.generate(CHAT_MODEL, GROUNDED).response == ANSWER
