"""Rules about structure: JSON, schemas, tools, thinking."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema

from ragbed.contracts.llm.case import Facts, Table
from ragbed.contracts.llm.shapes import shape

if TYPE_CHECKING:
    from ragbed.contracts.llm.ask import Ask

JSON, TOOLS = Table("format"), Table("tools and thinking")
TABLES = (JSON, TOOLS)

SCHEMA = {
    "type": "object",
    "properties": {
        "open": {"type": "boolean"},
        "state": {"enum": ["up", "down"]},
        "ports": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        "name": {"type": "string"},
    },
    "required": ["open", "state", "ports", "name"],
}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
QUESTION = "What is the weather in Paris?"
CALLED = {"function": {"name": "get_weather", "arguments": {"city": "text"}}}
RESULT = [
    {"role": "user", "content": QUESTION},
    {
        "role": "assistant",
        "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}],
    },
    {"role": "tool", "tool_name": "get_weather", "content": "sunny"},
]


@JSON.case("JSON is one object, by chat and by generate, streamed or whole", objects=[True] * 3)
async def _json(ask: Ask) -> Facts:
    options = {"num_predict": 200, "temperature": 0}
    answers = [
        await ask.chat(QUESTION, format="json", options=options),
        await ask.generate(QUESTION, format="json", options=options),
        await ask.chat(QUESTION, format="json", options=options, stream=True),
    ]
    return {"objects": [isinstance(json.loads(answer.text), dict) for answer in answers]}


@JSON.case("a schema gives JSON of it, by chat and by generate, streamed or whole", valid=[True] * 3)
async def _schema(ask: Ask) -> Facts:
    options = {"num_predict": 200, "temperature": 0}
    answers = [
        await ask.chat(format=SCHEMA, options=options),
        await ask.generate(format=SCHEMA, options=options),
        await ask.chat(format=SCHEMA, options=options, stream=True),
    ]
    return {"valid": [_is_of_schema(json.loads(answer.text)) for answer in answers]}


@JSON.case("an empty format is none", statuses=[200, 200])
async def _none(ask: Ask) -> Facts:
    options = {"num_predict": 3}
    answers = [await ask.chat(format="", options=options), await ask.generate(format="", options=options)]
    return {"statuses": [answer.status for answer in answers]}


@JSON.case("what is no format is an error of the server", statuses=[500] * 4)
async def _no_format(ask: Ask) -> Facts:
    common = {"model": ask.models.chat, "prompt": "the a", "options": {"num_predict": 3, "num_thread": 1}}
    formats: list[Any] = ["yaml", 5, ["json"], {"type": "nonsense"}]
    return {
        "statuses": [
            (await ask.send("POST", "/api/generate", {**common, "format": one})).status for one in formats
        ]
    }


@JSON.case(
    "a schema that refers to nowhere is an error of the server",
    refused=[[500, "invalid JSON schema in format"]] * 2,
)
async def _lost(ask: Ask) -> Facts:
    lost = {"type": "array", "items": {"$ref": "#/$defs/nowhere"}, "minItems": 1}
    answers = [await ask.chat(format=lost), await ask.generate(format=lost)]
    return {"refused": [[answer.status, answer.message] for answer in answers]}


@TOOLS.case(
    "a tool that is offered is called by its name, with arguments, and nothing is said",
    calls=[CALLED],
    content="",
    reason="stop",
)
async def _call(ask: Ask) -> Facts:
    body = (await ask.chat(QUESTION, tools=[TOOL])).body
    message = body["message"]
    return {
        "calls": shape_of_calls(message),
        "content": message["content"],
        "reason": body["done_reason"],
    }


@TOOLS.case("a stream carries the call in a frame before the last", calls=[[CALLED], []], done=[False, True])
async def _streamed_call(ask: Ask) -> Facts:
    frames = (await ask.chat(QUESTION, tools=[TOOL], stream=True)).frames
    return {
        "calls": [shape_of_calls(frame["message"]) for frame in frames],
        "done": [frame["done"] for frame in frames],
    }


@TOOLS.case(
    "below the client a call has an identity and its place",
    call={"id": "text", "function": {"index": 0, "name": "get_weather", "arguments": {"city": "text"}}},
    begins="call_",
)
async def _identity(ask: Ask) -> Facts:
    turns = [{"role": "user", "content": QUESTION}]
    body = {"model": ask.models.chat, "messages": turns, "tools": [TOOL], "stream": False}
    reply = await ask.send("POST", "/api/chat", {**body, "options": {"num_thread": 1}})
    call = reply.body["message"]["tool_calls"][0]
    function = {**call["function"], "arguments": shape(call["function"]["arguments"])}
    return {"call": {**call, "id": shape(call["id"]), "function": function}, "begins": call["id"][:5]}


@TOOLS.case("once the tool has answered, the model does", status=200, calls=[], words=True)
async def _result(ask: Ask) -> Facts:
    answer = await ask.chat(messages=RESULT, tools=[TOOL])
    return {
        "status": answer.status,
        "calls": shape_of_calls(answer.body["message"]),
        "words": bool(answer.text),
    }


@TOOLS.case("without tools none is called", calls=[], words=True)
async def _none_offered(ask: Ask) -> Facts:
    answer = await ask.chat(QUESTION)
    return {"calls": shape_of_calls(answer.body["message"]), "words": bool(answer.text)}


@TOOLS.case("an empty list of tools is none", status=200)
async def _no_tools(ask: Ask) -> Facts:
    return {"status": (await ask.chat(tools=[], options={"num_predict": 3})).status}


@TOOLS.case("a text to fill in is refused by a model that cannot", status=400, says=True)
async def _suffix(ask: Ask) -> Facts:
    refusal = (await ask.generate(suffix="b")).refusal
    return {"status": refusal["status"], "says": refusal["message"].endswith("does not support insert")}


@TOOLS.case("thinking is refused by a model that cannot, whatever its measure", refused=[[400, True]] * 4)
async def _thinking(ask: Ask) -> Facts:
    answers = [await ask.chat(think=True), await ask.chat(think="high")]
    answers += [await ask.generate(think=True), await ask.generate(think="low")]
    message = f'"{ask.models.chat}" does not support thinking'
    return {"refused": [[answer.status, answer.message == message] for answer in answers]}


def shape_of_calls(message: dict[str, Any]) -> list[Any]:
    """Return the calls of a message: their names, and the shapes of their arguments."""
    calls = [call["function"] for call in message.get("tool_calls", [])]
    return [{"function": {"name": one["name"], "arguments": shape(one["arguments"])}} for one in calls]


def _is_of_schema(value: Any) -> bool:
    jsonschema.validate(value, SCHEMA)
    return True
