"""Rules about answers: what chat and generate give, and what ends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.contracts.llm.case import Facts, Table
from ragbed.contracts.llm.shapes import shape

if TYPE_CHECKING:
    from ragbed.contracts.llm.ask import Ask, ClientAnswer

WHOLE, OPTIONS = Table("answer"), Table("options")
TABLES = (WHOLE, OPTIONS)

SHORT = {"num_predict": 5, "seed": 7}
FIGURES = {
    "total_duration": "whole number",
    "load_duration": "whole number",
    "prompt_eval_count": "whole number",
    "prompt_eval_duration": "whole number",
    "eval_count": "whole number",
    "eval_duration": "whole number",
}
HEAD = {"model": "text", "created_at": "time"}
SAID = {"message": {"role": "text", "content": "text"}}


async def both(ask: Ask, text: str = "the a", /, **arguments: Any) -> list[ClientAnswer]:
    """Return what chat and generate answer, in that order."""
    arguments = {"options": SHORT, **arguments}
    return [await ask.chat(text, **arguments), await ask.generate(text, **arguments)]


@WHOLE.case(
    "a chat gives one message of the assistant, why it ended, and the figures",
    body={**HEAD, "done": True, "done_reason": "text", **FIGURES, **SAID},
    role="assistant",
)
async def _chat(ask: Ask) -> Facts:
    body = (await ask.chat(options=SHORT)).body
    return {"body": shape(body), "role": body["message"]["role"]}


@WHOLE.case(
    "a completion gives its text, why it ended, the figures and its context",
    body={
        **HEAD,
        "done": True,
        "done_reason": "text",
        **FIGURES,
        "response": "text",
        "context": ["whole number"],
    },
)
async def _generate(ask: Ask) -> Facts:
    return {"body": shape((await ask.generate(options=SHORT)).body)}


@WHOLE.case("the model is named as it was asked for", named=[True] * 4)
async def _name(ask: Ask) -> Facts:
    names = [ask.models.chat, f"{ask.models.chat}:latest"]
    return {"named": [one.body["model"] == name for name in names for one in await both(ask, model=name)]}


@WHOLE.case("the total time holds its parts", holds=[True, True])
async def _times(ask: Ask) -> Facts:
    parts = ("load_duration", "prompt_eval_duration", "eval_duration")
    bodies = [answer.body for answer in await both(ask)]
    return {"holds": [body["total_duration"] >= sum(body[part] for part in parts) for body in bodies]}


@WHOLE.case("a longer prompt has more tokens", more=[True, True])
async def _prompt_tokens(ask: Ask) -> Facts:
    short, long = await both(ask, "the a"), await both(ask, "the a of the b and the c")
    counts = "prompt_eval_count"
    return {"more": [b.body[counts] > a.body[counts] > 0 for a, b in zip(short, long, strict=True)]}


@WHOLE.case("messages of every role are taken, those without content too", statuses=[200] * 6)
async def _roles(ask: Ask) -> Facts:
    user = {"role": "user", "content": "the a"}
    dialogs: list[list[dict[str, Any]]] = [
        [{"role": "system", "content": "b"}, user],
        [user, {"role": "assistant", "content": "b"}, user],
        [user, {"role": "assistant", "content": "b"}],
        [user, {"role": "tool", "content": "b", "tool_name": "f"}],
        [{"role": "user"}],
        [{"role": "user", "content": ""}],
    ]
    return {"statuses": [(await ask.chat(messages=turns, options=SHORT)).status for turns in dialogs]}


@WHOLE.case("system, raw, images and context are taken", statuses=[200] * 5)
async def _extras(ask: Ask) -> Facts:
    extras: list[dict[str, Any]] = [
        {"system": "b"},
        {"raw": True},
        {"images": [b"no picture"]},
        {"context": [1, 2, 3]},
        {"think": False},
    ]
    return {"statuses": [(await ask.generate(options=SHORT, **extra)).status for extra in extras]}


@WHOLE.case("raw mode gives no context", context=False)
async def _raw(ask: Ask) -> Facts:
    return {"context": "context" in (await ask.generate(options=SHORT, raw=True)).body}


@WHOLE.case("a template of the request shapes the prompt", more_tokens=True)
async def _template(ask: Ask) -> Facts:
    plain = await ask.generate(options=SHORT)
    shaped = await ask.generate(options=SHORT, template=f"{'b c d e f g ' * 20}{{{{ .Prompt }}}}")
    return {"more_tokens": shaped.body["prompt_eval_count"] > plain.body["prompt_eval_count"]}


@WHOLE.case(
    "log probabilities are given where asked for: of each token, and of the likeliest beside it",
    given=[True, True],
    first={
        "token": "text",
        "logprob": "number",
        "top_logprobs": [{"token": "text", "logprob": "number"}] * 2,
    },
)
async def _logprobs(ask: Ask) -> Facts:
    answers = await both(ask, logprobs=True, top_logprobs=2)
    logprobs = [answer.body.get("logprobs", []) for answer in answers]
    first = logprobs[0][0] if logprobs[0] else {}
    tops = [shape(top) for top in first.get("top_logprobs", [])]
    return {
        "given": [bool(one) for one in logprobs],
        "first": {**shape(first), "top_logprobs": tops} if first else {},
    }


@WHOLE.case("a prompt over the context is cut to it", full=[True, True])
async def _cut(ask: Ask) -> Facts:
    options = {**SHORT, "num_ctx": 64}
    return {
        "full": [
            0 < one.body["prompt_eval_count"] <= 64
            for one in await both(ask, "the a " * 200, options=options)
        ]
    }


@WHOLE.case(
    "with truncate off, a prompt over the context is refused",
    replies=[[400, "the input length exceeds the context length"]] * 2,
)
async def _too_long(ask: Ask) -> Facts:
    text, options = "the a " * 200, {**SHORT, "num_ctx": 64, "num_thread": 1}
    common = {"model": ask.models.chat, "truncate": False, "stream": False, "options": options}
    chat = await ask.send("POST", "/api/chat", {**common, "messages": [{"role": "user", "content": text}]})
    generate = await ask.send("POST", "/api/generate", {**common, "prompt": text})
    return {"replies": [[reply.status, reply.body.get("error")] for reply in (chat, generate)]}


@OPTIONS.case("num_predict ends the answer and says so", reasons=["length", "length"], tokens=[3, 3])
async def _limit(ask: Ask) -> Facts:
    answers = await both(ask, options={"num_predict": 3, "seed": 7})
    return {
        "reasons": [answer.body["done_reason"] for answer in answers],
        "tokens": [answer.body["eval_count"] for answer in answers],
    }


@OPTIONS.case("a fraction of a token is cut off", tokens=[2, 2])
async def _fraction(ask: Ask) -> Facts:
    common = {"model": ask.models.chat, "stream": False, "options": {"num_predict": 2.7, "num_thread": 1}}
    chat = await ask.send("POST", "/api/chat", {**common, "messages": [{"role": "user", "content": "the a"}]})
    generate = await ask.send("POST", "/api/generate", {**common, "prompt": "the a"})
    return {"tokens": [chat.body["eval_count"], generate.body["eval_count"]]}


@OPTIONS.case(
    "a stop sequence ends the answer before it, the first of several that comes",
    texts=[True, True],
    reasons=["stop", "stop"],
    streamed=True,
)
async def _stop(ask: Ask) -> Facts:
    whole = (await ask.chat(options={"num_predict": 30, "seed": 7})).text
    sequence = whole[len(whole) // 2]
    options = {"num_predict": 30, "seed": 7, "stop": ["never said", sequence]}
    answers = [await ask.chat(options=options), await ask.chat(options=options, stream=True)]
    return {
        "texts": [answer.text == whole[: whole.index(sequence)] for answer in answers],
        "reasons": [answer.body["done_reason"] for answer in answers],
        "streamed": len(answers[1].frames) > 1,
    }


@OPTIONS.case("the same seed gives the same text", same=[True, True])
async def _seed(ask: Ask) -> Facts:
    options = {"num_predict": 20, "seed": 7, "temperature": 1.0}
    one, other = await both(ask, options=options), await both(ask, options=options)
    return {"same": [a.text == b.text for a, b in zip(one, other, strict=True)]}


@OPTIONS.case("at temperature 0 the seed changes nothing", same=[True, True])
async def _greedy(ask: Ask) -> Facts:
    one, other = [
        await both(ask, options={"num_predict": 20, "seed": seed, "temperature": 0}) for seed in (7, 8)
    ]
    return {"same": [a.text == b.text for a, b in zip(one, other, strict=True)]}


@OPTIONS.case("other seeds give other texts", different=[True, True])
async def _other_seed(ask: Ask) -> Facts:
    texts = [
        [
            answer.text
            for answer in await both(ask, options={"num_predict": 20, "seed": seed, "temperature": 1.5})
        ]
        for seed in range(5)
    ]
    return {"different": [len(set(said)) > 1 for said in zip(*texts, strict=True)]}


@OPTIONS.case("options that nobody knows, and those that are null, are passed over", statuses=[200] * 4)
async def _unknown(ask: Ask) -> Facts:
    odd: list[dict[str, Any]] = [{**SHORT, "nobody_knows": "this"}, {**SHORT, "top_k": None}]
    return {"statuses": [answer.status for options in odd for answer in await both(ask, options=options)]}


@OPTIONS.case("the options of sampling are taken", statuses=[200, 200])
async def _sampling(ask: Ask) -> Facts:
    options = {
        **SHORT,
        "temperature": 0.5,
        "top_k": 5,
        "top_p": 0.5,
        "min_p": 0.1,
        "typical_p": 0.9,
        "repeat_penalty": 1.2,
        "repeat_last_n": 8,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.1,
        "num_keep": 2,
    }
    return {"statuses": [answer.status for answer in await both(ask, options=options)]}
