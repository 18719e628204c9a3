"""The matrix of a parity run: which cases differ on which launcher, and whether that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.parity.records import Cell, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ragbed.parity.suites import Facts, Suite


def rows_of(
    suite: Suite, observed: Mapping[str, Facts], launchers: Sequence[str], left_out: Mapping[str, str]
) -> list[Row]:
    """Return the cases of a suite that differ on a launcher, in the suite's order.

    Args:
        suite: Says what is expected; where it does not, the first launcher does.
        observed: What was given, by launcher and case; a launcher that did not run the suite is missing.
        launchers: Every launcher that is there.
        left_out: Cases that could not be asked.
    """
    expected = suite.expected() or next(iter(observed.values()), {})
    cases = dict.fromkeys(case for facts in (expected, *observed.values()) for case in facts)
    rows = []
    for case in cases:
        if case in left_out:
            continue
        cells = {
            name: _cell(suite, case, observed[name], expected) if name in observed else Cell(status="not_run")
            for name in launchers
        }
        if any(cell.status in ("known", "differs") for cell in cells.values()):
            rows.append(Row(suite=suite.name, case=case, expected=expected.get(case), cells=cells))
    return rows


def _cell(suite: Suite, case: str, facts: Facts, expected: Mapping[str, Any]) -> Cell:
    """Return what a launcher gave for a case, judged."""
    given, wanted = facts.get(case), expected.get(case)
    if suite.same(given, wanted):
        return Cell(status="same")
    if case not in facts or case not in expected:
        return Cell(status="differs", facts=given, weight="high")
    reason = suite.known(case, given)
    return Cell(
        status="known" if reason else "differs",
        reason=reason,
        facts=given,
        weight=suite.weight(given, wanted),
    )
