"""Ollama's request bodies: what they become, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.gateway.wires.json_http import WireError
from ragbed.gateway.wires.ollama import requests, types
from ragbed.gateway.wires.ollama.bodies import Body, parse_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.gateway import CompletionRequest, EmbeddingRequest


def parsed(fields: dict[str, Any], kind: Any = types.CHAT) -> Body:
    """Return a body as the wire reads it."""
    return parse_body(json.dumps(fields).encode(), kind)


def chat_request(fields: dict[str, Any]) -> CompletionRequest:
    """Return what a body of `/api/chat` becomes."""
    return requests.chat_request(parsed(fields), "m")


def generate_request(fields: dict[str, Any]) -> CompletionRequest:
    """Return what a body of `/api/generate` becomes."""
    return requests.generate_request(parsed(fields, types.GENERATE), "m")


def embed_request(fields: dict[str, Any]) -> EmbeddingRequest:
    """Return what a body of `/api/embed` becomes."""
    return requests.embed_request(parsed(fields, types.EMBED), "m")


CANNOT = "json: cannot unmarshal"
FIELD = "Go struct field ChatRequest."
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_streaming_is_the_default() -> None:
    """As on the real wire, a body that does not say otherwise asks for a stream."""
    assert requests.wants_stream(parsed({})) is True


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
        (chat_request, {**CHAT, "messages": "hi"}, 400, f"{CANNOT} string into {FIELD}messages of type []api.Message"),
        (chat_request, {**CHAT, "messages": ["hi"]}, 400, f"{CANNOT} string into {FIELD}messages of type api.Alias"),
        (chat_request, {**CHAT, "options": {"num_predict": "5"}}, 500, '"num_predict" must be of type integer'),
        (chat_request, {**CHAT, "options": {"stop": "END"}}, 500, 'option "stop" must be of type array'),
        (chat_request, {**CHAT, "options": {"stop": [5]}}, 500, 'option "stop" must be of an array of strings'),
        (chat_request, {**CHAT, "tools": ["search"]}, 400, f"{CANNOT} string into {FIELD}tools of type api.Tool"),
        (chat_request, {**CHAT, "think": "very"}, 400, 'invalid think value: "very"'),
        (chat_request, {**CHAT, "format": "yaml"}, 500, r'invalid format: "\"yaml\""; expected "json"'),
        (embed_request, {"model": "m", "input": 5}, 400, "invalid input type"),
        (embed_request, {"model": "m", "input": ["a", 5]}, 400, "invalid input type"),
        (embed_request, {"input": "a", "dimensions": True}, 400, "field EmbedRequest.dimensions of type int"),
    ],
    ids=[
        "messages", "message", "option", "stop", "stops", "tool", "measure", "format", "input", "texts", "dimensions",
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
    assert requests.unloads(parsed({"keep_alive": value})) is unloading


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "Unsupported type: 'bool'"),
        ([], "Unsupported type: '[]interface {}'"),
        ({}, "Unsupported type: 'map[string]interface {}'"),
        ("", 'time: invalid duration ""'),
        ("10", 'time: missing unit in duration "10"'),
        ("-1", 'time: missing unit in duration "-1"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("5 m", 'time: unknown unit " m" in duration "5 m"'),
        ("1hh", 'time: unknown unit "hh" in duration "1hh"'),
        ("soon", 'time: invalid duration "soon"'),
        (".s", 'time: invalid duration ".s"'),
        ("9999999999h", 'time: invalid duration "9999999999h"'),
        ("5\u00fc", r'time: unknown unit "\xc3\xbc" in duration "5\xc3\xbc"'),
    ],
)
def test_keep_alive_that_is_no_duration_is_refused_in_gos_words(value: object, message: str) -> None:
    """Clients look for them."""
    with pytest.raises(WireError) as caught:
        parsed({"keep_alive": value})

    assert (caught.value.status, caught.value.message) == (400, message)
