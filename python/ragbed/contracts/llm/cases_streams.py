"""Rules about streams and about several calls at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ragbed.contracts.llm.case import Facts, Table
from ragbed.contracts.llm.cases_answers import FIGURES, HEAD, SAID, SHORT, both
from ragbed.contracts.llm.shapes import shape

if TYPE_CHECKING:
    from ragbed.contracts.llm.ask import Ask

FRAMES, TOGETHER = Table("stream"), Table("several at once")
TABLES = (FRAMES, TOGETHER)


@FRAMES.case(
    "frames of a chat carry the message; the last alone is done, says why, has the figures and no text",
    frame={**HEAD, **SAID, "done": False},
    last={**HEAD, **SAID, "done": True, "done_reason": "text", **FIGURES},
    done=[False, True],
    last_text="",
)
async def _chat_frames(ask: Ask) -> Facts:
    frames = (await ask.chat(stream=True, options=SHORT)).frames
    return {**_of(frames), "last_text": frames[-1]["message"]["content"]}


@FRAMES.case(
    "frames of a completion carry its text; the last alone is done, says why, has the figures and no text",
    frame={**HEAD, "response": "text", "done": False},
    last={
        **HEAD,
        "response": "text",
        "done": True,
        "done_reason": "text",
        **FIGURES,
        "context": ["whole number"],
    },
    done=[False, True],
    last_text="",
)
async def _generate_frames(ask: Ask) -> Facts:
    frames = (await ask.generate(stream=True, options=SHORT)).frames
    return {**_of(frames), "last_text": frames[-1]["response"]}


@FRAMES.case("frames joined are the whole answer, in every script", same=[True] * 6)
async def _joined(ask: Ask) -> Facts:
    options = {"num_predict": 30, "seed": 7}
    same = []
    for text in ("the a", "über Köln", "猫が好き"):
        whole, parts = (
            await both(ask, text, options=options),
            await both(ask, text, options=options, stream=True),
        )
        same += [one.text == other.text for one, other in zip(whole, parts, strict=True)]
    return {"same": same}


@FRAMES.case("an answer that is not streamed has the figures of the stream", same=True)
async def _same_figures(ask: Ask) -> Facts:
    counts = ("done_reason", "prompt_eval_count", "eval_count")
    whole, parts = [(await ask.chat(stream=stream, options=SHORT)).body for stream in (False, True)]
    return {"same": [whole[name] for name in counts] == [parts[name] for name in counts]}


@FRAMES.case(
    "streaming is the default of the wire, in lines of JSON",
    kinds=["application/x-ndjson", "application/json"],
    lines=[True, True],
)
async def _default(ask: Ask) -> Facts:
    body = {"model": ask.models.chat, "prompt": "the a", "options": {**SHORT, "num_thread": 1}}
    streamed = await ask.send("POST", "/api/generate", body)
    whole = await ask.send("POST", "/api/generate", {**body, "stream": False})
    ends = [line.endswith("}\n") and line.startswith("{") for line in streamed.body.splitlines(keepends=True)]
    return {
        "kinds": [streamed.content_type, whole.content_type],
        "lines": [len(ends) > 1, all(ends)],
    }


@FRAMES.case("loading is one body, even where a stream was asked for", frames=1, reason="load")
async def _load(ask: Ask) -> Facts:
    answer = await ask.generate("", stream=True)
    return {"frames": len(answer.frames), "reason": answer.body["done_reason"]}


@TOGETHER.case("streams at once end each with a frame of their own", done=[1] * 6, figures=[True] * 6)
async def _streams(ask: Ask) -> Facts:
    options = {"num_predict": 20, "seed": 7}
    answers = await asyncio.gather(*(ask.chat(f"the a {n}", stream=True, options=options) for n in range(6)))
    return {
        "done": [sum(frame["done"] for frame in answer.frames) for answer in answers],
        "figures": [answer.body["eval_count"] > 0 for answer in answers],
    }


@TOGETHER.case("chats and embeddings at once are all answered", statuses=[200] * 6)
async def _mixed(ask: Ask) -> Facts:
    chats = [ask.chat(f"the a {n}", options=SHORT) for n in range(3)]
    answers = await asyncio.gather(*chats, *(ask.embed([f"b {n}", "c"]) for n in range(3)))
    return {"statuses": [answer.status for answer in answers]}


@TOGETHER.case("a refusal among others hurts none of them", statuses=[200, 404, 200, 400, 200])
async def _refused_among_others(ask: Ask) -> Facts:
    calls = [
        ask.embed("a"),
        ask.embed("a", model="nowhere"),
        ask.chat(options=SHORT),
        ask.chat(model=ask.models.embedding),
        ask.generate(options=SHORT),
    ]
    return {"statuses": [answer.status for answer in await asyncio.gather(*calls)]}


@TOGETHER.case(
    "a stream that is left is given up: its model can be unloaded, and answers again",
    first_done=[False] * 4,
    unloaded=[True] * 4,
    tokens=[5] * 4,
)
async def _left(ask: Ask) -> Facts:
    facts: Facts = {"first_done": [], "unloaded": [], "tokens": []}
    for operation in ("chat", "generate", "chat", "generate"):
        facts["first_done"].append(await _leave(ask, operation))
        await ask.generate("", keep_alive=0)  # a real one unloads once nobody asks any more
        facts["unloaded"].append(await ask.comes_true(lambda: _is_unloaded(ask)))
        facts["tokens"].append((await ask.generate(options=SHORT)).body["eval_count"])
    return facts


async def _leave(ask: Ask, operation: str) -> bool:
    endless = {"num_predict": 100_000, "seed": 7, "temperature": 2.0}
    said = (
        {"prompt": "the a"}
        if operation == "generate"
        else {"messages": [{"role": "user", "content": "the a"}]}
    )
    frame = await ask.first_frame(operation, model=ask.models.chat, options=endless, **said)
    done: bool = frame["done"]
    return done


async def _is_unloaded(ask: Ask) -> bool:
    return ask.models.chat not in await ask.running()


def _of(frames: tuple[dict[str, Any], ...]) -> Facts:
    """Return the shapes of a stream's frames: all but the last must have the same."""
    shapes = [shape(frame) for frame in frames[:-1]]
    return {
        "frame": shapes[0] if shapes and all(one == shapes[0] for one in shapes) else shapes,
        "last": shape(frames[-1]),
        "done": [any(frame["done"] for frame in frames[:-1]), frames[-1]["done"]],
    }
