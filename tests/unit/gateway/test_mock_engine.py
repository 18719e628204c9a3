"""The mock as an engine: models, contexts, rules, stops and limits."""

from __future__ import annotations

import asyncio
import math
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.errors import UsageError
from ragbed.gateway import (
    CompletionRequest,
    EmbeddingRequest,
    InputTooLongError,
    Message,
    ModelCannotError,
    ModelNotFoundError,
    Tool,
    ToolCall,
)
from ragbed.gateway.mock import ENGINE_VERSION, MockEngine, Rule, embed_text
from ragbed.gateway.mock.engine import finish
from ragbed.gateway.mock.models import MODELS
from ragbed.pins import load_model_lock
from tiny_models.models import LOCK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.gateway import Completion, Delta, Embeddings

SEARCH = Tool(
    name="search",
    parameters={"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
CALL = ToolCall(name="search", arguments={"query": "a fixed one"})
GROUNDED = "Passages:\n[1] a.md\nQdrant listens on port 6333.\n\nQuestion: Which port does Qdrant listen on?"


def embed(*texts: str, model: str = "all-minilm", **options: Any) -> Embeddings:
    """Return the vectors that a fresh engine gives."""
    return asyncio.run(MockEngine().embed(EmbeddingRequest(model=model, texts=texts, **options)))


def complete(engine: MockEngine, prompt: str, **options: Any) -> tuple[list[str], Completion]:
    """Return the pieces of an answer and how it ended."""

    async def collect() -> tuple[list[str], Completion]:
        turns = (Message(role="user", content=prompt),)
        request = CompletionRequest(operation="chat", model="llama3.1:8b", messages=turns, **options)
        deltas = [delta async for delta in await engine.complete(request)]
        assert deltas[-1].completion is not None
        return [delta.text for delta in deltas[:-1]], deltas[-1].completion

    return asyncio.run(collect())


def calls(engine: MockEngine, *turns: Message, tools: Sequence[Tool] = (SEARCH,)) -> tuple[ToolCall, ...]:
    """Return the tool calls of an answer; none where it is words."""

    async def collect() -> list[Delta]:
        request = CompletionRequest(operation="chat", model="llama3.1:8b", messages=turns, tools=tuple(tools))
        return [delta async for delta in await engine.complete(request)]

    return asyncio.run(collect())[0].tool_calls


def user(text: str) -> Message:
    """Return what a user says."""
    return Message(role="user", content=text)


@pytest.mark.parametrize(
    "name",
    [
        "all-minilm",
        "all-minilm:latest",
        "ALL-MINILM",
        "library/all-minilm",
        "registry.ollama.ai/library/all-minilm:latest",
    ],
)
def test_names_may_be_short_in_capitals_or_in_full(name: str) -> None:
    """A name without a tag means `:latest`; case, library and registry change nothing."""
    assert MockEngine().model(name).name == "all-minilm:latest"


@pytest.mark.parametrize("name", ["qwen2.5", "all-minilm:l6", "other/all-minilm", "nope"])
def test_unknown_model_is_named(name: str) -> None:
    """The refusal names the model as it was asked for."""
    with pytest.raises(ModelNotFoundError, match=f"^model '{name}' not found$"):
        MockEngine().model(name)


def test_digests_are_the_mocks_own() -> None:
    """A mocked model's digest follows its name and the engine's version, so it is never a real model's."""
    named = {model.name: model.digest for model in MockEngine().models()}

    assert named == {
        name: sha256(f"ragbed-mock:{name}:{ENGINE_VERSION}".encode()).hexdigest() for name in named
    }


def test_vectors_have_the_models_dimension() -> None:
    """all-minilm gives 384 components, nomic-embed-text 768."""
    sizes = {
        model: len(embed("text", model=model).vectors[0]) for model in ("all-minilm", "nomic-embed-text")
    }

    assert sizes == {"all-minilm": 384, "nomic-embed-text": 768}


@given(dimensions=st.integers(min_value=1, max_value=400), text=st.text(max_size=40))
def test_fewer_dimensions_keep_unit_length(dimensions: int, text: str) -> None:
    """A vector cut to its leading components is scaled again; more than the model has changes nothing."""
    (vector,) = embed(text, dimensions=dimensions).vectors

    assert len(vector) == min(dimensions, 384)
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)


def test_cut_vector_points_the_same_way() -> None:
    """The leading components keep their proportions, as Ollama's do."""
    whole = embed_text("a text of several words to embed", 384)[:64]
    (cut,) = embed("a text of several words to embed", dimensions=64).vectors

    assert cut == pytest.approx([value / math.hypot(*whole) for value in whole], abs=1e-6)


def test_nomic_prefixes_are_instructions() -> None:
    """The task prefixes of nomic-embed-text are not words of the text."""
    document, query = embed("search_document: ports", "search_query: ports", model="nomic-embed-text").vectors

    assert document == query


def test_long_text_is_cut_to_the_context() -> None:
    """Past the context, words have no effect."""
    vectors = embed("word " * 512, "word " * 512 + "other").vectors

    assert vectors[0] == vectors[1]


@pytest.mark.parametrize(
    ("words", "context"), [(513, None), (65, 64)], ids=["the model's maximum", "a smaller one asked for"]
)
def test_long_text_is_refused_without_truncation(words: int, context: int | None) -> None:
    """With truncate off, a text over the context is an error in Ollama's words."""
    with pytest.raises(InputTooLongError, match=r"^the input length exceeds the context length$"):
        embed("word " * words, truncate=False, context=context)


def test_chat_model_does_not_embed() -> None:
    """A model does what it is for."""
    with pytest.raises(ModelCannotError, match="does not support embeddings"):
        embed("text", model="llama3.1:8b")


def test_first_matching_rule_wins() -> None:
    """Rules are tried in their order, before passages are read."""
    rules = [
        Rule(pattern="never", answer="no"),
        Rule(pattern="(?i)HELLO", answer="first"),
        Rule(pattern="h", answer="x"),
    ]

    assert complete(MockEngine(rules=rules), "hello there")[0] == ["first"]


def test_broken_pattern_is_refused() -> None:
    """A rule that could never be searched is refused when it is made."""
    with pytest.raises(UsageError, match=r"rule pattern '\(' is not a regular expression"):
        Rule(pattern="(", answer="")


def test_tokens_are_counted_in_words() -> None:
    """Input counts the messages' words, output the answer's."""
    _, completion = complete(MockEngine(), "one two three")

    assert (completion.input_tokens, completion.output_tokens) == (3, 6)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ("I am a mock LLM response.", "stop")),
        ({"stop": ("mock", "am")}, ("I ", "stop")),
        ({"stop": ("",)}, ("I am a mock LLM response.", "stop")),
        ({"stop": ("I",)}, ("", "stop")),
        ({"max_tokens": 2}, ("I am ", "length")),
        ({"max_tokens": 6}, ("I am a mock LLM response.", "stop")),
    ],
    ids=["whole", "earliest stop", "empty stop", "stop at once", "limit", "limit just met"],
)
def test_answers_end_where_they_are_told(options: dict[str, object], expected: tuple[str, str]) -> None:
    """Stop sequences cut the answer before themselves, the token limit after so many words."""
    pieces, completion = complete(MockEngine(), "hi", **options)

    assert ("".join(pieces), completion.finish_reason) == expected


