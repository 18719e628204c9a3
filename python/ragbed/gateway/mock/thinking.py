"""What a model that can think says to itself before it answers: the same for the same request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.gateway.mock.passages import parse_prompt

if TYPE_CHECKING:
    from ragbed.gateway.engine import CompletionRequest, Model

_SENTENCES = {"low": 1, "medium": 2, "high": 3, "max": 4}
_QUOTED_CHARACTERS = 200


def thinks(model: Model, request: CompletionRequest) -> bool:
    """Tell whether an answer begins with a thought."""
    if not model.can("thinking"):
        return False
    return model.thinks_unasked if request.think is None else bool(request.think)


def thought(request: CompletionRequest) -> str:
    """Return the thought before an answer; the harder the client asks to think, the longer it is."""
    prompt = parse_prompt(request.prompt)
    question = (prompt.question if prompt else request.prompt)[:_QUOTED_CHARACTERS]
    passages = (
        f"There are {len(prompt.passages)} passages to quote."
        if prompt
        else "There are no passages to quote."
    )
    sentences = (
        f'The question is "{question}".',
        passages,
        "I look for the sentences that cover its words best.",
        "I check the citations once more.",
    )
    level = request.think if isinstance(request.think, str) else "medium"
    return " ".join(sentences[: _SENTENCES[level]])
