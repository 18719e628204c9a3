"""What a case is: a rule, the calls that show it, and the facts that a real Ollama gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ragbed.contracts.llm.ask import Ask

Facts = dict[str, Any]
Observation = Callable[["Ask"], Awaitable[Facts]]

OLLAMA = "0.24.0"
"""Version of the real Ollama whose facts the cases hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule about shapes and effects, never about a model's words.

    Attributes:
        area: What the rule is about: `embed`, `chat`, `frames`.
        rule: What the calls show, in one sentence; unique per area.
        expected: What a real Ollama gives.
        find: Asks a server and returns what it gives.
    """

    area: str
    rule: str
    expected: Facts
    find: Observation

    @property
    def id(self) -> str:
        """Area and rule."""
        return f"{self.area}: {self.rule}"


@dataclass(frozen=True, slots=True)
class Table:
    """Collects the cases of one area."""

    area: str
    cases: list[Case] = field(default_factory=list)

    def case(self, rule: str, /, **expected: Any) -> Callable[[Observation], Observation]:
        """Return a decorator that makes a case of a function; `expected` is what it returns on a real Ollama."""

        def add(find: Observation) -> Observation:
            self.cases.append(Case(area=self.area, rule=rule, expected=expected, find=find))
            return find

        return add
