"""Ollama's request bodies: what they become, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ragbed.gateway.wires.json_http import WireError
from ragbed.gateway.wires.ollama.requests import chat_request, embed_request, generate_request, wants_stream

if TYPE_CHECKING:
    from collections.abc import Callable

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_streaming_is_the_default() -> None:
    """As on the real wire, a body that does not say otherwise asks for a stream."""
    assert wants_stream({}) is True


def test_options_become_limits() -> None:
    """num_predict and stop reach the engine."""
    request = chat_request(
        {**CHAT, "options": {"num_predict": 5, "stop": "END", "seed": 7, "temperature": 0.2}}
    )

    assert (request.max_tokens, request.stop) == (5, ("END",))


@pytest.mark.parametrize("num_predict", [-2, -1, 0])
def test_no_positive_num_predict_is_no_limit(num_predict: int) -> None:
    """Zero and the negative values set no limit."""
    assert chat_request({**CHAT, "options": {"num_predict": num_predict}}).max_tokens is None


def test_system_comes_before_the_prompt() -> None:
    """Generate's `system` is the first message of the conversation."""
    request = generate_request({"model": "m", "prompt": "p", "system": "s"})

    assert [turn.role for turn in request.messages] == ["system", "user"]


@pytest.mark.parametrize(
    ("value", "texts"),
    [("one", ("one",)), (["one", ""], ("one", "")), ([], ()), ("", ()), (None, ())],
    ids=["single", "batch", "no texts", "bare empty string", "null"],
)
def test_input_becomes_texts(value: object, texts: tuple[str, ...]) -> None:
    """One text or a list; null and the bare empty string are no text, as on the real wire."""
    assert embed_request({"model": "m", "input": value}).texts == texts


@pytest.mark.parametrize(
    "format_",
    [
        "json",
        {"type": "object", "properties": {"answer": {"type": "string"}, "citations": {"type": "array"}}},
    ],
    ids=["json", "schema"],
)
def test_json_may_be_asked_for(format_: object) -> None:
    """By name, or by a schema of just the properties that the mock's object has."""
    assert chat_request({**CHAT, "format": format_}).json_answer is True


@pytest.mark.parametrize(
    ("parse", "body", "status", "message"),
    [
        (chat_request, {}, 400, "model is required"),
        (chat_request, {**CHAT, "messages": "hi"}, 400, "messages must be of type list, not str"),
        (chat_request, {**CHAT, "messages": ["hi"]}, 400, "a message must be an object, not str"),
        (chat_request, {**CHAT, "options": {"num_predict": "5"}}, 400, '"num_predict" must be of type integer'),
        (chat_request, {**CHAT, "options": {"stop": 5}}, 400, 'option "stop" must be of type array'),
        (chat_request, {**CHAT, "think": True}, 400, '"m" does not support thinking'),
        (chat_request, {**CHAT, "format": {"properties": {"age": {}}}}, 501, "set OLLAMA_HOST to a real Ollama"),
        (generate_request, {"model": "m", "prompt": "p", "suffix": "s"}, 400, '"m" does not support insert'),
        (embed_request, {"model": "m", "input": 5}, 400, "invalid input type"),
        (embed_request, {"model": "m", "input": ["a", 5]}, 400, "invalid input type"),
        (embed_request, {"model": "m", "input": "a", "dimensions": True}, 400, "dimensions must be of type int"),
    ],
    ids=[
        "no model", "messages", "message", "option", "stop", "think", "schema", "suffix", "input", "texts",
        "dimensions",
    ],
)  # fmt: skip
def test_wrong_bodies_are_refused(
    parse: Callable[[dict[str, Any]], object], body: dict[str, Any], status: int, message: str
) -> None:
    """The refusal names the field, and its status says whose fault it is."""
    with pytest.raises(WireError) as caught:
        parse(body)

    assert caught.value.status == status
    assert message in caught.value.message
