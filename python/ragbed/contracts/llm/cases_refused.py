"""Rules about refusals: unknown models, wrong bodies, wrong types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.contracts.llm.case import Facts, Table

if TYPE_CHECKING:
    from ragbed.contracts.llm.ask import Ask

MODELS, BODIES, TYPES = Table("unknown model"), Table("body"), Table("type")
TABLES = (MODELS, BODIES, TYPES)

_QUOTED = "model 'nowhere' not found"
_PULL = 'model "nowhere" not found, try pulling it first'
_PATHS = ("chat", "generate", "embed", "embeddings", "show")


@MODELS.case(
    "every call is 404 and names it",
    chat={"status": 404, "message": _QUOTED},
    chat_streamed={"status": 404, "message": _QUOTED},
    generate={"status": 404, "message": _QUOTED},
    load={"status": 404, "message": _QUOTED},
    unload={"status": 404, "message": _QUOTED},
    embed={"status": 404, "message": _PULL},
    embeddings={"status": 404, "message": _PULL},
    show={"status": 404, "message": _QUOTED},
)
async def _unknown(ask: Ask) -> Facts:
    answers = {
        "chat": await ask.chat(model="nowhere"),
        "chat_streamed": await ask.chat(model="nowhere", stream=True),
        "generate": await ask.generate(model="nowhere"),
        "load": await ask.generate("", model="nowhere"),
        "unload": await ask.generate("", model="nowhere", keep_alive=0),
        "embed": await ask.embed("a", model="nowhere"),
        "embeddings": await ask("embeddings", model="nowhere", prompt="a"),
        "show": await ask("show", model="nowhere"),
    }
    return {name: {**answer.refusal, "message": _begun(answer.message)} for name, answer in answers.items()}


def _begun(message: str) -> str:
    """Return a refusal without what the mock adds to it: how the model is declared."""
    return message.partition("; declare it in ragbed.toml")[0]


@MODELS.case("a tag that is not there is an unknown model", statuses=[404, 404])
async def _tag(ask: Ask) -> Facts:
    chat = await ask.chat(model=f"{ask.models.chat}:other")
    return {"statuses": [chat.status, (await ask.embed("a", model=f"{ask.models.embedding}:other")).status]}


@MODELS.case(
    "an embedding model does not chat",
    chat=[400, '"{}" does not support chat'],
    generate=[400, '"{}" does not support generate'],
)
async def _cannot(ask: Ask) -> Facts:
    name = ask.models.embedding
    answers = {"chat": await ask.chat(model=name), "generate": await ask.generate(model=name)}
    return {key: [one.status, one.message.replace(name, "{}")] for key, one in answers.items()}


@MODELS.case(
    "a body that names none is refused",
    chat=[400, "model is required"],
    generate=[404, "model '' not found"],
    embed=[404, "model '' not found"],
    embeddings=[400, "model is required"],
    show=[400, "model is required"],
)
async def _not_named(ask: Ask) -> Facts:
    replies = {path: await ask.send("POST", f"/api/{path}", {}) for path in _PATHS}
    return {path: [reply.status, _begun(reply.body["error"])] for path, reply in replies.items()}


@MODELS.case("what is no name is refused", **{path: [400, "invalid model name"] for path in _PATHS})
async def _no_name(ask: Ask) -> Facts:
    replies = {path: await ask.send("POST", f"/api/{path}", {"model": "a b"}) for path in _PATHS}
    return {path: [reply.status, reply.body["error"]] for path, reply in replies.items()}


@BODIES.case("no body is refused", **{path: [400, "missing request body"] for path in _PATHS})
async def _no_body(ask: Ask) -> Facts:
    replies = {path: await ask.send("POST", f"/api/{path}", b"") for path in _PATHS}
    return {path: [reply.status, reply.body["error"]] for path, reply in replies.items()}


@BODIES.case(
    "what is no JSON object is refused, with an error in JSON",
    cut_off=[[400, ["error"]]] * 5,
    not_utf8=[[400, ["error"]]] * 5,
    a_list=[[400, ["error"]]] * 5,
    a_text=[[400, ["error"]]] * 5,
)
async def _no_object(ask: Ask) -> Facts:
    bodies = {"cut_off": b'{"model": ', "not_utf8": b"\xff\xfe", "a_list": b"[]", "a_text": b'"text"'}
    return {name: [await _refused(ask, path, body) for path in _PATHS] for name, body in bodies.items()}


@BODIES.case("fields that nobody knows are passed over", statuses=[200] * 5)
async def _unknown_field(ask: Ask) -> Facts:
    body = {"model": ask.models.chat, "nobody_knows": 5}
    given = {path: {**body, "model": ask.models.embedding} if "embed" in path else body for path in _PATHS}
    return {"statuses": [(await ask.send("POST", f"/api/{path}", given[path])).status for path in _PATHS]}


@BODIES.case(
    "half an emoji, names in capitals, null, equal names and what follows the object are taken",
    statuses=[200] * 6,
)
async def _as_go_reads(ask: Ask) -> Facts:
    name = ask.models.embedding.encode()
    bodies = [
        b'{"model":"%s","input":"all done \\ud83d"}' % name,
        b'{"model":"%s","input":"\xff"}' % name,
        b'{"MODEL":"%s","Input":"a"}' % name,
        b'{"model":"%s","input":"a","truncate":null,"dimensions":null,"keep_alive":null}' % name,
        b'{"model":"nowhere","model":"%s","input":"a"}' % name,
        b'{"model":"%s","input":"a"}\n{} and more' % name,
    ]
    return {"statuses": [(await ask.send("POST", "/api/embed", body)).status for body in bodies]}


_DURATIONS = {
    "-1": 'time: missing unit in duration "-1"',
    "1d": 'time: unknown unit "d" in duration "1d"',
    "5 m": 'time: unknown unit " m" in duration "5 m"',
    "9999999999h": 'time: invalid duration "9999999999h"',
    "": 'time: invalid duration ""',
}


@TYPES.case("keep_alive is refused in the words of Go's durations", **_DURATIONS)
async def _durations(ask: Ask) -> Facts:
    bodies = {text: {**_whole(ask, "chat"), "keep_alive": text} for text in _DURATIONS}
    return {text: (await ask.send("POST", "/api/chat", body)).body["error"] for text, body in bodies.items()}


def _history(call: object, **tool: object) -> dict[str, Any]:
    """Return messages with a call and its answer."""
    said = {"role": "assistant", "content": "", "tool_calls": call}
    return {"messages": [{"role": "user", "content": "a"}, said, {"role": "tool", "content": "b", **tool}]}


WRONG: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("a model that is a number", "chat", {"model": 5}, "model"),
    ("messages that are a text", "chat", {"messages": "hi"}, "messages"),
    ("a message that is a text", "chat", {"messages": ["hi"]}, "message"),
    ("content that is a number", "chat", {"messages": [{"role": "user", "content": 5}]}, "content"),
    ("content in parts", "chat", {"messages": [{"role": "user", "content": ["hi"]}]}, "content"),
    ("stream that is a text", "chat", {"stream": "yes"}, "stream"),
    ("tools that are a text", "chat", {"tools": "look_up"}, "tools"),
    ("options that are a list", "chat", {"options": [1]}, "options"),
    ("a measure of thinking that is none", "chat", {"think": "very"}, "invalid think value"),
    ("thinking that is a number", "chat", {"think": 5}, "think must be a boolean"),
    ("keep_alive without its unit", "chat", {"keep_alive": "10"}, "duration"),
    ("keep_alive that is no duration", "chat", {"keep_alive": "soon"}, "invalid duration"),
    ("keep_alive that is a truth value", "chat", {"keep_alive": True}, "Unsupported type"),
    (
        "calls that are an object",
        "chat",
        _history({"function": {}}),
        "messages.tool_calls of type []api.ToolCall",
    ),
    ("a call's identity that is a number", "chat", _history([{"id": 5}]), "tool_calls.id of type string"),
    (
        "a call's name that is a number",
        "chat",
        _history([{"function": {"name": 5}}]),
        "function.name of type string",
    ),
    (
        "a call's arguments that are a text",
        "chat",
        _history([{"function": {"arguments": "{}"}}]),
        "closing '}' symbol",
    ),
    (
        "a tool's name that is a number",
        "chat",
        _history([], tool_name=5),
        "messages.tool_name of type string",
    ),
    (
        "a thought that is a number",
        "chat",
        {"messages": [{"thinking": 5}]},
        "messages.thinking of type string",
    ),
    ("stream that is a number", "chat", {"stream": 1}, "json: cannot unmarshal number into Go struct field"),
    (
        "a whole number with an exponent",
        "embed",
        {"dimensions": 1e30},
        "json: cannot unmarshal number 1e+30 into",
    ),
    (
        "too many likeliest tokens",
        "chat",
        {"logprobs": True, "top_logprobs": 30},
        "top_logprobs must be between 0 and 20",
    ),
    ("a prompt that is a number", "generate", {"prompt": 5}, "prompt"),
    ("a system that is a list", "generate", {"system": ["b"]}, "system"),
    ("an image that is no base64", "generate", {"images": ["***"]}, "base64"),
    (
        "raw together with a system",
        "generate",
        {"raw": True, "system": "b"},
        "raw mode does not support template, system, or context",
    ),
    ("input that is a number", "embed", {"input": 5}, "invalid input type"),
    ("input with a number in it", "embed", {"input": ["a", 5]}, "invalid input type"),
    ("input of lists", "embed", {"input": [["a"]]}, "invalid input type"),
    ("dimensions that are a text", "embed", {"dimensions": "5"}, "dimensions"),
    ("dimensions with a fraction", "embed", {"dimensions": 1.5}, "dimensions"),
    ("truncate that is a text", "embed", {"truncate": "no"}, "truncate"),
    ("a prompt to embed that is a list", "embeddings", {"prompt": ["a"]}, "prompt"),
)
"""What is wrong, where, the fields that make it so, and words that the refusal has on every server."""

WRONG_OPTIONS: dict[str, Any] = {
    "num_predict": "5",
    "seed": "x",
    "temperature": "hot",
    "stop": "END",
    "use_mmap": 1,
    "num_ctx": "512",
    "top_p": True,
}


def _wrong(what: str, path: str, fields: dict[str, Any], words: str) -> None:
    @TYPES.case(f"refused: {what}", status=400, keys=["error"], says=words)
    async def _find(ask: Ask) -> Facts:
        reply = await ask.send("POST", f"/api/{path}", {**_whole(ask, path), **fields})
        message = reply.body.get("error", "")
        return {
            "status": reply.status,
            "keys": list(reply.body),
            "says": words if words in message else message,
        }


for row in WRONG:
    _wrong(*row)


@TYPES.case(
    "an option of a wrong type is an error of the server, and named",
    **{name: [500, True] for name in WRONG_OPTIONS},
)
async def _options(ask: Ask) -> Facts:
    facts: Facts = {}
    for name, value in WRONG_OPTIONS.items():
        reply = await ask.send("POST", "/api/generate", {**_whole(ask, "generate"), "options": {name: value}})
        facts[name] = [reply.status, f'option "{name}" must be of type' in str(reply.body)]
    return facts


@TYPES.case("an option of a wrong type is an error of the server for embeddings too", status=500)
async def _embed_options(ask: Ask) -> Facts:
    body = {**_whole(ask, "embed"), "options": {"num_ctx": "512"}}
    return {"status": (await ask.send("POST", "/api/embed", body)).status}


def _whole(ask: Ask, path: str) -> dict[str, Any]:
    """Return a body that would be answered."""
    options = {"options": {"num_thread": 1, "num_predict": 2}, "stream": False}
    return {
        "chat": {"model": ask.models.chat, "messages": [{"role": "user", "content": "a"}], **options},
        "generate": {"model": ask.models.chat, "prompt": "a", **options},
        "embed": {"model": ask.models.embedding, "input": "a", **options},
        "embeddings": {"model": ask.models.embedding, "prompt": "a", **options},
    }[path]


async def _refused(ask: Ask, path: str, body: Any) -> list[Any]:
    reply = await ask.send("POST", f"/api/{path}", body)
    return [reply.status, list(reply.body) if isinstance(reply.body, dict) else reply.content_type]
