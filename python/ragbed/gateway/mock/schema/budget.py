"""What a value of a schema may cost: a schema of one line can ask for more than the memory holds."""

from __future__ import annotations

import time

from ragbed.gateway.engine import NoAnswerError

MOST_STEPS = 100_000
"""Values tried and checked for one answer; some seconds."""

MOST_SECONDS = 5.0
"""Processor time that may take: a busy machine refuses no schema that an idle one answers."""

MOST_ITEMS = 10_000
"""Items of an array, properties of an object."""

MOST_CHARACTERS = 100_000
"""Characters of a string."""


class Budget:
    """Counts the steps of one answer."""

    def __init__(self) -> None:
        self._left = MOST_STEPS
        self._until = time.thread_time() + MOST_SECONDS

    def spend(self, steps: int = 1) -> None:
        """Take steps away; raise NoAnswerError where none are left."""
        self._left -= steps
        if self._left < 0 or (self._left % 64 == 0 and time.thread_time() > self._until):
            limit = f"within {MOST_STEPS} steps and {MOST_SECONDS:g} s"
            raise NoAnswerError(f"ragbed's mock LLM found no value of it {limit}")


def require_size(keyword: str, asked: float, most: int) -> None:
    """Refuse a size over a limit.

    Args:
        keyword: What asks for it: `minItems`.
        asked: The size.
        most: The limit.

    Raises:
        NoAnswerError: It is over the limit.
    """
    if asked > most:
        raise NoAnswerError(f"{keyword} is {asked:g}, and ragbed's mock LLM writes at most {most}")
