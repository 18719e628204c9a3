"""What differs between this machine and another one whose report was kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ragbed.doctor.finding import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One topic with another value on the other machine.

    Attributes:
        topic: What it is about.
        here: The value here; empty for none.
        there: The value there; empty for none.
    """

    topic: str
    here: str
    there: str


def read_values(path: Path) -> dict[str, str]:
    """Return the values of a report that `ragbed doctor --json` has written, by topic.

    Raises:
        UsageError: The file cannot be read, or is not a doctor's report.
    """
    try:
        findings = json.loads(path.read_text(encoding="utf-8"))["findings"]
        return {str(one["topic"]): str(one["value"]) for one in findings}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{path} is not a report of the doctor",
            hint="make one on the other machine: ragbed doctor --json > doctor.json; then --against doctor.json",
        ) from None


def differences(report: Report, there: Mapping[str, str]) -> list[Difference]:
    """Return the topics whose values differ, in the report's order; those that only the other machine has come last.

    Args:
        report: Of this machine.
        there: Values of the other one, by topic.
    """
    here = {finding.topic: finding.value for finding in report.findings}
    topics = [*here, *(topic for topic in there if topic not in here)]
    pairs = [
        Difference(topic=topic, here=here.get(topic, ""), there=there.get(topic, "")) for topic in topics
    ]
    return [pair for pair in pairs if pair.here != pair.there]
