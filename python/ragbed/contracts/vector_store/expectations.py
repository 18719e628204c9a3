"""What the suite expects: recorded outcomes, and where the embedded server differs from them, with the reason.

`page.SERVER` says which server they were recorded on. A case that only a real server can do, and that none has done
yet, is recorded as unknown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.contracts.vector_store.outcome import alike, comparable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.contracts.vector_store.outcome import Outcome

FOLDER = Path(__file__).parent
RECORDED = FOLDER / "recorded.jsonl"
DIFFERENCES = FOLDER / "differences.jsonl"
REFUSED = 501


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """Where the embedded server's outcome is another.

    Attributes:
        how: What differs, in a few words; empty when it is refused as not supported.
        outcomes: What the embedded server answers.
    """

    how: str
    outcomes: list[Outcome]

    @property
    def is_refused(self) -> bool:
        """Whether the embedded server says that it cannot do this."""
        return any(one.get("error") == REFUSED for one in self.outcomes)


@cache
def recorded() -> dict[str, list[Outcome]]:
    """Return the expected outcomes by case."""
    return {line["case"]: line["outcomes"] for line in _lines(RECORDED)}


@cache
def differences() -> dict[str, Deviation]:
    """Return the known differences by case."""
    return {
        line["case"]: Deviation(how=line["how"], outcomes=line["outcomes"]) for line in _lines(DIFFERENCES)
    }


def expected(case: str, *, embedded: bool) -> list[Outcome]:
    """Return what a case must give on the embedded server, or on a real one."""
    known = differences().get(case) if embedded else None
    return known.outcomes if known else recorded()[case]


def write_recorded(outcomes: Mapping[str, list[Outcome]]) -> None:
    """Store a real server's outcomes."""
    _write(RECORDED, [{"case": case, "outcomes": comparable(outcomes[case])} for case in sorted(outcomes)])


def write_differences(found: Mapping[str, list[Outcome]]) -> list[str]:
    """Store where the embedded server's outcomes differ, keep the reasons known, return the cases that have none."""
    known, real = differences(), recorded()
    lines = []
    for case in sorted(found):
        outcomes = _stored(found[case])
        if not alike(outcomes, real.get(case)):
            how = known[case].how if case in known else ""
            lines.append({"case": case, "how": how, "outcomes": outcomes})
    _write(DIFFERENCES, lines)
    return [case for case, one in differences().items() if not one.how and not one.is_refused]


def _stored(outcomes: list[Outcome]) -> list[Outcome]:
    """Return outcomes as they come back from the file."""
    stored: list[Outcome] = json.loads(json.dumps(comparable(outcomes)))
    return stored


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    """Write a file of one JSON value a line; what was read before is forgotten."""
    recorded.cache_clear()
    differences.cache_clear()
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
