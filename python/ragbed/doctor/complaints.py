"""What users of test environments complain of, and what answers it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.stack.endpoint import SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.doctor.finding import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One complaint.

    Attributes:
        said: In the users' words.
        why: The usual cause.
        answers: What to type, and what it does.
        fits: Tells whether a report shows the cause.
    """

    said: str
    why: str
    answers: tuple[str, ...]
    fits: Callable[[Report], bool]


def _has_drift(report: Report) -> bool:
    return any(finding.state == "drift" for finding in report.findings)


def _shares_services(report: Report) -> bool:
    return any(finding.topic in SERVICES and " found " in finding.seen for finding in report.findings)


def _is_staging(report: Report) -> bool:
    return report.tier.startswith("staging")


def _is_cramped(report: Report) -> bool:
    slow = {"cpu", "memory", "disk"}
    return any(finding.topic in slow and finding.state != "ok" for finding in report.findings)


def _is_ci(report: Report) -> bool:
    return report.tier.startswith("ci")


COMPLAINTS = (
    Complaint(
        said="Passes here, fails in CI",
        why="two machines have other versions, models or settings",
        answers=(
            "ragbed doctor --json > here.json, the same in CI, and: ragbed doctor --against ci.json",
            "APP_ENV=ci ragbed config explain: what the tier of CI sets otherwise",
            "APP_ENV=ci ragbed smoke: the same run with CI's settings",
        ),
        fits=_has_drift,
    ),
    Complaint(
        said="Passes alone, fails together",
        why="tests share a database, keys or a collection",
        answers=(
            "the fixture ragbed_pipeline: schema, keys and collection of one test, gone after it",
            "the fixture ragbed_qdrant: a vector database that is empty before each test",
            "RAGBED_STATE_DIR=$(mktemp -d) ragbed up -d: a second stack on ports of its own",
        ),
        fits=_shares_services,
    ),
    Complaint(
        said="Staging is always broken",
        why="nobody looks at it before the tests do",
        answers=(
            "APP_ENV=staging ragbed doctor: every service that is given by URL, whether it answers and is in range",
            "APP_ENV=staging ragbed config explain: where each address comes from",
            "ragbed adopt URL: marks the stores that tests may write to, and no others",
        ),
        fits=_is_staging,
    ),
    Complaint(
        said="Provisioning is slow",
        why="every run installs, downloads and starts anew",
        answers=(
            "ragbed up -d: a stack that stays up between runs; tests and smoke use it",
            "ragbed up -d --keep: its data outlives it",
            "ragbed models fetch: models by digest, once; keep .ragbed/models in CI's cache",
        ),
        fits=_is_cramped,
    ),
    Complaint(
        said="A CI failure cannot be reproduced",
        why="nobody knows what CI ran on",
        answers=(
            "in CI keep as artifacts: ragbed doctor --json, and ragbed smoke --json --junit smoke.xml",
            "at home: ragbed doctor --against ci.json names what differs",
            "ragbed smoke --keep: the stack and its data stay up for a look",
        ),
        fits=_is_ci,
    ),
)


def fitting(report: Report) -> list[Complaint]:
    """Return the complaints whose cause the report shows."""
    return [complaint for complaint in COMPLAINTS if complaint.fits(report)]
