"""What a request's body may say, checked before the pipeline sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from ragbed.errors import UsageError

if TYPE_CHECKING:
    from starlette.requests import Request

LONGEST_BYTES = 1_000_000
"""Size of the largest body that is read: a question is words, not a file."""

_QUESTION = AliasChoices("question", "query", "message")


class QuestionBody(BaseModel):
    """What a chat request and a retrieval have in common.

    Attributes:
        question: In words; `query` and `message` are names for it too.
        filters: A value or several allowed values by field.
    """

    model_config = ConfigDict(extra="forbid")

    question: str = Field(validation_alias=_QUESTION)
    filters: dict[str, str | list[str]] = {}


class Chat(QuestionBody):
    """The body of a chat request.

    Attributes:
        stream: Whether the answer comes as it is written; None leaves it to the request's `Accept`.
    """

    stream: bool | None = Field(default=None, strict=True)


class Retrieval(QuestionBody):
    """The body of a retrieval.

    Attributes:
        top_k: How many chunks at most; None takes the configured number.
    """

    top_k: int | None = Field(default=None, ge=1, le=1000, strict=True)


Body = TypeVar("Body", bound=QuestionBody)


async def read_body(request: Request, kind: type[Body]) -> Body:
    """Return the request's body.

    Args:
        request: The request; its content type is not looked at.
        kind: What the body must be.

    Raises:
        UsageError: The body is too large, no JSON, or says something else.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_BYTES:
            raise UsageError(f"the body is longer than {LONGEST_BYTES:,} bytes")
    try:
        return kind.model_validate_json(bytes(body))
    except ValidationError as error:
        problems = [f"{_place(one['loc'])}: {one['msg']}" for one in error.errors(include_url=False)]
        raise UsageError(
            f"the body is not a valid request: {problems[0]}",
            details=problems[1:],
            hint='{"question": "Why does Postgres refuse to start as root?"}',
        ) from error


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "the body"
