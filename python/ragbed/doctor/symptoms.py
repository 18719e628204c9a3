"""What users of test environments complain of, and what answers it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.stack.endpoint import SERVICES
from ragbed.stack.registry import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.doctor.finding import Report


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing that answers a symptom.

    Attributes:
        type: What to type, or the fixture to use.
        does: What that does.
    """

    type: str
    does: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One symptom.

    Attributes:
        said: In the users' words.
        why: The usual cause.
        remedies: What helps, the first thing first.
        fits: Tells whether a report shows the cause.
    """

    said: str
    why: str
    remedies: tuple[Remedy, ...]
    fits: Callable[[Report], bool]


def _has_drift(report: Report) -> bool:
    return any(finding.state == "drift" for finding in report.findings)


def _shares_services(report: Report) -> bool:
    stores = {one for one in SERVICES if kind_of(one).has_marker}  # ragbed writes nothing to an LLM
    return any(finding.topic in stores and finding.shared for finding in report.findings)


def _is_staging(report: Report) -> bool:
    return report.tier.startswith("staging")


def _is_cramped(report: Report) -> bool:
    slow = {"cpu", "memory", "disk"}
    return any(finding.topic in slow and finding.state != "ok" for finding in report.findings)


def _is_ci(report: Report) -> bool:
    return report.tier.startswith("ci")


SYMPTOMS = (
    Symptom(
        said="Passes here, fails in CI",
        why="two machines have other versions, models or settings",
        remedies=(
            Remedy(
                "ragbed doctor --against ci.json",
                "names what differs from CI, which kept `ragbed doctor --json`",
            ),
            Remedy(
                "APP_ENV=ci ragbed config explain",
                "shows what CI's tier sets, and where each value comes from",
            ),
            Remedy("APP_ENV=ci ragbed smoke", "is the same run with CI's settings"),
        ),
        fits=_has_drift,
    ),
    Symptom(
        said="Passes alone, fails together",
        why="tests share a database, keys or a collection",
        remedies=(
            Remedy("ragbed_pipeline", "is a fixture: schema, keys and collection of one test, gone after it"),
            Remedy("ragbed_qdrant", "is a fixture: a vector database that is empty before each test"),
            Remedy("RAGBED_STATE_DIR=$(mktemp -d) ragbed up -d", "is a second stack, on ports of its own"),
        ),
        fits=_shares_services,
    ),
    Symptom(
        said="Staging is always broken",
        why="the tests are the first to look at it",
        remedies=(
            Remedy(
                "APP_ENV=staging ragbed doctor",
                "tells of each service given by URL whether it answers and fits",
            ),
            Remedy("APP_ENV=staging ragbed config explain", "shows where each address comes from"),
            Remedy("ragbed adopt URL", "marks a store that tests may write to; no other is written to"),
        ),
        fits=_is_staging,
    ),
    Symptom(
        said="Provisioning is slow",
        why="every run installs, downloads and starts anew",
        remedies=(
            Remedy("ragbed up -d", "starts a stack that stays up; later runs and tests use it"),
            Remedy("ragbed up -d --keep", "keeps its data beyond `ragbed down`"),
            Remedy("ragbed models fetch", "brings models once, by digest; keep .ragbed/models in CI's cache"),
        ),
        fits=_is_cramped,
    ),
    Symptom(
        said="A CI failure cannot be reproduced",
        why="a log does not say what CI ran on",
        remedies=(
            Remedy("ragbed doctor --json", "is the machine in one file: keep it as an artifact"),
            Remedy(
                "ragbed smoke --junit smoke.xml", "is the run in one file: versions, origins, stages, figures"
            ),
            Remedy("ragbed doctor --against ci.json", "names at home what differs"),
        ),
        fits=_is_ci,
    ),
)


def fitting(report: Report) -> list[Symptom]:
    """Return the symptoms whose cause the report shows."""
    return [symptom for symptom in SYMPTOMS if symptom.fits(report)]
