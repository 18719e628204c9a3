"""What failed in a run, and whether it is what failed in another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.runs import RunRecord

Verdict = Literal["reproduced", "not reproduced", "a different failure"]

_VOLATILE = (
    (re.compile(r"0x[0-9a-fA-F]{4,}"), "0x…"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b\d{8}-\d{6}-[0-9a-f]{6}\b"), "RUN"),
    (re.compile(r"\b(?:ragbed_test|t)_[0-9a-z_]*[0-9a-f]{6,8}(?:_\d+)?\b"), "NAME"),
    (
        re.compile(r"(?<![\w.])/(?:tmp|var/folders|private|home|Users|work|builds|root)/[^\s'\":,)\]]+"),
        "PATH",
    ),
    (re.compile(r"\b(127\.0\.0\.1|localhost|\[::1\]):\d+"), r"\1:PORT"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(ms|s|seconds)\b"), r"N \1"),
    (re.compile(r"\bpid \d+"), "pid N"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One test or stage that failed.

    Attributes:
        subject: Its name.
        status: `failed` or `errored`.
        message: The first line of what it failed with.
    """

    subject: str
    status: str
    message: str

    def is_like(self, other: Failure) -> bool:
        """Tell whether another run's failure is the same, but for what changes from run to run."""
        return (self.subject, self.status, masked(self.message)) == (
            other.subject,
            other.status,
            masked(other.message),
        )


def masked(message: str) -> str:
    """Return a message without addresses in memory, ports, paths, times, ids and durations."""
    for pattern, instead in _VOLATILE:
        message = pattern.sub(instead, message)
    return message


def failures_of(record: RunRecord) -> dict[str, Failure]:
    """Return what failed in a run by name: its tests; of another kind of run, what its outcome says."""
    failures = {
        event.subject: Failure(
            subject=event.subject,
            status=str(event.data["status"]),
            message=str(event.data.get("message", "")),
        )
        for event in record.events()[0]
        if event.kind == "test.ended" and event.data.get("status") in {"failed", "errored"}
    }
    failure = (record.outcome or {}).get("failure")
    if failures or not failure:
        return failures
    kind = record.manifest["kind"]
    message = f"{failure['kind']}: {failure['message']}"
    return {kind: Failure(subject=kind, status="failed", message=message)}


def compare(recorded: Mapping[str, Failure], again: Mapping[str, Failure]) -> Verdict:
    """Return whether a second run failed as the first did.

    Args:
        recorded: What failed in the first.
        again: What failed in the second.
    """
    if any(name in again and not again[name].is_like(failure) for name, failure in recorded.items()):
        return "a different failure"
    if all(name in again for name in recorded):
        return "reproduced"
    return "a different failure" if set(again) - set(recorded) else "not reproduced"
