"""How many calls were answered, by kind and status: for metrics and telemetry."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Answers:
    """Answers of one kind.

    Attributes:
        count: How many.
        total_s: Seconds they took together.
    """

    count: int = 0
    total_s: float = 0.0


class RequestStats:
    """Counts answers. Written by the event loop alone; reads may come from any thread."""

    def __init__(self) -> None:
        self._answers: defaultdict[tuple[str, str, int], Answers] = defaultdict(Answers)

    def add(self, method: str, path: str, status: int, duration_s: float) -> None:
        """Count one answer; the path is the endpoint's, with names in braces."""
        answers = self._answers[method, path.replace("{name}", "{collection_name}"), status]
        answers.count += 1
        answers.total_s += duration_s

    def all(self) -> Iterator[tuple[str, str, int, Answers]]:
        """Return method, path, status and answers of each kind, sorted."""
        for (method, path, status), answers in sorted(self._answers.copy().items()):
            yield method, path, status, answers
