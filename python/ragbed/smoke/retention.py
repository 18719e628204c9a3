"""What stays of runs in the state folder: the last reports, and the gap pages that those name."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.stack.record import load_record
from ragbed.state.files import write_json

if TYPE_CHECKING:
    from ragbed.smoke.report import SmokeReport
    from ragbed.stack import Stack
    from ragbed.state import StateFolder

RUNS_KEPT = 20
_PREFIX = "smoke-"


def namespace_of(run_id: str) -> str:
    """Return the namespace of a run in every store; it sorts by time, as the id does."""
    return f"smoke_{run_id.replace('-', '_')}"


def keep_report(folder: StateFolder, report: SmokeReport) -> SmokeReport:
    """Leave a report in the state folder; the oldest go, and their gap pages with them.

    Args:
        folder: The state folder; where it was never made, nothing is kept.
        report: Of the run that has ended.

    Returns:
        The report, with a note where it could not be kept: the user shall see it all the same.
    """
    if not folder.root.exists():
        return report
    try:
        folder.runs.mkdir(exist_ok=True)
        write_json(folder.runs / f"{_PREFIX}{report.run_id}.json", report.to_json())
        _forget_old(folder)
    except OSError as error:  # another user's folder, a full disk, a file of that name
        said = f"the report could not be kept in {folder.runs}: {error.strerror or error}"
        return replace(report, notes=(*report.notes, said))
    return report


def _forget_old(folder: StateFolder) -> None:
    """Delete all but the last reports, and gap pages older than those.

    A run that is under way has pages and no report yet, so that age decides and not whether there is a report.
    """
    reports = sorted(folder.runs.glob(f"{_PREFIX}*.json"))
    for path in reports[:-RUNS_KEPT]:
        path.unlink(missing_ok=True)
    if len(reports) < RUNS_KEPT:
        return
    oldest = namespace_of(reports[-RUNS_KEPT].stem.removeprefix(_PREFIX))
    for pages in folder.gaps.glob("smoke_*"):
        if pages.name < oldest:
            shutil.rmtree(pages, ignore_errors=True)


def is_up(folder: StateFolder, stack: Stack | None) -> bool:
    """Tell whether every service of a stack is there: one that runs by itself, or one the state folder answers for.

    Where another stack was up, what a run started beside it has ended with the run.
    """
    if stack is None:
        return False
    try:
        record = load_record(folder)
    except OSError:  # then no command finds it either
        record = None
    urls = {endpoint.url for endpoint in record.endpoints.values()} if record else set()
    return all(one.launcher == "attach" or one.url in urls for one in stack.endpoints.values())
