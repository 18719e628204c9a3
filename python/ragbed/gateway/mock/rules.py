"""Fixed answers for prompts that match a pattern; the first match wins.

Patterns are searched by the package `regex`: it reads what Python's `re` reads, can be given a time limit, which `re`
cannot, and lets other threads run meanwhile. A linear-time engine would refuse patterns that tests use today.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.errors import UsageError
from ragbed.gateway.engine import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ragbed.gateway.engine import CompletionRequest, ToolCall

PATTERN_TIMEOUT_S = 0.5
"""How long one pattern may be searched in one message, in seconds of the processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A pattern searched in the user's last message, and what is given when it is found.

    Attributes:
        pattern: Regular expression as Python's `re` reads it; found anywhere in the message.
        answer: Given as it is, whatever passages or format the request has.
        tool_calls: Given instead of an answer. Such a rule holds where the request offers these tools, and not
            once a tool has answered: or an agent would call for ever.
        thinking: What a model that can think says before it; None leaves that to the mock.

    Raises:
        UsageError: The pattern is not a regular expression.
    """

    pattern: str
    answer: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    thinking: str | None = None

    def __post_init__(self) -> None:
        require_pattern(self.pattern)

    def to_json(self) -> dict[str, Any]:
        """Return it as the control API takes it."""
        thinking = {} if self.thinking is None else {"thinking": self.thinking}
        if not self.tool_calls:
            return {"pattern": self.pattern, "answer": self.answer, **thinking}
        calls = [{"name": call.name, "arguments": dict(call.arguments)} for call in self.tool_calls]
        return {"pattern": self.pattern, "tool_calls": calls, **thinking}


def require_pattern(pattern: str) -> None:
    """Refuse what is not a regular expression.

    Raises:
        UsageError: It is none.
    """
    import regex  # noqa: PLC0415 - slow to import, and only rules need it

    try:
        regex.compile(pattern)
    except regex.error as error:
        raise UsageError(f"rule pattern {pattern!r} is not a regular expression: {error}") from error


async def is_found(pattern: str, texts: Sequence[str]) -> bool:
    """Tell whether a pattern is found in one of the texts.

    Raises:
        NoAnswerError: It was not searched to its end within `PATTERN_TIMEOUT_S`.
    """
    return await asyncio.to_thread(lambda: any(_is_in(pattern, text) for text in texts))


async def first_match(rules: Iterable[Rule], request: CompletionRequest) -> Rule | None:
    """Return the first rule that holds for a request, or None.

    Raises:
        NoAnswerError: A pattern was not searched to its end within `PATTERN_TIMEOUT_S`.
    """
    callable_ = may_call(request)
    holding = [rule for rule in rules if {call.name for call in rule.tool_calls} <= callable_]
    if not holding:
        return None
    return await asyncio.to_thread(_first_found, holding, request.prompt)


def may_call(request: CompletionRequest) -> frozenset[str]:
    """Return the names of the tools that may be called: those offered, and none once a tool has answered."""
    answered = bool(request.messages) and request.messages[-1].role == "tool"
    return frozenset() if answered else frozenset(tool.name for tool in request.tools)


def _first_found(rules: list[Rule], prompt: str) -> Rule | None:
    return next((rule for rule in rules if _is_in(rule.pattern, prompt)), None)


def _is_in(pattern: str, prompt: str) -> bool:
    import regex  # noqa: PLC0415 - as above

    try:
        return bool(regex.search(pattern, prompt, timeout=PATTERN_TIMEOUT_S, concurrent=True))
    except TimeoutError:
        raise NoAnswerError(
            f"rule pattern {pattern!r} was not searched to its end within {PATTERN_TIMEOUT_S:g} s: "
            "it takes exponentially long on this message; write it without a repetition inside a repetition"
        ) from None
