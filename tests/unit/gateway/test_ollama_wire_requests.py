"""Ollama's request bodies: what they become, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ragbed.gateway.wires.json_http import WireError
from ragbed.gateway.wires.ollama.fields import unloads
from ragbed.gateway.wires.ollama.requests import chat_request, embed_request, generate_request, wants_stream

if TYPE_CHECKING:
    from collections.abc import Callable

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_streaming_is_the_default() -> None:
    """As on the real wire, a body that does not say otherwise asks for a stream."""
    assert wants_stream({}) is True


def test_options_become_limits() -> None:
    """num_predict and stop reach the engine; a fraction of a token is cut off."""
    request = chat_request(
        {**CHAT, "options": {"num_predict": 5.9, "stop": ["END"], "seed": 7, "temperature": 0.2}}
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
        (chat_request, {**CHAT, "options": {"num_predict": "5"}}, 500, '"num_predict" must be of type integer'),
        (chat_request, {**CHAT, "options": {"stop": "END"}}, 500, 'option "stop" must be of type array'),
        (chat_request, {**CHAT, "options": {"stop": [5]}}, 500, 'option "stop" must be of an array of strings'),
        (chat_request, {**CHAT, "tools": ["search"]}, 400, "a tool must be an object, not str"),
        (chat_request, {**CHAT, "think": True}, 400, '"m" does not support thinking'),
        (chat_request, {**CHAT, "think": "very"}, 400, 'invalid think value: "very"'),
        (chat_request, {**CHAT, "format": "yaml"}, 500, "invalid format: 'yaml'"),
        (chat_request, {**CHAT, "format": {"type": "age"}}, 500, "invalid JSON schema in format"),
        (generate_request, {"model": "m", "prompt": "p", "suffix": "s"}, 400, "m does not support insert"),
        (embed_request, {"model": "m", "input": 5}, 400, "invalid input type"),
        (embed_request, {"model": "m", "input": ["a", 5]}, 400, "invalid input type"),
        (embed_request, {"model": "m", "input": "a", "dimensions": True}, 400, "dimensions must be of type int"),
    ],
    ids=[
        "no model", "messages", "message", "option", "stop", "stops", "tool", "think", "measure", "format", "schema",
        "suffix", "input", "texts", "dimensions",
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


def test_schema_reaches_the_engine() -> None:
    """Any but the one that the mock's own JSON object has."""
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}}
    request = chat_request({**CHAT, "format": schema})

    assert (request.schema, request.json_answer) == (schema, False)


@pytest.mark.parametrize(
    ("value", "unloading"),
    [
        (None, False),
        (0, True),
        (0.0, True),
        ("0", True),
        ("0s", True),
        ("0h0m", True),
        (-1, False),
        (0.5, False),
        ("1h30m", False),
        ("1.5s", False),
    ],
)
def test_keep_alive_of_no_time_unloads(value: object, unloading: bool) -> None:
    """As a number of seconds, or as a duration."""
    assert unloads({"keep_alive": value}) is unloading


@pytest.mark.parametrize("value", [True, [], "", "10", "soon", "5 m", "m"])
def test_keep_alive_that_is_no_duration_is_refused(value: object) -> None:
    """Seconds as text need their unit."""
    with pytest.raises(WireError) as caught:
        unloads({"keep_alive": value})

    assert caught.value.status == 400
