"""What the doctor tells: a line per topic, and the exit code of all lines together."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ragbed.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.errors import RagbedError

State = Literal["ok", "note", "drift", "missing", "wrong"]
_EXITS = {
    "wrong": ExitCode.USAGE,
    "missing": ExitCode.SERVICE_MISSING,
    "drift": ExitCode.DRIFT,
}
"""The exit code of each state that fails, the one that stands in the way of the others first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen of one topic.

    Attributes:
        topic: What it is about: `docker`, `postgres`, a model's name.
        state: `ok`; `note` for what is optional or worth a look; `drift` from the pins; `missing` and needed;
            `wrong` for a setting or a file that cannot be used.
        seen: One sentence.
        value: What is compared between two machines: a version, a digest; empty where that means nothing.
        hint: What to type; empty when there is nothing to do.
        details: Further evidence, a sentence each.
        shared: Whether it is a server that others run, and may use at the same time.
    """

    topic: str
    state: State
    seen: str
    value: str = ""
    hint: str = ""
    details: tuple[str, ...] = ()
    shared: bool = False

    @property
    def fails(self) -> bool:
        """Whether it makes the command fail."""
        return self.state in _EXITS

    def scrubbed(self, scrub: Callable[[str], str]) -> Finding:
        """Return it with every text passed through a function that takes secrets out."""
        return replace(
            self, seen=scrub(self.seen), hint=scrub(self.hint), details=tuple(map(scrub, self.details))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that the doctor saw.

    Attributes:
        tier: The tier in force; empty where the settings cannot be read.
        findings: In the order in which they are shown.
        seconds: How long it took.
    """

    tier: str
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def exit_code(self) -> ExitCode:
        """2 where something is wrong, else 10 where something needed is missing, else 11 on drift, else 0."""
        states = {finding.state for finding in self.findings}
        return next((code for state, code in _EXITS.items() if state in states), ExitCode.FINE)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values; `docs/doctor-report.schema.json` describes them."""
        return {
            "schema": "ragbed.doctor/1",
            "tier": self.tier,
            "exit_code": int(self.exit_code),
            "seconds": round(self.seconds, 3),
            "findings": [{**asdict(finding), "details": list(finding.details)} for finding in self.findings],
        }


def finding_of(topic: str, error: RagbedError) -> Finding:
    """Return what an error says as a finding; a guard's refusal leaves a needed service unusable."""
    states: dict[ExitCode, State] = {ExitCode.USAGE: "wrong", ExitCode.DRIFT: "drift"}
    return Finding(
        topic=topic,
        state=states.get(error.exit_code, "missing"),
        seen=error.message,
        hint=error.hint,
        details=error.details,
    )
