"""Fixed answers for prompts that match a pattern; the first match wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A pattern searched in the user's last message, and the answer given when it is found.

    Attributes:
        pattern: Regular expression as Python's `re` reads it; found anywhere in the message.
        answer: Given as it is, whatever passages or format the request has.

    Raises:
        UsageError: The pattern is not a regular expression.
    """

    pattern: str
    answer: str

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise UsageError(f"rule pattern {self.pattern!r} is not a regular expression: {error}") from error


def first_match(rules: Iterable[Rule], prompt: str) -> Rule | None:
    """Return the first rule whose pattern occurs in the prompt, or None."""
    return next((rule for rule in rules if re.search(rule.pattern, prompt)), None)
