"""How a run ended: `docs/run-outcome.schema.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ragbed.costs import MicroUsd, to_usd
from ragbed.errors import ExitCode, RagbedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.errors import ErrorJson
    from ragbed.events import Json

SCHEMA = "ragbed.run-outcome/1"
NOTHING = MicroUsd(0)
OutcomeStatus = Literal["passed", "failed", "skipped", "errored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes:
        subject: The kind of run.
        status: `failed` where a check said no, `errored` where the run could not be made or was interrupted.
        seconds: Duration.
        spent: What paid calls cost.
        simulated: What the calls would have cost at list price.
        failure: Why it did not pass; None where it did.
        facts: Figures of the run.
    """

    subject: str
    status: OutcomeStatus
    seconds: float
    spent: MicroUsd = NOTHING
    simulated: MicroUsd = NOTHING
    failure: ErrorJson | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the outcome in its published form."""
        return {
            "schema": SCHEMA,
            "subject": self.subject,
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "spent_usd": to_usd(self.spent),
            "simulated_usd": to_usd(self.simulated),
            "failure": self.failure,
            "facts": dict(self.facts),
        }


def status_of(exit_code: int) -> OutcomeStatus:
    """Return the status of a run whose command ends with an exit code."""
    if exit_code == ExitCode.FINE:
        return "passed"
    return "failed" if exit_code == ExitCode.CHECK_FAILED else "errored"


def outcome_of(error: BaseException | None, *, subject: str, seconds: float) -> Outcome:
    """Return the outcome of a run whose body ended with an exception; None for one that ended without.

    Args:
        error: What ended it. `SystemExit` with 0 or None is a run that passed.
        subject: The kind of run.
        seconds: Duration.
    """
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return Outcome(subject=subject, status="passed", seconds=seconds)
    described = _described(error)
    return Outcome(
        subject=subject, status=status_of(described["exit_code"]), seconds=seconds, failure=described
    )


def _described(error: BaseException) -> ErrorJson:
    if isinstance(error, RagbedError):
        return error.to_json()
    code: int = ExitCode.INTERRUPTED if isinstance(error, KeyboardInterrupt) else ExitCode.CHECK_FAILED
    if isinstance(error, SystemExit) and isinstance(error.code, int):
        code = error.code
    return {
        "kind": type(error).__name__,
        "message": "interrupted" if isinstance(error, KeyboardInterrupt) else str(error),
        "details": [],
        "hint": "",
        "exit_code": int(code),
    }
