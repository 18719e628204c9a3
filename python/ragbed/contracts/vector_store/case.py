"""What a case is: one call of the client, what goes before it, and what is read after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Keep = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of a client's method.

    Attributes:
        method: Name of a public method of `QdrantClient`.
        arguments: Its arguments; the world's collection is added where the method takes one.
        keep: Reduces the result to what two servers can agree on.
    """

    method: str
    arguments: Mapping[str, Any]
    keep: Keep | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule about one method.

    Attributes:
        step: The call that the case is about.
        rule: What the call shows, in a few words; unique per method.
        world: Which collection it runs on, see `worlds`.
        before: Calls that prepare it.
        then: Calls that show what it did.
        says: Words that an error's message must have, in any case of letters.
    """

    step: Step
    rule: str
    world: str = "library"
    before: tuple[Step, ...] = ()
    then: tuple[Step, ...] = ()
    says: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Method and rule."""
        return f"{self.step.method}: {self.rule}"


@dataclass(slots=True)
class Table:
    """Collects the cases of one area."""

    cases: list[Case] = field(default_factory=list)

    def add(
        self,
        method: str,
        rule: str,
        /,
        *,
        world: str = "library",
        before: tuple[Step, ...] = (),
        then: tuple[Step, ...] = (),
        says: tuple[str, ...] = (),
        keep: Keep | None = None,
        **arguments: Any,
    ) -> None:
        """Add a case; arguments that are not ours are the call's."""
        step = Step(method=method, arguments=arguments, keep=keep)
        self.cases.append(Case(step=step, rule=rule, world=world, before=before, then=then, says=says))


def step(method: str, /, *, keep: Keep | None = None, **arguments: Any) -> Step:
    """Return a call that prepares or shows."""
    return Step(method=method, arguments=arguments, keep=keep)


def with_arguments(case: Case, rule: str, **arguments: Any) -> Case:
    """Return the case with further arguments under another rule."""
    changed = replace(case.step, arguments={**case.step.arguments, **arguments})
    return replace(case, step=changed, rule=rule, says=())
