"""What a chat model said, put together from the pieces it came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.llm.failures import Failure, NamedRequest, error_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ollama


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a chat model said.

    Attributes:
        text: As it came, joined.
        model: Model that answered.
        prompt_tokens: As the server counted; None where it did not say.
        answer_tokens: As the server counted; None where it did not say.
        ended: Why it ended: `stop`, or `length` where it was cut at the limit of tokens.
    """

    text: str
    model: str
    prompt_tokens: int | None
    answer_tokens: int | None
    ended: str


def reply_of(pieces: Sequence[ollama.ChatResponse], call: NamedRequest) -> Reply:
    """Return the pieces of a stream as one reply.

    Raises:
        AnswerFailed: The last piece is missing.
    """
    last = pieces[-1] if pieces else None
    if last is None or not last.done:
        raise error_for(Failure(kind="garbled", said="the stream ended before the answer did"), call)
    return Reply(
        text="".join(piece.message.content or "" for piece in pieces),
        model=last.model or call.model,
        prompt_tokens=last.prompt_eval_count,
        answer_tokens=last.eval_count,
        ended=last.done_reason or "",
    )
