"""Tokens that a model did not count are unknown, and not none."""

from __future__ import annotations

from dataclasses import replace

import ollama
import pytest

from ragbed.errors import AnswerFailed
from ragbed.llm.failures import NamedRequest
from ragbed.llm.reply import reply_of
from ragbed.pipeline import Answer, ScoredChunk
from ragbed.pipeline.answering import prompt
from ragbed.targets.reference import Tokens
from ragbed.tokens import estimate_tokens

PASSAGE = ScoredChunk(
    chunk_id="a", document="port.md", title="Port", heading="", text="It listens on port 7000.", score=1.0
)
ANSWER = Answer(
    question="Which port?",
    text="Port 7000 [1].",
    citations=(),
    passages=(PASSAGE,),
    answered=True,
    grounded=True,
    refused=False,
    flagged=(),
    gap=None,
    model="made",
    prompt_tokens=10,
    answer_tokens=5,
    cached_embeddings=0,
    seconds=0.1,
)
CALL = NamedRequest(
    server="http://127.0.0.1:1",
    model="made",
    doing="an answer by made",
    failed=AnswerFailed,
    repeatable=False,
    limit_s=1,
    limit="llm.answer_timeout_s",
)


@pytest.mark.parametrize("counted", [None, 0, 7])
def test_what_a_server_does_not_count_is_unknown(counted: int | None) -> None:
    """And 0 is 0."""
    last = ollama.ChatResponse(
        done=True,
        message=ollama.Message(role="assistant", content="hi"),
        prompt_eval_count=counted,
        eval_count=counted,
    )
    reply = reply_of([last], CALL)

    assert (reply.prompt_tokens, reply.answer_tokens) == (counted, counted)


def test_counted_tokens_are_added_up() -> None:
    """Over all answers."""
    tokens = Tokens()
    tokens.add(ANSWER)
    tokens.add(ANSWER)

    assert (tokens.prompt, tokens.answer) == (20, 10)


def test_unknown_tokens_are_estimated_for_the_costs() -> None:
    """From the prompt and the answer: a report of costs would fall short otherwise."""
    tokens = Tokens()
    tokens.add(replace(ANSWER, prompt_tokens=None, answer_tokens=None))

    assert (tokens.prompt, tokens.answer) == (
        estimate_tokens(prompt("Which port?", [PASSAGE])),
        estimate_tokens("Port 7000 [1]."),
    )
    assert tokens.answer == 7
