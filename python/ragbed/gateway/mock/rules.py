"""Fixed answers for prompts that match a pattern; the first match wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ragbed.gateway.engine import CompletionRequest, ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A pattern searched in the user's last message, and what is given when it is found.

    Attributes:
        pattern: Regular expression as Python's `re` reads it; found anywhere in the message.
        answer: Given as it is, whatever passages or format the request has.
        tool_calls: Given instead of an answer. Such a rule holds where the request offers these tools, and not
            once a tool has answered: or an agent would call for ever.

    Raises:
        UsageError: The pattern is not a regular expression.
    """

    pattern: str
    answer: str = ""
    tool_calls: tuple[ToolCall, ...] = ()

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise UsageError(f"rule pattern {self.pattern!r} is not a regular expression: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Return it as the control API takes it."""
        if not self.tool_calls:
            return {"pattern": self.pattern, "answer": self.answer}
        calls = [{"name": call.name, "arguments": dict(call.arguments)} for call in self.tool_calls]
        return {"pattern": self.pattern, "tool_calls": calls}


def first_match(rules: Iterable[Rule], request: CompletionRequest) -> Rule | None:
    """Return the first rule that holds for a request, or None."""
    prompt, callable_ = request.prompt, may_call(request)
    return next((rule for rule in rules if _holds(rule, prompt, callable_)), None)


def may_call(request: CompletionRequest) -> frozenset[str]:
    """Return the names of the tools that may be called: those offered, and none once a tool has answered."""
    answered = bool(request.messages) and request.messages[-1].role == "tool"
    return frozenset() if answered else frozenset(tool.name for tool in request.tools)


def _holds(rule: Rule, prompt: str, callable_: frozenset[str]) -> bool:
    return {call.name for call in rule.tool_calls} <= callable_ and bool(re.search(rule.pattern, prompt))
