"""Rules about embeddings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ragbed.contracts.llm.case import Facts, Table
from ragbed.contracts.llm.shapes import alike, lengths, shape

if TYPE_CHECKING:
    from ragbed.contracts.llm.ask import Ask

EMBED, OLDER = Table("embed"), Table("embeddings, the older endpoint")
TABLES = (EMBED, OLDER)

TEXTS = ["a red apple", "der blaue Himmel über Köln", "def add(a, b): return a + b", "猫が好き"]
LONG = "word " * 600
TOO_LONG = "the input length exceeds the context length"


@EMBED.case(
    "one text gives one vector of length 1",
    body={
        "model": "text",
        "embeddings": [["number"]],
        "total_duration": "whole number",
        "load_duration": "whole number",
        "prompt_eval_count": "whole number",
    },
    lengths=[1.0],
)
async def _single(ask: Ask) -> Facts:
    body = (await ask.embed("a red apple")).body
    return {"body": shape(body), "lengths": lengths(body["embeddings"])}


@EMBED.case("the model is named as it was asked for", names=True)
async def _name(ask: Ask) -> Facts:
    asked = [ask.models.embedding, f"{ask.models.embedding}:latest"]
    return {"names": [(await ask.embed("a", model=name)).body["model"] for name in asked] == asked}


@EMBED.case(
    "a batch gives each text its own vector, in order", lengths=[1.0] * 4, same=[True] * 4, different=True
)
async def _batch(ask: Ask) -> Facts:
    batch = (await ask.embed(TEXTS)).body["embeddings"]
    alone = [(await ask.embed(text)).body["embeddings"][0] for text in TEXTS]
    return {
        "lengths": lengths(batch),
        "same": [alike(*pair) for pair in zip(batch, alone, strict=True)],
        "different": not any(alike(batch[0], other) for other in batch[1:]),
    }


@EMBED.case("the same text gives the same vector", same=True)
async def _same(ask: Ask) -> Facts:
    one, other = [(await ask.embed(TEXTS[0])).body["embeddings"][0] for _ in range(2)]
    return {"same": alike(one, other)}


@EMBED.case("a text on the same matter is closer than one on another", closer=True)
async def _closer(ask: Ask) -> Facts:
    texts = ["restart the database server", "how do I restart a database server?", "apple pie with cinnamon"]
    question, near, far = (await ask.embed(texts)).body["embeddings"]
    nearness = [sum(a * b for a, b in zip(question, other, strict=True)) for other in (near, far)]
    return {"closer": nearness[0] > nearness[1] + 0.2}


@EMBED.case(
    "nothing to embed gives no vector and no figures: the empty string, an empty list",
    bodies=[{"embeddings": []}] * 2,
)
async def _nothing(ask: Ask) -> Facts:
    nothing: tuple[str | list[str], ...] = ("", [])
    bodies = [(await ask.embed(texts)).body for texts in nothing]
    return {"bodies": [{key: value for key, value in body.items() if key != "model"} for body in bodies]}


@EMBED.case("a body without input is an embedding of nothing", status=200, embeddings=[])
async def _no_input(ask: Ask) -> Facts:
    reply = await ask.send("POST", "/api/embed", {"model": ask.models.embedding})
    return {"status": reply.status, "embeddings": reply.body["embeddings"]}


@EMBED.case("empty and blank texts in a list have vectors", lengths=[1.0] * 4)
async def _blank(ask: Ask) -> Facts:
    return {"lengths": lengths((await ask.embed(["", " ", "\n", "a"])).body["embeddings"])}


@EMBED.case("tokens are counted over the batch", counted=True, sum=True)
async def _tokens(ask: Ask) -> Facts:
    counts = [
        (await ask.embed(texts)).body["prompt_eval_count"] for texts in ("a b c", "d e", ["a b c", "d e"])
    ]
    return {"counted": counts[0] > counts[1] > 0, "sum": counts[2] == counts[0] + counts[1]}


@EMBED.case(
    "a text over the context is cut to it, and its tokens are those of the context", vectors=1, full=True
)
async def _cut(ask: Ask) -> Facts:
    body = (await ask.embed(LONG)).body
    return {"vectors": len(body["embeddings"]), "full": body["prompt_eval_count"] == await _context(ask)}


@EMBED.case("what is cut off changes nothing", same=True)
async def _cut_off(ask: Ask) -> Facts:
    one, other = (await ask.embed([LONG, LONG + "and quite another end " * 40])).body["embeddings"]
    return {"same": alike(one, other)}


@EMBED.case(
    "with truncate off, a text over the context is refused",
    refusals=[{"status": 400, "message": TOO_LONG}] * 2,
)
async def _too_long(ask: Ask) -> Facts:
    answers = [await ask.embed(texts, truncate=False) for texts in (LONG, ["short", LONG])]
    return {"refusals": [answer.refusal for answer in answers]}


@EMBED.case("a text that fits is embedded with truncate off", same=True)
async def _fits(ask: Ask) -> Facts:
    one, other = [
        (await ask.embed("word " * 300, truncate=cut)).body["embeddings"][0] for cut in (False, True)
    ]
    return {"same": alike(one, other)}


@EMBED.case(
    "dimensions keeps the leading components and scales them again", lengths=[1.0], size=200, leading=True
)
async def _dimensions(ask: Ask) -> Facts:
    short = (await ask.embed(TEXTS[0], dimensions=200)).body["embeddings"][0]
    whole = (await ask.embed(TEXTS[0])).body["embeddings"][0]
    return {"lengths": lengths([short]), "size": len(short), "leading": alike(short, whole[:200])}


@EMBED.case("dimensions that are none, negative or too many keep all", all_kept=[True] * 3)
async def _all_dimensions(ask: Ask) -> Facts:
    whole = (await ask.embed("a")).body["embeddings"][0]
    kept = [(await ask.embed("a", dimensions=size)).body["embeddings"][0] for size in (0, -5, 100_000)]
    return {"all_kept": [len(vector) == len(whole) for vector in kept]}


@EMBED.case("a chat model embeds too", status=200, vectors=1)
async def _chat_model(ask: Ask) -> Facts:
    answer = await ask.embed("a", model=ask.models.chat)
    return {"status": answer.status, "vectors": len(answer.body.get("embeddings", []))}


@EMBED.case("calls at once give what calls in turn give", same=[True] * 8)
async def _at_once(ask: Ask) -> Facts:
    texts = [f"{TEXTS[number % 4]} {number}" for number in range(8)]
    at_once = await asyncio.gather(*(ask.embed(text) for text in texts))
    in_turn = (await ask.embed(texts)).body["embeddings"]
    vectors = [answer.body["embeddings"][0] for answer in at_once]
    return {"same": [alike(*pair) for pair in zip(vectors, in_turn, strict=True)]}


@OLDER.case("a prompt gives the vector that the newer endpoint gives", keys=["embedding"], same=True)
async def _older(ask: Ask) -> Facts:
    body = (await ask("embeddings", model=ask.models.embedding, prompt=TEXTS[0])).body
    newer = (await ask.embed(TEXTS[0])).body["embeddings"][0]
    return {"keys": list(body), "same": alike(body["embedding"], newer)}


@OLDER.case("input instead of prompt gives an empty vector and no error", status=200, body={"embedding": []})
async def _trap(ask: Ask) -> Facts:
    reply = await ask.send("POST", "/api/embeddings", {"model": ask.models.embedding, "input": "text"})
    return {"status": reply.status, "body": reply.body}


@OLDER.case(
    "a prompt over the context is an error of the server", refusal={"status": 500, "message": TOO_LONG}
)
async def _older_too_long(ask: Ask) -> Facts:
    return {"refusal": (await ask("embeddings", model=ask.models.embedding, prompt=LONG)).refusal}


async def _context(ask: Ask) -> int:
    info = (await ask("show", model=ask.models.embedding)).body["modelinfo"]
    context: int = info[f"{info['general.architecture']}.context_length"]
    return context