@given(text=st.text())
def test_pieces_give_back_the_text(text: str) -> None:
    """No character of an answer is lost in streaming."""
    assert "".join(finish(text, stop=(), max_tokens=None)[0]) == text


def test_offered_tool_is_called_with_the_message() -> None:
    """The first of the tools, with the least arguments that its schema allows; strings hold what was said."""
    other = Tool(name="other", parameters={})

    assert calls(MockEngine(), user("hello there"), tools=[SEARCH, other]) == (
        ToolCall(name="search", arguments={"query": "hello there"}),
    )


@pytest.mark.parametrize(
    "turns",
    [(user("hello"), Message(role="tool", content="found")), (user(GROUNDED),)],
    ids=["once it has answered", "with passages to answer from"],
)
def test_no_tool_is_called(turns: tuple[Message, ...]) -> None:
    """An agent comes to an end, and a grounded question is answered from its passages."""
    assert calls(MockEngine(), *turns) == ()


@pytest.mark.parametrize("parameters", [{}, {"type": "string"}], ids=["none", "no object"])
def test_a_tool_without_parameters_is_called_without_arguments(parameters: dict[str, str]) -> None:
    """Whatever was said: arguments are an object."""
    tool = Tool(name="now", parameters=parameters)

    assert calls(MockEngine(), user("hello"), tools=[tool]) == (ToolCall(name="now", arguments={}),)


def test_rule_calls_the_tool_that_it_names() -> None:
    """With its own arguments, before passages are read."""
    engine = MockEngine(rules=[Rule(pattern="Which port", tool_calls=(CALL,))])

    assert calls(engine, user(GROUNDED)) == (CALL,)


@pytest.mark.parametrize(
    ("turns", "tools"),
    [
        ((user("look"),), []),
        ((user("look"),), [Tool(name="other")]),
        ((user("look"), Message(role="tool", content="found")), [SEARCH]),
    ],
    ids=["without tools", "without this tool", "once it has answered"],
)
def test_rule_that_cannot_call_is_passed_over(turns: tuple[Message, ...], tools: list[Tool]) -> None:
    """The next rule holds."""
    engine = MockEngine(
        rules=[Rule(pattern="look", tool_calls=(CALL,)), Rule(pattern="look", answer="words")]
    )

    assert CALL not in calls(engine, *turns, tools=tools)


def test_long_prompt_is_cut_to_the_context_from_its_beginning() -> None:
    """The last words stay, with their lines; the tokens are those of the context."""
    engine = MockEngine(
        rules=[Rule(pattern="one", answer="uncut"), Rule(pattern="two\nthree$", answer="cut")]
    )

    pieces, completion = complete(engine, "one\ntwo\nthree", context=2)

    assert ("".join(pieces), completion.input_tokens) == ("cut", 2)


def test_long_prompt_is_refused_where_it_may_not_be_cut() -> None:
    """By the words that Ollama has for it."""
    with pytest.raises(InputTooLongError, match="the input length exceeds the context length"):
        complete(MockEngine(), "one two three", context=2, truncate=False)


def test_schema_is_answered_by_its_smallest_value() -> None:
    """Strings hold the answer."""
    schema = {"properties": {"said": {"type": "string"}, "sure": {"type": "boolean"}}}

    assert complete(MockEngine(), GROUNDED, schema=schema)[0] == [
        '{"said": ', '"Qdrant ', "listens ", "on ", "port ", "6333. ", '[1]", ', '"sure": ', "false}",
    ]  # fmt: skip


def test_models_are_those_of_the_lock_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the lock states them, and none else."""
    monkeypatch.setenv("RAGBED_MODELS_LOCK", str(LOCK))

    minilm, tiny = MockEngine().models()

    assert (minilm.name, minilm.capabilities, minilm.dimensions) == (
        "made-minilm:latest",
        ("embedding",),
        384,
    )
    assert (minilm.max_context, minilm.parameter_size) == (512, "22.57M")
    assert (tiny.name, tiny.capabilities) == ("made-tiny:latest", ("completion", "tools"))


def test_known_models_are_those_of_our_lock() -> None:
    """Without a lock named, the mock does not read one: what it knows by heart must be the same."""
    assert {model.name for model in MODELS} == set(load_model_lock().models)


def test_any_model_is_answered_for_where_the_project_says_so() -> None:
    """It embeds, chats and thinks where it is asked to; the list of models does not grow."""
    engine = MockEngine(any_model=True)
    before = engine.models()
    model = engine.model("someone/model:7b")

    assert (model.name, model.dimensions, model.can("vision")) == ("someone/model:7b", 384, True)
    assert engine.models() == before


@pytest.mark.parametrize(("context", "words"), [(-5, 20), (0, 20), (3, 3)])
def test_context_that_is_none_is_the_models(context: int, words: int) -> None:
    """As one that is not asked for."""
    assert embed("w " * 20, context=context).input_tokens == words
